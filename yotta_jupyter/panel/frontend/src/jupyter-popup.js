// @ts-check
import { h, secondaryButton, setText } from "./dom.js";
import { displayName } from "./format.js";
import { openTab, remoteServerPath } from "./page.js";
import { Popup } from "./popup.js";

/** @typedef {import("./protocol.js").JupyterLinkMessage} JupyterLinkMessage */
/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").PasswordMessage} PasswordMessage */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** How long a password is shown. */
const PASSWORD_MS = 60_000;

/**
 * Opens the Jupyter of a pod through a tunnel, and shows its public address and its password.
 *
 * The password is in the page only after a click on Show. It is removed when the popup closes, after a minute, and when
 * another view or page shows a password.
 */
export class JupyterPopup {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} onClose
   */
  constructor(store, context, onClose) {
    this.store = store;
    this.context = context;
    this._notifyClosed = onClose;
    this._requestNumber = 0;
    /** The id of the pending request for a link. @type {string | null} */
    this._linkRequest = null;
    /** The id of the last request for a password. @type {string | null} */
    this._passwordRequest = null;
    /** 0 while no password is shown. */
    this._passwordTimer = 0;
    /** The pod whose Jupyter is shown. @type {string | null} */
    this._podId = null;
    /** @type {HTMLElement | null} */
    this._button = null;
    /** @type {HTMLElement} */
    this._linkLine = h("div");
    /** @type {HTMLElement} */
    this._passwordLine = h("div");
    this.element = h("div", { role: "dialog", class: "yotta-jupyter", tabindex: "-1" });
    this._popup = new Popup(this.element, { alignRight: true, onClose: () => this._reset() });
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
    this._linkLine = h("div", { class: "yotta-jupyter-line", role: "status" });
    this._passwordLine = h("div", { class: "yotta-jupyter-line" });
    if (row.has_password) {
      this._passwordLine.append(secondaryButton("Show Jupyter password", () => this._requestPassword(row.id)));
    } else this._passwordLine.append("The pod has no variable JUPYTER_PASSWORD.");
    const close = secondaryButton("Close", () => this._closeAndFocus());
    this.element.replaceChildren(
      h("strong", { dir: "auto" }, `Jupyter of ${name}`),
      this._linkLine,
      ...publicAddress(row),
      this._passwordLine,
      h("div", { class: "yotta-jupyter-line" }, close),
    );
    this._popup.open(button);
    document.addEventListener("pointerdown", this._onPointerdown, true);
    if (row.ssh) this._requestLink(row.id);
    /** @type {HTMLElement | null} */ (this.element.querySelector("a, button"))?.focus({ preventScroll: true });
  }

  /**
   * Open the link in a new tab, or show it if the browser blocks new tabs.
   *
   * @param {JupyterLinkMessage} message
   * @param {DataView[]} [buffers]
   */
  onLink(message, buffers) {
    if (!this._popup.isOpen || message.request_id !== this._linkRequest) return;
    this._linkRequest = null;
    const row = this.store.rows.get(this._podId ?? "");
    if (!row) return;
    if (!buffers?.length) {
      this._showError(message.error);
      return;
    }
    const name = displayName(row);
    const url = new TextDecoder().decode(buffers[0]);
    const isOpened = openTab(url);
    const link = newTabLink(url, isOpened ? "Open it again" : `Open Jupyter of ${name}`);
    this._linkLine.replaceChildren(link);
    if (message.note) this._linkLine.append(h("div", { class: "yotta-muted" }, message.note));
    if (isOpened) {
      this._linkLine.prepend("Opened in a new tab.");
      this.context.announce(`Opened Jupyter of ${name}`);
    } else {
      link.classList.add("yotta-button-primary");
      this.context.announce(`The link to Jupyter of ${name} is ready`);
      link.focus({ preventScroll: true });
    }
    this._popup.place();
  }

  /**
   * @param {PasswordMessage} message
   * @param {DataView[]} [buffers]
   */
  onPassword(message, buffers) {
    if (!this._popup.isOpen) return;
    if (message.request_id !== this._passwordRequest) {
      if (this._passwordTimer) this._popup.close(); // Another view shows a password now.
      return;
    }
    if (!buffers?.length) {
      this._passwordLine.replaceChildren(message.error);
      return;
    }
    const field = h("input", { type: "text", readonly: true, "aria-label": "Jupyter password" });
    field.value = new TextDecoder().decode(buffers[0]);
    const copy = secondaryButton("Copy", async () => {
      if (await this.context.copy(field.value, "the Jupyter password")) setText(copy, "Copied");
    });
    this._passwordLine.replaceChildren(field, copy);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = window.setTimeout(() => this._popup.close(), PASSWORD_MS);
    this._popup.place();
    field.focus({ preventScroll: true });
    field.select();
  }

  /** Close if the pod is gone or has no password any more. */
  update() {
    if (!this._popup.isOpen) return;
    const row = this.store.rows.get(this._podId ?? "");
    const isPasswordGone = this._passwordTimer && !row?.has_password;
    if (!row || isPasswordGone) this._popup.close();
  }

  close() {
    this._popup.close();
  }

  /** @returns {boolean} */
  get isOpen() {
    return this._popup.isOpen;
  }

  /** @param {string} podId */
  _requestLink(podId) {
    if (!this.store.connected) {
      this._showError(this.store.kernelGoneText());
      return;
    }
    this._linkRequest = this._newRequestId();
    const spinner = h("span", { class: "yotta-status-indicator", "aria-hidden": "true" });
    const attributes = { class: "yotta-jupyter-progress", "data-pending": "true" }; // A pending indicator rotates.
    this._linkLine.replaceChildren(h("span", attributes, spinner, "Connecting…"));
    const request_id = this._linkRequest;
    this.store.send({ type: "open_jupyter", request_id, pod_id: podId, server_path: remoteServerPath() });
  }

  /** @param {string} podId */
  _requestPassword(podId) {
    this._passwordRequest = this._newRequestId();
    this.store.send({ type: "show_password", request_id: this._passwordRequest, pod_id: podId });
  }

  /** @param {string} error */
  _showError(error) {
    const podId = this._podId ?? "";
    this._linkLine.replaceChildren(
      h("span", { class: "yotta-is-invalid", dir: "auto" }, error),
      secondaryButton("Try again", () => this._requestLink(podId)),
    );
    this.context.announce(error);
    this._popup.place();
  }

  /** @returns {string} unique among the views of the panel, which all receive the reply */
  _newRequestId() {
    this._requestNumber += 1;
    return `${this.context.id}:${this._requestNumber}`;
  }

  _closeAndFocus() {
    const button = this._button;
    this._popup.close();
    button?.focus({ preventScroll: true });
  }

  _reset() {
    document.removeEventListener("pointerdown", this._onPointerdown, true);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = 0;
    // Replies that arrive later are ignored.
    this._linkRequest = null;
    this._passwordRequest = null;
    this._button = null;
    this._podId = null;
    this.element.replaceChildren();
    this._notifyClosed();
  }
}

/**
 * @param {string} url
 * @param {string} text
 */
function newTabLink(url, text) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, text);
}

/**
 * @param {PodRow} row
 * @returns {HTMLElement[]} the line with the public address; empty if there is none
 */
function publicAddress(row) {
  if (!row.jupyter) return [];
  const isPlain = row.jupyter.startsWith("http:");
  const link = newTabLink(row.jupyter, row.jupyter);
  return [h("div", { class: "yotta-muted" }, "Public address: ", link, isPlain ? " (not encrypted)" : "")];
}
