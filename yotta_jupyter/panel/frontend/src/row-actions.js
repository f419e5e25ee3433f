// @ts-check
import { isDisabled } from "./dom.js";
import { displayName, formatPauseLosses, PROGRESS_LABELS, withUndoHint } from "./format.js";
import { undoableAction } from "./protocol.js";

/** @typedef {import("./store.js").Action} Action */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** What the buttons of a row do. */
export class RowActions {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this.context = context;
  }

  /**
   * @param {string} id
   * @param {Action} action
   */
  act(id, action) {
    const row = this.store.rows.get(id);
    if (!row) return;
    const losses = action === "pause" ? this.store.pauseLosses([id]) : [];
    const undoneAction = undoableAction(this.store.pendingAction(row));
    this.store.act(action, [id]);
    const progress = action === "undo" ? `Undoing the ${undoneAction} of` : PROGRESS_LABELS[action];
    const text = `${progress} ${displayName(row)}${formatPauseLosses(losses)}`;
    const canUndo = undoableAction(this.store.pendingAction(row)) !== null;
    this.context.announce(canUndo ? withUndoHint(text) : text);
  }

  /**
   * @param {string} id
   * @param {HTMLElement} button
   * @returns {Promise<boolean>} whether the command was copied
   */
  async copySsh(id, button) {
    const row = this.store.rows.get(id);
    if (!row) return false;
    const command = this.store.sshCommand(row);
    if (isDisabled(button) || !command) {
      this.context.announce(`${displayName(row)} is not reachable by SSH now`);
      return false;
    }
    return this.context.copy(command, `the SSH command of ${displayName(row)}`);
  }

  /**
   * @param {string} id
   * @param {HTMLElement} button
   */
  openJupyter(id, button) {
    if (!isDisabled(button)) this.context.showJupyter(id, button);
  }

  /** @param {string} id */
  dismissError(id) {
    this.store.send({ type: "dismiss", pods: [id] });
  }
}
