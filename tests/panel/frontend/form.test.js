// @ts-check
/** The launch form: what it sends, and what it shows beside its fields and its button. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Store } from "../../../yotta_jupyter/panel/frontend/src/store.js";
import { PanelView } from "../../../yotta_jupyter/panel/frontend/src/view.js";
import { encodeRow, encodeSnapshot, FakeModel, podRow } from "./fixtures.js";

const CHOICES = {
  gpu_types: [{ id: "NVIDIA_L4_24G", value: "L4", display_name: "L4", vram_in_gb: 24, price: 0.6 }],
  gpu_counts: [1],
  images: [],
  default_image: "pytorch",
  regions: [],
  clouds: ["SECURE"],
  default_ports: "22/SSH",
};
const RESULT = { errors: {}, notes: {}, confirmations: {}, resolved: {}, basis: "by a pod", volumes: 0 };

/** @type {FakeModel} */
let model;
/** @type {Store} */
let store;
/** @type {PanelView} */
let view;
let version = 1;

beforeEach(() => {
  vi.useFakeTimers();
  version = 1;
  model = new FakeModel(encodeSnapshot([], { choices: CHOICES }));
  store = new Store(model.asModel());
  view = new PanelView(store);
  document.body.append(view.root);
});

afterEach(() => {
  view.close();
  store.close();
  document.body.replaceChildren();
  vi.useRealTimers();
});

/** @param {Record<string, unknown>} changes */
const patch = (changes) => model.receive({ type: "patch", version: ++version, ...changes });
const sent = (/** @type {string} */ type) =>
  model.sent.map(({ message }) => message).filter((message) => message.type === type);
const text = () => view.form.element.textContent ?? "";
const inputs = () => view.form.fields.inputs;

/**
 * @param {string} label
 * @returns {HTMLElement}
 */
function button(label) {
  const buttons = [...view.form.element.querySelectorAll("button")];
  const found = buttons.find((each) => each.textContent === label);
  if (!found) throw new Error(`no button ${label}`);
  return found;
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} input
 * @param {string} value
 */
function type(input, value) {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {Record<string, unknown>} [changes] to a valid result */
function validate(changes = {}) {
  const { request_id } = sent("validate").at(-1);
  const valid = { ...RESULT, command: "%yotta create", price: 0.6, estimate: 0.6 };
  model.receive({ type: "validation", request_id, ...valid, ...changes });
}

/** Launch the form, let the kernel reply with a pod, and wait until the button is enabled again. */
function launch({ id = "1", name = "" } = {}) {
  type(inputs().pod_name, name);
  button("Launch").click();
  const { temp_id } = sent("launch").at(-1);
  patch({ added: [encodeRow(podRow({ id, name: name || null }))] });
  model.receive({ type: "launched", temp_id, pod_id: id, note: "" });
  vi.advanceTimersByTime(1000);
}

function repeatCheckbox() {
  const label = [...view.form.element.querySelectorAll("label")].find((each) =>
    each.textContent?.includes("Launch one more like it"),
  );
  if (!label) throw new Error("no check box");
  return { label, checkbox: /** @type {HTMLInputElement} */ (label.querySelector("input")) };
}

describe("after a launch", () => {
  test("the name stays, so that Launch uses the pod", () => {
    launch({ name: "mine" });
    expect(inputs().pod_name.value).toBe("mine");
    expect(text()).toContain("Launched mine (1).");
    expect(sent("validate").at(-1).form.pod_name).toBe("mine");
    expect(repeatCheckbox().label.hidden).toBe(true);
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2); // The kernel finds the pod of that name.
  });

  test("an unchanged form without a name is launched again only if that is confirmed", () => {
    launch();
    expect(repeatCheckbox().label.hidden).toBe(false);
    button("Launch").click();
    button("Launch").click();
    expect(sent("launch")).toHaveLength(1);
    expect(text()).toContain("A pod like this was launched just now.");
    repeatCheckbox().checkbox.click();
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2);
    model.receive({ type: "launched", temp_id: sent("launch")[1].temp_id, pod_id: "2", note: "" });
    vi.advanceTimersByTime(1000);
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2);
  });

  test("the kernel refuses one that is equal to a launch before a reload, until that is confirmed", () => {
    button("Launch").click();
    const errors = { form: "A pod like this was launched just now." };
    const { temp_id } = sent("launch")[0];
    model.receive({ type: "rejected", temp_id, ...RESULT, errors, confirmations: { form: "another" } });
    expect(text()).toContain(errors.form);
    repeatCheckbox().checkbox.click();
    button("Launch").click();
    const [buffer] = model.sent.at(-1)?.buffers ?? [];
    expect(JSON.parse(new TextDecoder().decode(buffer)).confirmed).toEqual(["form"]);
  });

  test("a changed form without a name is launched, but not one that was changed back", () => {
    launch();
    type(inputs().gpu_type, "H100");
    type(inputs().gpu_type, "");
    button("Launch").click();
    expect(sent("launch")).toHaveLength(1);
    type(inputs().gpu_type, "H100");
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2);
  });

  test("after the pod has ended, an equal launch needs no confirmation", () => {
    launch();
    patch({ updated: [{ id: "1", status: "FAILED", is_live: false }] });
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2);
  });

  test("the refusal of an equal launch goes away when its pod ends", () => {
    launch();
    validate();
    button("Launch").click();
    expect(text()).toContain("A pod like this was launched just now.");
    patch({ removed: ["1"] });
    expect(text()).not.toContain("A pod like this was launched just now.");
    expect(repeatCheckbox().label.closest(".yotta-launch-result")).toHaveProperty("hidden", true);
  });

  test("a form that was changed before the result needs no confirmation", () => {
    button("Launch").click();
    type(inputs().gpu_type, "H100");
    model.receive({ type: "launched", temp_id: sent("launch")[0].temp_id, pod_id: "1", note: "" });
    vi.advanceTimersByTime(1000);
    button("Launch").click();
    expect(sent("launch")).toHaveLength(2);
  });

  test.each([
    ["the form changes", () => type(inputs().gpu_type, "L4")],
    ["the pod is not listed any more", () => patch({ removed: ["1"] })],
    ["the pod is being deleted", () => patch({ updated: [{ id: "1", status: "TERMINATING", is_live: false }] })],
    ["the pod fails", () => patch({ updated: [{ id: "1", status: "FAILED", is_live: false }] })],
  ])("the result goes away when %s", (_, change) => {
    launch({ name: "mine" });
    validate();
    change();
    expect(text()).not.toContain("Launched");
    expect(text()).toContain("an estimate of $0.60 an hour, by a pod");
  });

  test("its Jupyter is offered, once the pod can be reached", () => {
    launch({ name: "train-1" });
    expect(button("Open its Jupyter").hidden).toBe(false);
    expect(button("Open its Jupyter").getAttribute("aria-disabled")).toBe("true");
    patch({ updated: [{ id: "1", ssh: "ssh root@192.0.2.1" }] });
    button("Open its Jupyter").click();
    expect(model.sent.at(-1)?.message).toMatchObject({ type: "open_jupyter", pod_id: "1" });
  });

  test("what the form says about the pod of that name follows the pod", () => {
    launch({ name: "mine" });
    const count = sent("validate").length;
    patch({ updated: [{ id: "1", hourly_cost: 0.7 }] });
    expect(sent("validate")).toHaveLength(count);
    patch({ updated: [{ id: "1", status: "PAUSED" }] });
    patch({ removed: ["1"] });
    expect(sent("validate")).toHaveLength(count + 2);
  });

  test("an unknown outcome is shown until the pod replaces its row", () => {
    button("Launch").click();
    const { temp_id } = sent("launch")[0];
    patch({ added: [encodeRow(podRow({ id: temp_id, status: "LAUNCHING", error: "It may exist." }))] });
    model.receive({ type: "failed", temp_id, error: "The pod may exist and cost money." });
    expect(text()).toContain("The pod may exist and cost money.");
    patch({ removed: [temp_id], added: [encodeRow(podRow())] });
    expect(text()).not.toContain("The pod may exist");
  });
});

test("a launch ends when the kernel has gone", () => {
  button("Launch").click();
  model.loseKernel();
  expect(button("Launch").getAttribute("aria-disabled")).toBeNull();
  expect(text()).toContain("The kernel has gone. Run %load_ext yotta_jupyter");
  expect(view.root.querySelector("[role=status]")?.textContent).toContain("The kernel has gone.");
});

describe("Enter in a field", () => {
  const pressEnter = (/** @type {HTMLElement} */ element, init = {}) => {
    const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init });
    element.dispatchEvent(event);
    return event;
  };

  test("shows what is missing, and launches nothing", () => {
    inputs().pod_name.focus();
    expect(pressEnter(inputs().pod_name).defaultPrevented).toBe(true);
    validate({ command: null, errors: { gpu_type: "Choose a GPU type." } });
    expect(text()).toContain("Choose a GPU type.");
    expect(document.activeElement).toBe(inputs().gpu_type);
    expect(sent("launch")).toHaveLength(0);
  });

  test("has no other effect in a check box or a list", () => {
    const checkboxes = /** @type {HTMLInputElement[]} */ ([...view.form.element.querySelectorAll("[type=checkbox]")]);
    expect(checkboxes.length).toBeGreaterThan(1);
    for (const field of [...checkboxes, inputs().gpu_count, inputs().cloud_type]) {
      expect(pressEnter(field).defaultPrevented).toBe(true);
    }
    expect(sent("launch")).toHaveLength(0);
  });

  test("moves the focus of a valid form to Launch, where the same Enter has no effect", () => {
    inputs().pod_name.focus();
    pressEnter(inputs().pod_name);
    validate();
    expect(document.activeElement).toBe(button("Launch"));
    expect(pressEnter(button("Launch"), { repeat: true }).defaultPrevented).toBe(true);
    expect(pressEnter(button("Launch")).defaultPrevented).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(pressEnter(button("Launch")).defaultPrevented).toBe(false);
  });

  test("does not move the focus from a field that was left", () => {
    inputs().pod_name.focus();
    pressEnter(inputs().pod_name);
    inputs().region.focus();
    validate();
    expect(document.activeElement).toBe(inputs().region);
  });
});

describe("More options", () => {
  const summary = () => view.form.element.querySelector("summary")?.textContent;
  const variables = () =>
    /** @type {NodeListOf<HTMLInputElement>} */ (view.form.element.querySelectorAll(".yotta-variable input"));

  test("counts the fields that are set", () => {
    expect(summary()).toBe("More options");
    type(inputs().persistent_volume_in_gb, "50");
    type(inputs().cloud_type, "SECURE");
    button("Add a variable").click();
    expect(summary()).toBe("More options (2 set)");
    type(variables()[0], "HF_TOKEN");
    expect(summary()).toBe("More options (3 set)");
    /** @type {HTMLElement} */ (view.form.element.querySelector("[aria-label='Remove the variable']")).click();
    expect(summary()).toBe("More options (2 set)");
    type(inputs().persistent_volume_in_gb, "");
    type(inputs().cloud_type, "");
    expect(summary()).toBe("More options");
  });

  test("forgets the values of variables after a launch", () => {
    button("Add a variable").click();
    type(variables()[0], "HF_TOKEN");
    type(variables()[1], "canary");
    launch({ name: "mine" });
    expect([...variables()].map((input) => input.value)).toEqual(["HF_TOKEN", ""]);
    expect(summary()).toBe("More options (1 set)");
  });

  test("marks a variable only while its error is shown", () => {
    button("Add a variable").click();
    type(variables()[1], "canary");
    vi.advanceTimersByTime(1000);
    const errors = { environment_vars: "A variable has no name." };
    validate({ command: null, errors });
    expect(variables()[1].getAttribute("aria-invalid")).toBeNull();
    type(variables()[0], "");
    vi.advanceTimersByTime(1000);
    validate({ command: null, errors });
    expect(variables()[1].getAttribute("aria-invalid")).toBe("true");
  });

  test.each([true, false])("opens for an error that names no variable (with a variable: %s)", (withVariable) => {
    if (withVariable) button("Add a variable").click();
    view.form.fields.setMessage("environment_vars", "The password is too short.", undefined);
    view.form.fields.focusFirstInvalid();
    expect(view.form.element.querySelector("details")?.open).toBe(true);
    expect(document.activeElement).toBe(withVariable ? variables()[1] : button("Add a variable"));
  });
});

test("changed prices are validated again, so that the estimate follows them", () => {
  type(inputs().gpu_type, "L4");
  patch({ choices: { ...CHOICES } });
  validate({ resolved: { gpu_type: "NVIDIA_L4_24G" }, price: 0.7, estimate: 0.7 });
  expect(text()).toContain("24 GB · $0.70 an hour");
  expect(text()).toContain("an estimate of $0.70 an hour, by a pod");
});

test("the estimate says what volumes cost", () => {
  type(inputs().gpu_type, "L4");
  vi.advanceTimersByTime(1000);
  validate({ estimate: 5.6, volumes: 5 });
  expect(text()).toContain("an estimate of $5.60 an hour ($0.60 GPU + $5.00 volumes), by a pod");
});
