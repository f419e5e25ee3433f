// @ts-check
import { h, setText } from "./dom.js";
import { displayName } from "./format.js";
import { openTab, remoteServerPath } from "./page.js";
import { Popup } from "./popup.js";
import { KERNEL_GONE } from "./store.js";

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
   */
  constructor(store, context) {
    this.store = store;
    this.context = context;
    this._requestNumber = 0;
    /** The link that was requested and has not arrived. @type {string | null} */
    this._linkRequest = null;
    /** The password that was requested last. @type {string | null} */
    this._passwordRequest = null;
    this._passwordTimer = 0;
    /** The pod whose Jupyter is shown. @type {string | null} */
    this._podId = null;
    /** @type {HTMLElement | null} */
    this._button = null;
    /** @type {HTMLElement} */
    this._link = h("div");
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
    this._link = h("div", { class: "yotta-jupyter-line", role: "status" });
    this._password = h("div", { class: "yotta-jupyter-line" });
    if (row.has_password) {
      this._password.append(secondaryButton("Show Jupyter password", () => this._requestPassword(row.id)));
    } else this._password.append("The pod has no variable JUPYTER_PASSWORD.");
    this.element.replaceChildren(
      h("strong", { dir: "auto" }, `Jupyter of ${name}`),
      this._link,
      ...publicAddress(row),
      this._password,
      h(
        "div",
        { class: "yotta-jupyter-line" },
        secondaryButton("Close", () => this._closeAndFocus()),
      ),
    );
    this._popup.open(button);
    document.addEventListener("pointerdown", this._onPointerdown, true);
    if (row.ssh) this._requestLink(row.id);
    /** @type {HTMLElement | null} */ (this.element.querySelector("a, button"))?.focus({ preventScroll: true });
  }

  /**
   * Open the link in a new tab, or show it where the browser blocks new tabs.
   *
   * @param {JupyterLinkMessage} message
   * @param {DataView[]} [buffers]
   */
  onLink(message, buffers) {
    if (!this._popup.isOpen || message.request_id !== this._linkRequest) return;
    this._linkRequest = null;
    const row = this.store.rows.get(this._podId ?? "");
    if (!row) return;
    const name = displayName(row);
    if (!buffers?.length) {
      this._showError(message.error);
      return;
    }
    const url = new TextDecoder().decode(buffers[0]);
    const isOpened = openTab(url);
    const link = newTabLink(url, isOpened ? "Open it again" : `Open Jupyter of ${name}`);
    if (!isOpened) link.classList.add("yotta-button-primary");
    const note = message.note ? [h("div", { class: "yotta-muted" }, message.note)] : [];
    this._link.replaceChildren(...(isOpened ? ["Opened in a new tab.", link] : [link]), ...note);
    this.context.announce(isOpened ? `Opened Jupyter of ${name}` : `The link to Jupyter of ${name} is ready`);
    this._popup.place();
    if (!isOpened) link.focus({ preventScroll: true });
  }

  /**
   * @param {PasswordMessage} message
   * @param {DataView[]} [buffers]
   */
  onPassword(message, buffers) {
    if (!this._popup.isOpen) return;
    if (message.request_id !== this._passwordRequest) {
      if (this._passwordTimer) this._popup.close();
      return;
    }
    if (!buffers?.length) {
      this._password.replaceChildren(message.error);
      return;
    }
    const field = h("input", { type: "text", readonly: true, "aria-label": "Jupyter password" });
    field.value = new TextDecoder().decode(buffers[0]);
    const copy = secondaryButton("Copy", async () => {
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
  _requestLink(podId) {
    if (!this.store.connected) {
      this._showError(KERNEL_GONE);
      return;
    }
    this._linkRequest = this._newRequestId();
    const spinner = h("span", { class: "yotta-status-indicator", "aria-hidden": "true" });
    this._link.replaceChildren(
      h("span", { class: "yotta-jupyter-progress", "data-pending": "true" }, spinner, "Connecting…"),
    );
    this.store.send({
      type: "open_jupyter",
      request_id: this._linkRequest,
      pod_id: podId,
      server_path: remoteServerPath(),
    });
  }

  /** @param {string} podId */
  _requestPassword(podId) {
    this._passwordRequest = this._newRequestId();
    this.store.send({ type: "show_password", request_id: this._passwordRequest, pod_id: podId });
  }

  /** @param {string} error */
  _showError(error) {
    const podId = this._podId ?? "";
    this._link.replaceChildren(
      h("span", { class: "yotta-is-invalid", dir: "auto" }, error),
      secondaryButton("Try again", () => this._requestLink(podId)),
    );
    this.context.announce(error);
    this._popup.place();
  }

  /** Other views of the panel receive the reply as well. */
  _newRequestId() {
    this._requestNumber += 1;
    return `${this.context.id}:${this._requestNumber}`;
  }

  _closeAndFocus() {
    const button = this._button;
    this._popup.close();
    button?.focus({ preventScroll: true });
  }

  _onClose() {
    document.removeEventListener("pointerdown", this._onPointerdown, true);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = 0;
    // What arrives later is not for what is shown then.
    this._linkRequest = this._passwordRequest = null;
    this._button = this._podId = null;
    this.element.replaceChildren();
  }
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function secondaryButton(text, onclick) {
  return h("button", { type: "button", class: "yotta-button-secondary", onclick }, text);
}

/**
 * @param {string} url
 * @param {string} text
 */
function newTabLink(url, text) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, text);
}

/** @param {PodRow} row */
function publicAddress(row) {
  if (!row.jupyter) return [];
  const isPlain = row.jupyter.startsWith("http:");
  const link = newTabLink(row.jupyter, row.jupyter);
  return [h("div", { class: "yotta-muted" }, "Public address: ", link, isPlain ? " (not encrypted)" : "")];
}
