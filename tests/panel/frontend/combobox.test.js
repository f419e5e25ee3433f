// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Combobox } from "../../../yotta_jupyter/panel/frontend/src/combobox.js";
import { createFilter, keyAction, MAX_OPTIONS } from "../../../yotta_jupyter/panel/frontend/src/combobox-logic.js";

const OPTIONS = [
  { value: "A100", label: "A100 80GB", group: "Official", keywords: "NVIDIA_A100_80G" },
  { value: "RTX 4090", label: "RTX 4090", group: "Official", keywords: "NVIDIA_RTX_4090_24G" },
  { value: "L40S", label: "L40S", group: "In use", keywords: "NVIDIA_L40S_48G" },
  { value: "L4", label: "L4", group: "In use", keywords: "NVIDIA_L4_24G" },
];
const filter = createFilter(OPTIONS);

/** @param {string} text */
const valuesFor = (text) => filter(text).map(({ value }) => value);

describe("the options", () => {
  test.each([
    ["", ["A100", "RTX 4090", "L40S", "L4"]],
    ["  l4 ", ["L4", "L40S"]],
    ["nvidia 80", ["A100"]],
    ["rtx4090", ["RTX 4090"]],
    ["0", ["A100", "RTX 4090", "L40S"]],
    ["(", []],
    ["no such", []],
  ])("with %j", (text, values) => expect(valuesFor(text)).toEqual(values));

  test("the option that equals the text is first, then those in which a word starts with it", () => {
    const values = createFilter([
      { value: "my-torch", label: "my-torch" },
      { value: "pytorch", label: "pytorch" },
      { value: "torch", label: "torch" },
    ])("torch").map(({ value }) => value);
    expect(values).toEqual(["torch", "my-torch", "pytorch"]);
  });
});

describe("the keys", () => {
  const closed = { open: false, active: -1, count: 3 };
  const open = { open: true, active: -1, count: 3 };
  test.each([
    ["ArrowDown", closed, { type: "open", index: 0, preventsDefault: true }],
    ["ArrowDown", { ...closed, selected: 2 }, { type: "open", index: 2, preventsDefault: true }],
    ["ArrowDown", open, { type: "move", index: 0, preventsDefault: true }],
    ["ArrowDown", { ...open, active: 2 }, { type: "move", index: 0, preventsDefault: true }],
    ["ArrowDown", { ...open, count: 0 }, { type: "move", index: -1, preventsDefault: true }],
    ["ArrowUp", closed, { type: "open", index: 2, preventsDefault: true }],
    ["ArrowUp", open, { type: "move", index: 2, preventsDefault: true }],
    ["ArrowUp", { ...open, active: 1 }, { type: "move", index: 0, preventsDefault: true }],
    ["Enter", closed, null],
    ["Enter", open, { type: "close", preventsDefault: true }],
    ["Enter", { ...open, active: 1 }, { type: "accept", preventsDefault: true }],
    ["Tab", { ...open, active: 1 }, { type: "accept", preventsDefault: false }],
    ["Tab", open, { type: "close", preventsDefault: false }],
    ["Tab", closed, null],
    ["Escape", open, { type: "close", preventsDefault: true }],
    ["Escape", closed, null],
    ["Home", { ...open, active: 1 }, { type: "deselect", index: -1, preventsDefault: false }],
    ["a", open, null],
  ])("%s in %o", (key, state, action) => expect(keyAction({ key }, state)).toEqual(action));

  test("Alt and an arrow open without an active option, and close", () => {
    expect(keyAction({ key: "ArrowDown", altKey: true }, closed)).toEqual({
      type: "open",
      index: -1,
      preventsDefault: true,
    });
    expect(keyAction({ key: "ArrowUp", altKey: true }, open)).toEqual({ type: "close", preventsDefault: true });
    expect(keyAction({ key: "ArrowUp", altKey: true }, closed)).toBe(null);
  });
});

describe("the element", () => {
  /** @type {Combobox} */
  let combobox;
  const press = (/** @type {string} */ key) =>
    combobox.input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const options = () => [...combobox.element.querySelectorAll("[role=option]")];

  beforeEach(() => {
    combobox = new Combobox("GPU type");
    combobox.setOptions(OPTIONS);
    document.body.append(combobox.element);
  });

  afterEach(() => combobox.element.remove());

  test("an arrow key opens it, Enter chooses, and the choice is an input", () => {
    const listener = vi.fn();
    document.body.addEventListener("input", listener, { once: true });
    expect(combobox.input.getAttribute("aria-expanded")).toBe("false");
    press("ArrowDown");
    press("ArrowDown");
    expect(combobox.input.getAttribute("aria-expanded")).toBe("true");
    const active = document.getElementById(combobox.input.getAttribute("aria-activedescendant") ?? "");
    expect(active?.textContent).toBe("RTX 4090");
    press("Enter");
    expect(combobox.input.value).toBe("RTX 4090");
    expect(combobox.input.getAttribute("aria-expanded")).toBe("false");
    expect(listener).toHaveBeenCalledOnce();
  });

  test("Escape closes it and keeps what was typed", () => {
    combobox.input.value = "my-own";
    press("ArrowDown");
    press("Escape");
    expect(combobox.input.value).toBe("my-own");
    expect(combobox.input.getAttribute("aria-expanded")).toBe("false");
    expect(combobox.input.hasAttribute("aria-activedescendant")).toBe(false);
  });

  describe("with a typed text that was not chosen", () => {
    const type = (/** @type {string} */ text) => {
      combobox.input.value = text;
      const event = new Event("input", { bubbles: true });
      Object.defineProperty(event, "isTrusted", { value: true });
      combobox.input.dispatchEvent(event);
      press("Escape");
    };

    test("a click opens its matches, and Enter chooses the best one", () => {
      type("l4");
      combobox.input.click();
      expect(options().map((option) => option.textContent)).toEqual(["L4", "L40S"]);
      press("Enter");
      expect(combobox.input.value).toBe("L4");
      combobox.input.click();
      expect(options()).toHaveLength(OPTIONS.length);
    });

    test("an arrow key opens its matches with the best one active", () => {
      type("rtx");
      press("ArrowDown");
      press("Enter");
      expect(combobox.input.value).toBe("RTX 4090");
    });

    test("all options are opened if none matches, and Enter keeps the text", () => {
      type("my-own");
      press("ArrowDown");
      expect(options()).toHaveLength(OPTIONS.length);
      press("Enter");
      expect(combobox.input.value).toBe("my-own");
    });
  });

  test("a click opens all options in groups, whatever option was chosen", () => {
    combobox.input.value = "L4";
    combobox.input.click();
    expect(options().map((option) => option.getAttribute("aria-selected"))).toEqual([
      "false",
      "false",
      "false",
      "true",
    ]);
    const groups = [...combobox.element.querySelectorAll("[role=group]")];
    expect(groups.map((group) => group.getAttribute("aria-label"))).toEqual(["Official", "In use"]);
  });

  test("at most MAX_OPTIONS options are elements, and the rest is counted", () => {
    combobox.setOptions(Array.from({ length: 1000 }, (_, n) => ({ value: `${n}`, label: `${n}` })));
    press("ArrowDown");
    expect(options().length).toBe(MAX_OPTIONS);
    expect(combobox.element.textContent).toContain("940 more");
  });
});
