// @ts-check
import { afterEach, expect, test } from "vitest";
import createWidget from "../../../yotta_jupyter/panel/frontend/src/index.js";
import { encodeSnapshot, FakeModel, podRow } from "./fixtures.js";

/** @type {(() => void)[]} */
let closers = [];

/**
 * Open a widget with two views, as anywidget does.
 *
 * @param {FakeModel} model
 */
async function openWidget(model) {
  const widget = await createWidget();
  const props = /** @type {any} */ ({ model: model.asModel() });
  const close = /** @type {() => void} */ (await widget.initialize?.(props));
  const views = [];
  for (let count = 0; count < 2; count++) {
    const el = document.createElement("div");
    document.body.append(el);
    closers.push(/** @type {() => void} */ (await widget.render?.({ ...props, el })));
    views.push(el);
  }
  closers.push(close);
  return views;
}

afterEach(() => {
  for (const close of closers) close();
  closers = [];
  document.body.replaceChildren();
});

/** @param {Element} view */
const totals = (view) => view.querySelector(".yotta-totals")?.textContent;

/** @param {number} total */
const totalsOf = (total) => ({ running: 1, paused: 0, ended: 3, total, hourly_cost: 1.5, unpriced_pods: 0 });

test("each model has a store of its own, shared by its views", async () => {
  const first = new FakeModel(encodeSnapshot([podRow()], { totals: totalsOf(1) }));
  const second = new FakeModel(encodeSnapshot([podRow()], { totals: totalsOf(2) }));
  const views = [...(await openWidget(first)), ...(await openWidget(second))];
  first.receive({ type: "patch", version: 2, totals: { total: 9 } });
  expect(views.map(totals)).toEqual([9, 9, 2, 2].map((n) => `1 running0 paused3 ended${n} in all$1.50 an hour now`));
});

test("the totals are those that the kernel sends", async () => {
  const [view] = await openWidget(new FakeModel(encodeSnapshot([], { totals: totalsOf(4711) })));
  expect(totals(view)).toContain("4,711 in all");
});

test("the form offers what the kernel sends", async () => {
  const choices = {
    gpu_types: [{ id: "NVIDIA_L4_24G", value: "L4", display_name: "L4", vram_in_gb: 24, price: 0.6 }],
    gpu_counts: [1, 3],
    images: [{ id: "me/own:1", value: "me/own:1", label: "own", official: false }],
    default_image: "",
    regions: [],
    clouds: ["SECURE"],
    default_ports: "22/SSH",
  };
  const [view] = await openWidget(new FakeModel(encodeSnapshot([], { choices })));
  const counts = view.querySelectorAll("[data-field=gpu_count] option");
  expect([...counts].map((option) => option.textContent)).toEqual(["1", "3"]);
  expect(view.querySelector("[data-field=expose]")?.getAttribute("placeholder")).toBe("Default: 22/SSH");
});

test("visibility is reported for each view until it is closed", async () => {
  const model = new FakeModel(encodeSnapshot([podRow()]));
  await openWidget(model);
  const reports = () => model.sent.map(({ message }) => message).filter(({ type }) => type === "view");
  expect(reports().map(({ visible }) => visible)).toEqual([true, true]);
  closers.shift()?.();
  expect(reports().at(-1)).toEqual({ type: "view", view_id: reports()[0].view_id, visible: false });
});
