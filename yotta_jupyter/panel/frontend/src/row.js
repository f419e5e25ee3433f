// @ts-check
import { ActionLock } from "./action-lock.js";
import { COLUMNS } from "./columns.js";
import { h, iconButton, isDisabled, setAttribute, setDisabled, setIcon, setLabel, setText } from "./dom.js";
import {
  displayName,
  formatGpus,
  formatGuard,
  formatGuardTooltip,
  formatStatus,
  formatStatusTooltip,
} from "./format.js";
import { icon } from "./icons.js";
import { undoableAction } from "./protocol.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./store.js").Action} Action */
/** @typedef {import("./store.js").Store} Store */

/**
 * @typedef {object} RowHandlers
 * @property {(id: string, selected: boolean, isRange: boolean) => void} onSelect
 * @property {(id: string, action: Action) => void} onAction
 * @property {(id: string, button: HTMLElement) => void} onCopySsh
 * @property {(id: string, button: HTMLElement) => void} onJupyter
 * @property {(id: string) => void} onDismiss
 */

/** Statuses in which the pause or resume button resumes. In all others it pauses. */
const RESUME_STATUSES = new Set(["PAUSED", "PAUSING"]);

const LOCK_REASON = "its action has just changed. Move the pointer away first";

/** The element of one row. It is reused for another pod when its own is out of view. */
export class RowView {
  /**
   * @param {Store} store
   * @param {RowHandlers} handlers
   */
  constructor(store, { onSelect, onAction, onCopySsh, onJupyter, onDismiss }) {
    this.store = store;
    /** @type {PodRow | null} */
    this.row = null;
    /** The row's position in the table, from 0; null to force an update. @type {number | null} */
    this.index = null;
    this.checkbox = h("input", { type: "checkbox" });
    this.checkbox.addEventListener("click", (event) => onSelect(this.id, this.checkbox.checked, event.shiftKey));
    const act = (/** @type {MouseEvent} */ event) => {
      const button = /** @type {HTMLElement} */ (event.currentTarget);
      if (isDisabled(button) || event.detail > 1) return; // The second click of a double click would undo the first.
      onAction(this.id, /** @type {Action} */ (button.dataset.action));
    };
    this.pauseResumeButton = iconButton("pause", "", act);
    this.sshButton = textButton("SSH", "yotta-ssh-button", () => onCopySsh(this.id, this.sshButton));
    this.jupyterButton = textButton("Jupyter", "yotta-jupyter-button", () => {
      if (!isDisabled(this.jupyterButton)) onJupyter(this.id, this.jupyterButton);
    });
    setAttribute(this.jupyterButton, "aria-haspopup", "dialog");
    this.deleteButton = iconButton("delete", "", act);
    this.deleteButton.classList.add("yotta-delete-button");
    const unlock = () => this.row && this._updateButtons(this.row);
    this._locks = new Map(
      [this.pauseResumeButton, this.deleteButton].map((each) => [each, new ActionLock(each, unlock)]),
    );
    this.dismissButton = iconButton("close", "Dismiss", () => {
      onDismiss(this.id);
      this.deleteButton.focus();
    });
    this.title = h("span", { class: "yotta-title", dir: "auto" });
    this.guard = h("span", { class: "yotta-guard" });
    this.hardware = h("span", { class: "yotta-hardware", dir: "auto" });
    this.subtitle = h("span", { class: "yotta-subtitle" }, this.guard, this.hardware);
    this.status = h("span", { class: "yotta-status-text" });
    this.error = h("span", { class: "yotta-error-text", dir: "auto" });
    /** The cells of columns with a text. */
    this.textCells = COLUMNS.filter((column) => column.text).map((column) => ({ column, cell: textCell(column) }));
    this.element = h(
      "div",
      { role: "row", class: "yotta-row" },
      cell("yotta-select-cell", this.checkbox),
      cell("yotta-name", this.title, this.subtitle),
      cell("yotta-status", h("span", { class: "yotta-status-indicator", "aria-hidden": "true" }), this.status),
      ...this.textCells.map(({ cell }) => cell),
      cell("yotta-error", this.error, this.dismissButton),
      cell("yotta-actions", this.pauseResumeButton, this.sshButton, this.jupyterButton, this.deleteButton),
    );
  }

  /** @returns {string} */
  get id() {
    return this.element.dataset.podId ?? "";
  }

  /**
   * Show a row.
   *
   * @param {PodRow} row
   * @param {{ index: number, top: number }} [position] omitted if unchanged
   */
  update(row, position) {
    this.row = row;
    if (position) this._move(position);
    const { element, store } = this;
    const name = displayName(row);
    const pending = store.pendingAction(row);
    const selected = store.selected.has(row.id);
    if (row.id !== this.id) for (const lock of this._locks.values()) lock.reset();
    setAttribute(element, "data-pod-id", row.id);
    setAttribute(element, "data-status", row.status);
    setAttribute(element, "data-pending", pending);
    const note = row.error ? null : store.pauseNote(row);
    setAttribute(element, "data-error", row.error ? "true" : null);
    setAttribute(element, "data-note", note ? "true" : null);
    setAttribute(element, "aria-selected", String(selected));
    this.checkbox.checked = selected;
    setAttribute(this.checkbox, "aria-label", `Select ${name}`);
    setText(this.title, name);
    const fullName = row.name ? `${row.name} (${row.id})` : row.id;
    setAttribute(this.title, "title", row.pause_loss ? `${fullName}\n${row.pause_loss}` : fullName);
    setText(this.hardware, [formatGpus(row), row.region].filter(Boolean).join(" · "));
    this._updateGuard(row);
    const undoSeconds = store.undoSecondsLeft(row.id);
    const { connected } = store;
    setText(this.status, formatStatus(row.status, pending, { stalled: store.isStalled(row), undoSeconds, connected }));
    setAttribute(this.status, "title", formatStatusTooltip(row.status, pending, connected));
    for (const { column, cell } of this.textCells) {
      setText(cell, column.text?.(row) ?? "");
      setAttribute(cell, "title", column.tooltip?.(row));
    }
    setText(this.error, row.error ?? note ?? "");
    setAttribute(this.error, "title", row.error ?? note);
    this.dismissButton.hidden = !row.error;
    this._updateButtons(row);
  }

  /** @returns {NodeListOf<HTMLElement>} the elements that can have the focus */
  controls() {
    return this.element.querySelectorAll("input, button");
  }

  /** @returns {boolean} */
  hasFocus() {
    return this.element.contains(document.activeElement);
  }

  /** @param {{ index: number, top: number }} position */
  _move({ index, top }) {
    this.index = index;
    this.element.style.transform = `translateY(${top}px)`;
    setAttribute(this.element, "aria-rowindex", index + 2); // Counted from 1, which is the row of headings.
  }

  /** @param {PodRow} row */
  _updateGuard(row) {
    const guard = this.store.meta.guards[row.id];
    let state = null;
    if (guard) state = guard.problem ? "not-enforced" : "enforced";
    setAttribute(this.element, "data-guard", state);
    setText(this.guard, guard ? formatGuard(guard, Date.now() / 1000) : "");
    setAttribute(this.guard, "title", guard && formatGuardTooltip(guard));
  }

  /** @param {PodRow} row */
  _updateButtons(row) {
    const { store, pauseResumeButton, sshButton, jupyterButton, deleteButton } = this;
    const name = displayName(row);
    const action = RESUME_STATUSES.has(row.status) ? "resume" : "pause";
    setIcon(pauseResumeButton, action);
    const loss = action === "pause" ? row.pause_loss : null;
    const label = action === "resume" ? `Resume ${name}` : `Pause ${name}`;
    this._setAction(pauseResumeButton, action, label, store.can(row, action), loss ? `${label}. ${loss}` : label);
    setLabel(sshButton, `Copy SSH command of ${name}`, unreachableReason(row, "SSH is"));
    setDisabled(sshButton, !row.ssh);
    const jupyterReason = row.jupyter ? "" : unreachableReason(row, "SSH and Jupyter are");
    setLabel(jupyterButton, `Open Jupyter of ${name}`, jupyterReason);
    setDisabled(jupyterButton, !row.ssh && !row.jupyter);
    const undoable = store.connected ? undoableAction(store.pendingAction(row)) : null;
    this._setDeleteIcon(undoable !== null);
    if (undoable) this._setAction(deleteButton, "undo", `Undo ${undoable} ${name}`, true);
    else this._setAction(deleteButton, "delete", `Delete ${name}`, store.can(row, "delete"));
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {Action} action
   * @param {string} label
   * @param {boolean} isPossible
   * @param {string} [tooltip]
   */
  _setAction(button, action, label, isPossible, tooltip = label) {
    const lock = /** @type {ActionLock} */ (this._locks.get(button));
    lock.update(isPossible ? action : null);
    button.dataset.action = action;
    const lockReason = lock.isLocked ? LOCK_REASON : "";
    const reason = isPossible ? lockReason : this.store.unavailableReason();
    setLabel(button, label, reason);
    if (!reason) setAttribute(button, "title", tooltip);
    setDisabled(button, !isPossible || lock.isLocked);
  }

  /** @param {boolean} canUndo */
  _setDeleteIcon(canUndo) {
    const { deleteButton } = this;
    if (!canUndo) setIcon(deleteButton, "delete");
    else if (deleteButton.dataset.icon !== "undo") {
      deleteButton.dataset.icon = "undo";
      deleteButton.replaceChildren(icon("undo"), h("span", {}, "Undo"));
    }
  }
}

/**
 * @param {string} text
 * @param {string} classes
 * @param {() => void} onclick
 */
function textButton(text, classes, onclick) {
  return h("button", { type: "button", class: `yotta-text-button ${classes}`, onclick }, text);
}

/**
 * @param {PodRow} row
 * @param {string} subject with its verb, such as "SSH is"
 * @returns {string} why the pod cannot be reached; empty if it can
 */
function unreachableReason(row, subject) {
  if (row.ssh) return "";
  return row.status === "RUNNING" ? `${subject} not exposed, or not ready yet` : "the pod is not running";
}

/**
 * @param {string} classes
 * @param {...Node} children
 */
function cell(classes, ...children) {
  return h("div", { role: "cell", class: classes }, ...children);
}

/** @param {import("./columns.js").Column} column */
function textCell(column) {
  return cell(`yotta-${column.name} ${column.classes ?? ""}`.trim());
}
