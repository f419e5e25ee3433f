// @ts-check
/** Filters and sorts rows. */

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").PodRow} PodRow */

/** The fields with a filter that selects one value. */
export const SELECT_FILTERS = /** @type {const} */ (["status", "region", "gpu_type"]);

/** @type {Field[]} */
const SEARCHED_FIELDS = ["name", "id", "image", "region"];

/** By name; an empty filter matches all rows. @typedef {Record<"text" | (typeof SELECT_FILTERS)[number], string>} Filters */

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
 * Return the rows that match all filters and each word of `filters.text`.
 *
 * @param {Iterable<PodRow>} rows
 * @param {Filters} filters
 * @returns {PodRow[]}
 */
export function filterRows(rows, filters) {
  const selected = [...rows].filter((row) =>
    SELECT_FILTERS.every((field) => !filters[field] || row[field] === filters[field]),
  );
  const words = splitWords(filters.text);
  if (!words.length) return selected;
  const entries = selected.map(searchEntry);
  const conditions = words.map((word) => wordCondition(word, entries));
  return entries.filter((entry) => conditions.every((matches) => matches(entry))).map(({ row }) => row);
}

/**
 * @param {PodRow[]} rows
 * @param {Column} column
 * @param {boolean} descending
 * @returns {string[]} the ids in order; rows that compare equal keep theirs
 */
export function sortedIds(rows, column, descending) {
  const sign = descending ? -1 : 1;
  const keyed = rows.map((row) => ({ key: column.sortKey(row), id: row.id }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return 0;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ id }) => id);
}

/**
 * @param {PodRow[]} rows
 * @returns {PodRow[][]} the rows of pods that have not ended, and of those that have
 */
export function groupByEnd(rows) {
  return [rows.filter((row) => !row.has_ended), rows.filter((row) => row.has_ended)];
}

/**
 * @param {string} text
 * @returns {string[]} its words in lower case
 */
export function splitWords(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

/** @typedef {{ row: PodRow, text: string, gpuType: string, gpuWords: string[] }} SearchEntry */

/**
 * @param {PodRow} row
 * @returns {SearchEntry} what the search looks at, in lower case
 */
function searchEntry(row) {
  const text = SEARCHED_FIELDS.map((field) => row[field] ?? "").join(" ");
  const gpuType = (row.gpu_type ?? "").toLowerCase();
  return { row, text: text.toLowerCase(), gpuType, gpuWords: gpuType.split(/[^a-z0-9]+/) };
}

/**
 * Return the condition that a word of the search sets.
 *
 * A row matches if its text contains the word, or if the word is a whole word of its GPU type. If no row matches, a part
 * of the GPU type is enough. So "train" does not find pods on a Trainium if a pod has the name train-1.
 *
 * @param {string} word
 * @param {SearchEntry[]} entries
 * @returns {(entry: SearchEntry) => boolean}
 */
function wordCondition(word, entries) {
  /** @param {SearchEntry} entry */
  const containsWord = ({ text, gpuWords }) => text.includes(word) || gpuWords.includes(word);
  if (entries.some(containsWord)) return containsWord;
  return ({ gpuType }) => gpuType.includes(word);
}
