// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closePanel, labelled, model, openPanel, sentMessages, TWO_PODS, views } from "./panel.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/view.js").PanelView} PanelView */

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

const GUARD = { rule: "after 8h", state: "active", idle_since: null, is_near: false, problem: "" };

/**
 * @param {number} minutes until the pause
 * @param {Record<string, unknown>} [changes]
 */
const guardIn = (minutes, changes = {}) => ({ ...GUARD, pauses_at: Date.now() / 1000 + minutes * 60, ...changes });

test("a row shows the countdown of its guard", () => {
  const view = openPanel(TWO_PODS, { guards: { 1: guardIn(42) } });
  const text = (/** @type {string} */ id) => view.table.rowViews.get(id)?.guard.textContent;
  expect([text("1"), text("2")]).toEqual(["pauses in 42 min", ""]);
  expect(view.guardNotice.element.hidden).toBe(true);
  model.receive({ type: "patch", version: 2, guards: { 2: guardIn(42, { problem: "stalled" }) } });
  expect([text("1"), text("2")]).toEqual(["", "guard NOT enforced"]);
  model.receive({ type: "patch", version: 3, updated: [{ id: "2", has_ended: true }] });
  expect(text("2")).toBe("");
});

describe("the notice of guards that pause soon", () => {
  const NEAR = { is_near: true };
  const LABEL = "Put off the guard of train-1 by 1 h";

  /** @type {PanelView} */
  let view;
  const text = () => view.guardNotice.element.textContent;

  beforeEach(() => {
    view = openPanel(TWO_PODS, { guard_extension: 3600, guards: { 1: guardIn(8, NEAR), 2: guardIn(9, NEAR) } });
  });

  test("it names the pods", () => {
    expect(text()).toBe("train-1 is paused in 8 min by its guard, eval-1 in 9 minPut off 1 h");
  });

  test("its button puts off the next pause once", () => {
    labelled(view, LABEL).click();
    labelled(view, LABEL).click();
    expect(sentMessages()).toEqual([{ type: "extend_guard", pod_id: "1" }]);
  });

  test("after an error it offers another try", () => {
    labelled(view, LABEL).click();
    model.receive({ type: "guard_extended", pod_id: "1", error: "The database of guards is locked." });
    expect(text()).toBe("The database of guards is locked.Put off 1 h");
    labelled(view, LABEL).click();
    expect(sentMessages()).toHaveLength(2);
  });

  test("it shows in the view of the click that the pause was put off, then the next pause", () => {
    labelled(view, LABEL).click();
    model.receive({ type: "guard_extended", pod_id: "1", error: "" });
    expect(text()).toContain("is put off by 1 h");
    expect(view.guardNotice.button.hidden).toBe(true);
    expect(views[1].guardNotice.element.textContent).toContain("train-1 is paused in 8 min");
    model.receive({ type: "patch", version: 2, guards: { 1: guardIn(68), 2: guardIn(9, NEAR) } });
    vi.advanceTimersByTime(8000);
    view.updateTime();
    expect(text()).toContain("eval-1 is paused in 9 min by its guard");
    expect(view.root.querySelector("[aria-live=polite]")?.textContent).toContain(
      "eval-1 is paused in 9 min by its guard",
    );
  });
});

test("an alert covers the error that guards cannot be read", () => {
  const view = openPanel(TWO_PODS, { guards_error: "The database of guards is locked.", error: "no answer" });
  const { element, button } = view.guardNotice;
  expect(element.hidden).toBe(true);
  model.receive({ type: "patch", version: 2, error: null });
  expect([element.hidden, button.hidden]).toEqual([false, true]);
  expect(element.textContent).toContain("The database of guards is locked.");
});
