// @ts-check
/** The fields of the launch form. Their names are those of `PodSpec`. */

import { h, iconButton, setAttribute, setText, uniqueId } from "./dom.js";
import { formatGpuFacts } from "./format.js";

/** @typedef {import("./protocol.js").Choices} Choices */

export class Fields {
  /** @param {(element: HTMLElement) => void} onInput called after a change that fires no event of its own */
  constructor(onInput) {
    this._onInput = onInput;
    /** Inputs by field. @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
    this.inputs = {};
    /** The elements of errors and notes, by field. @type {Record<string, HTMLElement>} */
    this.messages = {};
    /** @type {Choices | null} */
    this._renderedChoices = null;
    this._lists = { gpu_types: datalist(), images: datalist(), regions: datalist() };
    this._variables = h("div", { class: "yotta-variables" });
    this._isPrivate = h("input", { type: "checkbox" });
    this.element = h(
      "div",
      {},
      h(
        "div",
        { class: "yotta-fields yotta-main-fields" },
        this._field("gpu_type", "GPU type", { list: this._lists.gpu_types.id, placeholder: "L4" }),
        this._labelledField("gpu_count", "GPUs", h("select")),
        this._field("image", "Image", { list: this._lists.images.id, placeholder: "pytorch" }),
        this._field("pod_name", "Name", { placeholder: "optional" }),
        this._field("region", "Region", { list: this._lists.regions.id, placeholder: "any" }),
      ),
      this._moreOptions(),
      ...Object.values(this._lists),
    );
  }

  /**
   * @param {Choices | null} choices
   * @returns {boolean} whether they have changed
   */
  renderChoices(choices) {
    if (!choices || choices === this._renderedChoices) return false;
    this._renderedChoices = choices;
    const { gpu_types, images, regions } = this._lists;
    gpu_types.replaceChildren(...choices.gpu_types.map((gpu) => option(gpu.id, formatGpuFacts(gpu))));
    images.replaceChildren(...choices.images.map((image) => option(image)));
    regions.replaceChildren(...choices.regions.map((region) => option(region)));
    const counts = choices.gpu_counts.map((count) => h("option", {}, String(count)));
    setOptions(this.inputs.gpu_count, counts);
    const clouds = ["", ...choices.clouds].map((cloud) => h("option", { value: cloud }, cloud || "any"));
    setOptions(this.inputs.cloud_type, clouds);
    setAttribute(this.inputs.expose, "placeholder", choices.default_ports);
    return true;
  }

  /** @returns {string} VRAM and price of the GPU type in the field, as far as known */
  gpuHint() {
    const typed = this.inputs.gpu_type.value.trim();
    const gpu = this._renderedChoices?.gpu_types.find(({ id, display_name }) => id === typed || display_name === typed);
    return gpu ? formatGpuFacts(gpu) : "";
  }

  /**
   * @param {boolean} withSecrets whether secrets are included; else a placeholder says whether they are set
   * @returns {Record<string, any>} by field; environment variables as pairs of name and value
   */
  values(withSecrets) {
    const secret = (/** @type {string} */ value) => (withSecrets ? value : value && "set");
    const texts = Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]);
    const values = Object.fromEntries(texts);
    values.image_public_type = this._isPrivate.checked ? "PRIVATE" : null;
    values.image_registry_token = secret(values.image_registry_token);
    const variables = [...this._variables.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return [name.value.trim(), secret(value.value)];
    });
    values.environment_vars = variables.filter(([name, value]) => name || value);
    return values;
  }

  /**
   * Show an error, or else a note, below a field.
   *
   * @param {string} name
   * @param {string | undefined} error
   * @param {string | undefined} note
   */
  setMessage(name, error, note) {
    const message = this.messages[name];
    if (!message) return;
    setText(message, error || note || "");
    message.classList.toggle("yotta-is-invalid", Boolean(error));
    const input = this.inputs[name];
    if (!input) return;
    setAttribute(input, "aria-invalid", error ? "true" : null);
    setAttribute(input, "aria-describedby", error || note ? message.id : null);
  }

  /** Focus the first field with an error, if any. */
  focusFirstInvalid() {
    const input = /** @type {HTMLElement | null} */ (this.element.querySelector("[aria-invalid=true]"));
    const details = input?.closest("details");
    if (details) details.open = true;
    input?.focus();
  }

  _moreOptions() {
    const addVariable = h("button", { type: "button", class: "yotta-button-secondary" }, "Add a variable");
    addVariable.addEventListener("click", () => this._addVariable());
    const variables = h("legend", {}, "Environment variables");
    return h(
      "details",
      { class: "yotta-details" },
      h("summary", {}, "More options"),
      h(
        "div",
        { class: "yotta-fields yotta-more-fields" },
        this._field("expose", "Ports"),
        this._field("initialization_command", "Init command", { placeholder: "runs when the pod starts" }),
        this._field("container_volume_in_gb", "Container volume (GB)", { inputmode: "numeric" }),
        this._field("persistent_volume_in_gb", "Persistent volume (GB)", { inputmode: "numeric" }),
        this._field("persistent_mount_path", "Mount path", { placeholder: "/workspace" }),
        this._labelledField("cloud_type", "Cloud", h("select")),
      ),
      h("fieldset", { class: "yotta-env" }, variables, this._variables, addVariable, this._message("environment_vars")),
      h("label", { class: "yotta-checkbox" }, this._isPrivate, "The image is in a private registry"),
      this._registryFields(),
    );
  }

  _registryFields() {
    const fields = h(
      "div",
      { class: "yotta-fields", hidden: true },
      this._field("image_registry_username", "Registry user name"),
      this._field("image_registry_token", "Registry token", { type: "password" }),
    );
    this._isPrivate.addEventListener("change", () => {
      fields.hidden = !this._isPrivate.checked;
      this._onInput(this._isPrivate);
    });
    return fields;
  }

  _addVariable() {
    const input = (/** @type {Record<string, unknown>} */ attributes) =>
      h("input", { autocomplete: "off", ...attributes });
    const name = input({ type: "text", placeholder: "NAME", "aria-label": "Variable name" });
    const value = input({ type: "password", placeholder: "value", "aria-label": "Variable value" });
    name.dataset.field = "environment_vars";
    const remove = iconButton("close", "Remove the variable", () => {
      row.remove();
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
   */
  _labelledField(name, label, input) {
    input.id = `yotta-${uniqueId()}`;
    input.dataset.field = name;
    this.inputs[name] = input;
    const classes = `yotta-field yotta-field-${name}`;
    return h("div", { class: classes }, h("label", { for: input.id }, label), input, this._message(name));
  }

  /** @param {string} name */
  _message(name) {
    const message = h("span", { class: "yotta-field-message", id: `yotta-${uniqueId()}` });
    this.messages[name] = message;
    return message;
  }
}

function datalist() {
  return h("datalist", { id: `yotta-${uniqueId()}` });
}

/**
 * @param {string} value
 * @param {string} [label]
 */
function option(value, label) {
  return h("option", { value, label: label || null });
}

/**
 * Set the options of a select, keeping what was chosen.
 *
 * @param {HTMLElement & { value: string }} select
 * @param {HTMLOptionElement[]} options
 */
function setOptions(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options);
  if (chosen) select.value = chosen;
}
