// @ts-check
import { h, setText } from "./dom.js";
import { displayName } from "./format.js";
import { Popup } from "./popup.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").PasswordMessage} PasswordMessage */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** How long a password is shown. */
const PASSWORD_MS = 60_000;

/**
 * The address and the password of a pod's Jupyter. The password is in the page only after a click on Show. It is
 * removed when the popup closes, after a minute, and when another view or page shows a password.
 */
export class JupyterPopup {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this.context = context;
    this._requestNumber = 0;
    this._passwordTimer = 0;
    /** The pod whose Jupyter is shown. @type {string | null} */
    this._podId = null;
    /** @type {HTMLElement | null} */
    this._button = null;
    /** @type {HTMLElement} */
    this._password = h("div");
    this.element = h("div", { role: "dialog", class: "yotta-jupyter", tabindex: "-1" });
    this._popup = new Popup(this.element, { alignRight: true, onClose: () => this._onClose() });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this._closeAndFocus();
    });
    this._onPointerdown = (/** @type {PointerEvent} */ event) => {
      const path = event.composedPath();
      const isInside = path.includes(this.element) || (this._button && path.includes(this._button));
      if (!isInside) this._popup.close();
    };
  }

  /**
   * @param {PodRow} row
   * @param {HTMLElement} button
   */
  toggle(row, button) {
    const isSame = this._popup.isOpen && this._button === button;
    this._popup.close();
    if (isSame) return;
    this._button = button;
    this._podId = row.id;
    const name = displayName(row);
    this.element.setAttribute("aria-label", `Jupyter of ${name}`);
    this._password = h("div", { class: "yotta-jupyter-line" });
    if (row.has_password) {
      const show = h("button", { type: "button", class: "yotta-button-secondary" }, "Show Jupyter password");
      show.addEventListener("click", () => this._request(row.id));
      this._password.append(show);
    } else this._password.append("The pod has no variable JUPYTER_PASSWORD.");
    const close = h("button", { type: "button", class: "yotta-button-secondary" }, "Close");
    close.addEventListener("click", () => this._closeAndFocus());
    this.element.replaceChildren(
      h("strong", { dir: "auto" }, `Jupyter of ${name}`),
      ...address(row),
      this._password,
      h("div", { class: "yotta-jupyter-line" }, close),
    );
    this._popup.open(button);
    document.addEventListener("pointerdown", this._onPointerdown, true);
    /** @type {HTMLElement | null} */ (this.element.querySelector("a, button"))?.focus({ preventScroll: true });
  }

  /**
   * @param {PasswordMessage} message
   * @param {DataView[]} [buffers]
   */
  onPassword(message, buffers) {
    if (!this._popup.isOpen) return;
    if (message.request_id !== this._requestId()) {
      if (this._passwordTimer) this._popup.close();
      return;
    }
    if (!buffers?.length) {
      this._password.replaceChildren(message.error);
      return;
    }
    const field = h("input", { type: "text", readonly: true, "aria-label": "Jupyter password" });
    field.value = new TextDecoder().decode(buffers[0]);
    const copy = h("button", { type: "button", class: "yotta-button-secondary" }, "Copy");
    copy.addEventListener("click", async () => {
      if (await this.context.copy(field.value, "the Jupyter password")) setText(copy, "Copied");
    });
    this._password.replaceChildren(field, copy);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = window.setTimeout(() => this._popup.close(), PASSWORD_MS);
    this._popup.place();
    field.focus({ preventScroll: true });
    field.select();
  }

  /** Close if the pod is gone or has no password any more. */
  update() {
    const row = this.store.rows.get(this._podId ?? "");
    if (this._popup.isOpen && (!row || (this._passwordTimer && !row.has_password))) this._popup.close();
  }

  close() {
    this._popup.close();
  }

  /** @param {string} podId */
  _request(podId) {
    this._requestNumber += 1;
    this.store.send({ type: "show_password", request_id: this._requestId(), pod_id: podId });
  }

  /** Other views of the panel receive the reply as well. */
  _requestId() {
    return `${this.context.id}:${this._requestNumber}`;
  }

  _closeAndFocus() {
    const button = this._button;
    this._popup.close();
    button?.focus({ preventScroll: true });
  }

  _onClose() {
    document.removeEventListener("pointerdown", this._onPointerdown, true);
    this._requestNumber += 1; // A password that arrives later is not for what is shown then.
    clearTimeout(this._passwordTimer);
    this._passwordTimer = 0;
    this._button = this._podId = null;
    this.element.replaceChildren();
  }
}

/** @param {PodRow} row */
function address(row) {
  if (!row.jupyter) return [h("div", { class: "yotta-muted" }, "No address now: the pod is not running or not ready.")];
  const label = `Open Jupyter of ${displayName(row)}`;
  const link = h("a", { href: row.jupyter, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, label);
  const isPlain = row.jupyter.startsWith("http:");
  return [h("div", {}, link), h("div", { class: "yotta-muted" }, row.jupyter, isPlain ? " (not encrypted)" : "")];
}
