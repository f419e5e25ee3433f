// @ts-check
import { h, setText } from "./dom.js";
import { countPods } from "./format.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** The countdown and the undo of a delete of several pods. It covers the headings and no row, so that none moves when it appears. */
export class UndoBar {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback moves the focus when the bar disappears
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._focusFallback = focusFallback;
    this._text = h("span");
    this.button = h("button", { type: "button", class: "yotta-button-primary", title: "Escape or Ctrl+Z" }, "Undo");
    this.button.addEventListener("click", (event) => {
      if (event.detail <= 1) this.undo(); // Not for the second click of a double click on the button before.
    });
    this.element = h("div", { class: "yotta-overlay-bar yotta-undo-bar", hidden: true }, this._text, this.button);
  }

  update() {
    const { ids, isBulk } = this.store.lastDelete();
    const isShown = isBulk && ids.length > 0;
    if (isShown) {
      const pods = countPods(ids.length);
      setText(this._text, `Deleting ${pods} in ${this.store.undoSecondsLeft(ids[0])} s`);
      setText(this.button, `Undo delete of ${pods}`);
    }
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = !isShown;
    if (!isShown && hadFocus) this._focusFallback();
  }

  /**
   * Undo the last delete, of one pod or of several.
   *
   * @returns {boolean} whether there was one
   */
  undo() {
    const { ids, isBulk } = this.store.lastDelete();
    if (!ids.length) return false;
    this.store.act("undo", ids);
    if (isBulk) this.store.select(ids, true);
    this.context.announce(`Undoing the delete of ${countPods(ids.length)}`);
    return true;
  }
}
