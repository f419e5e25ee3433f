// @ts-check
/** The columns of the table. */

import { formatAge, formatDate, formatDollars, formatGpus, formatImage } from "./format.js";

/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").PodRow} PodRow */

/**
 * @typedef {object} Column
 * @property {string} name also the CSS class of its cells
 * @property {string} title
 * @property {string} width as in `grid-template-columns`
 * @property {(row: PodRow) => string | number} sortKey the value by which rows are compared
 * @property {Field[]} sortFields the fields whose changes may move a row
 * @property {boolean} [largestFirst] whether the first click on the heading sorts in descending order
 * @property {string} [classes] further CSS classes of its cells
 * @property {(row: PodRow) => string} [text] omitted if `row.js` renders the cell itself
 * @property {(row: PodRow) => string | null} [tooltip]
 */

/**
 * @param {Field} field
 * @returns {(row: PodRow) => string} a `sortKey` that ignores case
 */
function textKey(field) {
  return (row) => String(row[field] ?? "").toLowerCase();
}

/** @type {Column[]} */
export const COLUMNS = [
  { name: "name", title: "Name", width: "minmax(96px, .9fr)", sortFields: ["name"], sortKey: textKey("name") },
  { name: "status", title: "Status", width: "118px", sortFields: ["status"], sortKey: textKey("status") },
  {
    name: "gpu",
    title: "GPUs",
    width: "minmax(94px, 1.8fr)",
    sortFields: ["gpu_type", "gpu_count"],
    sortKey: (row) => `${row.gpu_type ?? ""} ${row.gpu_count ?? 0}`.toLowerCase(),
    classes: "yotta-wide-only",
    text: formatGpus,
    tooltip: (row) => row.gpu_type,
  },
  {
    name: "region",
    title: "Region",
    width: "minmax(80px, .9fr)",
    sortFields: ["region"],
    sortKey: textKey("region"),
    classes: "yotta-wide-only",
    text: (row) => row.region ?? "",
  },
  {
    name: "image",
    title: "Image",
    width: "minmax(50px, .65fr)",
    sortFields: ["image"],
    sortKey: textKey("image"),
    classes: "yotta-wide-only",
    text: formatImage,
    tooltip: (row) => row.image,
  },
  {
    name: "cost",
    title: "$ / hour",
    width: "56px",
    sortFields: ["hourly_cost"],
    sortKey: (row) => row.hourly_cost ?? -1,
    largestFirst: true,
    classes: "yotta-number",
    text: (row) => (row.hourly_cost == null ? "–" : formatDollars(row.hourly_cost)),
    tooltip: (row) =>
      row.hourly_rate == null ? "No price is known" : `${formatDollars(row.hourly_rate)} while running`,
  },
  {
    name: "age",
    title: "Age",
    width: "46px",
    sortFields: ["created_at", "has_ended"], // In the default order, pods that have ended come last.
    sortKey: (row) => -(row.created_at ?? Infinity), // The newest first, after pods without a time.
    classes: "yotta-number yotta-wide-only",
    text: (row) => (row.created_at ? formatAge(Date.now() / 1000 - row.created_at) : ""),
    tooltip: (row) => (row.created_at ? formatDate(row.created_at) : null),
  },
];
