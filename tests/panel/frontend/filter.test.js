// @ts-check
import { expect, test } from "vitest";
import { COLUMNS } from "../../../yotta_jupyter/panel/frontend/src/columns.js";
import { filterRows, isFiltered, noFilters, sortedIds } from "../../../yotta_jupyter/panel/frontend/src/filter.js";
import { podRow } from "./fixtures.js";

const ROWS = [
  podRow({ id: "1", name: "train-1", status: "RUNNING", hourly_cost: 0.6, created_at: 30 }),
  podRow({ id: "2", name: "eval-1", status: "PAUSED", hourly_cost: 0, created_at: 20 }),
  podRow({ id: "3", name: "Train-2", status: "RUNNING", hourly_cost: null, created_at: 10, region: null }),
];

/** @param {Partial<ReturnType<typeof noFilters>>} filters */
const idsMatching = (filters) => filterRows(ROWS, { ...noFilters(), ...filters }).map((row) => row.id);

/** @param {string} name */
const column = (name) => {
  const found = COLUMNS.find((each) => each.name === name);
  if (!found) throw new Error(`no column ${name}`);
  return found;
};

test("no filter matches all rows", () => {
  expect(idsMatching({})).toEqual(["1", "2", "3"]);
  expect(isFiltered(noFilters())).toBe(false);
});

test("each word of the text must occur in the row", () => {
  expect(idsMatching({ text: "train" })).toEqual(["1", "3"]);
  expect(idsMatching({ text: " pytorch  WEST TRAIN" })).toEqual(["1"]);
  expect(idsMatching({ text: "no such pod" })).toEqual([]);
});

test("a part of a GPU type is searched only where no name, id, image or region has the text", () => {
  const rows = [
    podRow({ id: "1", name: "train-1" }),
    podRow({ id: "2", name: "render-1", gpu_type: "AWS_Trainium_32G" }),
    podRow({ id: "3", name: "l4-test", gpu_type: "NVIDIA_L40S_48G" }),
  ];
  const idsOf = (/** @type {string} */ text) => filterRows(rows, { ...noFilters(), text }).map((row) => row.id);
  expect(idsOf("train")).toEqual(["1"]);
  expect(idsOf("trainium")).toEqual(["2"]);
  expect(idsOf("traini")).toEqual(["2"]);
  expect(idsOf("l4")).toEqual(["1", "3"]);
  expect(idsOf("l40")).toEqual(["3"]);
});

test("filters by field are combined", () => {
  expect(idsMatching({ status: "RUNNING" })).toEqual(["1", "3"]);
  expect(idsMatching({ status: "RUNNING", region: "us-west-1" })).toEqual(["1"]);
});

test.each([
  ["name", ["2", "1", "3"]],
  ["status", ["2", "1", "3"]],
  ["cost", ["1", "2", "3"]],
  ["age", ["1", "2", "3"]],
])("the first click on %s sorts in the column's first direction", (name, ids) => {
  expect(sortedIds(ROWS, column(name), Boolean(column(name).largestFirst))).toEqual(ids);
});

test("rows that compare equal keep their order in both directions", () => {
  expect(sortedIds(ROWS, column("image"), false)).toEqual(["1", "2", "3"]);
  expect(sortedIds(ROWS, column("image"), true)).toEqual(["1", "2", "3"]);
  expect(sortedIds(ROWS, column("age"), true)).toEqual(["3", "2", "1"]);
});

test("each column sorts by fields of the rows", () => {
  for (const { sortFields } of COLUMNS) for (const field of sortFields) expect(podRow()).toHaveProperty(field);
});
