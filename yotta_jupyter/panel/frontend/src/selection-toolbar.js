// @ts-check
import { h, isDisabled, setDisabled, setText } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

const ACTIONS = /** @type {const} */ ([
  { action: "pause", label: "Pause", announcement: "Pausing" },
  { action: "resume", label: "Resume", announcement: "Resuming" },
  { action: "delete", label: "Delete", announcement: "Deleting" },
]);

/** What can be done with the selected pods. It covers the headings, so that no row moves when it appears. */
export class SelectionToolbar {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback called when the toolbar disappears with the focus
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._count = h("span");
    this._buttons = ACTIONS.map(({ action, label, announcement }) => {
      const button = secondaryButton("", () => this._act(action, announcement));
      return { action, label, button };
    });
    this._copyButton = secondaryButton("", () => this._copySsh());
    const clear = secondaryButton("Clear", () => {
      store.select([...store.selected], false);
      focusFallback();
    });
    const buttons = this._buttons.map(({ button }) => button);
    this.element = h("span", { class: "yotta-selection-toolbar", hidden: true });
    this.element.append(this._count, ...buttons, this._copyButton, clear);
  }

  update() {
    const count = this.store.selected.size;
    this.element.hidden = count === 0;
    if (!count) return;
    setText(this._count, `${count.toLocaleString()} selected`);
    for (const { action, label, button } of this._buttons) setCount(button, label, this._idsFor(action).length);
    setCount(this._copyButton, "Copy SSH", this._sshCommands().length);
  }

  /** @param {string} action */
  _idsFor(action) {
    const rows = this.store.selectedRows().filter((row) => this.store.can(row, action));
    return rows.map((row) => row.id);
  }

  _sshCommands() {
    return this.store
      .selectedRows()
      .map((row) => row.ssh)
      .filter((ssh) => ssh !== null);
  }

  /**
   * @param {(typeof ACTIONS)[number]["action"]} action
   * @param {string} announcement
   */
  _act(action, announcement) {
    const ids = this._idsFor(action);
    if (!ids.length) return;
    this.store.act(action, ids);
    this.context.announce(`${announcement} ${ids.length} pods`);
  }

  async _copySsh() {
    if (isDisabled(this._copyButton)) return;
    const commands = this._sshCommands();
    await this.context.copy(commands.join("\n"), `${commands.length} SSH commands`);
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
 * @param {HTMLElement} button
 * @param {string} label
 * @param {number} count of the pods that the button acts on
 */
function setCount(button, label, count) {
  setText(button, count ? `${label} ${count.toLocaleString()}` : label);
  setDisabled(button, count === 0);
}
