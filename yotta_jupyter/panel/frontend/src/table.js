// @ts-check
/** The table of pods. Only the rows in view are rendered (virtualized). */

import { COLUMNS } from "./columns.js";
import { h, setAttribute } from "./dom.js";
import { filterRows, groupByEnd, isFiltered, noFilters, sortedIds } from "./filter.js";
import { FrozenOrder } from "./frozen-order.js";
import { Navigation } from "./navigation.js";
import { RowView } from "./row.js";
import { RowActions } from "./row-actions.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./jupyter-popup.js").JupyterPopup} JupyterPopup */
/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./store.js").Change} Change */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** The number of rows that are rendered above and below those in view. */
const OVERSCAN = 4;
/** In pixels. */
const ROW_HEIGHT = 36;
const COMPACT_ROW_HEIGHT = 60;

/** The default order. Pods that have ended come last in it. */
const NEWEST_FIRST = { column: columnNamed("age"), descending: false };

export class Table {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {{ jupyterPopup: JupyterPopup, onShownRowsChange: () => void, focusFallback: () => void }} options
   *   `onShownRowsChange` is called when the rows shown or their order have changed; `focusFallback` moves the focus when
   *   the last row disappears
   */
  constructor(store, context, { jupyterPopup, onShownRowsChange, focusFallback }) {
    this.store = store;
    this.jupyterPopup = jupyterPopup;
    this.onShownRowsChange = onShownRowsChange;
    this.focusFallback = focusFallback;
    this.filters = noFilters();
    this.sort = NEWEST_FIRST;
    /** The ids of the rows that match the filters, in order. @type {string[]} */
    this.ids = [];
    /** The rendered rows, by id. @type {Map<string, RowView>} */
    this.rowViews = new Map();
    this.rowHeight = ROW_HEIGHT;
    this.frozenOrder = new FrozenOrder();
    this._pointerIsOverRows = false;
    /** Views that can be reused. @type {RowView[]} */
    this._pool = [];
    /** The row of the last click on a checkbox, from which Shift+click selects. @type {string | null} */
    this._selectionAnchor = null;
    this.body = h("div", { role: "rowgroup", class: "yotta-body" });
    this.selectAll = h("input", { type: "checkbox", "aria-label": "Select all pods shown" });
    this.selectAll.addEventListener("change", () => this._onSelectAll());
    this._headings = COLUMNS.map((column) => this._heading(column));
    this.element = h("div", { role: "table", "aria-label": "Pods" }, this._head(), this.body);
    this.scroller = h("div", { class: "yotta-scroller" }, this.element);
    const onScroll = () => {
      this.jupyterPopup.close();
      this.renderRows();
    };
    this.scroller.addEventListener("scroll", onScroll, { passive: true });
    const widths = COLUMNS.map((column) => column.width).join(" ");
    this.scroller.style.setProperty("--yotta-columns", widths);
    this.navigation = new Navigation(this);
    this._rowActions = new RowActions(store, context);
    this._addFreezeListeners();
  }

  /**
   * Show a change of the store, with as little work as it needs.
   *
   * @param {Change} change
   */
  update({ rowsChanged, ids = [], fields = new Set() }) {
    const filterMayChange = isFiltered(this.filters) && fields.size > 0;
    const orderMayChange = this.sort.column.sortFields.some((field) => fields.has(field));
    if (rowsChanged || filterMayChange || orderMayChange) {
      const sorted = this._sortedIds();
      const isFrozen = this.frozenOrder.isActive;
      this._show(isFrozen ? this.frozenOrder.merge(this.ids, sorted, this.store.rows) : sorted);
      return;
    }
    for (const id of ids) this._refreshRow(id);
    this._updateSelectAll();
  }

  /**
   * @param {Iterable<string>} ids
   * @returns {number} the pods of `ids` whose rows the filters hide
   */
  countHidden(ids) {
    if (!isFiltered(this.filters)) return 0;
    const shown = new Set(this.ids);
    return [...ids].filter((id) => !shown.has(id)).length;
  }

  /** Show the rows that match the filters, sorted, even while the order is frozen. */
  filterAndSort() {
    this._show(this._sortedIds());
  }

  /** @returns {string[]} */
  _sortedIds() {
    const { column, descending } = this.sort;
    const rows = filterRows(this.store.rows.values(), this.filters);
    const isNewestFirst = column === NEWEST_FIRST.column && !descending;
    const groups = isNewestFirst ? groupByEnd(rows) : [rows];
    return groups.flatMap((group) => sortedIds(group, column, descending));
  }

  /** @param {string[]} ids */
  _show(ids) {
    this.ids = ids;
    const { column, descending } = this.sort;
    const direction = descending ? "descending" : "ascending";
    this._headings.forEach((heading, index) => {
      setAttribute(heading, "aria-sort", COLUMNS[index] === column ? direction : null);
    });
    setAttribute(this.element, "aria-rowcount", this.ids.length + 1);
    this._setBodyHeight();
    this.renderRows();
    this._updateSelectAll();
    this.onShownRowsChange();
  }

  /** Create, update and remove the elements of rows, so that those in view are rendered. */
  renderRows() {
    const indexes = this._rowsToRender();
    const removedFocus = this._recycleViews(indexes);
    for (const [id, index] of indexes) {
      let view = this.rowViews.get(id);
      if (!view) {
        view = this._pool.pop() ?? this._createRow();
        this.rowViews.set(id, view);
      }
      const row = /** @type {PodRow} */ (this._rowOf(id));
      const isOutdated = view.row !== row || view.index !== index;
      // An optimistic action keeps the row object.
      if (isOutdated || this.store.isOptimistic(id)) view.update(row, { index, top: index * this.rowHeight });
    }
    for (const view of this._pool) view.element.remove();
    const ordered = [...indexes].sort((a, b) => a[1] - b[1]);
    this._reorder(ordered.map(([id]) => /** @type {RowView} */ (this.rowViews.get(id)).element));
    this.navigation.updateTabStop();
    if (removedFocus !== null) this._focusNear(removedFocus);
  }

  /** @param {boolean} compact */
  setCompact(compact) {
    this.rowHeight = compact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
    for (const view of this.rowViews.values()) view.invalidate();
    this.scroller.style.setProperty("--yotta-row-height", `${this.rowHeight}px`);
    this._setBodyHeight();
    this.renderRows();
  }

  refreshCountdowns() {
    for (const [id, view] of this.rowViews) {
      if (view.isCountingDown) this._refreshRow(id);
    }
  }

  refreshAges() {
    for (const id of this.rowViews.keys()) this._refreshRow(id);
  }

  _addFreezeListeners() {
    const { body } = this;
    const update = () => this.updateFreeze();
    const setPointer = (/** @type {boolean} */ isOver) => {
      this._pointerIsOverRows = isOver;
      update();
    };
    body.addEventListener("pointerenter", () => setPointer(true));
    body.addEventListener("pointerleave", () => setPointer(false));
    body.addEventListener("focusin", update);
    // The next element has the focus only after this event.
    body.addEventListener("focusout", () => setTimeout(update));
  }

  /**
   * Freeze the order of the rows while the pointer is over them, while one of them has the focus by keyboard, and while
   * the Jupyter of a pod is shown, which would move with the rows.
   */
  updateFreeze() {
    const hasFocus = this.body.querySelector(":focus-visible") !== null;
    if (this._pointerIsOverRows || hasFocus || this.jupyterPopup.isOpen) this.frozenOrder.freeze(this.store.rows);
    else if (this.frozenOrder.release()) this.filterAndSort();
  }

  /**
   * @param {string} id
   * @returns {PodRow | undefined} also for a pod that is not listed any more, while the order is frozen
   */
  _rowOf(id) {
    return this.store.rows.get(id) ?? this.frozenOrder.goneRow(id);
  }

  /**
   * @param {string[]} ids
   * @returns {string[]} the ids of pods that are listed
   */
  _listed(ids) {
    return ids.filter((id) => this.store.rows.has(id));
  }

  /** @returns {HTMLElement} the row of headings */
  _head() {
    const actions = h("span", { class: "yotta-visually-hidden" }, "Actions");
    const row = h(
      "div",
      { role: "row", class: "yotta-row yotta-heading-row", "aria-rowindex": "1" },
      h("div", { role: "columnheader", class: "yotta-select-cell" }, this.selectAll),
      ...this._headings,
      h("div", { role: "columnheader", class: "yotta-actions" }, actions),
    );
    return h("div", { role: "rowgroup", class: "yotta-thead" }, row);
  }

  /** @param {Column} column */
  _heading(column) {
    const button = h("button", { type: "button", class: "yotta-sort" }, column.title);
    button.addEventListener("click", () => {
      const isSorted = column === this.sort.column;
      this.sort = { column, descending: isSorted ? !this.sort.descending : Boolean(column.largestFirst) };
      this.filterAndSort();
    });
    const classes = `yotta-${column.name} ${column.classes ?? ""}`.trim();
    return h("div", { role: "columnheader", class: classes }, button);
  }

  _createRow() {
    return new RowView(this.store, this._rowActions, (id, selected, isRange) => this._onSelect(id, selected, isRange));
  }

  /** @param {string} id */
  _refreshRow(id) {
    const row = this._rowOf(id);
    if (row) this.rowViews.get(id)?.update(row);
  }

  _setBodyHeight() {
    this.body.style.height = `${this.ids.length * this.rowHeight}px`;
  }

  /** @returns {Map<string, number>} the index of each row in or near the view, and of the focused row, by id */
  _rowsToRender() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.rowHeight) - OVERSCAN);
    const count = Math.ceil(this.scroller.clientHeight / this.rowHeight) + 2 * OVERSCAN;
    const indexes = new Map(this.ids.slice(first, first + count).map((id, offset) => [id, first + offset]));
    const focused = this._focusedId();
    if (focused !== null && !indexes.has(focused)) {
      const index = this.ids.indexOf(focused);
      if (index >= 0) indexes.set(focused, index);
    }
    return indexes;
  }

  /**
   * Move the views of rows that are not rendered any more to the pool.
   *
   * @param {Map<string, number>} indexes of the rows to render
   * @returns {number | null} the index of the row that had the focus, if its view was removed
   */
  _recycleViews(indexes) {
    let removedFocus = null;
    for (const [id, view] of this.rowViews) {
      if (indexes.has(id)) continue;
      this.rowViews.delete(id);
      // A view with the focus or a pressed button is not reused: the key or click would act on another pod.
      if (view.hasFocus() || view.element.matches(":active")) {
        if (view.hasFocus()) removedFocus = view.index;
        view.element.remove();
      } else {
        view.invalidate(); // It may be reused for the same pod.
        this._pool.push(view);
      }
    }
    return removedFocus;
  }

  /**
   * Put the elements into the order of the rows, for screen readers, without losing the focus.
   *
   * @param {HTMLElement[]} elements
   */
  _reorder(elements) {
    const focused = document.activeElement;
    let next = this.body.firstChild;
    for (const element of elements) {
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.body.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {number} index */
  _focusNear(index) {
    const view = this.rowViews.get(this.ids[Math.min(index, this.ids.length - 1)]);
    // In a row that has moved here, the checkbox is the control that does no harm.
    if (view) view.checkbox.focus({ preventScroll: true });
    else this.focusFallback();
  }

  /** @returns {string | null} */
  _focusedId() {
    const focused = document.activeElement;
    if (!focused || !this.body.contains(focused)) return null;
    return /** @type {HTMLElement | null} */ (focused.closest("[data-pod-id]"))?.dataset.podId ?? null;
  }

  /**
   * @param {string} id
   * @param {boolean} selected
   * @param {boolean} isRange whether the rows from the last click to this one are selected
   */
  _onSelect(id, selected, isRange) {
    let ids = [id];
    const anchor = isRange ? this.ids.indexOf(this._selectionAnchor ?? "") : -1;
    const index = this.ids.indexOf(id);
    if (anchor >= 0 && index >= 0) ids = this.ids.slice(Math.min(anchor, index), Math.max(anchor, index) + 1);
    this._selectionAnchor = id;
    this.store.select(this._listed(ids), selected);
  }

  _onSelectAll() {
    this.store.select(this._listed(this.ids), this.selectAll.checked);
  }

  _updateSelectAll() {
    const { selected } = this.store;
    const count = selected.size ? this.ids.filter((id) => selected.has(id)).length : 0;
    const listedCount = count ? this._listed(this.ids).length : 0;
    this.selectAll.checked = count > 0 && count === listedCount;
    this.selectAll.indeterminate = count > 0 && count < listedCount;
  }
}

/** @param {string} name */
function columnNamed(name) {
  return /** @type {Column} */ (COLUMNS.find((column) => column.name === name));
}
