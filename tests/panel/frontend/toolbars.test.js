// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closePanel, filter, labelled, openPanel, sentMessages, store, TWO_PODS } from "./panel.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/view.js").PanelView} PanelView */

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

describe("the selection toolbar", () => {
  const pausesSent = () => sentMessages().flatMap(({ type, pods }) => (type === "pause" ? [pods] : []));

  test("it counts the selected pods that a filter hides", () => {
    const view = openPanel(TWO_PODS);
    store.select(["1", "2"], true);
    const toolbar = view.selectionToolbar.element;
    expect(toolbar.textContent).toContain("2 selectedPause");
    filter(view, "train");
    expect(toolbar.textContent).toContain("2 selected (1 hidden)");
    const buttons = [...toolbar.querySelectorAll("button")];
    buttons.find((button) => button.textContent === "Delete 2")?.click();
    expect(toolbar.textContent).toContain("Delete 2 pods (1 hidden) at $1.20 an hour now?");
  });

  /**
   * @param {PanelView} view
   * @param {string} text
   */
  function press(view, text) {
    const buttons = [...view.selectionToolbar.element.querySelectorAll("button")];
    buttons.find((button) => button.textContent === text)?.click();
  }

  test("a pause of several pods needs a confirmation, which says what it may erase", () => {
    const view = openPanel([
      { ...TWO_PODS[0], has_persistent_volume: true, pause_loss: "A pause may erase everything outside /workspace." },
      { ...TWO_PODS[1], pause_loss: "A pause may erase all files." },
    ]);
    store.select(["1", "2"], true);
    press(view, "Pause 2");
    expect(pausesSent()).toEqual([]);
    const question = labelled(view, "Pause pods?");
    expect(question.textContent).toContain("Pause 2 pods at $1.20 an hour now? 2 may lose files.");
    expect(document.activeElement?.textContent).toBe("Keep");
    press(view, "Keep");
    expect([question.hidden, document.activeElement?.textContent]).toEqual([true, "Pause 2"]);
    press(view, "Pause 2");
    press(view, "Pause 2 pods");
    expect(pausesSent()).toEqual([["1", "2"]]);
    expect(question.hidden).toBe(true);
  });

  test.each([
    ["1 may lose all files.", [false]],
    ["2 may lose all files.", [false, false]],
    ["2 may lose files.", [true, true]],
    ["3 may lose files.", [false, true, false]],
  ])("the confirmation of a pause says: %s", (loss, volumes) => {
    const pods = volumes.map((has_persistent_volume, index) => ({
      id: String(index),
      name: `pod-${index}`,
      pause_loss: "A pause may erase files.",
      has_persistent_volume,
    }));
    const view = openPanel(pods);
    filter(view, "no pod");
    store.select(Object.keys(pods), true);
    press(view, `Pause ${pods.length}`);
    const question = labelled(view, "Pause pods?").querySelector("strong");
    expect(question?.textContent).toContain(` an hour now? ${loss}`);
    expect(question?.title).toContain(`Pods without one: ${volumes.filter((hasVolume) => !hasVolume).length}.`);
  });

  test("a pause of one pod needs a confirmation only if a filter hides it", () => {
    const view = openPanel(TWO_PODS);
    store.select(["1"], true);
    filter(view, "eval");
    press(view, "Pause 1");
    expect(labelled(view, "Pause pods?").textContent).toContain("Pause 1 pod (1 hidden) at $0.60 an hour now?");
    press(view, "Keep");
    filter(view, "");
    press(view, "Pause 1");
    expect(pausesSent()).toEqual([["1"]]);
  });
});

test("one pod is not counted as several", () => {
  const totals = { running: 1, paused: 0, ended: 0, total: 1, hourly_cost: 0, unpriced_pods: 1 };
  const view = openPanel([{ ...TWO_PODS[0], hourly_cost: null }], { totals });
  expect(view.header.element.querySelector("[title='without 1 pod of unknown price']")).not.toBeNull();
  filter(view, "train");
  expect(view.filterBar.element.textContent).toContain("1 of 1 pod");
  expect(view.root.querySelector("[role=status]")?.textContent).toBe("1 pod shown");
});

test("the filters have names", () => {
  const view = openPanel([]);
  for (const name of ["status", "region", "GPU type"]) labelled(view, `Filter by ${name}`);
});
