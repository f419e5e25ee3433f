// @ts-check
import { h, secondaryButton } from "./dom.js";

/** The message shown instead of rows: loading, no pods, or no match. */
export class EmptyState {
  /** @param {() => void} onLaunch moves the focus to the launch form */
  constructor(onLaunch) {
    this._onLaunch = onLaunch;
    this._state = "";
    this.element = h("div", { class: "yotta-empty-state" });
  }

  /**
   * @param {{ loaded: boolean, total: number, matching: number }} rows whether they were listed, how many there are, and
   *   how many match the filters
   */
  update({ loaded, total, matching }) {
    let state = loaded ? "no-pods" : "loading";
    if (total > 0) state = matching > 0 ? "rows" : "no-match";
    if (state === this._state) return;
    this._state = state;
    this.element.hidden = state === "rows";
    this.element.replaceChildren(...this._content(state));
  }

  /** @param {string} state */
  _content(state) {
    if (state === "rows") return [];
    if (state === "no-match") return ["No pod fits the filters."];
    if (state === "loading") return ["Listing your pods…"];
    return [
      h("strong", {}, "No pods yet"),
      h("span", {}, "Choose a GPU type and an image below; the pod appears here."),
      secondaryButton("Launch your first pod", this._onLaunch),
    ];
  }
}
