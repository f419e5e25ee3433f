// @ts-check
import { DEPARTED, LAUNCHING } from "./protocol.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */

/** Keeps rows in their places while the user may click on them. */
export class FrozenOrder {
  constructor() {
    /** The latest rows by id, also of pods that are not listed any more. @type {Map<string, PodRow> | null} */
    this._rows = null;
  }

  /** @returns {boolean} */
  get isActive() {
    return this._rows !== null;
  }

  /** @param {Map<string, PodRow>} rows */
  freeze(rows) {
    this._rows ??= new Map(rows);
  }

  /** @returns {boolean} whether the order was frozen */
  release() {
    const wasActive = this.isActive;
    this._rows = null;
    return wasActive;
  }

  /**
   * @param {string[]} shown the ids shown now
   * @param {string[]} sorted the ids that would be shown
   * @param {Map<string, PodRow>} rows those that are listed
   * @returns {string[]} those shown in their places, then the new ones; the first new ones replace the rows of launches
   *   that have ended
   */
  merge(shown, sorted, rows) {
    const before = new Set(shown);
    const added = sorted.filter((id) => !before.has(id));
    const isEndedLaunch = (/** @type {string} */ id) => !rows.has(id) && this._rows?.get(id)?.status === LAUNCHING;
    const kept = shown.map((id) => (isEndedLaunch(id) ? (added.shift() ?? id) : id));
    for (const [id, row] of rows) this._rows?.set(id, row);
    return [...kept, ...added];
  }

  /**
   * @param {string} id
   * @returns {PodRow | undefined} the row of a pod that is not listed any more, without anything to click
   */
  departed(id) {
    const row = this._rows?.get(id);
    return row && { ...row, status: DEPARTED, actions: [], ssh: null, jupyter: null, pending: null, error: null };
  }
}
