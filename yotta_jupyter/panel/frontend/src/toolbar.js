// @ts-check
import { h, setText } from "./dom.js";
import { isFiltered, SELECT_FILTERS } from "./filter.js";
import { LAUNCHING } from "./protocol.js";

/** @typedef {import("./filter.js").Filters} Filters */
/** @typedef {import("./store.js").Store} Store */

const ANY = { status: "Any status", region: "Any region", gpu_type: "Any GPU" };

/** The filters above the table. */
export class Toolbar {
  /**
   * @param {Store} store
   * @param {(name: keyof Filters, value: string) => void} onFilter
   */
  constructor(store, onFilter) {
    this.store = store;
    this.search = h("input", {
      type: "search",
      placeholder: "Filter by name, id, image…",
      "aria-label": "Filter pods",
    });
    this.search.addEventListener("input", () => onFilter("text", this.search.value));
    this._selects = SELECT_FILTERS.map((name) => {
      const select = h("select", { "aria-label": ANY[name] }, h("option", { value: "" }, ANY[name]));
      select.addEventListener("change", () => onFilter(name, select.value));
      return { name, select };
    });
    this._resultCount = h("span", { class: "yotta-result-count" });
    const selects = this._selects.map(({ select }) => select);
    this.element = h("div", { class: "yotta-toolbar" }, this.search, ...selects, this._resultCount);
  }

  /**
   * Offer the values that the rows have.
   *
   * @param {Filters} filters
   */
  updateOptions(filters) {
    for (const { name, select } of this._selects) {
      const values = new Set();
      for (const row of this.store.rows.values()) if (row[name] && row[name] !== LAUNCHING) values.add(row[name]);
      const options = [...values].sort();
      const chosen = filters[name];
      if (chosen && !values.has(chosen)) options.push(chosen);
      setOptions(select, options, chosen);
    }
  }

  /**
   * @param {Filters} filters
   * @param {number} count the rows that match
   */
  updateCount(filters, count) {
    const total = this.store.rows.size.toLocaleString();
    setText(this._resultCount, isFiltered(filters) ? `${count.toLocaleString()} of ${total} pods` : "");
  }
}

/**
 * @param {HTMLSelectElement} select its first option is kept
 * @param {string[]} values
 * @param {string} chosen
 */
function setOptions(select, values, chosen) {
  const current = [...select.options].slice(1).map((option) => option.value);
  if (values.join("\n") === current.join("\n")) return;
  select.replaceChildren(select.options[0], ...values.map((value) => h("option", { value }, value)));
  select.value = chosen;
}
