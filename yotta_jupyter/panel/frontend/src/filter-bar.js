// @ts-check
import { h, secondaryButton, setText } from "./dom.js";
import { isFiltered, SELECT_FILTERS } from "./filter.js";
import { formatGpuType, formatPodCount, formatStatus } from "./format.js";
import { LAUNCHING } from "./protocol.js";

/** @typedef {import("./filter.js").Filters} Filters */
/** @typedef {import("./store.js").Store} Store */

const EMPTY_LABELS = { status: "Any status", region: "Any region", gpu_type: "Any GPU" };
const ARIA_LABELS = { status: "Filter by status", region: "Filter by region", gpu_type: "Filter by GPU type" };

/** @type {Record<(typeof SELECT_FILTERS)[number], (value: string) => string>} */
const FORMATTERS = {
  status: (value) => formatStatus(value),
  region: (value) => value,
  gpu_type: formatGpuType,
};

/** The filters above the table. */
export class FilterBar {
  /**
   * @param {Store} store
   * @param {(name: keyof Filters, value: string) => void} onFilter
   * @param {() => void} onClear
   */
  constructor(store, onFilter, onClear) {
    this.store = store;
    this.search = h("input", {
      type: "search",
      placeholder: "Filter by name, id, image…",
      "aria-label": "Filter pods",
    });
    this.search.addEventListener("input", () => onFilter("text", this.search.value));
    this._selects = SELECT_FILTERS.map((name) => {
      const select = h("select", { "aria-label": ARIA_LABELS[name] }, h("option", { value: "" }, EMPTY_LABELS[name]));
      select.addEventListener("change", () => onFilter(name, select.value));
      return { name, select };
    });
    this._resultCount = h("span", { class: "yotta-result-count" });
    this._clear = secondaryButton("Clear filters", () => {
      this.search.value = "";
      for (const { select } of this._selects) select.value = "";
      this.search.focus({ preventScroll: true });
      onClear();
    });
    const result = h("span", { class: "yotta-filter-result" }, this._resultCount, this._clear);
    const selects = this._selects.map(({ select }) => select);
    this.element = h("div", { class: "yotta-filter-bar" }, this.search, ...selects, result);
  }

  /**
   * Offer the values that the rows contain.
   *
   * @param {Filters} filters
   */
  updateOptions(filters) {
    for (const { name, select } of this._selects) {
      const values = new Set();
      for (const row of this.store.rows.values()) {
        const value = row[name];
        if (value && value !== LAUNCHING) values.add(value);
      }
      const options = [...values].sort();
      const selected = filters[name];
      if (selected && !values.has(selected)) options.push(selected);
      setOptions(select, options, selected, FORMATTERS[name]);
    }
  }

  /**
   * @param {Filters} filters
   * @param {number} count the rows that match
   */
  updateCount(filters, count) {
    const total = formatPodCount(this.store.rows.size);
    this._clear.classList.toggle("yotta-is-invisible", !isFiltered(filters));
    setText(this._resultCount, isFiltered(filters) ? `${count.toLocaleString()} of ${total}` : "");
  }
}

/**
 * @param {HTMLSelectElement} select its first option is kept
 * @param {string[]} values
 * @param {string} selected
 * @param {(value: string) => string} format
 */
function setOptions(select, values, selected, format) {
  const current = [...select.options].slice(1).map((option) => option.value);
  if (values.join("\n") === current.join("\n")) return;
  const options = values.map((value) => h("option", { value }, format(value)));
  select.replaceChildren(select.options[0], ...options);
  select.value = selected;
}
