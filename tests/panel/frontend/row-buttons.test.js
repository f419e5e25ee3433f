// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeRow, podRow } from "./fixtures.js";
import { closePanel, labelled, model, openPanel, sentMessages, TWO_PODS } from "./panel.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/protocol.js").PodRow} PodRow */
/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/view.js").PanelView} PanelView */

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

const sentTypes = () => sentMessages().map(({ type }) => type);

test("a failed copy is not shown as copied", async () => {
  const view = openPanel([{ ...TWO_PODS[0], ssh: "ssh user@192.0.2.1" }]);
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
  document.execCommand = () => false;
  const button = labelled(view, "Copy SSH command of train-1");
  button.click();
  await vi.advanceTimersByTimeAsync(100);
  expect(button.textContent).toBe("SSH");
  const field = /** @type {HTMLElement} */ (labelled(view, "Copy this"));
  expect(document.activeElement).toBe(field);
  field.blur();
  expect(view.root.querySelector("[aria-label='Copy this']")).toBeNull();
});

test("a row that is reused for another pod does not say that its SSH command was copied", async () => {
  const view = openPanel([{ ...TWO_PODS[0], ssh: "ssh user@192.0.2.1" }]);
  vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  const button = labelled(view, "Copy SSH command of train-1");
  button.click();
  await vi.advanceTimersByTimeAsync(100);
  expect(button.textContent).toBe("Copied");
  const other = { ...TWO_PODS[1], ssh: "ssh user@192.0.2.2" };
  model.receive({ type: "patch", version: 2, added: [encodeRow(podRow(other))], removed: ["1"] });
  expect([button.getAttribute("aria-label"), button.textContent]).toEqual(["Copy SSH command of eval-1", "SSH"]);
});

test.each([
  [{}, "SSH is not exposed, or not ready yet"],
  [{ status: "PAUSED" }, "the pod is not running"],
])("the tooltip of a disabled SSH button says why (%o)", (changes, reason) => {
  const view = openPanel([{ ...TWO_PODS[0], ...changes }]);
  const button = labelled(view, "Copy SSH command of train-1");
  expect(button.title).toBe(`Copy SSH command of train-1: ${reason}`);
});

describe("the button Pause", () => {
  const PAUSED = { status: "PAUSED", pending: null, actions: ["resume", "delete"] };
  let version = 1;

  /** @type {PanelView} */
  let view;
  /** @type {HTMLElement} */
  let button;

  /** @param {Partial<PodRow>} changes */
  function update(changes) {
    version += 1;
    model.receive({ type: "patch", version, updated: [{ id: "1", ...changes }] });
  }

  beforeEach(() => {
    version = 1;
    view = openPanel(TWO_PODS);
    button = labelled(view, "Pause train-1");
    button.dispatchEvent(new PointerEvent("pointerenter"));
    button.click();
    update({ pending: "pause" });
    update(PAUSED);
  });

  test("it does not resume the pod on further clicks at the same place", () => {
    expect(button.getAttribute("aria-label")).toBe("Resume train-1");
    expect([button.getAttribute("aria-disabled"), button.title]).toEqual([
      "true",
      "Resume train-1: its action has just changed. Move the pointer away first",
    ]);
    for (let clicks = 0; clicks < 5; clicks++) {
      vi.advanceTimersByTime(2000);
      button.click();
    }
    expect(sentTypes()).toEqual(["pause"]);
  });

  test("it resumes the pod when the pointer has left and come back", () => {
    button.dispatchEvent(new PointerEvent("pointerleave"));
    expect(button.getAttribute("aria-disabled")).toBeNull();
    button.dispatchEvent(new PointerEvent("pointerenter"));
    button.click();
    expect(sentTypes()).toEqual(["pause", "resume"]);
  });

  test("it is not locked after some seconds without a click, for keyboards and scripts", () => {
    vi.advanceTimersByTime(3000);
    button.click();
    expect(sentTypes()).toEqual(["pause", "resume"]);
  });
});

describe("a pause that may erase all files", () => {
  const LOSS = "A pause may erase all files: there is no persistent volume.";

  /** @type {PanelView} */
  let view;
  const rowText = () => view.table.rowViews.get("1")?.element.textContent;
  const undoButton = () => labelled(view, "Undo pause train-1");

  beforeEach(() => {
    view = openPanel([{ ...TWO_PODS[0], pause_loss: LOSS, warns_of_pause: true }]);
    labelled(view, "Pause train-1").click();
  });

  test("it is announced with its countdown, and can be undone", () => {
    expect(rowText()).toContain("Pausing in 7 s");
    expect(rowText()).toContain(LOSS);
    expect(view.root.querySelector("[role=status]")?.textContent).toBe(
      `Pausing train-1. ${LOSS.slice(0, -1)}. Undo with Escape`,
    );
    labelled(view, "Pause train-1").click();
    expect(sentTypes()).toEqual(["pause"]);
    undoButton().click();
    expect(sentTypes()).toEqual(["pause", "undo"]);
    model.receive({ type: "ack", pods: ["1"] });
    expect(rowText()).not.toContain(LOSS);
  });

  test("a second click on Undo does not delete the pod", () => {
    const button = undoButton();
    button.dispatchEvent(new PointerEvent("pointerenter"));
    button.click();
    model.receive({ type: "ack", pods: ["1"] });
    expect(button.getAttribute("aria-label")).toBe("Delete train-1");
    button.click();
    expect(sentTypes()).toEqual(["pause", "undo"]);
  });

  test.each(["Escape", "z"])("it is undone by %s", (key) => {
    view.root.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey: key === "z", bubbles: true }));
    expect(sentMessages().at(-1)).toEqual({ type: "undo", pods: ["1"] });
  });
});

test("the row of a pod says which cell a pending delete ends", () => {
  const view = openPanel(TWO_PODS);
  const note = "This ends the running cell: train()";
  model.receive({ type: "patch", version: 2, updated: [{ id: "1", pending: "undoable_delete", pending_note: note }] });
  expect(view.table.rowViews.get("1")?.element.textContent).toContain(note);
  model.receive({ type: "patch", version: 3, updated: [{ id: "1", pending: null, pending_note: null }] });
  expect(view.table.rowViews.get("1")?.element.textContent).not.toContain(note);
});

test("Undo is offered while the API does not answer", () => {
  const view = openPanel([{ ...TWO_PODS[0], pending: "undoable_delete" }], { reachable: false });
  const undo = labelled(view, "Undo delete train-1");
  expect([undo.title, undo.getAttribute("aria-disabled")]).toEqual(["Undo delete train-1", null]);
  expect(labelled(view, "Pause train-1").title).toBe("Pause train-1: the API does not answer");
});
