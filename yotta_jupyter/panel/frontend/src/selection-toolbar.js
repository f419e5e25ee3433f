// @ts-check
import { h, isDisabled, setDisabled, setText } from "./dom.js";
import { countPods, formatDollars, formatPauseLosses, PROGRESS_LABELS } from "./format.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

const ACTIONS = /** @type {const} */ ([
  { action: "pause", label: "Pause" },
  { action: "resume", label: "Resume" },
  { action: "delete", label: "Delete" },
]);

/** What can be done with the selected pods. It covers the headings, so that no row moves when it appears. */
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
    /** The pods whose delete waits for a confirmation. @type {string[]} */
    this._asking = [];
    this._count = h("strong");
    this._buttons = ACTIONS.map(({ action, label }) => {
      const button = secondaryButton("", (event) => this._act(action, event));
      return { action, label, button };
    });
    this._deleteButton = this._buttons[2].button;
    this._copyButton = secondaryButton("", () => this._copySsh());
    const clear = secondaryButton("Clear", () => {
      store.select([...store.selected], false);
      focusFallback();
    });
    const buttons = this._buttons.map(({ button }) => button);
    this._actions = h("div", { class: "yotta-bar yotta-selection-toolbar", hidden: true });
    // The delete is apart from the others.
    this._actions.append(this._count, buttons[0], buttons[1], this._copyButton, clear, buttons[2]);
    this._question = h("strong");
    this._keep = secondaryButton("Keep", () => this._closeQuestion());
    this._confirm = h("button", { type: "button", class: "yotta-button-danger" }, "Delete");
    this._confirm.addEventListener("click", (event) => {
      if (event.detail <= 1) this._delete(); // The second click of a double click on Delete was not meant for this.
    });
    this._confirmation = h(
      "div",
      { class: "yotta-bar yotta-confirmation", role: "group", "aria-label": "Delete pods?", hidden: true },
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
    const asking = this._rowsToDelete().length > 0;
    if (this._asking.length && !asking) {
      this._asking = [];
      if (this._confirmation.contains(document.activeElement)) this._focusFallback();
    }
    this._confirmation.hidden = !asking;
    if (asking) this._updateQuestion();
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
    if (action === "delete" && ids.length > 1) {
      this._ask(ids, event);
      return;
    }
    const losses = action === "pause" ? this.store.notePauseLosses(ids) : [];
    this.store.act(action, ids, { isBulk: true });
    this.context.announce(`${PROGRESS_LABELS[action]} ${countPods(ids.length)}${formatPauseLosses(losses)}`);
    if (action === "delete") {
      this.store.select(ids, false);
      this._focusUndo();
    }
  }

  /**
   * @param {string[]} ids
   * @param {MouseEvent} event
   */
  _ask(ids, event) {
    this._asking = ids;
    this._confirmation.classList.remove("yotta-is-flipped");
    this.update();
    const { left, right, top, bottom } = this._confirm.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    // Never the delete under a pointer that has just clicked.
    const isUnderPointer = event.detail > 0 && x >= left && x <= right && y >= top && y <= bottom;
    this._confirmation.classList.toggle("yotta-is-flipped", isUnderPointer);
    this._keep.focus({ preventScroll: true });
    this.context.announce(this._question.textContent ?? "");
  }

  /** @returns {PodRow[]} the rows of `_asking` that can still be deleted */
  _rowsToDelete() {
    const rows = this._asking.map((id) => this.store.rows.get(id));
    return rows.filter((row) => row !== undefined).filter((row) => this.store.can(row, "delete"));
  }

  _updateQuestion() {
    const rows = this._rowsToDelete();
    const known = rows.filter((row) => row.hourly_cost !== null);
    const cost = known.reduce((sum, row) => sum + (row.hourly_cost ?? 0), 0);
    const unknown = rows.length - known.length;
    const rest = unknown ? `, ${unknown} of them of unknown price` : "";
    const hidden = this._hiddenNote(rows.map((row) => row.id));
    setText(this._question, `Delete ${countPods(rows.length)}${hidden} at ${formatDollars(cost)} an hour now${rest}?`);
    setText(this._confirm, `Delete ${countPods(rows.length)}`);
  }

  _closeQuestion() {
    this._asking = [];
    this.update();
    if (this._actions.hidden) this._focusFallback();
    else this._deleteButton.focus({ preventScroll: true });
  }

  _delete() {
    const ids = this._rowsToDelete().map((row) => row.id);
    this._asking = [];
    this._confirmation.hidden = true;
    this.store.act("delete", ids, { isBulk: true });
    this.store.select(ids, false);
    const undo = this.store.meta.delete_delay > 0 ? ". Undo with Escape" : "";
    this.context.announce(`Deleting ${countPods(ids.length)}${undo}`);
    this._focusUndo();
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
