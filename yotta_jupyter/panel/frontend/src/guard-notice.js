// @ts-check
import { h, isDisabled, isSecondClick, setAttribute, setDisabled, setText } from "./dom.js";
import { displayName, formatDuration } from "./format.js";

/** @typedef {import("./protocol.js").Guard} Guard */
/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").GuardExtendedMessage} GuardExtendedMessage */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** How long the notice shows that a pause was put off. */
const RESULT_MS = 8000;

/** Says which pod is paused soon by its guard, with a button that puts off the pause. */
export class GuardNotice {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback moves the focus when the button disappears
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._focusFallback = focusFallback;
    /** The pod whose pause is being put off. @type {string | null} */
    this._pendingId = null;
    /** Why the pause of a pod could not be put off. @type {{ id: string, text: string } | null} */
    this._error = null;
    /** The text that a pause was put off, and until when it is shown, in milliseconds. */
    this._result = { text: "", until: 0 };
    /** The pod that was announced last. @type {string | undefined} */
    this._announcedId = undefined;
    this._text = h("span", { class: "yotta-message-text", dir: "auto" });
    this.button = h("button", { type: "button", class: "yotta-button-secondary" });
    this.button.addEventListener("click", (event) => {
      if (!isSecondClick(event) && !isDisabled(this.button)) this._extendGuard();
    });
    this.element = h(
      "div",
      { class: "yotta-message yotta-guard-notice", role: "group", "aria-label": "Guards", hidden: true },
      this._text,
      this.button,
    );
  }

  /** @param {{ isCovered: boolean }} options `isCovered`: whether the alert of the header is shown in the same place */
  update({ isCovered }) {
    const [nearest, ...others] = this._nearGuards();
    const result = Date.now() < this._result.until ? this._result.text : "";
    const text = result || this._describe(nearest, others);
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = isCovered || !text;
    setText(this._text, text);
    setAttribute(this._text, "title", text);
    this._updateButton(result ? undefined : nearest?.row);
    if (hadFocus && (this.element.hidden || this.button.hidden)) this._focusFallback();
    if (result) return;
    if (nearest && nearest.row.id !== this._announcedId) this.context.announce(text);
    this._announcedId = nearest?.row.id;
  }

  /** @param {GuardExtendedMessage} message */
  onResult({ pod_id, error }) {
    if (pod_id !== this._pendingId) return; // The reply to another view.
    this._pendingId = null;
    const row = this.store.rows.get(pod_id);
    if (error) this._error = { id: pod_id, text: error };
    else if (row) {
      const text = `The guard of ${displayName(row)} is put off by ${formatDuration(this.store.meta.guard_extension)}`;
      this._result = { text, until: Date.now() + RESULT_MS };
    }
    this.context.announce(error || this._result.text);
  }

  /**
   * @param {NearGuard | undefined} nearest
   * @param {NearGuard[]} others
   * @returns {string} empty if there is nothing to say
   */
  _describe(nearest, others) {
    if (!nearest) return this.store.meta.guards_error ?? "";
    return nearest.row.id === this._error?.id ? this._error.text : describeNear(nearest, others);
  }

  /** @returns {NearGuard[]} the next pause first */
  _nearGuards() {
    const { rows, meta } = this.store;
    const near = [];
    for (const [id, guard] of Object.entries(meta.guards)) {
      const row = rows.get(id);
      if (row && guard.is_near) near.push({ row, guard });
    }
    return near.sort((a, b) => Number(a.guard.pauses_at) - Number(b.guard.pauses_at));
  }

  /** @param {PodRow | undefined} row the pod whose pause can be put off */
  _updateButton(row) {
    this.button.hidden = !row;
    if (!row) return;
    const isPending = this._pendingId !== null;
    const duration = formatDuration(this.store.meta.guard_extension);
    this.button.dataset.podId = row.id;
    setText(this.button, isPending ? "Putting off…" : `Put off ${duration}`);
    setAttribute(this.button, "aria-label", `Put off the guard of ${displayName(row)} by ${duration}`);
    setDisabled(this.button, isPending);
  }

  _extendGuard() {
    const id = this.button.dataset.podId ?? "";
    this._pendingId = id;
    this._error = null;
    this.store.send({ type: "extend_guard", pod_id: id });
    this._updateButton(this.store.rows.get(id));
  }
}

/** @typedef {{ row: PodRow, guard: Guard }} NearGuard a guard that pauses its pod soon */

/**
 * @param {NearGuard} nearest
 * @param {NearGuard[]} others
 * @returns {string} such as "train is paused in 8 min by its guard, eval in 9 min"
 */
function describeNear({ row, guard }, others) {
  const { state, problem } = guard;
  const name = displayName(row);
  const left = formatTimeLeft(guard);
  let text = `${name} is paused ${left} by its guard`;
  if (state === "pausing") text = `${name} is being paused by its guard`;
  else if (problem) text = `${name} should be paused ${left}, but its guard is NOT enforced`;
  const further = others.map((other) => `${displayName(other.row)} ${formatTimeLeft(other.guard)}`);
  return [text, ...further].join(", ");
}

/**
 * @param {Guard} guard
 * @returns {string} such as "in 8 min"
 */
function formatTimeLeft({ pauses_at }) {
  return `in ${formatDuration(Number(pauses_at) - Date.now() / 1000)}`;
}
