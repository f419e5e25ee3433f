// @ts-check
import { COPIED_MS } from "./clipboard.js";
import { isDisabled, setText } from "./dom.js";
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
   */
  async copySsh(id, button) {
    const row = this.store.rows.get(id);
    if (!row) return;
    const command = this.store.sshCommand(row);
    if (isDisabled(button) || !command) {
      this.context.announce(`${displayName(row)} is not reachable by SSH now`);
      return;
    }
    const copied = await this.context.copy(command, `the SSH command of ${displayName(row)}`);
    if (copied && isInRow(button, id)) showCopied(button);
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

/**
 * @param {HTMLElement} button
 * @param {string} id
 * @returns {boolean} whether the button is still in the row of a pod: row elements are reused
 */
function isInRow(button, id) {
  const element = /** @type {HTMLElement | null} */ (button.closest("[data-pod-id]"));
  return button.isConnected && element?.dataset.podId === id;
}

/** @param {HTMLElement} button the SSH button of a row */
function showCopied(button) {
  button.classList.add("yotta-is-copied");
  setText(button, "Copied");
  setTimeout(() => {
    button.classList.remove("yotta-is-copied");
    setText(button, "SSH");
  }, COPIED_MS);
}
