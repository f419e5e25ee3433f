// @ts-check
/** @typedef {{ ids: string[], isBulk: boolean }} DeleteGroup pods of one delete; `isBulk` if they were selected together */

/** The deletes that can still be undone: until when, and which of them were requested together. */
export class UndoableDeletes {
  constructor() {
    /** In milliseconds, by row. @type {Map<string, number>} */
    this._deadlines = new Map();
    /** The deletes of this page, oldest first. @type {DeleteGroup[]} */
    this._groups = [];
  }

  /**
   * @param {string} id
   * @returns {boolean} whether the countdown of a row runs
   */
  isRunning(id) {
    return this._deadlines.has(id);
  }

  /**
   * Start the countdown of a row. The kernel starts its own when it receives the click.
   *
   * @param {string} id
   * @param {number} seconds
   */
  start(id, seconds) {
    this._deadlines.set(id, Date.now() + seconds * 1000);
  }

  /** @param {string} id */
  stop(id) {
    this._deadlines.delete(id);
  }

  /**
   * Stop the countdowns of all other rows.
   *
   * @param {(id: string) => boolean} canUndo
   */
  keep(canUndo) {
    for (const id of [...this._deadlines.keys()]) if (!canUndo(id)) this.stop(id);
  }

  /**
   * @param {string} id
   * @returns {number} at least 1
   */
  secondsLeft(id) {
    const milliseconds = (this._deadlines.get(id) ?? 0) - Date.now();
    return Math.max(1, Math.ceil(milliseconds / 1000));
  }

  /** @param {DeleteGroup} group */
  addGroup(group) {
    this._groups.push(group);
  }

  /**
   * @param {(id: string) => boolean} canUndo
   * @returns {DeleteGroup} the last delete, without the pods that cannot be undone any more
   */
  last(canUndo) {
    for (let group = this._groups.at(-1); group; group = this._groups.at(-1)) {
      const ids = group.ids.filter(canUndo);
      if (ids.length) return { ids, isBulk: group.isBulk };
      this._groups.pop();
    }
    // Deletes of another page, or of this page before it was loaded again.
    const ids = [...this._deadlines.keys()].filter(canUndo);
    return { ids, isBulk: ids.length > 1 };
  }
}
