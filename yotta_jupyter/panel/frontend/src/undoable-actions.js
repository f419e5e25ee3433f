// @ts-check
/**
 * Pods of one delete or pause; `isBulk` if they were selected together.
 *
 * @typedef {{ action: string, ids: string[], isBulk: boolean }} ActionGroup
 */

/** The actions that can still be undone: until when, and which of them were requested together. */
export class UndoableActions {
  constructor() {
    /** In milliseconds, by row. @type {Map<string, number>} */
    this._deadlines = new Map();
    /** The actions of this page, oldest first. @type {ActionGroup[]} */
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
   * Start the countdown of a row. The kernel's countdown starts a little later.
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
   * Stop the countdowns of rows whose action cannot be undone any more.
   *
   * @param {(id: string) => boolean} canUndo
   */
  stopUnless(canUndo) {
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

  /** @param {ActionGroup} group */
  addGroup(group) {
    this._groups.push(group);
  }

  /**
   * Forgets the groups that cannot be undone any more.
   *
   * @param {(id: string) => string | null} actionOf returns the action of a row that can still be undone
   * @returns {ActionGroup | null} the last one, without the pods that cannot be undone any more
   */
  last(actionOf) {
    for (let group = this._groups.at(-1); group; group = this._groups.at(-1)) {
      const { action, ids, isBulk } = group;
      const undoable = ids.filter((id) => actionOf(id) === action);
      if (undoable.length) return { action, ids: undoable, isBulk };
      this._groups.pop();
    }
    // Actions of another page, or of this page before it was loaded again.
    const restored = [...this._deadlines.keys()];
    const action = restored.map(actionOf).findLast((each) => each !== null);
    if (!action) return null;
    const ids = restored.filter((id) => actionOf(id) === action);
    return { action, ids, isBulk: ids.length > 1 };
  }
}
