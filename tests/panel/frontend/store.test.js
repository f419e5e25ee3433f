// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Store } from "../../../yotta_jupyter/panel/frontend/src/store.js";
import { encodeRow, encodeSnapshot, FakeModel, podRow } from "./fixtures.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/protocol.js").PodRow} PodRow */

/** @type {FakeModel} */
let model;
/** @type {Store} */
let store;

/**
 * @param {PodRow[]} [rows]
 * @param {Record<string, unknown>} [changes]
 */
function open(rows = [podRow(), podRow({ id: "2" })], changes = {}) {
  model = new FakeModel(encodeSnapshot(rows, changes));
  store = new Store(model.asModel());
}

/** @param {string} [id] */
function row(id = "1") {
  const found = store.rows.get(id);
  if (!found) throw new Error(`no row ${id}`);
  return found;
}

const sentMessages = () => model.sent.map(({ message }) => message);

beforeEach(() => {
  vi.useFakeTimers();
  open();
});

afterEach(() => {
  store.close();
  vi.useRealTimers();
});

describe("patches", () => {
  test("a patch of the next version is applied", () => {
    const listener = vi.fn();
    store.subscribe(listener);
    model.receive({ type: "patch", version: 2, updated: [{ id: "1", status: "PAUSING" }], error: "down" });
    expect(row().status).toBe("PAUSING");
    expect(store.meta.error).toBe("down");
    expect(listener).toHaveBeenCalledExactlyOnceWith({ rowsChanged: false, ids: ["1"], fields: new Set(["status"]) });
    expect(model.sent).toEqual([]);
  });

  test("a lost patch leads to a resync", () => {
    model.receive({ type: "patch", version: 3, removed: ["1"] });
    expect(store.rows.has("1")).toBe(true);
    expect(sentMessages()).toEqual([{ type: "resync" }]);
  });

  test("a patch that a snapshot contains already is ignored", () => {
    model.receive({ type: "patch", version: 1, removed: ["1"] });
    expect(store.rows.has("1")).toBe(true);
    expect(model.sent).toEqual([]);
  });

  test("an older snapshot is ignored", () => {
    model.receive({ type: "patch", version: 2, removed: ["1"] });
    model.receiveSnapshot(encodeSnapshot([podRow()], { version: 1 }));
    expect([...store.rows.keys()]).toEqual(["2"]);
    expect(sentMessages()).toContainEqual({ type: "resync" });
  });

  test("the rows are requested again after 2.5 refresh intervals without a message", () => {
    model.receive({ type: "ack", pods: [] });
    vi.advanceTimersByTime(37_000); // An interval has 15 seconds.
    store.resyncIfSilent();
    expect(model.sent).toEqual([]);
    vi.advanceTimersByTime(1_000);
    store.resyncIfSilent();
    store.resyncIfSilent();
    expect(sentMessages()).toEqual([{ type: "resync", version: 1 }]);
  });

  test("nothing is expected while the kernel does not refresh", () => {
    open([], { interval: null });
    vi.advanceTimersByTime(1e6);
    store.resyncIfSilent();
    expect(model.sent).toEqual([]);
  });
});

describe("actions", () => {
  test("a click shows at once, before the kernel confirms it", () => {
    store.act("pause", ["1"]);
    expect(sentMessages()).toEqual([{ type: "pause", pods: ["1"] }]);
    expect(store.pendingAction(row())).toBe("pause");
    expect(store.can(row(), "delete")).toBe(false);
    model.receive({ type: "patch", version: 2, updated: [{ id: "1", pending: "pause" }] });
    expect(store.isOptimistic("1")).toBe(false);
    expect(store.pendingAction(row())).toBe("pause");
  });

  test("an acknowledgement ends the pending action of a row that does not change", () => {
    store.act("pause", ["1"]);
    model.receive({ type: "ack", pods: ["1"] });
    expect(store.pendingAction(row())).toBeNull();
  });

  test("the allowed actions come from the kernel", () => {
    expect(store.can(row(), "pause")).toBe(true);
    expect(store.can(row(), "resume")).toBe(false);
    model.receive({ type: "patch", version: 2, updated: [{ id: "1", actions: ["resume"] }] });
    expect(store.can(row(), "pause")).toBe(false);
    expect(store.can(row(), "resume")).toBe(true);
  });

  test("a click without an acknowledgement is stalled", () => {
    store.act("pause", ["1"]);
    expect(store.isStalled(row())).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(store.isStalled(row())).toBe(true);
  });

  test("a delete counts down the kernel's seconds and can be undone", () => {
    store.act("delete", ["1"]);
    expect(store.pendingAction(row())).toBe("undoable_delete");
    expect(store.undoSecondsLeft("1")).toBe(7);
    vi.advanceTimersByTime(5_500);
    expect(store.undoSecondsLeft("1")).toBe(2);
    store.act("undo", ["1"]);
    expect(store.pendingAction(row())).toBe("undoing");
  });

  test("a snapshot does not restart the countdown of a delete", () => {
    store.act("delete", ["1"]);
    vi.advanceTimersByTime(4_500);
    model.receiveSnapshot(encodeSnapshot([podRow({ pending: "undoable_delete" })], { version: 2 }));
    expect(store.undoSecondsLeft("1")).toBe(3);
    model.receiveSnapshot(encodeSnapshot([podRow()], { version: 3 }));
    model.receiveSnapshot(encodeSnapshot([podRow({ pending: "undoable_delete" })], { version: 4 }));
    expect(store.undoSecondsLeft("1")).toBe(7);
  });

  test("a page that is loaded later counts down the seconds that are left", () => {
    open([podRow({ pending: "undoable_delete" })], { undo_seconds: { 1: 2.4 } });
    expect(store.undoSecondsLeft("1")).toBe(3);
  });

  test("without a kernel no action is offered", () => {
    const listener = vi.fn();
    store.subscribe(listener);
    expect(store.can(row(), "delete")).toBe(true);
    model.loseKernel();
    expect(store.can(row(), "delete")).toBe(false);
    expect(listener).toHaveBeenCalledExactlyOnceWith({ ids: ["1", "2"] });
  });

  test("none is offered while the API does not answer", () => {
    model.receive({ type: "patch", version: 2, error: "no answer", reachable: false });
    expect([store.can(row(), "delete"), store.unavailableReason()]).toEqual([false, "the API does not answer"]);
    model.receive({ type: "patch", version: 3, error: "refused", reachable: true });
    expect(store.can(row(), "delete")).toBe(true);
  });

  test("without time for an undo a delete is final", () => {
    open([podRow()], { delete_delay: 0 });
    store.act("delete", ["1"]);
    expect(store.pendingAction(row())).toBe("delete");
  });

  test("without a kernel nothing is sent", () => {
    model.loseKernel();
    store.act("pause", ["1"]);
    expect(model.sent).toEqual([]);
    expect(store.pendingAction(row())).toBeNull();
  });
});

describe("the selection", () => {
  test("it is restored from the first snapshot, without pods that have gone", () => {
    open([podRow()], { selected: ["1", "2"] });
    expect([...store.selected]).toEqual(["1"]);
  });

  test("it is kept while a snapshot is incomplete", () => {
    open([podRow()], { selected: ["1", "2"], complete: false });
    expect([...store.selected]).toEqual(["1", "2"]);
  });

  test("several changes are sent once", () => {
    store.select(["1"], true);
    store.select(["2"], true);
    store.select(["1"], false);
    vi.advanceTimersByTime(1_000);
    expect(sentMessages()).toEqual([{ type: "select", pods: ["2"] }]);
    expect(store.selectedRows().map(({ id }) => id)).toEqual(["2"]);
  });

  test("a pod that has gone is deselected", () => {
    store.select(["1"], true);
    model.receive({ type: "patch", version: 2, removed: ["1"] });
    expect(store.selected.size).toBe(0);
  });
});

describe("actions that can be undone", () => {
  const LOSS = "A pause may erase all files: there is no persistent volume.";
  const ERASED = { pause_loss: LOSS, warns_of_pause: true };

  test("the last action is undone first, for all its pods", () => {
    open(["1", "2", "3", "4"].map((id) => podRow({ id, ...ERASED })));
    store.act("delete", ["1", "2"], { isBulk: true });
    store.act("delete", ["3"]);
    store.act("pause", ["4"]);
    expect(store.lastUndoable()).toEqual({ action: "pause", ids: ["4"], isBulk: false });
    store.act("undo", ["4"]);
    expect(store.lastUndoable()).toEqual({ action: "delete", ids: ["3"], isBulk: false });
    store.act("undo", ["3"]);
    expect(store.lastUndoable()).toEqual({ action: "delete", ids: ["1", "2"], isBulk: true });
    model.receive({ type: "patch", version: 2, updated: [{ id: "1", pending: "delete" }] });
    expect(store.lastUndoable()?.ids).toEqual(["2"]);
    model.receive({ type: "patch", version: 3, removed: ["2"] });
    expect(store.lastUndoable()).toBeNull();
  });

  test("those of another page can be undone as well", () => {
    open(["1", "2"].map((id) => podRow({ id, pending: "undoable_delete" })));
    expect(store.lastUndoable()).toEqual({ action: "delete", ids: ["1", "2"], isBulk: true });
  });

  test("a pause that may erase all files counts down and says so", () => {
    open([podRow(ERASED), podRow({ id: "2" })]);
    expect(store.pauseLosses(["1", "2"])).toEqual([LOSS]);
    store.act("pause", ["1", "2"]);
    expect([store.pendingAction(row()), store.pendingAction(row("2"))]).toEqual(["undoable_pause", "pause"]);
    expect([store.pendingNote(row()), store.pendingNote(row("2"))]).toEqual([LOSS, null]);
    expect(sentMessages()).toEqual([{ type: "pause", pods: ["1", "2"] }]);
    store.act("undo", ["1"]);
    expect(store.pendingNote(row())).toBeNull();
  });

  test("a pause that the user has confirmed is sent at once", () => {
    open([podRow(ERASED)]);
    store.act("pause", ["1"], { isBulk: true, isConfirmed: true });
    expect(store.pendingAction(row())).toBe("pause");
    expect(sentMessages()).toEqual([{ type: "pause", pods: ["1"], confirmed: true }]);
  });

  test("nothing can be undone without time for it or without a kernel", () => {
    open([podRow(ERASED)], { delete_delay: 0 });
    store.act("pause", ["1"]);
    expect(store.pendingAction(row())).toBe("pause");
    open([podRow({ pending: "undoable_delete" })]);
    model.loseKernel();
    expect(store.lastUndoable()).toBeNull();
  });
});

test("the SSH command names the key file", () => {
  open([podRow({ ssh: "ssh user@192.0.2.1 -p 1" }), podRow({ id: "2" })], { ssh_option: " -i ~/.yotta/ssh/id" });
  expect(store.sshCommand(row())).toBe("ssh user@192.0.2.1 -p 1 -i ~/.yotta/ssh/id");
  expect(store.sshCommand(row("2"))).toBe(null);
});

describe("a launch", () => {
  const FORM = { pod_name: "new", gpu_type: "L4", gpu_count: "2", image: "me/own:1", region: "", secret: "canary" };

  test("it shows a row at once, and its form is sent in a buffer", () => {
    const id = store.launch(FORM);
    expect([...store.rows.keys()]).toEqual([id, "1", "2"]);
    expect(row(id)).toMatchObject({ id, name: "new", status: "LAUNCHING", actions: [], error: null });
    expect(store.pendingAction(row(id))).toBe("launch");
    const [{ message, buffers }] = model.sent;
    expect(message).toEqual({ type: "launch", temp_id: id });
    expect(JSON.parse(new TextDecoder().decode(buffers?.[0]))).toEqual(FORM);
  });

  test("a rejected form leaves no row", () => {
    const id = store.launch(FORM);
    model.receive({ type: "rejected", temp_id: id, errors: {}, notes: {}, command: null, estimate: null });
    expect(store.rows.has(id)).toBe(false);
  });

  test("the row of a launch with an unknown outcome stays", () => {
    const id = store.launch(FORM);
    model.receive({ type: "patch", version: 2, added: [encodeRow(podRow({ id, pending: null, error: "unknown" }))] });
    model.receive({ type: "failed", temp_id: id, error: "unknown" });
    expect(row(id).error).toBe("unknown");
  });
});
