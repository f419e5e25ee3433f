// @ts-check
import { setAttribute } from "./dom.js";

/** @typedef {import("./row.js").RowView} RowView */
/** @typedef {import("./table.js").Table} Table */

/**
 * Moves the focus in the table by keyboard.
 *
 * One row at a time is in the order of the Tab key, or 10,000 pods would be 40,000 stops. The arrow keys, Home, End,
 * Page Up and Page Down reach the others.
 */
export class Navigation {
  /** @param {Table} table */
  constructor(table) {
    this.table = table;
    /** @type {string | null} */
    this._activeId = null;
    table.body.addEventListener("keydown", (event) => this._onKeydown(event));
    table.body.addEventListener("focusin", (event) => this._onFocusin(event));
  }

  /** Make the controls of the active row, or else of the first, the ones that Tab reaches. */
  updateTabStop() {
    const { body, rowViews } = this.table;
    const first = /** @type {HTMLElement | null} */ (body.firstElementChild)?.dataset.podId;
    const stop = this._activeId !== null && rowViews.has(this._activeId) ? this._activeId : first;
    for (const [id, view] of rowViews) {
      for (const control of view.controls()) setAttribute(control, "tabindex", id === stop ? "0" : "-1");
    }
  }

  /** @param {FocusEvent} event */
  _onFocusin(event) {
    const id = this._viewOf(event)?.id;
    if (id && id !== this._activeId) {
      this._activeId = id;
      this.updateTabStop();
    }
  }

  /** @param {KeyboardEvent} event */
  _onKeydown(event) {
    const view = this._viewOf(event);
    if (!view) return;
    const control = /** @type {HTMLElement} */ (event.target);
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const controls = [...view.controls()].filter((each) => each.offsetParent);
      controls[controls.indexOf(control) + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
    } else {
      const index = this._targetIndex(event.key, this.table.ids.indexOf(view.id));
      if (index === null) return;
      this._focusRow(Math.min(this.table.ids.length - 1, Math.max(0, index)), control);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {string} key
   * @param {number} index
   * @returns {number | null} the target row, possibly out of range; null for any other key
   */
  _targetIndex(key, index) {
    const page = Math.max(1, Math.floor(this.table.scroller.clientHeight / this.table.rowHeight) - 2);
    switch (key) {
      case "ArrowUp":
        return index - 1;
      case "ArrowDown":
        return index + 1;
      case "PageUp":
        return index - page;
      case "PageDown":
        return index + page;
      case "Home":
        return 0;
      case "End":
        return this.table.ids.length - 1;
      default:
        return null;
    }
  }

  /**
   * Scroll to a row, and focus the control in the place of another row's.
   *
   * @param {number} index
   * @param {HTMLElement} control
   */
  _focusRow(index, control) {
    const { ids, rowHeight, scroller, rowViews } = this.table;
    const cell = /** @type {HTMLElement} */ (control.parentElement);
    const place = controlsOf(cell).indexOf(control);
    const top = index * rowHeight;
    const lowest = top - (scroller.clientHeight - rowHeight * 2);
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (lowest > scroller.scrollTop) scroller.scrollTop = lowest;
    this.table.renderRows();
    const view = rowViews.get(ids[index]);
    const target = view?.element.getElementsByClassName(cell.className)[0];
    const counterpart = target && controlsOf(target)[place];
    // A row without an error has no visible Dismiss button.
    const focusable = !counterpart || counterpart.hidden ? view?.checkbox : counterpart;
    focusable?.focus({ preventScroll: true });
  }

  /**
   * @param {Event} event
   * @returns {RowView | undefined} the row in which it happened
   */
  _viewOf(event) {
    const element = /** @type {HTMLElement} */ (event.target).closest("[data-pod-id]");
    return this.table.rowViews.get(/** @type {HTMLElement | null} */ (element)?.dataset.podId ?? "");
  }
}

/**
 * @param {Element} cell
 * @returns {HTMLElement[]} what can have the focus in a cell
 */
function controlsOf(cell) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (cell.querySelectorAll("input, button"))];
}
