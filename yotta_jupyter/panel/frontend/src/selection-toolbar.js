// @ts-check
import { COPIED_MS } from "./clipboard.js";
import { h, isDisabled, isSecondClick, secondaryButton, setAttribute, setDisabled, setText } from "./dom.js";
import { formatDollars, formatPauseLosses, formatPodCount, PROGRESS_LABELS, withUndoHint } from "./format.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */
/** @typedef {"pause" | "resume" | "delete"} BulkAction */
/** @typedef {"pause" | "delete"} ConfirmableAction an action that may need a confirmation */

/** The actions on the selected pods, and the question that confirms an action. */
export class SelectionToolbar {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {{ countHidden: (ids: Iterable<string>) => number, focusFallback: () => void, focusUndo: () => void }}
   *   callbacks `countHidden` counts the pods whose rows the filters hide; `focusFallback` moves the focus when the
   *   toolbar disappears, `focusUndo` after a delete
   */
  constructor(store, context, { countHidden, focusFallback, focusUndo }) {
    this.store = store;
    this.context = context;
    this._countHidden = countHidden;
    this._focusFallback = focusFallback;
    this._focusUndo = focusUndo;
    /** What waits for a confirmation. @type {{ action: ConfirmableAction, ids: string[] } | null} */
    this._unconfirmed = null;
    this._count = h("strong");
    this._buttons = {
      pause: secondaryButton("Pause", (event) => this._act("pause", event)),
      resume: secondaryButton("Resume", (event) => this._act("resume", event)),
      delete: secondaryButton("Delete", (event) => this._act("delete", event)),
    };
    this._copyButton = secondaryButton("", () => this._copySsh());
    const clear = secondaryButton("Clear", () => {
      store.select([...store.selected], false);
      focusFallback();
    });
    this._actions = h(
      "div",
      { class: "yotta-overlay-bar yotta-selection-toolbar", hidden: true },
      this._count,
      this._buttons.pause,
      this._buttons.resume,
      this._copyButton,
      clear,
      this._buttons.delete,
    );
    this._question = h("strong");
    this._keepButton = secondaryButton("Keep", () => this._closeQuestion());
    this._confirmButton = h("button", { type: "button", class: "yotta-button-danger" });
    this._confirmButton.addEventListener("click", (event) => {
      if (!isSecondClick(event)) this._onConfirm();
    });
    this._confirmation = h(
      "div",
      { class: "yotta-overlay-bar yotta-confirmation", role: "group", hidden: true },
      this._question,
      this._keepButton,
      this._confirmButton,
    );
    this._confirmation.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this._closeQuestion();
    });
    this.element = h("div", {}, this._actions, this._confirmation);
  }

  update() {
    const rows = this._unconfirmedRows();
    if (this._unconfirmed && !rows.length) {
      this._unconfirmed = null;
      if (this._confirmation.contains(document.activeElement)) this._focusFallback();
    }
    this._confirmation.hidden = this._unconfirmed === null;
    if (this._unconfirmed) this._updateQuestion(this._unconfirmed.action, rows);
    const count = this.store.selected.size;
    this._actions.hidden = count === 0 || this._unconfirmed !== null;
    if (!count) return;
    setText(this._count, `${count.toLocaleString()} selected${this._hiddenNote(this.store.selected)}`);
    setCount(this._buttons.pause, "Pause", this._idsFor("pause").length);
    setCount(this._buttons.resume, "Resume", this._idsFor("resume").length);
    setCount(this._buttons.delete, "Delete", this._idsFor("delete").length);
    setCount(this._copyButton, "Copy SSH", this._sshCommands().length);
  }

  /**
   * @param {Iterable<string>} ids
   * @returns {string} such as " (2 hidden)"; empty if the filters hide none of them
   */
  _hiddenNote(ids) {
    const count = this._countHidden(ids);
    return count ? ` (${count.toLocaleString()} hidden)` : "";
  }

  /**
   * @param {BulkAction} action
   * @returns {string[]} the selected pods that allow the action
   */
  _idsFor(action) {
    const rows = this.store.selectedRows().filter((row) => this.store.can(row, action));
    return rows.map((row) => row.id);
  }

  _sshCommands() {
    return this.store.selectedRows().flatMap((row) => this.store.sshCommand(row) ?? []);
  }

  /**
   * @param {BulkAction} action
   * @param {MouseEvent} event
   */
  _act(action, event) {
    const ids = this._idsFor(action);
    if (!ids.length) return;
    const isVisiblePod = ids.length === 1 && this._countHidden(ids) === 0;
    if (action === "resume" || isVisiblePod) this._execute(action, ids, false);
    else this._openQuestion(action, ids, event);
  }

  /**
   * @param {BulkAction} action
   * @param {string[]} ids
   * @param {boolean} isConfirmed whether the user has confirmed the action
   */
  _execute(action, ids, isConfirmed) {
    const losses = action === "pause" ? this.store.pauseLosses(ids) : [];
    this.store.act(action, ids, { isBulk: true, isConfirmed });
    const canUndo = this.store.lastUndoable()?.ids.includes(ids[0]);
    const text = `${PROGRESS_LABELS[action]} ${formatPodCount(ids.length)}${formatPauseLosses(losses)}`;
    this.context.announce(canUndo ? withUndoHint(text) : text);
    if (action === "delete") {
      this.store.select(ids, false);
      this._focusUndo();
    }
  }

  /**
   * @param {ConfirmableAction} action
   * @param {string[]} ids
   * @param {MouseEvent} event
   */
  _openQuestion(action, ids, event) {
    this._unconfirmed = { action, ids };
    this._confirmation.classList.remove("yotta-is-flipped");
    this.update();
    // The button must not appear under the pointer that has just clicked.
    const isFlipped = isAtPointer(this._confirmButton, event);
    this._confirmation.classList.toggle("yotta-is-flipped", isFlipped);
    this._keepButton.focus({ preventScroll: true });
    this.context.announce(this._question.textContent ?? "");
  }

  /** @returns {PodRow[]} the rows that the question is about, of pods that still allow the action */
  _unconfirmedRows() {
    if (!this._unconfirmed) return [];
    const { action, ids } = this._unconfirmed;
    const rows = ids.map((id) => this.store.rows.get(id)).filter((row) => row !== undefined);
    return rows.filter((row) => this.store.can(row, action));
  }

  /**
   * @param {ConfirmableAction} action
   * @param {PodRow[]} rows
   */
  _updateQuestion(action, rows) {
    const verb = action === "pause" ? "Pause" : "Delete";
    const label = `${verb} ${formatPodCount(rows.length)}`;
    const hidden = this._hiddenNote(rows.map((row) => row.id));
    const loss = action === "pause" ? formatLoss(rows) : null;
    setText(this._question, `${label}${hidden} at ${formatCost(rows)}?${loss ? ` ${loss.text}` : ""}`);
    setAttribute(this._question, "title", loss?.tooltip);
    setText(this._confirmButton, label);
    setAttribute(this._confirmation, "aria-label", `${verb} pods?`);
  }

  _closeQuestion() {
    const action = this._unconfirmed?.action;
    this._unconfirmed = null;
    this.update();
    if (this._actions.hidden) this._focusFallback();
    else if (action) this._buttons[action].focus({ preventScroll: true });
  }

  _onConfirm() {
    if (!this._unconfirmed) return;
    const { action } = this._unconfirmed;
    const ids = this._unconfirmedRows().map((row) => row.id);
    this._unconfirmed = null;
    this._confirmation.hidden = true;
    this._execute(action, ids, true);
    // The focused button is hidden now. After a delete, `_execute` has moved the focus to the undo.
    if (action === "pause") this._buttons.pause.focus({ preventScroll: true });
  }

  async _copySsh() {
    if (isDisabled(this._copyButton)) return;
    const commands = this._sshCommands();
    const label = commands.length === 1 ? "1 SSH command" : `${commands.length} SSH commands`;
    const copied = await this.context.copy(commands.join("\n"), label);
    if (!copied) return;
    setText(this._copyButton, "Copied");
    setTimeout(() => this.update(), COPIED_MS);
  }
}

/**
 * @param {HTMLElement} button
 * @param {string} label
 * @param {number} count the number of pods that the button acts on
 */
function setCount(button, label, count) {
  setText(button, count ? `${label} ${count.toLocaleString()}` : label);
  setDisabled(button, count === 0);
}

/**
 * @param {PodRow[]} rows
 * @returns {string} such as "$1.20 an hour now, 2 of them of unknown price"
 */
function formatCost(rows) {
  const costs = rows.map((row) => row.hourly_cost).filter((cost) => cost !== null);
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const unknown = rows.length - costs.length;
  return `${formatDollars(total)} an hour now${unknown ? `, ${unknown} of them of unknown price` : ""}`;
}

/**
 * @param {PodRow[]} rows
 * @returns {{ text: string, tooltip: string } | null} what a pause may erase, such as "3 may lose files."; null if nothing
 */
function formatLoss(rows) {
  const losing = rows.filter((row) => row.pause_loss);
  if (!losing.length) return null;
  const withoutVolume = losing.filter((row) => !row.has_persistent_volume);
  const files = withoutVolume.length === losing.length ? "all files" : "files"; // Short, so that the question does not wrap.
  return {
    text: `${losing.length.toLocaleString()} may lose ${files}.`,
    tooltip: `A pause may erase all files outside a persistent volume. Pods without one: ${withoutVolume.length}.`,
  };
}

/**
 * @param {HTMLElement} element
 * @param {MouseEvent} event
 * @returns {boolean} whether the event is a click of a pointer on the element's place
 */
function isAtPointer(element, event) {
  if (event.detail === 0) return false; // A click by keyboard.
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x >= left && x <= right && y >= top && y <= bottom;
}
