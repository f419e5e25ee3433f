// @ts-check
/** A panel with two views, for tests. */

import { vi } from "vitest";
import { Store } from "../../../yotta_jupyter/panel/frontend/src/store.js";
import { PanelView } from "../../../yotta_jupyter/panel/frontend/src/view.js";
import { encodeSnapshot, FakeModel, podRow } from "./fixtures.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/protocol.js").PodRow} PodRow */

export const TWO_PODS = [
  { id: "1", name: "train-1" },
  { id: "2", name: "eval-1" },
];

/** The model of the open panel. @type {FakeModel} */
export let model;
/** @type {Store} */
export let store;
/** @type {PanelView[]} */
export let views = [];

/**
 * Open a panel with two views.
 *
 * @param {Partial<PodRow>[]} rows
 * @param {Record<string, unknown>} [changes] to the snapshot
 * @returns {PanelView} the first view
 */
export function openPanel(rows, changes = {}) {
  model = new FakeModel(encodeSnapshot(rows.map(podRow), changes));
  store = new Store(model.asModel());
  views = [new PanelView(store), new PanelView(store)];
  for (const view of views) {
    document.body.append(view.root);
    view.table.renderRows();
  }
  return views[0];
}

/** Close the panel, and undo what a test has replaced. */
export function closePanel() {
  for (const view of views) view.close();
  store.close();
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.useRealTimers();
}

/**
 * @param {PanelView} view
 * @param {string} label
 * @returns {HTMLElement}
 */
export function labelled(view, label) {
  const element = view.root.querySelector(`[aria-label="${label}"]`);
  if (!element) throw new Error(`no element with the label ${label}`);
  return /** @type {HTMLElement} */ (element);
}

/**
 * @param {PanelView} view
 * @param {string} text
 */
export function filter(view, text) {
  view.filterBar.search.value = text;
  view.filterBar.search.dispatchEvent(new Event("input"));
}

/** @returns {any[]} the messages that were sent to the kernel */
export const sentMessages = () => model.sent.map(({ message }) => message);
