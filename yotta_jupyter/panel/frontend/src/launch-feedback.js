// @ts-check
/** What the launch form shows beside its button: the estimate, or the result of the last launch. */

import { h, isDisabled, secondaryButton, setAttribute, setDisabled, setText } from "./dom.js";
import { formatDollars } from "./format.js";
import { LAUNCHING } from "./protocol.js";

/** @typedef {import("./protocol.js").FormResult} FormResult */
/** @typedef {import("./store.js").Store} Store */

export class LaunchFeedback {
  /**
   * @param {Store} store
   * @param {(podId: string, button: HTMLElement) => void} showJupyter
   */
  constructor(store, showJupyter) {
    this._store = store;
    /** The row of the launched pod, or of a launch of unknown outcome. @type {string | null} */
    this._rowId = null;
    this._estimate = h("span", { class: "yotta-estimate" });
    this._message = h("span", { class: "yotta-result-message" });
    this._jupyterButton = secondaryButton("Open its Jupyter", () => {
      if (isDisabled(this._jupyterButton) || !this._rowId) return;
      showJupyter(this._rowId, this._jupyterButton);
    });
    setAttribute(this._jupyterButton, "aria-haspopup", "dialog");
    this._repeatCheckbox = h("input", { type: "checkbox" });
    this._repeatLabel = h(
      "label",
      { class: "yotta-checkbox yotta-form-confirmation" },
      this._repeatCheckbox,
      "Launch one more like it",
    );
    this._result = h("div", { class: "yotta-launch-result" }, this._message, this._repeatLabel, this._jupyterButton);
    this.element = h("div", { class: "yotta-launch-feedback" }, this._estimate, this._result);
    this.clear();
  }

  /** @returns {boolean} whether the check box that confirms an equal launch is checked */
  get isRepeatConfirmed() {
    return this._repeatCheckbox.checked;
  }

  /** @param {FormResult} result */
  showEstimate({ command, estimate, volumes, basis }) {
    let text = "";
    if (command) text = estimate == null ? `No estimate: ${basis}` : formatEstimate(estimate, volumes, basis);
    setText(this._estimate, text);
  }

  /**
   * Show a result instead of the estimate.
   *
   * @param {string} text
   * @param {{ isError?: boolean, rowId?: string | null, offersRepeat?: boolean }} [options] `rowId`: the text goes away
   *   when this row ends; `offersRepeat`: show the check box that confirms an equal launch
   */
  showResult(text, { isError = false, rowId = null, offersRepeat = false } = {}) {
    setText(this._message, text);
    this._message.classList.toggle("yotta-is-invalid", isError);
    this._rowId = rowId;
    this._repeatCheckbox.checked = false;
    this._repeatLabel.hidden = !offersRepeat;
    this._result.hidden = !text;
    this._estimate.hidden = Boolean(text);
    this._updateJupyterButton();
  }

  clear() {
    this.showResult("");
  }

  /** Clear the result if its pod has ended, or else update its button. */
  update() {
    if (!this._rowId) return;
    if (!this._store.rows.get(this._rowId)?.is_live) this.clear();
    else this._updateJupyterButton();
  }

  /** Offer the Jupyter of the launched pod, once the pod can be reached. */
  _updateJupyterButton() {
    const row = this._store.rows.get(this._rowId ?? "");
    this._jupyterButton.hidden = !row || row.status === LAUNCHING;
    setDisabled(this._jupyterButton, !row?.ssh);
    setAttribute(this._jupyterButton, "title", row && !row.ssh ? "The pod is not ready yet" : null);
  }
}

/**
 * @param {number} estimate US dollars an hour
 * @param {number} volumes the part of it that volumes cost
 * @param {string} basis
 */
function formatEstimate(estimate, volumes, basis) {
  const parts = volumes > 0 ? ` (${formatDollars(estimate - volumes)} GPU + ${formatDollars(volumes)} volumes)` : "";
  return `an estimate of ${formatDollars(estimate)} an hour${parts}, ${basis}`;
}
