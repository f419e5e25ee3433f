// @ts-check
/** Filters and sorts rows. */

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").PodRow} PodRow */

/** The filters that choose one value of a field. */
export const SELECT_FILTERS = /** @type {const} */ (["status", "region", "gpu_type"]);

/** @type {Field[]} */
const SEARCHED_FIELDS = ["name", "id", "image", "gpu_type", "region"];

/** @typedef {Record<"text" | (typeof SELECT_FILTERS)[number], string>} Filters an empty one matches all rows */

/** @returns {Filters} */
export function noFilters() {
  return { text: "", status: "", region: "", gpu_type: "" };
}

/**
 * @param {Filters} filters
 * @returns {boolean} whether any filter is set
 */
export function isFiltered(filters) {
  return Object.values(filters).some(Boolean);
}

/**
 * @param {Iterable<PodRow>} rows
 * @param {Filters} filters
 * @returns {PodRow[]} those that match all filters, and contain each word of `filters.text`
 */
export function filterRows(rows, filters) {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...rows].filter((row) => {
    if (SELECT_FILTERS.some((field) => filters[field] && row[field] !== filters[field])) return false;
    if (!words.length) return true;
    const text = SEARCHED_FIELDS.map((field) => row[field] ?? "")
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * @param {PodRow[]} rows
 * @param {Column} column
 * @param {boolean} reversed
 * @returns {string[]} the ids in order; rows that compare equal keep theirs
 */
export function sortedIds(rows, column, reversed) {
  const sign = reversed ? -1 : 1;
  const keyed = rows.map((row) => ({ key: column.sortKey(row), id: row.id }));
  keyed.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0));
  return keyed.map(({ id }) => id);
}
