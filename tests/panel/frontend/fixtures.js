// @ts-check
/** Rows, snapshots and a model for tests. */

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/protocol.js").PodRow} PodRow */

/**
 * @param {Partial<PodRow>} [changes]
 * @returns {PodRow}
 */
export function podRow(changes = {}) {
  return {
    id: "1",
    name: "train-1",
    status: "RUNNING",
    gpu_type: "NVIDIA_L4_24G",
    gpu_count: 1,
    region: "us-west-1",
    image: "yottalabsai/pytorch:2.9.0",
    hourly_cost: 0.6,
    hourly_rate: 0.6,
    created_at: 1_700_000_000,
    ssh: null,
    jupyter: null,
    has_password: false,
    pause_loss: null,
    has_persistent_volume: false,
    has_ended: false,
    is_live: true,
    actions: ["pause", "delete"],
    warns_of_pause: false,
    pending: null,
    pending_note: null,
    error: null,
    ...changes,
  };
}

export const FIELDS = Object.keys(podRow());

/**
 * @param {PodRow} row
 * @returns {unknown[]} its values in the order of `FIELDS`, as the kernel sends them
 */
export function encodeRow(row) {
  return FIELDS.map((field) => row[/** @type {keyof PodRow} */ (field)]);
}

/**
 * @param {PodRow[]} rows
 * @param {Record<string, unknown>} [changes]
 * @returns {DataView}
 */
export function encodeSnapshot(rows, changes = {}) {
  const content = {
    version: 1,
    fields: FIELDS,
    rows: rows.map(encodeRow),
    complete: true,
    selected: [],
    delete_delay: 7,
    interval: 15,
    loaded: true,
    ...changes,
  };
  return new DataView(new TextEncoder().encode(JSON.stringify(content)).buffer);
}

/** A model as anywidget passes it to the front end, which records what is sent. */
export class FakeModel {
  /** @param {DataView | null} snapshot */
  constructor(snapshot) {
    this._snapshot = snapshot;
    /** @type {Record<string, (...args: any[]) => void>} */
    this._listeners = {};
    /** @type {{ message: any, buffers?: any[] }[]} */
    this.sent = [];
  }

  /** @returns {any} the same object, typed as a model */
  asModel() {
    return this;
  }

  get() {
    return this._snapshot;
  }

  /**
   * @param {string} event
   * @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    this._listeners[event] = listener;
  }

  /**
   * @param {any} message
   * @param {unknown} _callbacks
   * @param {any[]} [buffers]
   */
  send(message, _callbacks, buffers) {
    this.sent.push({ message, buffers });
  }

  /** @param {DataView} snapshot */
  receiveSnapshot(snapshot) {
    this._snapshot = snapshot;
    this._listeners["change:_snapshot"]();
  }

  /**
   * @param {any} message
   * @param {DataView[]} [buffers]
   */
  receive(message, buffers = []) {
    this._listeners["msg:custom"](message, buffers);
  }

  loseKernel() {
    this._listeners.comm_live_update();
  }
}
