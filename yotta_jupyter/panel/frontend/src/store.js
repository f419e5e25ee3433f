// @ts-check
/** The state of a panel in the browser, shared by all its views. */

import { uniqueId } from "./dom.js";
import { applyRows, decodeSnapshot, emptySnapshot, placeholderRow, UNDOABLE_DELETE } from "./protocol.js";
import { UndoableDeletes } from "./undoable-deletes.js";

/** @typedef {import("@anywidget/types").AnyModel<{ _snapshot: DataView | null }>} Model */
/** @typedef {import("./protocol.js").Field} Field */
/** @typedef {import("./protocol.js").Meta} Meta */
/** @typedef {import("./protocol.js").KernelMessage} KernelMessage */
/** @typedef {import("./protocol.js").LaunchResult} LaunchResult */
/** @typedef {import("./protocol.js").Patch} Patch */
/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./undoable-deletes.js").DeleteGroup} DeleteGroup */
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

/** Shown when the widget has no kernel any more. */
export const KERNEL_GONE = "The kernel has gone. Run %load_ext yotta_jupyter, then the cell of the panel again.";

/** How long the kernel may take to acknowledge a click before the row shows "Waiting for kernel…". */
const STALL_MS = 1500;
const SELECTION_DEBOUNCE_MS = 100;
/** How long a row says what a pause may erase. */
const PAUSE_NOTE_MS = 8000;

/** Refresh intervals without a message after which the rows are requested again. */
const STALE_INTERVALS = 2.5;

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
    this._deletes = new UndoableDeletes();
    /** Whether a row shows what a pause may erase, by the pods of which it was shown. @type {Map<string, boolean>} */
    this._pauseNotes = new Map();
    /** The temporary ids of launches of this page that have no result. @type {Set<string>} */
    this._launches = new Set();
    this._lastSyncAt = 0;
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
    return this._deletes.secondsLeft(id);
  }

  /**
   * @param {PodRow} row
   * @returns {string | null} the command with the key file; null if the pod cannot be reached
   */
  sshCommand(row) {
    return row.ssh === null ? null : row.ssh + this.meta.ssh_option;
  }

  /** @returns {DeleteGroup} the last delete that can still be undone; without ids if there is none */
  lastDelete() {
    return this._deletes.last((id) => {
      const row = this.rows.get(id);
      return row !== undefined && this.pendingAction(row) === UNDOABLE_DELETE;
    });
  }

  /**
   * Show for some seconds what a pause may erase, once for each pod.
   *
   * @param {string[]} ids
   * @returns {string[]} the texts that are shown now
   */
  notePauseLosses(ids) {
    const losses = [];
    for (const id of ids) {
      const loss = this.rows.get(id)?.pause_loss;
      if (!loss || this._pauseNotes.has(id)) continue;
      losses.push(loss);
      this._pauseNotes.set(id, true);
      setTimeout(() => {
        this._pauseNotes.set(id, false);
        this._notify({ ids: [id] });
      }, PAUSE_NOTE_MS);
    }
    return losses;
  }

  /**
   * @param {PodRow} row
   * @returns {string | null} the text about a pause that the row shows now
   */
  pauseNote(row) {
    return this._pauseNotes.get(row.id) ? row.pause_loss : null;
  }

  /**
   * @param {PodRow} row
   * @param {string} action
   * @returns {boolean} whether there is a kernel, the pod's status allows the action and nothing else is pending
   */
  can(row, action) {
    return this.connected && row.actions.includes(action) && !this.pendingAction(row);
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
   * @param {{ isBulk?: boolean }} [options] whether they were selected together
   */
  act(action, ids, { isBulk = false } = {}) {
    if (!this.connected) return;
    /** @type {string} */
    let pending = action;
    if (action === "undo") pending = "undoing";
    if (action === "delete") {
      this._deletes.addGroup({ ids, isBulk });
      if (this.meta.delete_delay > 0) pending = UNDOABLE_DELETE;
    }
    for (const id of ids) this._setOptimistic(id, pending);
    this.send({ type: action, pods: ids });
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
    const silenceMs = Date.now() - Math.max(this.lastMessageAt, this._lastSyncAt);
    if (silenceMs < STALE_INTERVALS * interval * 1000) return;
    this._lastSyncAt = Date.now();
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
    this._deletes.keep((id) => this.rows.get(id)?.pending === UNDOABLE_DELETE);
    for (const { id, pending } of this.rows.values()) {
      if (!this._deletes.isRunning(id)) this._setCountdown(id, pending, snapshot.undoSeconds[id]);
    }
    this._pruneSelection();
    this._notify({ rowsChanged: true });
  }

  _pruneSelection() {
    if (!this.meta.complete) return;
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
    // Otherwise a patch removes the row, which the kernel has sent before.
    if (message.type === "rejected" || this._optimistic.has(message.temp_id)) this._discard(message.temp_id);
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
    const guards = meta.guards ? { ...this.meta.guards, ...meta.guards } : {};
    this.meta = { ...this.meta, ...meta, totals: { ...this.meta.totals, ...totals } };
    for (const id of applied.added) this._clearOptimistic(id);
    for (const { id, pending } of updated) {
      this._clearOptimistic(id);
      if (pending !== undefined) this._setCountdown(id, pending);
    }
    for (const id of removed) {
      this._clearOptimistic(id);
      this._deletes.stop(id);
      if (this.selected.delete(id)) this._sendSelection();
    }
    const rowsChanged = applied.added.length > 0 || removed.length > 0;
    const ids = [...updated.map(({ id }) => id), ...Object.keys(guards)];
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
    if (pending === UNDOABLE_DELETE) this._deletes.start(id, seconds);
    else this._deletes.stop(id);
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
