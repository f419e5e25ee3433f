// @ts-check
/** The launch form. The kernel validates it. Its secrets are sent in the launch message only. */

import { h, iconButton, isDisabled, secondaryButton, setAttribute, setDisabled, setText } from "./dom.js";
import { Fields } from "./fields.js";
import { formatDollars } from "./format.js";
import { KERNEL_GONE } from "./store.js";

/** @typedef {import("./protocol.js").FormResult} FormResult */
/** @typedef {import("./protocol.js").LaunchResult} LaunchResult */
/** @typedef {import("./protocol.js").ValidationMessage} ValidationMessage */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

const VALIDATE_DEBOUNCE_MS = 250;
/** How long the button stays disabled after a launch: the second click of a double click must not launch again. */
const RELAUNCH_COOLDOWN_MS = 1000;

export class LaunchForm {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this.context = context;
    this._requestNumber = 0;
    this._validationTimer = 0;
    /** The fields that the user has filled in. Only their errors are shown before a launch. @type {Set<string>} */
    this._touched = new Set();
    this._launchRejected = false;
    /** The launch that has no result yet. @type {{ tempId: string, name: string } | null} */
    this._launch = null;
    this.fields = new Fields((element) => this._onInput(element));
    this._launchButton = h("button", { type: "submit", class: "yotta-button-primary" }, "Launch");
    this._estimate = h("span", { class: "yotta-estimate" });
    this._command = h("code", {
      class: "yotta-command",
      tabindex: "0",
      role: "textbox",
      "aria-readonly": "true",
      "aria-label": "Equivalent %yotta command",
    });
    const copy = iconButton("copy", "Copy the %yotta command", () =>
      context.copy(this._command.textContent ?? "", "the %yotta command"),
    );
    this._commandPreview = h("div", { class: "yotta-command-preview yotta-is-invisible" }, this._command, copy);
    this._resultMessage = h("p", { class: "yotta-result-message" });
    /** The pod that was launched last. @type {string | null} */
    this._launchedId = null;
    this._jupyterButton = secondaryButton("Open its Jupyter", () => {
      if (isDisabled(this._jupyterButton) || !this._launchedId) return;
      context.showJupyter(this._launchedId, this._jupyterButton);
    });
    this._jupyterButton.hidden = true;
    setAttribute(this._jupyterButton, "aria-haspopup", "dialog");
    this.element = h(
      "form",
      { class: "yotta-form", "aria-label": "Launch a pod", novalidate: true },
      h("h3", {}, "Launch a pod"),
      this.fields.element,
      h("div", { class: "yotta-launch" }, this._launchButton, this._estimate),
      this._commandPreview,
      h("div", { class: "yotta-launch-result" }, this._resultMessage, this._jupyterButton),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this._submit();
    });
    this.element.addEventListener("input", (event) => this._onInput(/** @type {HTMLElement} */ (event.target)));
    this.element.addEventListener("focusout", (event) => this._onFocusout(/** @type {HTMLElement} */ (event.target)));
  }

  update() {
    const hasNewChoices = this.fields.renderChoices(this.store.meta.choices);
    if (hasNewChoices && this.fields.inputs.gpu_type.value) this._validate(); // Their prices change the estimate.
    this._updateJupyterButton();
  }

  /** @param {ValidationMessage} message */
  onValidation(message) {
    if (message.request_id !== this._requestId()) return;
    this._showResult(message, (name) => this._launchRejected || this._touched.has(name));
  }

  /** @param {LaunchResult} message */
  onLaunchResult(message) {
    if (!this._launch || message.temp_id !== this._launch.tempId) return;
    const { name } = this._launch;
    this._launch = null;
    if (message.type === "launched") {
      const podName = this.store.rows.get(message.pod_id)?.name || name;
      const label = podName ? `${podName} (${message.pod_id})` : message.pod_id;
      this._onLaunched(message.pod_id, message.note || `Launched ${label}.`);
      return;
    }
    this._setBusy(false);
    if (message.type === "rejected") {
      this._launchRejected = true;
      this._showResult(message, () => true);
      this._showMessage(message.errors.form ?? "", true);
      this.fields.focusFirstInvalid();
      this.context.announce(Object.values(message.errors)[0]);
    } else {
      this._showMessage(message.error, true);
      this.context.announce(message.error);
    }
  }

  focus() {
    this.fields.inputs.gpu_type.focus();
  }

  close() {
    clearTimeout(this._validationTimer);
  }

  /**
   * @param {string} podId
   * @param {string} text
   */
  _onLaunched(podId, text) {
    setTimeout(() => this._setBusy(false), RELAUNCH_COOLDOWN_MS);
    this._launchRejected = false;
    this._launchedId = podId;
    this._showMessage(text);
    this._updateJupyterButton();
    this.context.announce(text);
    this.fields.inputs.pod_name.value = ""; // The next pod needs another name.
    this.fields.clearConfirmations();
    this._validate();
  }

  /** @param {HTMLElement} element */
  _onInput(element) {
    const { field } = element.dataset;
    if (field) {
      this._touched.add(field);
      this.fields.clearConfirmation(field);
    }
    if (field === "gpu_type") this._updateGpuHint();
    clearTimeout(this._validationTimer);
    this._validationTimer = window.setTimeout(() => this._validate(), VALIDATE_DEBOUNCE_MS);
  }

  /** Show VRAM and price at once, without the kernel. */
  _updateGpuHint() {
    this.fields.setMessage("gpu_type", "", this.fields.gpuHint());
  }

  /** @param {HTMLElement} element */
  _onFocusout(element) {
    const { value } = /** @type {HTMLInputElement} */ (element);
    if (value && element.dataset.field) this._touched.add(element.dataset.field);
  }

  /** Offer the Jupyter of the pod that was launched last, once the pod can be reached. */
  _updateJupyterButton() {
    const row = this.store.rows.get(this._launchedId ?? "");
    this._jupyterButton.hidden = !row;
    setDisabled(this._jupyterButton, !row?.ssh);
    setAttribute(this._jupyterButton, "title", row && !row.ssh ? "The pod is not ready yet" : null);
  }

  _validate() {
    this._requestNumber += 1;
    clearTimeout(this._validationTimer);
    this.store.send({ type: "validate", request_id: this._requestId(), form: this.fields.values(false) });
  }

  /** @returns {string} unique among the views of the panel, which all receive the reply */
  _requestId() {
    return `${this.context.id}:${this._requestNumber}`;
  }

  /**
   * @param {FormResult} result
   * @param {(name: string) => boolean} shouldShow returns whether the error of a field is shown
   */
  _showResult({ errors, notes, confirmations, resolved, command, price, estimate, basis }, shouldShow) {
    const gpuHint = this.fields.gpuHint(resolved.gpu_type, price);
    /** @type {Record<string, string>} */
    const allNotes = { ...notes, gpu_type: [gpuHint, notes.gpu_type].filter(Boolean).join(" · ") };
    for (const name of Object.keys(this.fields.messageElements)) {
      const isShown = shouldShow(name);
      this.fields.setMessage(name, isShown ? errors[name] : "", allNotes[name]);
      this.fields.setConfirmation(name, isShown ? confirmations[name] : undefined);
    }
    setText(this._command, command ?? "");
    this._commandPreview.classList.toggle("yotta-is-invisible", !command);
    let text = "";
    if (command) text = estimate == null ? `No estimate: ${basis}` : formatEstimate(estimate, basis);
    setText(this._estimate, text);
    setAttribute(this._estimate, "title", text || null);
  }

  _submit() {
    if (this._launch || isDisabled(this._launchButton)) return;
    if (!this.store.connected) {
      this._showMessage(KERNEL_GONE, true);
      return;
    }
    const form = this.fields.values(true);
    this._launchedId = null;
    this._showMessage("");
    this._updateJupyterButton();
    this._setBusy(true);
    this.context.holdLayout();
    this._launch = { tempId: this.store.launch(form), name: form.pod_name };
    this.context.announce(`Launching ${form.pod_name || "a pod"}`);
  }

  /** @param {boolean} busy */
  _setBusy(busy) {
    setDisabled(this._launchButton, busy);
    setText(this._launchButton, busy ? "Launching…" : "Launch");
  }

  /**
   * @param {string} text
   * @param {boolean} [isError]
   */
  _showMessage(text, isError = false) {
    setText(this._resultMessage, text);
    this._resultMessage.classList.toggle("yotta-is-invalid", isError);
  }
}

/**
 * @param {number} estimate US dollars an hour
 * @param {string} basis
 */
function formatEstimate(estimate, basis) {
  return `an estimate of ${formatDollars(estimate)} an hour, ${basis}`;
}
