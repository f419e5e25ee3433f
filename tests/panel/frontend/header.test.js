// @ts-check
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { formatTime } from "../../../yotta_jupyter/panel/frontend/src/format.js";
import { closePanel, model, openPanel, TWO_PODS } from "./panel.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

test.each([
  [false, "Run %load_ext yotta_jupyter, then the cell of the panel again."],
  [true, "Run %load_ext yotta_jupyter, %yotta sandbox start, then the cell of the panel again."],
])("without a kernel, the alert says what to run (sandbox: %s)", (sandbox, advice) => {
  const view = openPanel(TWO_PODS, { sandbox });
  model.loseKernel();
  const alert = view.root.querySelector("[role=alert]")?.textContent;
  expect(alert).toContain(advice);
  expect(alert).toContain("The rows are the last known state.");
});

test("the alert names the interval only while the kernel refreshes", () => {
  const view = openPanel([], { error: "The API does not answer." });
  const alert = () => view.root.querySelector("[role=alert]")?.textContent;
  expect(alert()).toBe("The API does not answer. (It is tried again every 15 s.)");
  model.receive({ type: "patch", version: 2, interval: null });
  expect(alert()).toBe("The API does not answer.");
});

test("no interval is shown while the kernel does not refresh", () => {
  vi.setSystemTime(1_700_000_000_000);
  const view = openPanel([], { refreshed_at: 1_700_000_000 });
  model.receive({ type: "ack", pods: [] });
  view.updateTime();
  expect(view.header.element.querySelector("[title='Every 15 s']")).not.toBeNull();
  model.receive({ type: "patch", version: 2, interval: null });
  expect(view.header.element.querySelector("[title='Every 15 s']")).toBeNull();
});

test("a refresh without changes is shown only when it can no longer be reported as late", () => {
  const start = 1_700_000_000;
  vi.setSystemTime(start * 1000);
  const view = openPanel([], { refreshed_at: start, late_after: 3 });
  model.receive({ type: "ack", pods: [] });
  const shown = () => {
    view.updateTime();
    return view.header.element.querySelector(".yotta-refresh span")?.textContent;
  };
  const at = (/** @type {number} */ seconds) => formatTime(start + seconds);
  vi.setSystemTime((start + 32) * 1000); // The second refresh may still be running.
  expect(shown()).toBe(`Refreshed ${at(0)}`);
  vi.setSystemTime((start + 34) * 1000); // The second refresh would have been reported as late.
  expect(shown()).toBe(`Refreshed ${at(15)}`);
  model.receive({ type: "patch", version: 2, late: true, refreshed_at: start + 15 });
  expect(shown()).toBe(`As of ${at(15)}`);
  model.receive({ type: "patch", version: 3, late: false, error: "no answer" });
  expect(shown()).toBe(`As of ${at(15)}`);
});
