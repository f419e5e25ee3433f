// @ts-check
/** One view of a panel: header, filters, table, launch form. */

import { copyText } from "./clipboard.js";
import { h, SUPPRESS_SHORTCUTS, setText, uniqueId } from "./dom.js";
import { EmptyState } from "./empty-state.js";
import { LaunchForm } from "./form.js";
import { Header } from "./header.js";
import { SelectionToolbar } from "./selection-toolbar.js";
import { Table } from "./table.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("./filter.js").Filters} Filters */
/** @typedef {import("./store.js").Change} Change */
/** @typedef {import("./store.js").Store} Store */

/**
 * What the parts of a view use of it.
 *
 * @typedef {object} ViewContext
 * @property {string} id
 * @property {(text: string) => void} announce says a text to screen readers
 * @property {(text: string, label: string) => Promise<void>} copy copies a text, and announces it
 */

export class PanelView {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.id = uniqueId();
    this.header = new Header(store, this);
    this.toolbar = new Toolbar(store, (name, value) => this._onFilter(name, value));
    const focusSearch = () => this.toolbar.search.focus({ preventScroll: true });
    this.selectionToolbar = new SelectionToolbar(store, this, focusSearch);
    this.form = new LaunchForm(store, this);
    this.emptyState = new EmptyState(() => this.form.focus());
    this.table = new Table(store, this, { onFiltered: () => this._onFiltered(), focusFallback: focusSearch });
    this.table.scroller.append(this.emptyState.element);
    this._liveRegion = h("div", { class: "yotta-visually-hidden", role: "status", "aria-live": "polite" });
    this.root = h(
      "section",
      { class: "yotta-panel", role: "region", "aria-label": "Yotta pods", [SUPPRESS_SHORTCUTS]: "true" },
      this.header.element,
      this.header.alert,
      this.toolbar.element,
      h("div", { class: "yotta-pods" }, this.table.scroller, this.selectionToolbar.element),
      this.form.element,
      this._liveRegion,
    );
    this._unsubscribe = store.subscribe((change) => this._onChange(change));
    this._onChange({ all: true });
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
    this.announce(
      copied ? `Copied ${label}` : `${label} cannot be copied from here; press Ctrl+C or ⌘C, it is selected`,
    );
  }

  /** Show how old the rows are now. */
  updateTime() {
    this.header.updateTime();
    this.root.classList.toggle("yotta-stale", this.header.isStale());
  }

  close() {
    this.form.close();
    this._unsubscribe();
  }

  /** @param {Change} change */
  _onChange(change) {
    if (change.message) {
      if (change.message.type === "validation") this.form.onValidation(change.message);
      else this.form.onLaunchResult(change.message);
      return;
    }
    this.header.update();
    this.toolbar.updateOptions(this.table.filters);
    this.form.update();
    this.table.update(change);
    this._updateEmptyState();
    this.selectionToolbar.update();
    this.updateTime();
  }

  /**
   * @param {keyof Filters} name
   * @param {string} value
   */
  _onFilter(name, value) {
    this.table.filters[name] = value;
    this.table.scroller.scrollTop = 0;
    this.table.applyFilters();
    this.announce(`${this.table.ids.length} pods shown`);
  }

  _onFiltered() {
    this._updateEmptyState();
    this.toolbar.updateCount(this.table.filters, this.table.ids.length);
  }

  _updateEmptyState() {
    const total = this.store.rows.size;
    this.emptyState.update({ loaded: this.store.info.loaded, total, matching: this.table.ids.length });
    this.table.element.hidden = total === 0;
  }
}
