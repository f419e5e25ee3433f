// @ts-check
import { h, isDisabled, setAttribute, setDisabled, setText } from "./dom.js";
import { countPods, formatDollars, formatPauseLosses, PROGRESS_LABELS } from "./format.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */
/** @typedef {"pause" | "delete"} AskedAction */

const ACTIONS = /** @type {const} */ ([
  { action: "pause", label: "Pause" },
  { action: "resume", label: "Resume" },
  { action: "delete", label: "Delete" },
]);

/** What can be done with the selected pods. It covers the headings and no row, so that none moves when it appears. */
export class SelectionToolbar {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {{ countHidden: (ids: Iterable<string>) => number, focusFallback: () => void, focusUndo: () => void }}
   *   callbacks `countHidden` counts the pods whose rows the filters hide; `focusFallback` moves the focus when the
   *   toolbar has gone, `focusUndo` after a delete
   */
  constructor(store, context, { countHidden, focusFallback, focusUndo }) {
    this.store = store;
    this.context = context;
    this._countHidden = countHidden;
    this._focusFallback = focusFallback;
    this._focusUndo = focusUndo;
    /** What waits for a confirmation. @type {{ action: AskedAction, ids: string[] } | null} */
    this._asking = null;
    this._count = h("strong");
    this._buttons = ACTIONS.map(({ action, label }) => {
      const button = secondaryButton("", (event) => this._act(action, event));
      return { action, label, button };
    });
    this._copyButton = secondaryButton("", () => this._copySsh());
    const clear = secondaryButton("Clear", () => {
      store.select([...store.selected], false);
      focusFallback();
    });
    const buttons = this._buttons.map(({ button }) => button);
    this._actions = h("div", { class: "yotta-overlay-bar yotta-selection-toolbar", hidden: true });
    // The delete is apart from the others.
    this._actions.append(this._count, buttons[0], buttons[1], this._copyButton, clear, buttons[2]);
    this._question = h("strong");
    this._keep = secondaryButton("Keep", () => this._closeQuestion());
    this._confirm = h("button", { type: "button", class: "yotta-button-danger" });
    this._confirm.addEventListener("click", (event) => {
      if (event.detail <= 1) this._onConfirm(); // The second click of a double click was not meant for this.
    });
    this._confirmation = h(
      "div",
      { class: "yotta-overlay-bar yotta-confirmation", role: "group", hidden: true },
      this._question,
      this._keep,
      this._confirm,
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
    const count = this.store.selected.size;
    const asking = this._rowsInQuestion().length > 0;
    if (this._asking && !asking) {
      this._asking = null;
      if (this._confirmation.contains(document.activeElement)) this._focusFallback();
    }
    this._confirmation.hidden = !asking;
    if (this._asking) this._updateQuestion(this._asking.action);
    this._actions.hidden = count === 0 || asking;
    if (!count) return;
    setText(this._count, `${count.toLocaleString()} selected${this._hiddenNote(this.store.selected)}`);
    for (const { action, label, button } of this._buttons) setCount(button, label, this._idsFor(action).length);
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

  /** @param {string} action */
  _idsFor(action) {
    const rows = this.store.selectedRows().filter((row) => this.store.can(row, action));
    return rows.map((row) => row.id);
  }

  _sshCommands() {
    return this.store.selectedRows().flatMap((row) => this.store.sshCommand(row) ?? []);
  }

  /**
   * @param {(typeof ACTIONS)[number]["action"]} action
   * @param {MouseEvent} event
   */
  _act(action, event) {
    const ids = this._idsFor(action);
    if (!ids.length) return;
    const isAsked = ids.length > 1 || this._countHidden(ids) > 0;
    if (action !== "resume" && isAsked) this._ask(action, ids, event);
    else this._execute(action, ids);
  }

  /**
   * @param {(typeof ACTIONS)[number]["action"]} action
   * @param {string[]} ids
   */
  _execute(action, ids) {
    const losses = action === "pause" ? this.store.notePauseLosses(ids) : [];
    this.store.act(action, ids, { isBulk: true });
    const undo = action === "delete" && this.store.meta.delete_delay > 0 ? ". Undo with Escape" : "";
    this.context.announce(`${PROGRESS_LABELS[action]} ${countPods(ids.length)}${formatPauseLosses(losses)}${undo}`);
    if (action === "delete") {
      this.store.select(ids, false);
      this._focusUndo();
    }
  }

  /**
   * @param {AskedAction} action
   * @param {string[]} ids
   * @param {MouseEvent} event
   */
  _ask(action, ids, event) {
    this._asking = { action, ids };
    this._confirmation.classList.remove("yotta-is-flipped");
    this.update();
    const { left, right, top, bottom } = this._confirm.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    // Never the confirmation under a pointer that has just clicked.
    const isUnderPointer = event.detail > 0 && x >= left && x <= right && y >= top && y <= bottom;
    this._confirmation.classList.toggle("yotta-is-flipped", isUnderPointer);
    this._keep.focus({ preventScroll: true });
    this.context.announce(this._question.textContent ?? "");
  }

  /** @returns {PodRow[]} the rows of `_asking` whose pods still allow the action */
  _rowsInQuestion() {
    if (!this._asking) return [];
    const { action, ids } = this._asking;
    const rows = ids.map((id) => this.store.rows.get(id)).filter((row) => row !== undefined);
    return rows.filter((row) => this.store.can(row, action));
  }

  /** @param {AskedAction} action */
  _updateQuestion(action) {
    const rows = this._rowsInQuestion();
    const known = rows.filter((row) => row.hourly_cost !== null);
    const cost = known.reduce((sum, row) => sum + (row.hourly_cost ?? 0), 0);
    const unknown = rows.length - known.length;
    const rest = unknown ? `, ${unknown} of them of unknown price` : "";
    const hidden = this._hiddenNote(rows.map((row) => row.id));
    const verb = action === "pause" ? "Pause" : "Delete";
    const label = `${verb} ${countPods(rows.length)}`;
    const erased = action === "pause" ? rows.filter((row) => row.pause_loss).length : 0;
    const loss = erased ? ` It may erase all files of ${countPods(erased)} without a persistent volume.` : "";
    setText(this._question, `${label}${hidden} at ${formatDollars(cost)} an hour now${rest}?${loss}`);
    setText(this._confirm, label);
    setAttribute(this._confirmation, "aria-label", `${verb} pods?`);
  }

  _closeQuestion() {
    const asked = this._buttons.find(({ action }) => action === this._asking?.action);
    this._asking = null;
    this.update();
    if (this._actions.hidden) this._focusFallback();
    else asked?.button.focus({ preventScroll: true });
  }

  _onConfirm() {
    if (!this._asking) return;
    const { action } = this._asking;
    const ids = this._rowsInQuestion().map((row) => row.id);
    this._asking = null;
    this._confirmation.hidden = true;
    this._execute(action, ids);
    // The confirmation that had the focus is hidden.
    if (action === "pause") this._buttons[0].button.focus({ preventScroll: true });
  }

  async _copySsh() {
    if (isDisabled(this._copyButton)) return;
    const commands = this._sshCommands();
    const label = commands.length === 1 ? "1 SSH command" : `${commands.length} SSH commands`;
    const copied = await this.context.copy(commands.join("\n"), label);
    if (!copied) return;
    setText(this._copyButton, "Copied");
    setTimeout(() => this.update(), 1200);
  }
}

/**
 * @param {string} text
 * @param {(event: MouseEvent) => void} onclick
 */
function secondaryButton(text, onclick) {
  return h("button", { type: "button", class: "yotta-button-secondary", onclick }, text);
}

/**
 * @param {HTMLElement} button
 * @param {string} label
 * @param {number} count of the pods that the button acts on
 */
function setCount(button, label, count) {
  setText(button, count ? `${label} ${count.toLocaleString()}` : label);
  setDisabled(button, count === 0);
}
