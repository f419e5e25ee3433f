// @ts-check
import { h } from "./dom.js";

/** The message shown instead of rows: loading, no pods, or no match. */
export class EmptyState {
  /** @param {() => void} onLaunch moves the focus to the launch form */
  constructor(onLaunch) {
    this._onLaunch = onLaunch;
    this._state = "";
    this.element = h("div", { class: "yotta-empty-state" });
  }

  /** @param {{ loaded: boolean, total: number, matching: number }} rows */
  update({ loaded, total, matching }) {
    const state = total ? (matching ? "rows" : "no-match") : loaded ? "no-pods" : "loading";
    if (state === this._state) return;
    this._state = state;
    this.element.hidden = state === "rows";
    this.element.replaceChildren(...this._content(state));
  }

  /** @param {string} state */
  _content(state) {
    if (state === "no-match") return ["No pod fits the filters."];
    if (state === "loading") return ["Listing your pods…"];
    if (state !== "no-pods") return [];
    const onclick = this._onLaunch;
    return [
      h("strong", {}, "No pods yet"),
      h("span", {}, "Choose a GPU type and an image below; the pod appears here."),
      h("button", { type: "button", class: "yotta-button-secondary", onclick }, "Launch your first pod"),
    ];
  }
}
