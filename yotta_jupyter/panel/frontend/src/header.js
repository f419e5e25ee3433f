// @ts-check
import { h, iconButton, setAttribute, setText } from "./dom.js";
import { formatDollars, formatPodCount, formatTime } from "./format.js";
import { HEARTBEAT_S } from "./lifecycle.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./protocol.js").Totals} Totals */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** A total is hidden if its text is empty. @type {{ label: string, text: (totals: Totals) => string }[]} */
const TOTALS = [
  { label: "running", text: ({ running }) => running.toLocaleString() },
  { label: "paused", text: ({ paused }) => paused.toLocaleString() },
  { label: "ended", text: ({ ended }) => (ended ? ended.toLocaleString() : "") },
  { label: "in all", text: ({ total }) => total.toLocaleString() },
  { label: "an hour now", text: ({ hourly_cost }) => formatDollars(hourly_cost) },
];

/**
 * The totals, when the pods were refreshed, and a line for messages: the address of the API, or why the rows are out of
 * date.
 */
export class Header {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this._badge = h("span", { class: "yotta-badge", hidden: true }, "SANDBOX");
    this._endpoint = h("span", { class: "yotta-endpoint" });
    this._totals = TOTALS.map(({ label, text }) => {
      const number = h("strong");
      return { element: h("span", {}, number, " ", h("span", {}, label)), number, text };
    });
    const totals = this._totals.map(({ element }) => element);
    this._cost = /** @type {HTMLElement} */ (totals.at(-1));
    this._refreshedAt = h("span");
    const refresh = iconButton("refresh", "Refresh", () => {
      store.send({ type: "refresh" });
      context.announce("Refreshing");
    });
    this._alertText = h("span", { class: "yotta-message-text", role: "alert" });
    this.alert = h("div", { class: "yotta-message", hidden: true }, this._alertText);
    /** One message is shown at a time, and the endpoint if there is none. */
    this.messages = h("div", { class: "yotta-messages" }, this._endpoint, this.alert);
    this.element = h(
      "header",
      { class: "yotta-header" },
      this._badge,
      h("div", { class: "yotta-totals" }, ...totals),
      h("div", { class: "yotta-refresh" }, this._refreshedAt, refresh),
      this.messages,
    );
  }

  update() {
    const { base_url, loaded, sandbox, totals } = this.store.meta;
    this._badge.hidden = !sandbox;
    setText(this._endpoint, sandbox ? "Nothing costs money" : base_url);
    setAttribute(this._endpoint, "title", base_url);
    for (const { element, number, text } of this._totals) {
      setText(number, loaded ? text(totals) : "–");
      element.hidden = !number.textContent;
    }
    const { unpriced_pods } = totals;
    setAttribute(
      this._cost,
      "title",
      unpriced_pods ? `without ${formatPodCount(unpriced_pods)} of unknown price` : null,
    );
    this.updateTime();
  }

  /** Show how old the rows are. */
  updateTime() {
    const { connected, meta, lastMessageAt } = this.store;
    const now = Date.now() / 1000;
    // A hanging kernel does not reply to heartbeats. A notebook that is opened again may have no kernel.
    const isAlive = connected && now - lastMessageAt / 1000 < 3 * HEARTBEAT_S;
    let text = meta.refreshed_at ? `As of ${formatTime(meta.refreshed_at)}` : "";
    let tooltip = null;
    if (meta.refreshed_at && isAlive && meta.interval && !meta.error && !meta.late) {
      // The kernel sends nothing if a refresh finds no changes. The latest refresh may still be running, and is reported as
      // late only after `late_after` seconds. So the refresh before is shown.
      const started = Math.floor((now - meta.refreshed_at - meta.late_after) / meta.interval);
      const succeeded = Math.max(0, started - 1);
      text = `Refreshed ${formatTime(meta.refreshed_at + succeeded * meta.interval)}`;
      tooltip = `Every ${meta.interval} s`;
    }
    setText(this._refreshedAt, text);
    setAttribute(this._refreshedAt, "title", tooltip);
    this._updateAlert();
  }

  _updateAlert() {
    const { connected, meta } = this.store;
    const retry = meta.error && meta.interval ? ` (It is tried again every ${meta.interval} s.)` : "";
    const text = connected
      ? `${meta.error ?? ""}${retry}`
      : `${this.store.kernelGoneText()} The rows are the last known state.`;
    this.alert.hidden = !text;
    setText(this._alertText, text);
    setAttribute(this._alertText, "title", text);
  }

  /** @returns {boolean} whether the rows may be out of date */
  isStale() {
    return !this.store.connected || Boolean(this.store.meta.error);
  }
}
