// @ts-check
/** Filters and sorts rows. */

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").PodRow} PodRow */

/** The filters that choose one value of a field. */
export const SELECT_FILTERS = /** @type {const} */ (["status", "region", "gpu_type"]);

/** @type {Field[]} */
const SEARCHED_FIELDS = ["name", "id", "image", "region"];

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
 * @returns {PodRow[]} those that match all filters, and contain each word of `filters.text`: in the name, id, image or
 *   region, or as a word of the GPU type. Only where no row has it there, a part of a GPU type is enough: "train" finds
 *   train-1, but not render-1 on a Trainium.
 */
export function filterRows(rows, filters) {
  const selected = [...rows].filter((row) =>
    SELECT_FILTERS.every((field) => !filters[field] || row[field] === filters[field]),
  );
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return selected;
  const indexed = selected.map((row) => {
    const text = SEARCHED_FIELDS.map((field) => row[field] ?? "").join(" ");
    const gpu = (row.gpu_type ?? "").toLowerCase();
    return { row, text: text.toLowerCase(), gpu, gpuWords: gpu.split(/[^a-z0-9]+/) };
  });
  /** @typedef {(typeof indexed)[number]} Entry */
  const conditions = words.map((word) => {
    const matches = (/** @type {Entry} */ { text, gpuWords }) => text.includes(word) || gpuWords.includes(word);
    return indexed.some(matches) ? matches : (/** @type {Entry} */ { gpu }) => gpu.includes(word);
  });
  return indexed.filter((entry) => conditions.every((matches) => matches(entry))).map(({ row }) => row);
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
