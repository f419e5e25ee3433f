// @ts-check
import { describe, expect, test } from "vitest";
import {
  displayName,
  formatAge,
  formatDollars,
  formatDuration,
  formatGpuFacts,
  formatGpus,
  formatGuard,
  formatGuardTooltip,
  formatImage,
  formatStatus,
  formatStatusTooltip,
} from "../../../yotta_jupyter/panel/frontend/src/format.js";
import { podRow } from "./fixtures.js";

test.each([
  [0, "$0.00"],
  [0.004, "<$0.01"],
  [0.61, "$0.61"],
  [1234.5, "$1,234.50"],
])("%d dollars", (amount, text) => expect(formatDollars(amount)).toBe(text));

test.each([
  [-5, "now"],
  [59, "now"],
  [60, "1 min"],
  [3600, "1 h"],
  [86400 * 1.9, "45 h"],
  [86400 * 2, "2 d"],
])("an age of %d seconds", (seconds, text) => expect(formatAge(seconds)).toBe(text));

test.each([
  [-5, "1 min"],
  [61, "2 min"],
  [3600, "1 h"],
  [4080, "1 h 8 min"],
  [86400 * 2.5, "2 d"],
])("a duration of %d seconds", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

describe("a guard", () => {
  const guard = {
    rule: "after 8h, idle 30m",
    state: "active",
    problem: "",
    is_near: false,
    pauses_at: 10_000 + 42 * 60,
    idle_since: /** @type {number | null} */ (null),
  };

  test.each([
    [{}, "pauses in 42 min"],
    [{ pauses_at: 10_000 + 18 * 60, idle_since: 10_000 - 12 * 60 }, "guard: idle 12 of 30 min"],
    [{ pauses_at: null, state: "waiting" }, "guard: after 8h, idle 30m"],
    [{ pauses_at: 9_000, state: "pausing" }, "guard: pausing…"],
    [{ problem: "not running" }, "guard NOT enforced"],
  ])("%o", (changes, text) => expect(formatGuard({ ...guard, ...changes }, 10_000, true)).toBe(text));

  test.each([
    ["active", "guard waits"], // The enforcer has not checked the pod since it was paused.
    ["waiting", "guard waits"],
    ["paused", "paused by its guard"],
  ])("whose state is %s, of a pod that does not run", (state, text) => {
    expect(formatGuard({ ...guard, state }, 10_000, false)).toBe(text);
  });

  test("its tooltip says why it is not enforced", () => {
    expect(formatGuardTooltip({ ...guard, problem: "not running" })).toContain("NOT enforced: not running");
  });
});

test("a pod without a name is shown by its id", () => {
  expect(displayName(podRow({ name: null }))).toBe("1");
  expect(displayName(podRow({ name: null, status: "LAUNCHING" }))).toBe("New pod");
});

test("GPU types and official images are shortened", () => {
  expect(formatGpus(podRow({ gpu_count: 2 }))).toBe("2 × L4 24G");
  expect(formatGpus(podRow({ gpu_type: null }))).toBe("");
  expect(formatImage(podRow())).toBe("pytorch:2.9.0");
  expect(formatImage(podRow({ image: "me/own:1" }))).toBe("me/own:1");
});

test("unknown facts of a GPU type are left out", () => {
  expect(formatGpuFacts({ vram_in_gb: 24, price: 0.61 })).toBe("24 GB · $0.61 an hour");
  expect(formatGpuFacts({ vram_in_gb: null, price: 0 })).toBe("$0.00 an hour");
  expect(formatGpuFacts({ vram_in_gb: 24, price: null })).toBe("24 GB");
});

describe("the status", () => {
  test.each([
    ["RUNNING", "Running"],
    ["INITIALIZE", "Initializing"],
    ["SOMETHING_NEW", "Something_new"],
    ["", "Unknown"],
  ])("%s", (status, text) => expect(formatStatus(status, null)).toBe(text));

  test("a pending action is shown instead", () => {
    expect(formatStatus("RUNNING", "pause")).toBe("Pausing…");
    expect(formatStatus("RUNNING", "undoable_delete", { undoSeconds: 3 })).toBe("Deleting in 3 s");
    expect(formatStatus("RUNNING", "undoable_pause", { undoSeconds: 2 })).toBe("Pausing in 2 s");
  });

  test("a click that the kernel does not acknowledge is shown as waiting", () => {
    expect(formatStatus("RUNNING", "pause", { stalled: true })).toBe("Waiting for kernel…");
  });

  test("an undo that the kernel has not confirmed may have had no effect", () => {
    expect(formatStatusTooltip("RUNNING", "undoing", false)).toContain("the pod may be deleted or paused");
  });
});
