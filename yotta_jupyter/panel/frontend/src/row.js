// @ts-check
import { ActionLock } from "./action-lock.js";
import { COPIED_MS } from "./clipboard.js";
import { COLUMNS } from "./columns.js";
import {
  h,
  iconButton,
  isDisabled,
  isSecondClick,
  setAttribute,
  setDisabled,
  setIcon,
  setLabel,
  setText,
} from "./dom.js";
import {
  displayName,
  formatGpus,
  formatGuard,
  formatGuardTooltip,
  formatStatus,
  formatStatusTooltip,
} from "./format.js";
import { undoableAction } from "./protocol.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./row-actions.js").RowActions} RowActions */
/** @typedef {import("./store.js").Action} Action */
/** @typedef {import("./store.js").Store} Store */

/** In these statuses, the button Pause becomes Resume. */
const RESUME_STATUSES = new Set(["PAUSED", "PAUSING"]);

const LOCK_REASON = "its action has just changed. Move the pointer away first";

/** The element of one row. It is reused for another pod when its own is out of view. */
export class RowView {
  /**
   * @param {Store} store
   * @param {RowActions} actions
   * @param {(id: string, selected: boolean, isRange: boolean) => void} onSelect
   */
  constructor(store, actions, onSelect) {
    this.store = store;
    /** @type {PodRow | null} */
    this.row = null;
    /** The row's position in the table, from 0; null after `invalidate`. @type {number | null} */
    this.index = null;
    this.checkbox = h("input", { type: "checkbox" });
    this.checkbox.addEventListener("click", (event) => onSelect(this.id, this.checkbox.checked, event.shiftKey));
    const act = (/** @type {MouseEvent} */ event) => {
      const button = /** @type {HTMLElement} */ (event.currentTarget);
      if (isDisabled(button) || isSecondClick(event)) return;
      actions.act(this.id, /** @type {Action} */ (button.dataset.action));
    };
    this.pauseResumeButton = iconButton("pause", "", act);
    this.sshButton = textButton("SSH", "yotta-ssh-button", () => this._copySsh(actions));
    /** While the SSH button says "Copied". @type {ReturnType<typeof setTimeout> | undefined} */
    this._copiedTimer = undefined;
    this.jupyterButton = textButton("Jupyter", "yotta-jupyter-button", () =>
      actions.openJupyter(this.id, this.jupyterButton),
    );
    setAttribute(this.jupyterButton, "aria-haspopup", "dialog");
    this.deleteButton = iconButton("delete", "", act);
    this.deleteButton.classList.add("yotta-delete-button");
    const onUnlock = () => this.row && this._updateButtons(this.row);
    this._locks = new Map([
      [this.pauseResumeButton, new ActionLock(this.pauseResumeButton, onUnlock)],
      [this.deleteButton, new ActionLock(this.deleteButton, onUnlock)],
    ]);
    this.dismissButton = iconButton("close", "Dismiss", () => {
      actions.dismissError(this.id);
      this.deleteButton.focus();
    });
    this.title = h("span", { class: "yotta-title", dir: "auto" });
    this.guard = h("span", { class: "yotta-guard" });
    this.hardware = h("span", { class: "yotta-hardware", dir: "auto" });
    this.subtitle = h("span", { class: "yotta-subtitle" }, this.guard, this.hardware);
    this.status = h("span", { class: "yotta-status-text" });
    this.message = h("span", { class: "yotta-row-message-text", dir: "auto" });
    /** The cells of columns with a text. */
    this.textCells = COLUMNS.filter((column) => column.text).map((column) => ({ column, cell: textCell(column) }));
    this.element = h(
      "div",
      { role: "row", class: "yotta-row" },
      cell("yotta-select-cell", this.checkbox),
      cell("yotta-name", this.title, this.subtitle),
      cell("yotta-status", h("span", { class: "yotta-status-indicator", "aria-hidden": "true" }), this.status),
      ...this.textCells.map(({ cell }) => cell),
      cell("yotta-row-message", this.message, this.dismissButton),
      cell("yotta-actions", this.pauseResumeButton, this.sshButton, this.jupyterButton, this.deleteButton),
    );
  }

  /** @returns {string} */
  get id() {
    return this.element.dataset.podId ?? "";
  }

  /** Make the next rendering of the table update this view. */
  invalidate() {
    this.index = null;
  }

  /** @returns {boolean} whether it shows the countdown of an action */
  get isCountingDown() {
    return undoableAction(this.element.dataset.pending ?? null) !== null;
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
    if (row.id !== this.id) {
      for (const lock of this._locks.values()) lock.reset();
      this._hideCopied();
    }
    setAttribute(element, "data-pod-id", row.id);
    setAttribute(element, "data-status", row.status);
    setAttribute(element, "data-transitional", store.meta.transitional.includes(row.status) ? "true" : null);
    setAttribute(element, "data-pending", pending);
    const note = row.error ? null : store.pendingNote(row);
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
    setText(this.message, row.error ?? note ?? "");
    setAttribute(this.message, "title", row.error ?? note);
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

  /** @param {RowActions} actions */
  async _copySsh(actions) {
    const { id } = this;
    const copied = await actions.copySsh(id, this.sshButton);
    if (copied && id === this.id) this._showCopied();
  }

  _showCopied() {
    this._hideCopied();
    this.sshButton.classList.add("yotta-is-copied");
    setText(this.sshButton, "Copied");
    this._copiedTimer = setTimeout(() => this._hideCopied(), COPIED_MS);
  }

  _hideCopied() {
    clearTimeout(this._copiedTimer);
    this.sshButton.classList.remove("yotta-is-copied");
    setText(this.sshButton, "SSH");
  }

  /** @param {{ index: number, top: number }} position */
  _move({ index, top }) {
    this.index = index;
    this.element.style.transform = `translateY(${top}px)`;
    setAttribute(this.element, "aria-rowindex", index + 2); // Counted from 1, which is the row of headings.
  }

  /** @param {PodRow} row */
  _updateGuard(row) {
    const guard = row.has_ended ? undefined : this.store.meta.guards[row.id];
    const enforcement = guard?.problem ? "not-enforced" : "enforced";
    setAttribute(this.element, "data-guard", guard ? enforcement : null);
    setText(this.guard, guard ? formatGuard(guard, Date.now() / 1000, row.actions.includes("pause")) : "");
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
    if (undoable) {
      setIcon(deleteButton, "undo", "Undo");
      this._setAction(deleteButton, "undo", `Undo ${undoable} ${name}`, true);
    } else {
      setIcon(deleteButton, "delete");
      this._setAction(deleteButton, "delete", `Delete ${name}`, store.can(row, "delete"));
    }
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
    const whyLocked = lock.isLocked ? LOCK_REASON : "";
    const whyDisabled = isPossible ? whyLocked : this.store.unavailableReason();
    setLabel(button, label, whyDisabled);
    if (!whyDisabled) setAttribute(button, "title", tooltip);
    setDisabled(button, !isPossible || lock.isLocked);
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
