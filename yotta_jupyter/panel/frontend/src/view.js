// @ts-check
/** One view of a panel: header, filters, table, launch form. */

import { copyText } from "./clipboard.js";
import { h, SUPPRESS_SHORTCUTS, setText, uniqueId } from "./dom.js";
import { EmptyState } from "./empty-state.js";
import { noFilters } from "./filter.js";
import { FilterBar } from "./filter-bar.js";
import { LaunchForm } from "./form.js";
import { formatPodCount } from "./format.js";
import { GuardNotice } from "./guard-notice.js";
import { Header } from "./header.js";
import { JupyterPopup } from "./jupyter-popup.js";
import { SelectionToolbar } from "./selection-toolbar.js";
import { Table } from "./table.js";
import { UndoBar } from "./undo-bar.js";

/** @typedef {import("./filter.js").Filters} Filters */
/** @typedef {import("./store.js").Change} Change */
/** @typedef {import("./store.js").Store} Store */

/**
 * The methods of a view that its parts use.
 *
 * @typedef {object} ViewContext
 * @property {string} id
 * @property {(text: string) => void} announce says a text to screen readers
 * @property {(text: string, label: string) => Promise<boolean>} copy copies a text and announces its label; returns
 *   whether it was copied
 * @property {(id: string, button: HTMLElement) => void} showJupyter opens the Jupyter of a pod, beside a button
 * @property {() => void} holdLayout keeps the launch form where it is until the pointer leaves it
 */

export class PanelView {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.id = uniqueId();
    this.header = new Header(store, this);
    this.filterBar = new FilterBar(
      store,
      (name, value) => this._onFilter({ [name]: value }),
      () => this._onFilter(noFilters()),
    );
    const focusSearch = () => this.filterBar.search.focus({ preventScroll: true });
    this.undoBar = new UndoBar(store, this, focusSearch);
    this.guardNotice = new GuardNotice(store, this, focusSearch);
    this.header.messages.append(this.guardNotice.element);
    this.selectionToolbar = new SelectionToolbar(store, this, {
      countHidden: (ids) => this.table.countHidden(ids),
      focusFallback: focusSearch,
      focusUndo: () => this._focusUndo(),
    });
    this.jupyterPopup = new JupyterPopup(store, this, () => this.table.updateFreeze());
    this.form = new LaunchForm(store, this);
    this.emptyState = new EmptyState(() => this.form.focus());
    this.table = new Table(store, this, {
      jupyterPopup: this.jupyterPopup,
      onShownRowsChange: () => this._onShownRowsChange(),
      focusFallback: focusSearch,
    });
    this.table.scroller.append(this.emptyState.element);
    this._liveRegion = h("div", { class: "yotta-visually-hidden", role: "status", "aria-live": "polite" });
    this.root = h(
      "section",
      { class: "yotta-panel", role: "region", "aria-label": "Yotta pods", [SUPPRESS_SHORTCUTS]: "true" },
      this.header.element,
      this.filterBar.element,
      h(
        "div",
        { class: "yotta-pods" },
        this.table.scroller,
        this.selectionToolbar.element,
        this.undoBar.element,
        this.jupyterPopup.element,
      ),
      this.form.element,
      this._liveRegion,
    );
    this.root.addEventListener("keydown", (event) => this._onKeydown(event));
    this.form.element.addEventListener("pointerleave", () => this._releaseLayout());
    this._unsubscribe = store.subscribe((change) => this._onChange(change));
    this._onChange({ rowsChanged: true });
  }

  /** @param {string} text */
  announce(text) {
    setText(this._liveRegion, text);
  }

  /**
   * @param {string} text
   * @param {string} label
   */
  async copy(text, label) {
    const copied = await copyText(text, this.root);
    if (copied) this.announce(`Copied ${label}`);
    else this.announce(`${label} cannot be copied from here; press Ctrl+C or ⌘C, it is selected`);
    return copied;
  }

  /** The new row of a launch must not move the form between the clicks of a double click. */
  holdLayout() {
    if (!this.form.element.matches(":hover")) return;
    const { scroller } = this.table;
    scroller.style.height = `${scroller.offsetHeight}px`;
    scroller.scrollTop = 0;
  }

  /**
   * @param {string} id
   * @param {HTMLElement} button
   */
  showJupyter(id, button) {
    const row = this.store.rows.get(id);
    if (row) this.jupyterPopup.toggle(row, button);
    this.table.updateFreeze();
  }

  refreshCountdowns() {
    this.table.refreshCountdowns();
    this.undoBar.update();
  }

  /** Show how old the rows are now, and when a guard pauses a pod. */
  updateTime() {
    this.header.updateTime();
    this.guardNotice.update({ isCovered: !this.header.alert.hidden });
    this.root.classList.toggle("yotta-is-stale", this.header.isStale());
  }

  close() {
    this.form.close();
    this.jupyterPopup.close();
    this._unsubscribe();
  }

  /** @param {Change} change */
  _onChange(change) {
    if (change.message) {
      this._onMessage(change.message, change.buffers);
      return;
    }
    this.header.update();
    this.filterBar.updateOptions(this.table.filters);
    this.form.update();
    this.table.update(change);
    this.jupyterPopup.update();
    this._updateEmptyState();
    this.selectionToolbar.update();
    this.undoBar.update();
    this.updateTime();
  }

  /**
   * @param {NonNullable<Change["message"]>} message
   * @param {DataView[]} [buffers]
   */
  _onMessage(message, buffers) {
    if (message.type === "validation") this.form.onValidation(message);
    else if (message.type === "password") this.jupyterPopup.onPassword(message, buffers);
    else if (message.type === "jupyter_link") this.jupyterPopup.onLink(message, buffers);
    else if (message.type === "guard_extended") {
      this.guardNotice.onResult(message);
      this.updateTime();
    } else this.form.onLaunchResult(message);
  }

  _releaseLayout() {
    this.table.scroller.style.height = "";
    this.table.renderRows();
  }

  _focusUndo() {
    this.undoBar.update();
    if (this.undoBar.element.hidden) this.filterBar.search.focus({ preventScroll: true });
    else this.undoBar.button.focus({ preventScroll: true });
  }

  /**
   * Escape, and Ctrl+Z or ⌘Z outside of text fields, undo the last delete or pause that can be undone.
   *
   * @param {KeyboardEvent} event
   */
  _onKeydown(event) {
    if (event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const isTextField = target.matches("input:not([type=checkbox]), textarea");
    const clearsSearch = target === this.filterBar.search && this.filterBar.search.value !== "";
    const isEscape = event.key === "Escape" && !clearsSearch;
    const isCtrlZ = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    const requestsUndo = isEscape || (isCtrlZ && !isTextField);
    if (requestsUndo && this.undoBar.undo()) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** @param {Partial<Filters>} filters */
  _onFilter(filters) {
    Object.assign(this.table.filters, filters);
    this.table.scroller.scrollTop = 0;
    this.table.filterAndSort();
    this.announce(`${formatPodCount(this.table.ids.length)} shown`);
  }

  _onShownRowsChange() {
    this._updateEmptyState();
    this.filterBar.updateCount(this.table.filters, this.table.ids.length);
    this.selectionToolbar.update();
  }

  _updateEmptyState() {
    const total = this.store.rows.size;
    this.emptyState.update({ loaded: this.store.meta.loaded, total, matching: this.table.ids.length });
    this.table.element.hidden = total === 0;
  }
}
