// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeRow, podRow } from "./fixtures.js";
import { closePanel, filter, labelled, model, openPanel, sentMessages, store, TWO_PODS, views } from "./panel.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/view.js").PanelView} PanelView */

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

describe("the table", () => {
  test("a reused row shows the present selection of its pod", () => {
    const view = openPanel([TWO_PODS[0]]);
    filter(view, "nothing");
    store.select(["1"], true);
    filter(view, "");
    expect(/** @type {HTMLInputElement} */ (labelled(view, "Select train-1")).checked).toBe(true);
  });

  test("the checkbox for all pods follows the filters", () => {
    const view = openPanel(TWO_PODS);
    store.select(["1"], true);
    expect(view.table.selectAll.indeterminate).toBe(true);
    filter(view, "train");
    expect([view.table.selectAll.checked, view.table.selectAll.indeterminate]).toEqual([true, false]);
    filter(view, "eval");
    expect([view.table.selectAll.checked, view.table.selectAll.indeterminate]).toEqual([false, false]);
  });

  test("an arrow key on Dismiss moves the focus to a row without an error", () => {
    const view = openPanel([{ ...TWO_PODS[0], error: "failed" }, TWO_PODS[1]]);
    const dismiss = view.table.rowViews.get("1")?.dismissButton;
    dismiss?.focus();
    const key = view.table.ids[0] === "1" ? "ArrowDown" : "ArrowUp";
    dismiss?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Select eval-1");
  });
});

describe("the order of the rows", () => {
  const pods = [
    { id: "1", name: "a", created_at: 3 },
    { id: "2", name: "b", created_at: 2 },
    { id: "3", name: "c", created_at: 1 },
  ];
  const NEW = encodeRow(podRow({ id: "4", name: "new", created_at: 9 }));

  /** @type {PanelView} */
  let view;

  /** @param {"pointerenter" | "pointerleave"} type */
  const point = (type) => view.table.body.dispatchEvent(new Event(type));

  beforeEach(() => {
    view = openPanel(pods);
    expect(view.table.ids).toEqual(["1", "2", "3"]);
  });

  test("it is frozen while the pointer is over the rows", () => {
    point("pointerenter");
    model.receive({ type: "patch", version: 2, added: [NEW], updated: [{ id: "3", created_at: 8 }], removed: ["2"] });
    expect(view.table.ids).toEqual(["1", "2", "3", "4"]);
    expect(view.table.rowViews.get("2")?.element.textContent).toContain("Gone");
    labelled(view, "Delete b").click();
    labelled(view, "Select b").click();
    expect(store.selected.size).toBe(0);
    expect(sentMessages().some(({ type }) => type === "delete")).toBe(false);
    expect(views[1].table.ids).toEqual(["4", "3", "1"]);
    point("pointerleave");
    expect(view.table.ids).toEqual(["4", "3", "1"]);
  });

  test("a launched pod takes the place of its launch", () => {
    point("pointerenter");
    const id = store.launch({ pod_name: "new" });
    expect(view.table.ids).toEqual(["1", "2", "3", id]);
    model.receive({ type: "patch", version: 2, added: [NEW] });
    model.receive({ type: "launched", temp_id: id, pod_id: "4", note: "" });
    point("pointerleave");
    expect(view.table.ids[0]).toBe("4");
  });

  test("it is frozen while a row has the focus by keyboard, until the filters change", () => {
    labelled(view, "Select b").focus();
    model.receive({ type: "patch", version: 2, added: [NEW] });
    expect(view.table.ids).toEqual(["1", "2", "3", "4"]);
    filter(view, "new");
    expect(view.table.ids).toEqual(["4"]);
    filter(view, "");
    expect(view.table.ids).toEqual(["4", "1", "2", "3"]);
  });
});

test("pods that have ended come last in the default order only", () => {
  const view = openPanel([
    { id: "1", name: "ended", created_at: 3, has_ended: true },
    { id: "2", name: "new", created_at: 2 },
    { id: "3", name: "old", created_at: 1 },
  ]);
  expect(view.table.ids).toEqual(["2", "3", "1"]);
  model.receive({ type: "patch", version: 2, updated: [{ id: "2", has_ended: true }] });
  expect(view.table.ids).toEqual(["3", "1", "2"]);
  const heading = [...view.root.querySelectorAll("button")].find((button) => button.textContent === "Age");
  heading?.click();
  expect(view.table.ids).toEqual(["3", "2", "1"]);
});

test("without a kernel, rows say what is known of pending actions", () => {
  const statusOf = (/** @type {string} */ id) => views[0].table.rowViews.get(id)?.status;
  const view = openPanel([{ ...TWO_PODS[0], pending: "undoable_delete" }, TWO_PODS[1]]);
  const launchId = store.launch({ pod_name: "new" });
  model.loseKernel();
  vi.advanceTimersByTime(2000);
  view.refreshCountdowns();
  expect(statusOf("1")?.textContent).toBe("Deleted?");
  expect(statusOf("1")?.title).toContain("Deleted or being deleted: the kernel ended.");
  expect(statusOf("2")?.textContent).toBe("Running");
  expect(statusOf(launchId)?.textContent).toBe("May exist");
  expect(statusOf(launchId)?.title).toContain("May exist and cost money");
  expect(labelled(view, "Delete train-1").title).toBe("Delete train-1: the kernel has gone");
});
