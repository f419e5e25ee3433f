// @ts-check
import { h, isSecondClick, setText } from "./dom.js";
import { formatPodCount, PROGRESS_LABELS } from "./format.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** Shows the countdown of an action on several pods, and a button that undoes it. */
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
      if (!isSecondClick(event)) this.undo();
    });
    this.element = h("div", { class: "yotta-overlay-bar yotta-undo-bar", hidden: true }, this._text, this.button);
  }

  update() {
    const group = this.store.lastUndoable();
    const isShown = group?.isBulk ?? false;
    if (group && isShown) {
      const { action, ids } = group;
      const pods = formatPodCount(ids.length);
      setText(this._text, `${PROGRESS_LABELS[action]} ${pods} in ${this.store.undoSecondsLeft(ids[0])} s`);
      setText(this.button, `Undo ${action} of ${pods}`);
    }
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = !isShown;
    if (!isShown && hadFocus) this._focusFallback();
  }

  /**
   * Undo the last action that can be undone, on one pod or on several.
   *
   * @returns {boolean} whether there was one
   */
  undo() {
    const group = this.store.lastUndoable();
    if (!group) return false;
    const { action, ids, isBulk } = group;
    this.store.act("undo", ids);
    if (isBulk) this.store.select(ids, true);
    this.context.announce(`Undoing the ${action} of ${formatPodCount(ids.length)}`);
    return true;
  }
}
