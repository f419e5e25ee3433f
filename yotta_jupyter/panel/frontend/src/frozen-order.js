// @ts-check
import { GONE, LAUNCHING } from "./protocol.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */

/** Keeps rows in their places while the user may click on them, also rows of pods that are not listed any more. */
export class FrozenOrder {
  constructor() {
    /** The latest rows by id; null while the order is not frozen. @type {Map<string, PodRow> | null} */
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
   * Return the ids to show: those shown now in their places, then the new ones. A new pod takes the place of a
   * launch that has ended.
   *
   * @param {string[]} shown the ids shown now
   * @param {string[]} sorted the ids that would be shown
   * @param {Map<string, PodRow>} rows of the listed pods
   * @returns {string[]}
   */
  merge(shown, sorted, rows) {
    const before = new Set(shown);
    const added = sorted.filter((id) => !before.has(id));
    const kept = shown.map((id) => {
      const isEndedLaunch = !rows.has(id) && this._rows?.get(id)?.status === LAUNCHING;
      return isEndedLaunch ? (added.shift() ?? id) : id;
    });
    for (const [id, row] of rows) this._rows?.set(id, row);
    return [...kept, ...added];
  }

  /**
   * @param {string} id
   * @returns {PodRow | undefined} the row of a pod that is not listed any more, with all buttons disabled
   */
  goneRow(id) {
    const row = this._rows?.get(id);
    return row && { ...row, status: GONE, actions: [], ssh: null, jupyter: null, pending: null, error: null };
  }
}
