// @ts-check
/** The state of a panel in the browser, shared by all its views. */

import { uniqueId } from "./dom.js";
import {
  applyRows,
  decodeSnapshot,
  emptySnapshot,
  placeholderRow,
  UNDOABLE_PREFIX,
  undoableAction,
} from "./protocol.js";
import { UndoableActions } from "./undoable-actions.js";

/** @typedef {import("@anywidget/types").AnyModel<{ _snapshot: DataView | null }>} Model */
/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").Meta} Meta */
/** @typedef {import("./protocol.js").KernelMessage} KernelMessage */
/** @typedef {import("./protocol.js").LaunchResult} LaunchResult */
/** @typedef {import("./protocol.js").Patch} Patch */
/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./undoable-actions.js").ActionGroup} ActionGroup */
/** @typedef {"pause" | "resume" | "delete" | "undo"} Action */

/**
 * A change of the rows, or a message for a part of the view.
 *
 * @typedef {object} Change
 * @property {boolean} [rowsChanged] whether rows were added or removed
 * @property {string[]} [ids] the rows to update
 * @property {Set<Field>} [fields] the fields that have changed in them
 * @property {LaunchResult | Reply} [message]
 * @property {DataView[]} [buffers] of the message
 */

/**
 * A click that the kernel has not acknowledged.
 *
 * @typedef {object} OptimisticAction
 * @property {string} pending the pending action that the row shows
 * @property {boolean} stalled whether the kernel takes long to acknowledge it
 * @property {number} timer
 */

/** How long the kernel may take to acknowledge a click before the row shows "Waiting for kernel…". */
const STALL_MS = 1500;
const SELECTION_DEBOUNCE_MS = 100;

/** The rows are requested again after this many refresh intervals without a message. */
const MAX_SILENT_INTERVALS = 2.5;

export class Store {
  /** @param {Model} model */
  constructor(model) {
    /** @type {Map<string, PodRow>} */
    this.rows = new Map();
    /** @type {Meta} */
    this.meta = emptySnapshot().meta;
    /** @type {Set<string>} */
    this.selected = new Set();
    this.connected = true;
    /** When the last message of the kernel arrived, in milliseconds. */
    this.lastMessageAt = 0;
    this._model = model;
    this._version = -1;
    /** @type {Set<(change: Change) => void>} */
    this._listeners = new Set();
    /** By row. @type {Map<string, OptimisticAction>} */
    this._optimistic = new Map();
    this._undoable = new UndoableActions();
    /** The temporary ids of launches of this page that have no result. @type {Set<string>} */
    this._launches = new Set();
    this._resyncRequestedAt = 0;
    this._selectionTimer = 0;
    this._loadSnapshot();
    model.on("change:_snapshot", () => {
      this.lastMessageAt = Date.now();
      this._loadSnapshot();
    });
    model.on("msg:custom", (message, buffers) => this._onMessage(message, buffers));
    // ipywidgets sends this when the widget has no kernel any more.
    model.on("comm_live_update", () => {
      this.connected = false;
      this._notify({ ids: [...this.rows.keys()] });
    });
  }

  /**
   * Call a function after each change.
   *
   * @param {(change: Change) => void} listener
   * @returns {() => void} removes the listener
   */
  subscribe(listener) {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  /**
   * The pending action of a pod, also one that the kernel has not acknowledged.
   *
   * @param {PodRow} row
   * @returns {string | null}
   */
  pendingAction(row) {
    return this._optimistic.get(row.id)?.pending ?? row.pending;
  }

  /**
   * @param {PodRow} row
   * @returns {boolean} whether the kernel takes long to acknowledge a click
   */
  isStalled(row) {
    return this._optimistic.get(row.id)?.stalled ?? false;
  }

  /**
   * @param {string} id
   * @returns {boolean} whether the row shows a click that the kernel has not acknowledged
   */
  isOptimistic(id) {
    return this._optimistic.has(id);
  }

  /**
   * @param {string} id
   * @returns {number} at least 1
   */
  undoSecondsLeft(id) {
    return this._undoable.secondsLeft(id);
  }

  /**
   * @param {PodRow} row
   * @returns {string | null} the command with the key file; null if the pod cannot be reached
   */
  sshCommand(row) {
    return row.ssh === null ? null : row.ssh + this.meta.ssh_option;
  }

  /** @returns {ActionGroup | null} the last action that can still be undone */
  lastUndoable() {
    if (!this.connected) return null;
    return this._undoable.last((id) => {
      const row = this.rows.get(id);
      return row ? undoableAction(this.pendingAction(row)) : null;
    });
  }

  /**
   * @param {string[]} ids
   * @returns {string[]} what a pause may erase, of each pod that a pause may leave without any files
   */
  pauseLosses(ids) {
    return ids.flatMap((id) => {
      const row = this.rows.get(id);
      return (row?.warns_of_pause && row.pause_loss) || [];
    });
  }

  /**
   * @param {PodRow} row
   * @returns {string | null} what the pending action ends, and what a pause may erase
   */
  pendingNote(row) {
    const pending = this.pendingAction(row);
    const isPause = pending === "pause" || undoableAction(pending) === "pause";
    const loss = isPause && row.warns_of_pause ? row.pause_loss : null;
    return [loss, row.pending_note].filter(Boolean).join(" ") || null;
  }

  /** @returns {string} what to do when the widget has no kernel any more */
  kernelGoneText() {
    const start = this.meta.sandbox ? ", %yotta sandbox start" : "";
    return `The kernel has gone. Run %load_ext yotta_jupyter${start}, then the cell of the panel again.`;
  }

  /** @returns {string} why no action is possible now; empty if actions are possible */
  unavailableReason() {
    if (!this.connected) return "the kernel has gone";
    return this.meta.reachable ? "" : "the API does not answer";
  }

  /**
   * @param {PodRow} row
   * @param {string} action
   * @returns {boolean} whether the pod's status allows the action, nothing else is pending, and it can be sent
   */
  can(row, action) {
    return !this.unavailableReason() && row.actions.includes(action) && !this.pendingAction(row);
  }

  /** @returns {PodRow[]} */
  selectedRows() {
    return [...this.selected].map((id) => this.rows.get(id)).filter((row) => row !== undefined);
  }

  /**
   * Request an action, and show it as pending at once.
   *
   * @param {Action} action
   * @param {string[]} ids
   * @param {{ isBulk?: boolean, isConfirmed?: boolean }} [options] `isBulk` if they were selected together,
   *   `isConfirmed` if the user has confirmed the action
   */
  act(action, ids, { isBulk = false, isConfirmed = false } = {}) {
    if (!this.connected) return;
    const undoable = new Set(ids.filter((id) => this._canUndo(action, id, isConfirmed)));
    if (undoable.size) this._undoable.addGroup({ action, ids: [...undoable], isBulk });
    const pending = action === "undo" ? "undoing" : action;
    for (const id of ids) this._setOptimistic(id, undoable.has(id) ? UNDOABLE_PREFIX + action : pending);
    this.send({ type: action, pods: ids, ...(action === "pause" && isConfirmed ? { confirmed: true } : {}) });
    this._notify({ ids });
  }

  /**
   * Request a launch, and show a row for it at once.
   *
   * @param {Record<string, any>} form
   * @returns {string} the temporary id of the row
   */
  launch(form) {
    const id = uniqueId();
    this._launches.add(id);
    this.rows = new Map([[id, placeholderRow(id, this.meta.fields, form)], ...this.rows]);
    this._setOptimistic(id, "launch");
    // In a buffer: the form holds secrets, and ipywidgets logs the content of messages.
    this.send({ type: "launch", temp_id: id }, [new TextEncoder().encode(JSON.stringify(form))]);
    this._notify({ rowsChanged: true });
    return id;
  }

  /**
   * @param {string[]} ids
   * @param {boolean} selected
   */
  select(ids, selected) {
    for (const id of ids) {
      if (selected) this.selected.add(id);
      else this.selected.delete(id);
    }
    this._sendSelection();
    this._notify({ ids });
  }

  /** Request the rows if no message has come for long: in Colab, messages from the kernel's threads can stall. */
  resyncIfSilent() {
    const { interval } = this.meta;
    if (interval === null) return;
    const silenceMs = Date.now() - Math.max(this.lastMessageAt, this._resyncRequestedAt);
    if (silenceMs < MAX_SILENT_INTERVALS * interval * 1000) return;
    this._resyncRequestedAt = Date.now();
    this.send({ type: "resync", version: this._version });
  }

  /**
   * @param {Record<string, unknown>} message
   * @param {ArrayBufferView[]} [buffers]
   */
  send(message, buffers) {
    if (!this.connected) return;
    try {
      this._model.send(message, undefined, buffers);
    } catch {
      this.connected = false;
    }
  }

  close() {
    for (const id of [...this._optimistic.keys()]) this._clearOptimistic(id);
    clearTimeout(this._selectionTimer);
  }

  _loadSnapshot() {
    const snapshot = decodeSnapshot(this._model.get("_snapshot"));
    if (!snapshot) return;
    if (snapshot.version < this._version) {
      this.send({ type: "resync" });
      return;
    }
    if (this._version < 0) this.selected = new Set(snapshot.selected);
    this._version = snapshot.version;
    this.rows = snapshot.rows;
    this.meta = snapshot.meta;
    for (const id of [...this._optimistic.keys()]) this._clearOptimistic(id);
    this._undoable.stopUnless((id) => undoableAction(this.rows.get(id)?.pending ?? null) !== null);
    for (const { id, pending } of this.rows.values()) {
      if (!this._undoable.isRunning(id)) this._setCountdown(id, pending, snapshot.undoSeconds[id]);
    }
    this._pruneSelection();
    this._notify({ rowsChanged: true });
  }

  _pruneSelection() {
    if (!this.meta.complete) return; // A pod that was not sent stays selected.
    for (const id of this.selected) if (!this.rows.has(id)) this.selected.delete(id);
  }

  /**
   * @param {KernelMessage} message
   * @param {DataView[]} [buffers]
   */
  _onMessage(message, buffers) {
    this.lastMessageAt = Date.now();
    if (message.type === "patch") this._applyPatch(message);
    else if (message.type === "ack") {
      for (const id of message.pods) this._clearOptimistic(id);
      this._notify({ ids: message.pods });
    } else {
      if ("temp_id" in message) this._onLaunchResult(message);
      this._notify({ message, buffers });
    }
  }

  /** @param {LaunchResult} message */
  _onLaunchResult(message) {
    if (!this._launches.delete(message.temp_id)) return; // Another page has launched it.
    // The kernel removes a row that it has sent. It does not know a placeholder.
    const isPlaceholder = this._optimistic.has(message.temp_id);
    if (message.type === "rejected" || isPlaceholder) this._discard(message.temp_id);
  }

  /** @param {Patch} patch */
  _applyPatch(patch) {
    if (patch.version <= this._version) return; // An earlier snapshot contains it already.
    const isNext = patch.version === this._version + 1;
    const applied = isNext ? applyRows(this.rows, this.meta.fields, patch) : null;
    if (!applied) {
      this.send({ type: "resync" }); // A patch was lost, or arrived before the first snapshot.
      return;
    }
    const { type: _, version, added, updated = [], removed = [], totals, ...meta } = patch;
    this._version = version;
    // A pod that loses its guard is only in the earlier guards.
    const guardedIds = meta.guards ? Object.keys({ ...this.meta.guards, ...meta.guards }) : [];
    this.meta = { ...this.meta, ...meta, totals: { ...this.meta.totals, ...totals } };
    for (const id of applied.added) this._clearOptimistic(id);
    for (const { id, pending } of updated) {
      this._clearOptimistic(id);
      if (pending !== undefined) this._setCountdown(id, pending);
    }
    for (const id of removed) {
      this._clearOptimistic(id);
      this._undoable.stop(id);
      if (this.selected.delete(id)) this._sendSelection();
    }
    const rowsChanged = applied.added.length > 0 || removed.length > 0;
    const ids = [...updated.map(({ id }) => id), ...guardedIds];
    this._notify({ rowsChanged, ids, fields: applied.fields });
  }

  /**
   * @param {string} id
   * @param {string} pending
   */
  _setOptimistic(id, pending) {
    this._clearOptimistic(id);
    this._setCountdown(id, pending);
    const entry = { pending, stalled: false, timer: 0 };
    entry.timer = window.setTimeout(() => {
      entry.stalled = true;
      this._notify({ ids: [id] });
    }, STALL_MS);
    this._optimistic.set(id, entry);
  }

  /** @param {string} id */
  _clearOptimistic(id) {
    clearTimeout(this._optimistic.get(id)?.timer);
    this._optimistic.delete(id);
  }

  /**
   * Start or stop the countdown of a row for its pending action.
   *
   * @param {string} id
   * @param {string | null} pending
   * @param {number} [seconds]
   */
  _setCountdown(id, pending, seconds = this.meta.delete_delay) {
    if (undoableAction(pending)) this._undoable.start(id, seconds);
    else this._undoable.stop(id);
  }

  /**
   * @param {Action} action
   * @param {string} id
   * @param {boolean} isConfirmed
   * @returns {boolean} whether the kernel waits for an undo before it sends the action; the same as in `actions.py`
   */
  _canUndo(action, id, isConfirmed) {
    if (this.meta.delete_delay === 0) return false;
    if (action === "pause") return !isConfirmed && Boolean(this.rows.get(id)?.warns_of_pause);
    return action === "delete";
  }

  /** @param {string} id */
  _discard(id) {
    this._clearOptimistic(id);
    if (this.rows.delete(id)) this._notify({ rowsChanged: true });
  }

  _sendSelection() {
    clearTimeout(this._selectionTimer);
    const send = () => this.send({ type: "select", pods: [...this.selected] });
    this._selectionTimer = window.setTimeout(send, SELECTION_DEBOUNCE_MS);
  }

  /** @param {Change} change */
  _notify(change) {
    for (const listener of [...this._listeners]) listener(change);
  }
}
