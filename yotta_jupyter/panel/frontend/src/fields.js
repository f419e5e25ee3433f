// @ts-check
/** The fields of the launch form. Their names are those of `PodSpec`. */

import { Combobox } from "./combobox.js";
import { h, iconButton, secondaryButton, setAttribute, setText, uniqueId } from "./dom.js";
import { formatGpuFacts } from "./format.js";

/** @typedef {import("./combobox-logic.js").ComboboxOption} ComboboxOption */
/** @typedef {import("./protocol.js").Choices} Choices */
/** @typedef {{ checkbox: HTMLInputElement, text: HTMLElement, label: HTMLElement }} Confirmation a check box below a field */

const CONFIRMATION_LABELS = { as_typed: "Use as typed", another: "Launch another pod of this name" };

export class Fields {
  /** @param {(element: HTMLElement) => void} onInput called after a change that fires no input event */
  constructor(onInput) {
    this._onInput = onInput;
    /** Inputs by field. @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
    this.inputs = {};
    /** The elements of errors and notes, by field. @type {Record<string, HTMLElement>} */
    this.messageElements = {};
    /** By field. @type {Record<string, Confirmation>} */
    this._confirmations = {};
    /** @type {Choices | null} */
    this._renderedChoices = null;
    this._comboboxes = {
      gpu_type: new Combobox("GPU type", { placeholder: "Choose or type, such as L4" }),
      image: new Combobox("Image", { placeholder: "Choose or type, such as pytorch" }),
      region: new Combobox("Region", { placeholder: "Any region" }),
    };
    const { gpu_type, image, region } = this._comboboxes;
    this._variables = h("div", { class: "yotta-variables" });
    this._addVariableButton = secondaryButton("Add a variable", () => this._addVariable());
    this._summary = h("summary");
    this._moreFields = h(
      "div",
      { class: "yotta-fields yotta-more-fields" },
      this._field("expose", "Ports"),
      this._field("initialization_command", "Init command", { placeholder: "runs when the pod starts" }),
      this._field("container_volume_in_gb", "Container volume (GB)", { inputmode: "numeric" }),
      this._field("persistent_volume_in_gb", "Persistent volume (GB)", { inputmode: "numeric" }),
      this._field("persistent_mount_path", "Mount path", { placeholder: "e.g. /workspace" }),
      this._labelledField("cloud_type", "Cloud", h("select")),
    );
    this._registryFields = h(
      "div",
      { class: "yotta-fields", hidden: true },
      this._field("image_registry_username", "Registry user name"),
      this._field("image_registry_token", "Registry token", { type: "password" }),
    );
    this._privateCheckbox = h("input", { type: "checkbox" });
    this._privateCheckbox.addEventListener("change", () => {
      this._registryFields.hidden = !this._privateCheckbox.checked;
    });
    this.element = h(
      "div",
      {},
      h(
        "div",
        { class: "yotta-fields yotta-main-fields" },
        this._labelledField("gpu_type", "GPU type", gpu_type.input, gpu_type.element),
        this._labelledField("gpu_count", "GPUs", h("select")),
        this._labelledField("image", "Image", image.input, image.element),
        this._field("pod_name", "Name", { placeholder: "Optional" }),
        this._labelledField("region", "Region", region.input, region.element),
      ),
      this._moreOptions(),
    );
    this.element.addEventListener("input", () => this._updateSummary());
    this._updateSummary();
  }

  /**
   * @param {Choices | null} choices
   * @returns {boolean} whether they have changed
   */
  renderChoices(choices) {
    if (!choices || choices === this._renderedChoices) return false;
    if (!this._renderedChoices) this.inputs.image.value = choices.default_image;
    this._renderedChoices = choices;
    const { gpu_type, image, region } = this._comboboxes;
    gpu_type.setOptions(choices.gpu_types.map(gpuOption));
    image.setOptions(choices.images.map(imageOption));
    region.setOptions(choices.regions.map((value) => ({ value, label: value })));
    const counts = choices.gpu_counts.map((count) => h("option", {}, String(count)));
    setOptions(this.inputs.gpu_count, counts);
    const clouds = ["", ...choices.clouds].map((cloud) => h("option", { value: cloud }, cloud || "any"));
    setOptions(this.inputs.cloud_type, clouds);
    setAttribute(this.inputs.expose, "placeholder", `Default: ${choices.default_ports}`);
    return true;
  }

  /**
   * @param {string} [resolved] the id of the GPU type that the kernel has found for the typed text
   * @param {number | null} [price] US dollars an hour, if the kernel knows it
   * @returns {string} the id, VRAM and price as far as they are known
   */
  gpuHint(resolved, price) {
    const typed = this.inputs.gpu_type.value.trim().toLowerCase();
    const choices = this._renderedChoices?.gpu_types ?? [];
    const gpu = resolved
      ? choices.find(({ id }) => id === resolved)
      : choices.find(({ id, value }) => [id.toLowerCase(), value.toLowerCase()].includes(typed));
    if (!gpu) return "";
    const id = gpu.id.toLowerCase() === typed ? "" : gpu.id;
    return [id, formatGpuFacts({ ...gpu, price: price ?? gpu.price })].filter(Boolean).join(" · ");
  }

  /**
   * @param {{ withSecrets: boolean }} options if false, each secret is replaced by the word "set"
   * @returns {Record<string, any>} by field; environment variables as pairs of name and value
   */
  values({ withSecrets }) {
    const masked = (/** @type {string} */ secret) => (withSecrets || !secret ? secret : "set");
    const texts = Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]);
    const values = Object.fromEntries(texts);
    values.image_public_type = this._privateCheckbox.checked ? "PRIVATE" : null;
    values.image_registry_token = masked(values.image_registry_token);
    values.environment_vars = this._variableValues().map(([name, value]) => [name, masked(value)]);
    values.confirmed = Object.keys(this._confirmations).filter((name) => this._confirmations[name].checkbox.checked);
    return values;
  }

  /**
   * Show an error of a field, or else a note.
   *
   * @param {string} name
   * @param {string | undefined} error
   * @param {string | undefined} note
   */
  setMessage(name, error, note) {
    const message = this.messageElements[name];
    if (!message) return;
    const text = error || note || "";
    setText(message, text);
    message.classList.toggle("yotta-is-invalid", Boolean(error));
    if (name === "environment_vars") this._markInvalidVariables(error);
    const input = this.inputs[name];
    if (!input) return;
    setAttribute(input, "aria-invalid", error ? "true" : null);
    setAttribute(input, "aria-describedby", error || note ? message.id : null);
  }

  /**
   * Show or hide the check box that confirms the value of a field.
   *
   * @param {string} name
   * @param {"as_typed" | "another" | undefined} kind undefined to hide it
   */
  setConfirmation(name, kind) {
    const confirmation = this._confirmations[name];
    if (!confirmation) return;
    if (kind) setText(confirmation.text, CONFIRMATION_LABELS[kind]);
    else confirmation.checkbox.checked = false;
    confirmation.label.hidden = !kind;
  }

  /** @param {string} name of a field whose value has changed since it was confirmed */
  clearConfirmation(name) {
    const confirmation = this._confirmations[name];
    if (confirmation) confirmation.checkbox.checked = false;
  }

  clearConfirmations() {
    for (const name of Object.keys(this._confirmations)) this.clearConfirmation(name);
  }

  /** Remove the values of the environment variables: a secret must not be sent to the next pod unnoticed. */
  clearVariableValues() {
    for (const { value } of this._variableInputs()) value.value = "";
  }

  /** @returns {{ name: HTMLInputElement, value: HTMLInputElement }[]} of the environment variables */
  _variableInputs() {
    return [...this._variables.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return { name, value };
    });
  }

  /** @returns {string[][]} the name and value of each environment variable */
  _variableValues() {
    const pairs = this._variableInputs().map(({ name, value }) => [name.value.trim(), value.value]);
    return pairs.filter(([name, value]) => name || value);
  }

  /** Show how many options are set. Hidden options are sent, too. */
  _updateSummary() {
    const count = (/** @type {HTMLElement} */ element) => {
      const inputs = /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (
        element.querySelectorAll("input, select")
      );
      return [...inputs].filter((input) => input.value.trim()).length;
    };
    const registry = this._privateCheckbox.checked ? 1 + count(this._registryFields) : 0;
    const total = count(this._moreFields) + this._variableValues().length + registry;
    setText(this._summary, total ? `More options (${total} set)` : "More options");
  }

  /** Focus the first field with an error, if there is one. */
  focusFirstInvalid() {
    /** @type {HTMLElement | null} */
    let control = this.element.querySelector("[aria-invalid=true]");
    const hasVariableError = this.messageElements.environment_vars.classList.contains("yotta-is-invalid");
    // An error of a variable may have marked no input.
    if (!control && hasVariableError) control = this._variables.querySelector("input") ?? this._addVariableButton;
    const details = control?.closest("details");
    if (details) details.open = true;
    control?.focus();
  }

  _moreOptions() {
    return h(
      "details",
      { class: "yotta-more-options" },
      this._summary,
      this._moreFields,
      h(
        "fieldset",
        { class: "yotta-env" },
        h("legend", {}, "Environment variables"),
        this._variables,
        this._addVariableButton,
        this._message("environment_vars"),
      ),
      h("label", { class: "yotta-checkbox" }, this._privateCheckbox, "The image is in a private registry"),
      this._registryFields,
    );
  }

  /**
   * If there is an error, mark the variables that it names and those without a name.
   *
   * @param {string | undefined} error
   */
  _markInvalidVariables(error) {
    for (const { name, value } of this._variableInputs()) {
      const text = name.value.trim();
      const isInvalid = error && (!text || error.includes(text));
      setAttribute(value, "aria-invalid", isInvalid ? "true" : null);
    }
  }

  _addVariable() {
    const input = (/** @type {Record<string, unknown>} */ attributes) =>
      h("input", { autocomplete: "off", ...attributes });
    const name = input({ type: "text", placeholder: "NAME", "aria-label": "Variable name" });
    const value = input({ type: "password", placeholder: "value", "aria-label": "Variable value" });
    name.dataset.field = "environment_vars";
    const remove = iconButton("close", "Remove the variable", () => {
      row.remove();
      this._updateSummary();
      this._onInput(name);
    });
    const row = h("div", { class: "yotta-variable" }, name, value, remove);
    this._variables.append(row);
    name.focus();
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {Record<string, unknown>} [attributes]
   */
  _field(name, label, attributes = {}) {
    const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
    return this._labelledField(name, label, input);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {HTMLElement} [element] contains the input
   */
  _labelledField(name, label, input, element = input) {
    input.id = `yotta-${uniqueId()}`;
    input.dataset.field = name;
    this.inputs[name] = input;
    const classes = `yotta-field yotta-field-${name}`;
    const texts = h("div", {}, this._message(name));
    if (name === "pod_name" || name in this._comboboxes) texts.append(this._confirmation(name));
    const feedback = h("div", { class: "yotta-field-feedback" }, texts);
    return h("div", { class: classes }, h("label", { for: input.id }, label), element, feedback);
  }

  /** @param {string} name */
  _confirmation(name) {
    const checkbox = h("input", { type: "checkbox" });
    const text = h("span");
    const label = h("label", { class: "yotta-checkbox yotta-form-confirmation", hidden: true }, checkbox, text);
    this._confirmations[name] = { checkbox, text, label };
    return label;
  }

  /** @param {string} name */
  _message(name) {
    const message = h("span", { class: "yotta-field-message", id: `yotta-${uniqueId()}` });
    this.messageElements[name] = message;
    return message;
  }
}

/**
 * @param {import("./protocol.js").GpuChoice} gpu
 * @returns {ComboboxOption}
 */
function gpuOption(gpu) {
  const label = gpu.display_name ?? gpu.id;
  return { value: gpu.value, label, detail: formatGpuFacts(gpu) || "VRAM and price unknown", keywords: gpu.id };
}

/**
 * @param {import("./protocol.js").ImageChoice} image
 * @returns {ComboboxOption}
 */
function imageOption({ id, value, label, official }) {
  const group = official ? "Official images" : "In use by your pods";
  return { value, label, detail: id === label ? undefined : id, group, keywords: id };
}

/**
 * Set the options of a select, and keep its value.
 *
 * @param {HTMLElement & { value: string }} select
 * @param {HTMLOptionElement[]} options
 */
function setOptions(select, options) {
  const { value } = select;
  select.replaceChildren(...options);
  if (value) select.value = value;
}
