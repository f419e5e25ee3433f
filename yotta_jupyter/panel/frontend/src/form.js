// @ts-check
/** The launch form. The kernel validates it. Its secrets are sent in the launch message only. */

import { h, iconButton, isDisabled, setDisabled, setText } from "./dom.js";
import { Fields } from "./fields.js";
import { LaunchFeedback } from "./launch-feedback.js";
import { LAUNCHING } from "./protocol.js";

/** @typedef {import("./protocol.js").FormResult} FormResult */
/** @typedef {import("./protocol.js").LaunchResult} LaunchResult */
/** @typedef {import("./protocol.js").ValidationMessage} ValidationMessage */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

const VALIDATE_DEBOUNCE_MS = 250;
/** How long Launch ignores a click after a launch, and an Enter after Enter in a field has focused Launch. */
const IGNORE_MS = 1000;
const REPEATED = "A pod like this was launched just now. Change the form, or check the box.";

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
    this._showsAllErrors = false;
    /** The field in which Enter was pressed, until the result of the validation arrives. @type {HTMLElement | null} */
    this._enterField = null;
    /** When Enter moved the focus to the button, in milliseconds. */
    this._focusMovedAt = 0;
    /**
     * The last launch without a name. An unchanged form is launched again only if that is confirmed.
     *
     * @type {{ podId: string, form: string } | null}
     */
    this._namelessLaunch = null;
    /** The ids and statuses of the pods that have the name in the form. */
    this._podsOfName = "";
    /** The launch that has no result yet. @type {{ tempId: string, name: string, form: string } | null} */
    this._launch = null;
    this.fields = new Fields((element) => this._onInput(element));
    this._launchButton = h("button", { type: "submit", class: "yotta-button-primary" }, "Launch");
    this._feedback = new LaunchFeedback(store, (podId, button) => context.showJupyter(podId, button));
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
    this.element = h(
      "form",
      { class: "yotta-form", "aria-label": "Launch a pod", novalidate: true },
      h("h3", {}, "Launch a pod"),
      this.fields.element,
      h("div", { class: "yotta-launch" }, this._launchButton, this._feedback.element),
      this._commandPreview,
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this._submit();
    });
    this.element.addEventListener("keydown", (event) => this._onKeydown(event));
    this.element.addEventListener("input", (event) => this._onInput(/** @type {HTMLElement} */ (event.target)));
    this.element.addEventListener("focusout", (event) => this._onFocusout(/** @type {HTMLElement} */ (event.target)));
  }

  update() {
    const hasNewChoices = this.fields.renderChoices(this.store.meta.choices);
    const mayChangeEstimate = hasNewChoices && this.fields.inputs.gpu_type.value !== "";
    if (this._updatePodsOfName() || mayChangeEstimate) this._validate();
    if (this._launch && !this.store.connected) this._onKernelGone(this._launch);
    this._feedback.update();
    const namelessPod = this.store.rows.get(this._namelessLaunch?.podId ?? "");
    if (!namelessPod?.is_live) this._namelessLaunch = null;
  }

  /** @param {ValidationMessage} message */
  onValidation(message) {
    if (message.request_id !== this._requestId()) return;
    this._showResult(message, (name) => this._showsAllErrors || this._touched.has(name));
    if (this._enterField && this._enterField === document.activeElement) this._moveFocus(message);
    this._enterField = null;
  }

  /** @param {LaunchResult} message */
  onLaunchResult(message) {
    if (!this._launch || message.temp_id !== this._launch.tempId) return;
    const launch = this._launch;
    this._launch = null;
    if (message.type === "launched") {
      this._onLaunched(message, launch);
      return;
    }
    this._setBusy(false);
    if (message.type === "rejected") {
      this._showsAllErrors = true;
      this._showResult(message, () => true);
      this._focusFirstError(message);
    } else {
      const rowId = this.store.rows.has(launch.tempId) ? launch.tempId : null; // The row stays if the outcome is unknown.
      this._showFailure(message.error, rowId);
    }
  }

  focus() {
    this.fields.inputs.gpu_type.focus();
  }

  close() {
    clearTimeout(this._validationTimer);
  }

  /** @param {{ tempId: string }} launch whose result does not arrive any more */
  _onKernelGone({ tempId }) {
    this._launch = null;
    this._setBusy(false);
    this._showFailure(this.store.kernelGoneText(), tempId);
  }

  /**
   * @param {string} error
   * @param {string | null} rowId of a launch of unknown outcome
   */
  _showFailure(error, rowId) {
    this._feedback.showResult(error, { isError: true, rowId });
    this.context.announce(error);
  }

  /**
   * @param {{ pod_id: string, note: string }} message
   * @param {{ name: string, form: string }} launch
   */
  _onLaunched({ pod_id: podId, note }, { name, form }) {
    const podName = this.store.rows.get(podId)?.name || name;
    const text = note || `Launched ${podName ? `${podName} (${podId})` : podId}.`;
    const isNamelessUnchanged = !name && form === this._serialize();
    setText(this._launchButton, "Launch");
    setTimeout(() => this._setBusy(false), IGNORE_MS);
    this._showsAllErrors = false;
    this._feedback.showResult(text, { rowId: podId, offersRepeat: !name });
    this.context.announce(text);
    this.fields.clearConfirmations();
    this.fields.clearVariableValues();
    // Serialized again, without what was just cleared.
    this._namelessLaunch = isNamelessUnchanged ? { podId, form: this._serialize() } : null;
    this._validate(); // The kernel notes that the pod of this name exists.
  }

  /** @returns {string} the form, to find out whether it has changed */
  _serialize() {
    return JSON.stringify(this.fields.values({ withSecrets: true }));
  }

  /** @param {HTMLElement} element */
  _onInput(element) {
    if (this._feedback.element.contains(element)) return;
    this._feedback.clear();
    this._enterField = null;
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

  /**
   * Enter in a field shows what is missing. It launches nothing, because a launch costs money.
   *
   * @param {KeyboardEvent} event
   */
  _onKeydown(event) {
    if (event.key !== "Enter" || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, select")) {
      event.preventDefault();
      this._showsAllErrors = true;
      this._enterField = target;
      this._validate();
    } else if (target === this._launchButton) {
      // A second or held Enter was meant for the field.
      if (event.repeat || Date.now() - this._focusMovedAt < IGNORE_MS) event.preventDefault();
    }
  }

  /** @param {FormResult} result of the validation that Enter has requested */
  _moveFocus({ command, errors, confirmations }) {
    if (command) {
      this._focusMovedAt = Date.now();
      this._launchButton.focus();
    } else this._focusFirstError({ errors, confirmations });
  }

  /** @param {Pick<FormResult, "errors" | "confirmations">} result */
  _focusFirstError({ errors, confirmations }) {
    const offersRepeat = "form" in confirmations;
    if (errors.form) this._feedback.showResult(errors.form, { isError: true, offersRepeat });
    this.fields.focusFirstInvalid();
    this.context.announce(Object.values(errors)[0]);
  }

  /** @returns {boolean} whether pods of the name in the form have appeared, changed or ended */
  _updatePodsOfName() {
    const name = this.fields.inputs.pod_name.value.trim();
    const rows = name ? [...this.store.rows.values()] : [];
    const matching = rows.filter((row) => row.name === name && row.status !== LAUNCHING);
    const podsOfName = matching.map(({ id, status }) => `${id} ${status}`).join();
    const hasChanged = podsOfName !== this._podsOfName;
    this._podsOfName = podsOfName;
    return hasChanged;
  }

  _validate() {
    this._requestNumber += 1;
    clearTimeout(this._validationTimer);
    this.store.send({
      type: "validate",
      request_id: this._requestId(),
      form: this.fields.values({ withSecrets: false }),
    });
  }

  /** @returns {string} unique among the views of the panel, which all receive the reply */
  _requestId() {
    return `${this.context.id}:${this._requestNumber}`;
  }

  /**
   * @param {FormResult} result
   * @param {(name: string) => boolean} shouldShow returns whether the error of a field is shown
   */
  _showResult(result, shouldShow) {
    const { errors, notes, confirmations, resolved, command, price } = result;
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
    this._feedback.showEstimate(result);
  }

  _submit() {
    if (this._launch || isDisabled(this._launchButton)) return;
    if (!this.store.connected) {
      this._feedback.showResult(this.store.kernelGoneText(), { isError: true });
      return;
    }
    const form = this._serialize();
    if (this._namelessLaunch?.form === form && !this._feedback.isRepeatConfirmed) {
      const rowId = this._namelessLaunch.podId;
      this._feedback.showResult(REPEATED, { isError: true, rowId, offersRepeat: true });
      this.context.announce(REPEATED);
      return;
    }
    const values = this.fields.values({ withSecrets: true });
    if (this._feedback.isRepeatConfirmed) values.confirmed.push("form");
    this._feedback.clear();
    this._setBusy(true);
    this.context.holdLayout();
    this._launch = { tempId: this.store.launch(values), name: values.pod_name, form };
    this.context.announce(`Launching ${values.pod_name || "a pod"}`);
  }

  /** @param {boolean} busy */
  _setBusy(busy) {
    setDisabled(this._launchButton, busy);
    setText(this._launchButton, busy ? "Launching…" : "Launch");
  }
}
