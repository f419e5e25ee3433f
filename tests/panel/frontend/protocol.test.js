// @ts-check
import { expect, test } from "vitest";
import { applyRows, decodeRow, decodeSnapshot } from "../../../yotta_jupyter/panel/frontend/src/protocol.js";
import { encodeRow, encodeSnapshot, FIELDS, podRow } from "./fixtures.js";

test("a row is decoded by the names that the kernel sends", () => {
  expect(decodeRow(["status", "id"], ["PAUSED", "7"])).toEqual({ status: "PAUSED", id: "7" });
  expect(decodeRow(FIELDS, encodeRow(podRow()))).toEqual(podRow());
});

test("a snapshot has rows by id and defaults for missing information", () => {
  const snapshot = decodeSnapshot(encodeSnapshot([podRow(), podRow({ id: "2" })], { version: 5, selected: ["2"] }));
  expect(snapshot?.version).toBe(5);
  expect([...(snapshot?.rows.keys() ?? [])]).toEqual(["1", "2"]);
  expect(snapshot?.selected).toEqual(["2"]);
  expect(snapshot?.meta.delete_delay).toBe(7);
  expect(snapshot?.meta.error).toBeNull();
});

test.each([null, undefined, new DataView(new ArrayBuffer(0))])("without a snapshot there is nothing", (bytes) => {
  expect(decodeSnapshot(bytes)).toBeNull();
});

test("a patch adds, updates and removes rows", () => {
  const rows = new Map([podRow(), podRow({ id: "2" })].map((row) => [row.id, row]));
  const before = rows.get("1");
  const applied = applyRows(rows, FIELDS, {
    added: [encodeRow(podRow({ id: "3" }))],
    updated: [{ id: "1", status: "PAUSED", actions: ["resume", "delete"] }],
    removed: ["2"],
  });
  expect(applied).toEqual({ added: ["3"], fields: new Set(["status", "actions"]) });
  expect([...rows.keys()]).toEqual(["1", "3"]);
  expect(rows.get("1")).toEqual(podRow({ status: "PAUSED", actions: ["resume", "delete"] }));
  expect(rows.get("1")).not.toBe(before);
});

test("a patch for an unknown row changes nothing", () => {
  const rows = new Map([["1", podRow()]]);
  const patch = { added: [encodeRow(podRow({ id: "3" }))], updated: [{ id: "2", status: "PAUSED" }] };
  expect(applyRows(rows, FIELDS, patch)).toBeNull();
  expect([...rows.keys()]).toEqual(["1"]);
});
