// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { h } from "../../../yotta_jupyter/panel/frontend/src/dom.js";
import { formatTime } from "../../../yotta_jupyter/panel/frontend/src/format.js";
import { remoteServerPath } from "../../../yotta_jupyter/panel/frontend/src/page.js";
import { Store } from "../../../yotta_jupyter/panel/frontend/src/store.js";
import { PanelView } from "../../../yotta_jupyter/panel/frontend/src/view.js";
import { encodeRow, encodeSnapshot, FakeModel, podRow } from "./rows.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/protocol.js").PodRow} PodRow */

/** @type {FakeModel} */
let model;
/** @type {Store} */
let store;
/** @type {PanelView[]} */
let views;

/**
 * Open a panel with two views.
 *
 * @param {Partial<PodRow>[]} rows
 * @param {Record<string, unknown>} [changes]
 */
function open(rows, changes = {}) {
  model = new FakeModel(encodeSnapshot(rows.map(podRow), changes));
  store = new Store(model.asModel());
  views = [new PanelView(store), new PanelView(store)];
  for (const view of views) {
    document.body.append(view.root);
    view.table.renderRows();
  }
  return views[0];
}

/**
 * @param {PanelView} view
 * @param {string} label
 * @returns {HTMLElement}
 */
function labelled(view, label) {
  const element = view.root.querySelector(`[aria-label="${label}"]`);
  if (!element) throw new Error(`no element with the label ${label}`);
  return /** @type {HTMLElement} */ (element);
}

/**
 * @param {PanelView} view
 * @param {string} text
 */
function filter(view, text) {
  view.filterBar.search.value = text;
  view.filterBar.search.dispatchEvent(new Event("input"));
}

const TWO_PODS = [
  { id: "1", name: "train-1" },
  { id: "2", name: "eval-1" },
];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  for (const view of views) view.close();
  store.close();
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("the table", () => {
  test("a reused row shows the present selection of its pod", () => {
    const view = open([TWO_PODS[0]]);
    filter(view, "nothing");
    store.select(["1"], true);
    filter(view, "");
    expect(/** @type {HTMLInputElement} */ (labelled(view, "Select train-1")).checked).toBe(true);
  });

  test("the checkbox for all pods follows the filters", () => {
    const view = open(TWO_PODS);
    store.select(["1"], true);
    expect(view.table.selectAll.indeterminate).toBe(true);
    filter(view, "train");
    expect([view.table.selectAll.checked, view.table.selectAll.indeterminate]).toEqual([true, false]);
    filter(view, "eval");
    expect([view.table.selectAll.checked, view.table.selectAll.indeterminate]).toEqual([false, false]);
  });

  test("an arrow key on Dismiss moves the focus to a row without an error", () => {
    const view = open([{ ...TWO_PODS[0], error: "failed" }, TWO_PODS[1]]);
    const dismiss = view.table.rowViews.get("1")?.dismissButton;
    dismiss?.focus();
    const key = view.table.ids[0] === "1" ? "ArrowDown" : "ArrowUp";
    dismiss?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Select eval-1");
  });

  test("a failed copy is not shown as copied", async () => {
    const view = open([{ ...TWO_PODS[0], ssh: "ssh user@192.0.2.1" }]);
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
});

test.each([
  [{}, "SSH is not exposed, or not ready yet"],
  [{ status: "PAUSED" }, "the pod is not running"],
])("the tooltip of a disabled SSH button says why (%o)", (changes, reason) => {
  const view = open([{ ...TWO_PODS[0], ...changes }]);
  const button = labelled(view, "Copy SSH command of train-1");
  expect(button.title).toBe(`Copy SSH command of train-1: ${reason}`);
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
    view = open(pods);
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
    expect(model.sent.some(({ message }) => message.type === "delete")).toBe(false);
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

  test("it is frozen while a row has the focus by keyboard, but not for a new sorting", () => {
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
  const view = open([
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

describe("the button Pause", () => {
  const PAUSED = { status: "PAUSED", pending: null, actions: ["resume", "delete"] };
  let version = 1;

  /** @type {PanelView} */
  let view;
  /** @type {HTMLElement} */
  let button;

  const sentTypes = () => model.sent.map(({ message }) => message.type);

  /** @param {Partial<PodRow>} changes */
  function update(changes) {
    version += 1;
    model.receive({ type: "patch", version, updated: [{ id: "1", ...changes }] });
  }

  beforeEach(() => {
    version = 1;
    view = open(TWO_PODS);
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
  const sentTypes = () => model.sent.map(({ message }) => message.type);

  beforeEach(() => {
    view = open([{ ...TWO_PODS[0], pause_loss: LOSS, warns_of_pause: true }]);
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
    expect(model.sent.at(-1)?.message).toEqual({ type: "undo", pods: ["1"] });
  });
});

describe("when the kernel ends", () => {
  const statusOf = (/** @type {string} */ id) => views[0].table.rowViews.get(id)?.status;

  test("rows say what is known of pending actions", () => {
    const view = open([{ ...TWO_PODS[0], pending: "undoable_delete" }, TWO_PODS[1]]);
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

  test.each([
    [false, "Run %load_ext yotta_jupyter, then the cell of the panel again."],
    [true, "Run %load_ext yotta_jupyter, %yotta sandbox start, then the cell of the panel again."],
  ])("the alert says what to run (sandbox: %s)", (sandbox, advice) => {
    const view = open(TWO_PODS, { sandbox });
    model.loseKernel();
    const alert = view.root.querySelector("[role=alert]")?.textContent;
    expect(alert).toContain(advice);
    expect(alert).toContain("The rows are the last known state.");
  });
});

test("the alert names the interval only while the kernel refreshes", () => {
  const view = open([], { error: "The API does not answer." });
  const alert = () => view.root.querySelector("[role=alert]")?.textContent;
  expect(alert()).toBe("The API does not answer. (It is tried again every 15 s.)");
  model.receive({ type: "patch", version: 2, interval: null });
  expect(alert()).toBe("The API does not answer.");
});

test("Undo is offered while the API does not answer", () => {
  const view = open([{ ...TWO_PODS[0], pending: "undoable_delete" }], { reachable: false });
  const undo = labelled(view, "Undo delete train-1");
  expect([undo.title, undo.getAttribute("aria-disabled")]).toEqual(["Undo delete train-1", null]);
  expect(labelled(view, "Pause train-1").title).toBe("Pause train-1: the API does not answer");
});

describe("the selection toolbar", () => {
  test("it counts the selected pods that a filter hides", () => {
    const view = open(TWO_PODS);
    store.select(["1", "2"], true);
    const toolbar = view.selectionToolbar.element;
    expect(toolbar.textContent).toContain("2 selectedPause");
    filter(view, "train");
    expect(toolbar.textContent).toContain("2 selected (1 hidden)");
    const buttons = [...toolbar.querySelectorAll("button")];
    buttons.find((button) => button.textContent === "Delete 2")?.click();
    expect(toolbar.textContent).toContain("Delete 2 pods (1 hidden) at $1.20 an hour now?");
  });

  const pausesSent = () =>
    model.sent.filter(({ message }) => message.type === "pause").map(({ message }) => message.pods);

  /**
   * @param {PanelView} view
   * @param {string} text
   */
  function press(view, text) {
    const buttons = [...view.selectionToolbar.element.querySelectorAll("button")];
    buttons.find((button) => button.textContent === text)?.click();
  }

  test("a pause of several pods needs a confirmation, which says what it may erase", () => {
    const view = open([
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
    const view = open(pods);
    filter(view, "no pod");
    store.select(Object.keys(pods), true);
    press(view, `Pause ${pods.length}`);
    const question = labelled(view, "Pause pods?").querySelector("strong");
    expect(question?.textContent).toContain(` an hour now? ${loss}`);
    expect(question?.title).toContain(`Pods without one: ${volumes.filter((hasVolume) => !hasVolume).length}.`);
  });

  test("a pause of one pod needs a confirmation only if a filter hides it", () => {
    const view = open(TWO_PODS);
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
  const view = open([{ ...TWO_PODS[0], hourly_cost: null }], { totals });
  expect(view.header.element.querySelector("[title='without 1 pod of unknown price']")).not.toBeNull();
  filter(view, "train");
  expect(view.filterBar.element.textContent).toContain("1 of 1 pod");
  expect(view.root.querySelector("[role=status]")?.textContent).toBe("1 pod shown");
});

test("the filters have names", () => {
  const view = open([]);
  for (const name of ["status", "region", "GPU type"]) labelled(view, `Filter by ${name}`);
});

test("no interval is shown while the kernel does not refresh", () => {
  vi.setSystemTime(1_700_000_000_000);
  const view = open([], { refreshed_at: 1_700_000_000 });
  model.receive({ type: "ack", pods: [] });
  view.updateTime();
  expect(view.header.element.querySelector("[title='Every 15 s']")).not.toBeNull();
  model.receive({ type: "patch", version: 2, interval: null });
  expect(view.header.element.querySelector("[title='Every 15 s']")).toBeNull();
});

test("a refresh is shown only when it has certainly succeeded", () => {
  const start = 1_700_000_000;
  vi.setSystemTime(start * 1000);
  const view = open([], { refreshed_at: start, late_after: 3 });
  model.receive({ type: "ack", pods: [] });
  const shown = () => {
    view.updateTime();
    return view.header.element.querySelector(".yotta-refresh span")?.textContent;
  };
  const at = (/** @type {number} */ seconds) => formatTime(start + seconds);
  vi.setSystemTime((start + 32) * 1000); // The second refresh has just started.
  expect(shown()).toBe(`Refreshed ${at(0)}`);
  vi.setSystemTime((start + 34) * 1000); // It would have been reported as late.
  expect(shown()).toBe(`Refreshed ${at(15)}`);
  model.receive({ type: "patch", version: 2, late: true, refreshed_at: start + 15 });
  expect(shown()).toBe(`As of ${at(15)}`);
  model.receive({ type: "patch", version: 3, late: false, error: "no answer" });
  expect(shown()).toBe(`As of ${at(15)}`);
});

describe("the password of Jupyter", () => {
  const password = new DataView(new TextEncoder().encode("canary").buffer);

  /** @param {PanelView} view */
  function show(view) {
    labelled(view, "Open Jupyter of train-1").click();
    const [button] = view.jupyterPopup.element.querySelectorAll("button");
    button.click();
    const { message } = /** @type {{ message: any }} */ (model.sent.at(-1));
    model.receive({ type: "password", request_id: message.request_id, error: "" }, [password]);
  }

  const shownPasswords = () =>
    views.map((view) => view.root.querySelectorAll("[aria-label='Jupyter password']").length);

  beforeEach(() => {
    open([{ ...TWO_PODS[0], jupyter: "http://192.0.2.1:8888", has_password: true }]);
    show(views[0]);
    expect(shownPasswords()).toEqual([1, 0]);
  });

  test("it disappears after a minute", () => {
    vi.advanceTimersByTime(61_000);
    expect(shownPasswords()).toEqual([0, 0]);
  });

  test("it disappears when another view shows one", () => {
    show(views[1]);
    expect(shownPasswords()).toEqual([0, 1]);
  });

  test("it disappears with its pod", () => {
    model.receive({ type: "patch", version: 2, removed: ["1"] });
    expect(shownPasswords()).toEqual([0, 0]);
  });
});

describe("opening Jupyter", () => {
  const url = "http://127.0.0.1:4000/a-link";
  const link = new DataView(new TextEncoder().encode(url).buffer);

  /** @type {PanelView} */
  let view;
  /** @type {{ opener: unknown, location: { href: string } }} */
  let tab;

  const dialog = () => view.jupyterPopup.element;
  const requests = () => model.sent.map(({ message }) => message).filter(({ type }) => type === "open_jupyter");

  /**
   * @param {Record<string, unknown>} [reply]
   * @param {DataView[]} [buffers]
   */
  function reply(reply = {}, buffers = [link]) {
    const { request_id } = requests().at(-1);
    model.receive({ type: "jupyter_link", request_id, error: "", note: "", ...reply }, buffers);
  }

  beforeEach(() => {
    tab = { opener: window, location: { href: "" } };
    vi.spyOn(window, "open").mockImplementation(() => /** @type {any} */ (tab));
    view = open([{ ...TWO_PODS[0], ssh: "ssh root@192.0.2.1", jupyter: "http://192.0.2.1:8888" }]);
    labelled(view, "Open Jupyter of train-1").click();
  });

  test("the link opens in a new tab that cannot reach the notebook", () => {
    expect(requests()).toEqual([expect.objectContaining({ pod_id: "1", server_path: null })]);
    expect(dialog().textContent).toContain("Connecting…");
    reply({ note: "A note." });
    expect(tab).toEqual({ opener: null, location: { href: url } });
    expect(dialog().textContent).toContain("Opened in a new tab.");
    expect(dialog().textContent).toContain("A note.");
    expect(dialog().textContent).not.toContain("Connecting…");
  });

  test.each([
    ["blocks it", () => vi.spyOn(window, "open").mockReturnValue(null)],
    [
      "refuses it",
      () =>
        vi.spyOn(window, "open").mockImplementation(() => {
          throw new Error("refused");
        }),
    ],
    ["has forgotten the click", () => vi.stubGlobal("navigator", { userActivation: { isActive: false } })],
  ])("the link is shown where the browser %s", (_, prepare) => {
    prepare();
    reply();
    expect(tab.location.href).toBe("");
    const shown = /** @type {HTMLAnchorElement} */ (document.activeElement);
    expect([shown.textContent, shown.href, shown.rel]).toEqual(["Open Jupyter of train-1", url, "noopener noreferrer"]);
    vi.unstubAllGlobals();
  });

  test("the rows keep their places while it is shown", () => {
    model.receive({ type: "patch", version: 2, added: [encodeRow(podRow({ id: "2", created_at: 1_800_000_000 }))] });
    expect(view.table.ids).toEqual(["1", "2"]);
    view.jupyterPopup.close();
    expect(view.table.ids).toEqual(["2", "1"]);
  });

  test("an error is shown with another try", () => {
    reply({ error: "Pod train-1 does not answer." }, []);
    expect(dialog().querySelector(".yotta-is-invalid")?.textContent).toBe("Pod train-1 does not answer.");
    [...dialog().querySelectorAll("button")].find((button) => button.textContent === "Try again")?.click();
    expect(requests().length).toBe(2);
    expect(dialog().textContent).toContain("Connecting…");
    reply();
    expect(tab.location.href).toBe(url);
  });

  test("a link that arrives twice, or after the popup was closed, opens nothing", () => {
    reply();
    tab.location.href = "";
    reply();
    view.jupyterPopup.close();
    labelled(view, "Open Jupyter of train-1").click();
    view.jupyterPopup.close();
    reply();
    expect(tab.location.href).toBe("");
  });

  test("a lost kernel is an error at once", () => {
    view.jupyterPopup.close();
    model.loseKernel();
    labelled(view, "Open Jupyter of train-1").click();
    expect(dialog().textContent).toContain("The kernel has gone.");
    expect(requests().length).toBe(1);
  });

  test("a page from another machine says where its notebook server is", () => {
    document.body.append(
      h("script", { id: "jupyter-config-data", type: "application/json" }, '{"baseUrl": "/user/me/"}'),
    );
    expect(remoteServerPath()).toBeNull();
    vi.stubGlobal("location", { protocol: "https:", hostname: "hub.example.com" });
    expect(remoteServerPath()).toBe("/user/me/");
    vi.stubGlobal("location", { protocol: "vscode-webview:", hostname: "a1b2" });
    expect(remoteServerPath()).toBeNull();
    vi.unstubAllGlobals();
    document.getElementById("jupyter-config-data")?.remove();
  });
});

describe("a guard", () => {
  const GUARD = { rule: "after 8h", state: "active", idle_since: null, is_near: false, problem: "" };
  const guardIn = (/** @type {number} */ minutes, changes = {}) => ({
    ...{ ...GUARD, pauses_at: Date.now() / 1000 + minutes * 60 },
    ...changes,
  });
  const NEAR = { is_near: true };

  test("its row shows the countdown, and those of other pods nothing", () => {
    const view = open(TWO_PODS, { guards: { 1: guardIn(42) } });
    const text = (/** @type {string} */ id) => view.table.rowViews.get(id)?.guard.textContent;
    expect([text("1"), text("2")]).toEqual(["pauses in 42 min", ""]);
    expect(view.guardNotice.element.hidden).toBe(true);
    model.receive({ type: "patch", version: 2, guards: { 2: guardIn(42, { problem: "stalled" }) } });
    expect([text("1"), text("2")]).toEqual(["", "guard NOT enforced"]);
  });

  test("it is put off with one click, and the result is shown", () => {
    const view = open(TWO_PODS, { guard_extension: 3600, guards: { 1: guardIn(8, NEAR), 2: guardIn(9, NEAR) } });
    const { element, button } = view.guardNotice;
    expect(element.textContent).toBe("train-1 is paused in 8 min by its guard, eval-1 in 9 minPut off 1 h");
    const label = "Put off the guard of train-1 by 1 h";
    labelled(view, label).click();
    button.click();
    expect(model.sent.map(({ message }) => message)).toEqual([{ type: "extend_guard", pod_id: "1" }]);
    model.receive({ type: "guard_extended", pod_id: "1", error: "The database of guards is locked." });
    expect(element.textContent).toBe("The database of guards is locked.Put off 1 h");
    labelled(view, label).click();
    model.receive({ type: "guard_extended", pod_id: "1", error: "" });
    expect([element.textContent, button.hidden]).toEqual([expect.stringContaining("is put off by 1 h"), true]);
    expect(views[1].guardNotice.element.textContent).toContain("train-1 is paused in 8 min");
    model.receive({ type: "patch", version: 2, guards: { 1: guardIn(68), 2: guardIn(9, NEAR) } });
    vi.advanceTimersByTime(8000);
    view.updateTime();
    expect(element.textContent).toContain("eval-1 is paused in 9 min by its guard");
  });

  test("an alert has precedence, and guards that cannot be read are one line", () => {
    const view = open(TWO_PODS, { guards_error: "The database of guards is locked.", error: "no answer" });
    const { element, button } = view.guardNotice;
    expect(element.hidden).toBe(true);
    model.receive({ type: "patch", version: 2, error: null });
    expect([element.hidden, button.hidden]).toEqual([false, true]);
    expect(element.textContent).toContain("The database of guards is locked.");
  });
});
