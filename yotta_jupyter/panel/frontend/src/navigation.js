// @ts-check
import { setAttribute } from "./dom.js";

/** @typedef {import("./row.js").RowView} RowView */
/** @typedef {import("./table.js").Table} Table */

/** The height of the headings, which cover the rows below them, in rows. */
const HEADING_ROWS = 1;

/**
 * Moves the focus in the table by keyboard.
 *
 * Tab reaches the controls of one row only: 10,000 pods have 40,000 controls. The arrow keys, Home, End, Page Up and
 * Page Down reach the other rows.
 */
export class Navigation {
  /** @param {Table} table */
  constructor(table) {
    this.table = table;
    /** The row that had the focus last. @type {string | null} */
    this._activeId = null;
    table.body.addEventListener("keydown", (event) => this._onKeydown(event));
    table.body.addEventListener("focusin", (event) => this._onFocusin(event));
  }

  /** Let Tab reach the controls of the active row; those of the first row if the active one is not rendered. */
  updateTabStop() {
    const { body, rowViews } = this.table;
    const first = /** @type {HTMLElement | null} */ (body.firstElementChild)?.dataset.podId;
    const isActiveRendered = this._activeId !== null && rowViews.has(this._activeId);
    const tabStop = isActiveRendered ? this._activeId : first;
    for (const [id, view] of rowViews) {
      for (const control of view.controls()) setAttribute(control, "tabindex", id === tabStop ? "0" : "-1");
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
      const visible = [...view.controls()].filter((each) => each.offsetParent);
      const step = event.key === "ArrowRight" ? 1 : -1;
      visible[visible.indexOf(control) + step]?.focus();
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
    const rowsInView = Math.floor(this.table.scroller.clientHeight / this.table.rowHeight);
    const page = Math.max(1, rowsInView - HEADING_ROWS - 1); // One row stays in view.
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
   * Scroll to a row, and focus the counterpart of a control in another row.
   *
   * @param {number} index
   * @param {HTMLElement} control
   */
  _focusRow(index, control) {
    const { ids, rowHeight, scroller, rowViews } = this.table;
    const cell = /** @type {HTMLElement} */ (control.parentElement);
    const place = controlsOf(cell).indexOf(control);
    const top = index * rowHeight;
    const bottom = top + rowHeight * (HEADING_ROWS + 1);
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
    this.table.renderRows();
    const view = rowViews.get(ids[index]);
    const target = view?.element.getElementsByClassName(cell.className)[0];
    const counterpart = target && controlsOf(target)[place];
    const isFocusable = counterpart && !counterpart.hidden; // The Dismiss button is hidden in a row without an error.
    const next = isFocusable ? counterpart : view?.checkbox;
    next?.focus({ preventScroll: true });
  }

  /**
   * @param {Event} event
   * @returns {RowView | undefined} the row of its target
   */
  _viewOf(event) {
    const element = /** @type {HTMLElement} */ (event.target).closest("[data-pod-id]");
    return this.table.rowViews.get(/** @type {HTMLElement | null} */ (element)?.dataset.podId ?? "");
  }
}

/**
 * @param {Element} cell
 * @returns {HTMLElement[]} its elements that can have the focus
 */
function controlsOf(cell) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (cell.querySelectorAll("input, button"))];
}
