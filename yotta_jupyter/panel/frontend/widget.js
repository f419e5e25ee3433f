// Built from src/ by npm run build; edit the files there.

// yotta_jupyter/panel/frontend/src/icons.js
var SVG = "http://www.w3.org/2000/svg";
var PATHS = {
  pause: "M5 3h2v10H5zM9 3h2v10H9z",
  resume: "M5 3l8 5-8 5z",
  delete: "M6 2h4l.5 1H14v1.4H2V3h3.500zM3.300 5.500h9.400l-.7 8.500H4z",
  undo: "M6.500 2.500v2.600h2.700a4.100 4.100 0 0 1 0 8.200H5v-1.400h4.200a2.700 2.700 0 0 0 0-5.400H6.500v2.600L2.500 5.800z",
  copy: "M5 1.500h8.500V11H12V3H5zM2.500 4.500H10.500V14.500H2.500z",
  refresh: "M8 2.500a5.500 5.500 0 1 0 5.500 5.500h-1.500A4 4 0 1 1 8 4v2.500L12 3.200 8 0z",
  arrow: "M3.300 5.800l1-1L8 8.500l3.700-3.700 1 1L8 10.500z",
  close: "M4.200 3.200L8 7l3.800-3.800 1 1L9 8l3.800 3.800-1 1L8 9l-3.800 3.800-1-1L7 8 3.200 4.200z"
};
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return (
    /** @type {SVGSVGElement} */
    svg
  );
}

// yotta_jupyter/panel/frontend/src/dom.js
var SUPPRESS_SHORTCUTS = "data-lm-suppress-shortcuts";
var FOCUSABLE = /* @__PURE__ */ new Set(["button", "input", "select", "summary", "textarea"]);
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(
        name.slice(2),
        /** @type {EventListener} */
        value
      );
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute(SUPPRESS_SHORTCUTS, "true");
  element.append(...children);
  return element;
}
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}
function setLabel(button, label, reason) {
  setAttribute(button, "aria-label", label);
  setAttribute(button, "title", reason ? `${label}: ${reason}` : label);
}
function setIcon(button, name, text = "") {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.replaceChildren(icon(name));
  if (text) button.append(h("span", {}, text));
}
function iconButton(name, label, onclick) {
  const attributes = { type: "button", class: "yotta-icon-button", "aria-label": label, title: label, onclick };
  const button = h("button", attributes);
  setIcon(button, name);
  return button;
}
function secondaryButton(text, onclick) {
  return h("button", { type: "button", class: "yotta-button-secondary", onclick }, text);
}
function setDisabled(button, disabled) {
  setAttribute(button, "aria-disabled", disabled ? "true" : null);
}
function isDisabled(button) {
  return button.getAttribute("aria-disabled") === "true";
}
function isSecondClick(event) {
  return event.detail > 1;
}
function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// yotta_jupyter/panel/frontend/src/lifecycle.js
var COMPACT_WIDTH = 820;
var COUNTDOWN_INTERVAL_S = 0.25;
var TIME_INTERVAL_S = 1;
var AGE_INTERVAL_S = 15;
var HEARTBEAT_S = 300;
function attach(view, container) {
  const { root, store, table } = view;
  container.append(root);
  const disposers = [];
  const listen = (target, type, listener, capture = false) => {
    target.addEventListener(type, listener, capture);
    disposers.push(() => target.removeEventListener(type, listener, capture));
  };
  const every = (seconds, callback) => {
    const timer = setInterval(callback, seconds * 1e3);
    disposers.push(() => clearInterval(timer));
  };
  const visibility = new VisibilityReporter(view);
  const intersectionObserver = new IntersectionObserver((entries) => {
    visibility.setInViewport(entries[entries.length - 1].isIntersecting);
  });
  intersectionObserver.observe(root);
  disposers.push(() => intersectionObserver.disconnect());
  const resizeObserver = new ResizeObserver(() => {
    const compact = root.clientWidth < COMPACT_WIDTH;
    root.classList.toggle("yotta-is-compact", compact);
    table.setCompact(compact);
  });
  resizeObserver.observe(root);
  disposers.push(() => resizeObserver.disconnect());
  listen(window, "keydown", (event) => allowSaveShortcut(root, event), true);
  listen(document, "visibilitychange", () => visibility.update());
  listen(window, "pagehide", () => visibility.reportIfChanged(false));
  listen(window, "pageshow", () => visibility.update());
  every(COUNTDOWN_INTERVAL_S, () => view.refreshCountdowns());
  every(TIME_INTERVAL_S, () => view.updateTime());
  every(TIME_INTERVAL_S, () => visibility.reportedVisible && store.resyncIfSilent());
  every(AGE_INTERVAL_S, () => table.refreshAges());
  every(HEARTBEAT_S, () => visibility.reportedVisible && visibility.report(true));
  visibility.update();
  return () => {
    for (const dispose of disposers) dispose();
    view.close();
    visibility.reportIfChanged(false);
  };
}
var VisibilityReporter = class {
  /** @param {PanelView} view */
  constructor(view) {
    this._view = view;
    this._inViewport = true;
    this.reportedVisible = null;
  }
  /** @param {boolean} inViewport */
  setInViewport(inViewport) {
    this._inViewport = inViewport;
    this.update();
  }
  update() {
    this.reportIfChanged(this._inViewport && document.visibilityState === "visible");
  }
  /** @param {boolean} visible */
  reportIfChanged(visible) {
    if (visible !== this.reportedVisible) this.report(visible);
  }
  /** @param {boolean} visible */
  report(visible) {
    this.reportedVisible = visible;
    this._view.store.send({ type: "view", view_id: this._view.id, visible });
  }
};
function allowSaveShortcut(root, event) {
  const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!isSave || !root.contains(
    /** @type {Node} */
    event.target
  )) return;
  const elements = event.composedPath().filter((target) => target instanceof Element && root.contains(target));
  const suppressed = (
    /** @type {Element[]} */
    elements.filter((element) => element.hasAttribute(SUPPRESS_SHORTCUTS))
  );
  for (const element of suppressed) element.removeAttribute(SUPPRESS_SHORTCUTS);
  setTimeout(() => {
    for (const element of suppressed) element.setAttribute(SUPPRESS_SHORTCUTS, "true");
  });
}

// yotta_jupyter/panel/frontend/src/protocol.js
var LAUNCHING = "LAUNCHING";
var GONE = "GONE";
var UNDOABLE_PREFIX = "undoable_";
var DEFAULT_META = {
  fields: [],
  complete: true,
  loaded: false,
  totals: { running: 0, paused: 0, ended: 0, total: 0, hourly_cost: 0, unpriced_pods: 0 },
  base_url: "",
  sandbox: false,
  ssh_option: "",
  delete_delay: 0,
  interval: null,
  error: null,
  reachable: true,
  late: false,
  late_after: 0,
  choices: null,
  guards: {},
  guards_error: null,
  guard_extension: 0,
  transitional: []
};
function emptySnapshot() {
  return { version: -1, rows: /* @__PURE__ */ new Map(), selected: [], undoSeconds: {}, meta: { ...DEFAULT_META } };
}
function undoableAction(pending) {
  return pending?.startsWith(UNDOABLE_PREFIX) ? pending.slice(UNDOABLE_PREFIX.length) : null;
}
function decodeRow(fields, values) {
  const row = {};
  for (let index = 0; index < fields.length; index++) row[fields[index]] = values[index];
  return (
    /** @type {any} */
    row
  );
}
function placeholderRow(id, fields, form) {
  const nulls = fields.map(() => null);
  const empty = decodeRow(fields, nulls);
  return {
    ...empty,
    id,
    name: form.pod_name,
    status: LAUNCHING,
    gpu_type: form.gpu_type,
    gpu_count: form.gpu_count,
    region: form.region,
    image: form.image,
    has_ended: false,
    is_live: true,
    actions: [],
    warns_of_pause: false,
    pending: "launch"
  };
}
function decodeSnapshot(bytes) {
  if (!bytes?.byteLength) return null;
  const { version, rows, selected, undo_seconds, ...meta } = JSON.parse(new TextDecoder().decode(bytes));
  const decoded = rows.map((values) => decodeRow(meta.fields, values));
  return {
    version,
    rows: new Map(decoded.map((row) => [row.id, row])),
    selected: selected ?? [],
    undoSeconds: undo_seconds ?? {},
    meta: { ...DEFAULT_META, ...meta }
  };
}
function applyRows(rows, fields, { added = [], updated = [], removed = [] }) {
  if (updated.some(({ id }) => !rows.has(id))) return null;
  const addedRows = added.map((values) => decodeRow(fields, values));
  for (const row of addedRows) rows.set(row.id, row);
  const changed = /* @__PURE__ */ new Set();
  for (const { id, ...values } of updated) {
    rows.set(
      id,
      /** @type {PodRow} */
      { ...rows.get(id), ...values }
    );
    for (const field of Object.keys(values)) changed.add(
      /** @type {Field} */
      field
    );
  }
  for (const id of removed) rows.delete(id);
  return { added: addedRows.map(({ id }) => id), fields: changed };
}

// yotta_jupyter/panel/frontend/src/undoable-actions.js
var UndoableActions = class {
  constructor() {
    this._deadlines = /* @__PURE__ */ new Map();
    this._groups = [];
  }
  /**
   * @param {string} id
   * @returns {boolean} whether the countdown of a row runs
   */
  isRunning(id) {
    return this._deadlines.has(id);
  }
  /**
   * Start the countdown of a row. The kernel's countdown starts a little later.
   *
   * @param {string} id
   * @param {number} seconds
   */
  start(id, seconds) {
    this._deadlines.set(id, Date.now() + seconds * 1e3);
  }
  /** @param {string} id */
  stop(id) {
    this._deadlines.delete(id);
  }
  /**
   * Stop the countdowns of rows whose action cannot be undone any more.
   *
   * @param {(id: string) => boolean} canUndo
   */
  stopUnless(canUndo) {
    for (const id of [...this._deadlines.keys()]) if (!canUndo(id)) this.stop(id);
  }
  /**
   * @param {string} id
   * @returns {number} at least 1
   */
  secondsLeft(id) {
    const milliseconds = (this._deadlines.get(id) ?? 0) - Date.now();
    return Math.max(1, Math.ceil(milliseconds / 1e3));
  }
  /** @param {ActionGroup} group */
  addGroup(group) {
    this._groups.push(group);
  }
  /**
   * Forgets the groups that cannot be undone any more.
   *
   * @param {(id: string) => string | null} actionOf returns the action of a row that can still be undone
   * @returns {ActionGroup | null} the last one, without the pods that cannot be undone any more
   */
  last(actionOf) {
    for (let group = this._groups.at(-1); group; group = this._groups.at(-1)) {
      const { action: action2, ids: ids2, isBulk } = group;
      const undoable = ids2.filter((id) => actionOf(id) === action2);
      if (undoable.length) return { action: action2, ids: undoable, isBulk };
      this._groups.pop();
    }
    const restored = [...this._deadlines.keys()];
    const action = restored.map(actionOf).findLast((each) => each !== null);
    if (!action) return null;
    const ids = restored.filter((id) => actionOf(id) === action);
    return { action, ids, isBulk: ids.length > 1 };
  }
};

// yotta_jupyter/panel/frontend/src/store.js
var STALL_MS = 1500;
var SELECTION_DEBOUNCE_MS = 100;
var MAX_SILENT_INTERVALS = 2.5;
var Store = class {
  /** @param {Model} model */
  constructor(model) {
    this.rows = /* @__PURE__ */ new Map();
    this.meta = emptySnapshot().meta;
    this.selected = /* @__PURE__ */ new Set();
    this.connected = true;
    this.lastMessageAt = 0;
    this._model = model;
    this._version = -1;
    this._listeners = /* @__PURE__ */ new Set();
    this._optimistic = /* @__PURE__ */ new Map();
    this._undoable = new UndoableActions();
    this._launches = /* @__PURE__ */ new Set();
    this._resyncRequestedAt = 0;
    this._selectionTimer = 0;
    this._loadSnapshot();
    model.on("change:_snapshot", () => {
      this.lastMessageAt = Date.now();
      this._loadSnapshot();
    });
    model.on("msg:custom", (message, buffers) => this._onMessage(message, buffers));
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
      return row?.warns_of_pause && row.pause_loss || [];
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
    return [...this.selected].map((id) => this.rows.get(id)).filter((row) => row !== void 0);
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
    this.send({ type: action, pods: ids, ...action === "pause" && isConfirmed ? { confirmed: true } : {} });
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
    if (silenceMs < MAX_SILENT_INTERVALS * interval * 1e3) return;
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
      this._model.send(message, void 0, buffers);
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
    if (!this._launches.delete(message.temp_id)) return;
    const isPlaceholder = this._optimistic.has(message.temp_id);
    if (message.type === "rejected" || isPlaceholder) this._discard(message.temp_id);
  }
  /** @param {Patch} patch */
  _applyPatch(patch) {
    if (patch.version <= this._version) return;
    const isNext = patch.version === this._version + 1;
    const applied = isNext ? applyRows(this.rows, this.meta.fields, patch) : null;
    if (!applied) {
      this.send({ type: "resync" });
      return;
    }
    const { type: _, version, added, updated = [], removed = [], totals, ...meta } = patch;
    this._version = version;
    const guardedIds = meta.guards ? Object.keys({ ...this.meta.guards, ...meta.guards }) : [];
    this.meta = { ...this.meta, ...meta, totals: { ...this.meta.totals, ...totals } };
    for (const id of applied.added) this._clearOptimistic(id);
    for (const { id, pending } of updated) {
      this._clearOptimistic(id);
      if (pending !== void 0) this._setCountdown(id, pending);
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
};

// yotta_jupyter/panel/frontend/src/clipboard.js
var COPIED_MS = 1200;
async function copyText(text, container) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text, container);
  }
}
function copyFromField(text, container) {
  const field = h("textarea", { class: "yotta-copy-fallback", "aria-label": "Copy this", readonly: true });
  field.value = text;
  field.rows = Math.min(8, text.split("\n").length);
  container.append(field);
  field.focus({ preventScroll: true });
  field.select();
  if (document.execCommand("copy")) {
    field.remove();
    return true;
  }
  field.addEventListener("blur", () => field.remove());
  return false;
}

// yotta_jupyter/panel/frontend/src/empty-state.js
var EmptyState = class {
  /** @param {() => void} onLaunch moves the focus to the launch form */
  constructor(onLaunch) {
    this._onLaunch = onLaunch;
    this._state = "";
    this.element = h("div", { class: "yotta-empty-state" });
  }
  /**
   * @param {{ loaded: boolean, total: number, matching: number }} rows whether they were listed, how many there are, and
   *   how many match the filters
   */
  update({ loaded, total, matching }) {
    let state = loaded ? "no-pods" : "loading";
    if (total > 0) state = matching > 0 ? "rows" : "no-match";
    if (state === this._state) return;
    this._state = state;
    this.element.hidden = state === "rows";
    this.element.replaceChildren(...this._content(state));
  }
  /** @param {string} state */
  _content(state) {
    if (state === "rows") return [];
    if (state === "no-match") return ["No pod fits the filters."];
    if (state === "loading") return ["Listing your pods…"];
    return [
      h("strong", {}, "No pods yet"),
      h("span", {}, "Choose a GPU type and an image below; the pod appears here."),
      secondaryButton("Launch your first pod", this._onLaunch)
    ];
  }
};

// yotta_jupyter/panel/frontend/src/filter.js
var SELECT_FILTERS = (
  /** @type {const} */
  ["status", "region", "gpu_type"]
);
var SEARCHED_FIELDS = ["name", "id", "image", "region"];
function noFilters() {
  return { text: "", status: "", region: "", gpu_type: "" };
}
function isFiltered(filters) {
  return Object.values(filters).some(Boolean);
}
function filterRows(rows, filters) {
  const selected = [...rows].filter(
    (row) => SELECT_FILTERS.every((field) => !filters[field] || row[field] === filters[field])
  );
  const words = splitWords(filters.text);
  if (!words.length) return selected;
  const entries = selected.map(searchEntry);
  const conditions = words.map((word) => wordCondition(word, entries));
  return entries.filter((entry) => conditions.every((matches) => matches(entry))).map(({ row }) => row);
}
function sortedIds(rows, column, descending) {
  const sign = descending ? -1 : 1;
  const keyed = rows.map((row) => ({ key: column.sortKey(row), id: row.id }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return 0;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ id }) => id);
}
function groupByEnd(rows) {
  return [rows.filter((row) => !row.has_ended), rows.filter((row) => row.has_ended)];
}
function splitWords(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
function searchEntry(row) {
  const text = SEARCHED_FIELDS.map((field) => row[field] ?? "").join(" ");
  const gpuType = (row.gpu_type ?? "").toLowerCase();
  return { row, text: text.toLowerCase(), gpuType, gpuWords: gpuType.split(/[^a-z0-9]+/) };
}
function wordCondition(word, entries) {
  const containsWord = ({ text, gpuWords }) => text.includes(word) || gpuWords.includes(word);
  if (entries.some(containsWord)) return containsWord;
  return ({ gpuType }) => gpuType.includes(word);
}

// yotta_jupyter/panel/frontend/src/format.js
var TWO_DECIMALS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
var DATE = new Intl.DateTimeFormat(void 0, { dateStyle: "medium", timeStyle: "short" });
var STATUS_LABELS = (
  /** @type {Record<string, string>} */
  { INITIALIZE: "Initializing" }
);
var PROGRESS_LABELS = (
  /** @type {Record<string, string>} */
  {
    pause: "Pausing",
    resume: "Resuming",
    delete: "Deleting",
    undoing: "Undoing",
    launch: "Launching"
  }
);
function withUndoHint(text) {
  return `${text.replace(/\.$/, "")}. Undo with Escape`;
}
var LAST_KNOWN = (
  /** @type {Record<string, { status: string, tooltip: string }>} */
  {
    pause: {
      status: "Paused?",
      tooltip: "Paused or being paused: the kernel ended. If it was killed, the pod may still run and cost money."
    },
    resume: { status: "Running?", tooltip: "Running or starting, and may cost money: the kernel ended." },
    delete: {
      status: "Deleted?",
      tooltip: "Deleted or being deleted: the kernel ended. If it was killed, the pod may still exist and cost money."
    },
    undoing: {
      status: "Undone?",
      tooltip: "The kernel ended before it confirmed the undo: the pod may be deleted or paused."
    },
    launch: { status: "May exist", tooltip: "May exist and cost money: the kernel ended before the API had answered." }
  }
);
function formatDollars(amount) {
  return amount > 0 && amount < 0.01 ? "<$0.01" : `$${TWO_DECIMALS.format(amount)}`;
}
function formatPodCount(count) {
  return `${count.toLocaleString()} pod${count === 1 ? "" : "s"}`;
}
function formatAge(seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}
function formatDuration(seconds) {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  return [hours && `${hours} h`, minutes % 60 && `${minutes % 60} min`].filter(Boolean).join(" ");
}
function formatGuard({ rule, state, pauses_at, idle_since, problem }, now, runs) {
  if (problem) return "guard NOT enforced";
  if (state === "pausing") return "guard: pausing…";
  if (!runs) return state === "paused" ? "paused by its guard" : "guard waits";
  if (state === "paused" || state === "waiting" || pauses_at === null) return `guard: ${rule}`;
  if (idle_since === null) return `pauses in ${formatDuration(pauses_at - now)}`;
  return `guard: idle ${wholeMinutes(now - idle_since)} of ${wholeMinutes(pauses_at - idle_since)} min`;
}
function wholeMinutes(seconds) {
  return Math.max(0, Math.floor(seconds / 60));
}
function formatGuardTooltip({ rule, state, pauses_at, problem }) {
  let at = pauses_at === null ? "" : `. Pauses at ${formatDate(pauses_at)}`;
  if (state === "paused" || state === "waiting") at = ". Its limits start when the pod runs";
  const problemText = problem ? `. NOT enforced: ${problem}. %yotta guard shows why and starts its enforcer again` : "";
  return `Guard: ${rule}${at}${problemText}`;
}
function formatTime(timestamp) {
  return new Date(timestamp * 1e3).toLocaleTimeString([], { hour12: false });
}
function formatDate(timestamp) {
  return DATE.format(timestamp * 1e3);
}
function displayName(row) {
  return row.name || (row.status === LAUNCHING ? "New pod" : row.id);
}
function formatGpus(row) {
  if (!row.gpu_type) return "";
  return `${row.gpu_count ?? "?"} × ${formatGpuType(row.gpu_type)}`;
}
function formatGpuType(gpuType) {
  return gpuType.replace(/^NVIDIA_/, "").replaceAll("_", " ");
}
function formatPauseLosses(losses) {
  if (!losses.length) return "";
  if (losses.length === 1) return `. ${losses[0]}`;
  return `. A pause may erase all files of ${losses.length} pods: they have no persistent volume.`;
}
function formatImage(row) {
  return (row.image ?? "").replace(/^yottalabsai\//, "");
}
function formatGpuFacts({ vram_in_gb, price }) {
  const facts = [vram_in_gb && `${vram_in_gb} GB`, price != null && `${formatDollars(price)} an hour`];
  return facts.filter(Boolean).join(" · ");
}
function formatStatus(status, pending = null, { stalled = false, undoSeconds = 0, connected = true } = {}) {
  const lastKnown = connected ? null : lastKnownOf(pending);
  if (lastKnown) return lastKnown.status;
  if (stalled) return "Waiting for kernel…";
  const undoable = undoableAction(pending);
  if (undoable) return `${PROGRESS_LABELS[undoable]} in ${undoSeconds} s`;
  if (pending) return `${PROGRESS_LABELS[pending] ?? pending}…`;
  if (!status) return "Unknown";
  return STATUS_LABELS[status] ?? status[0].toUpperCase() + status.slice(1).toLowerCase();
}
function formatStatusTooltip(status, pending, connected) {
  const lastKnown = connected ? null : lastKnownOf(pending);
  return lastKnown?.tooltip ?? status;
}
function lastKnownOf(pending) {
  return LAST_KNOWN[undoableAction(pending) ?? pending ?? ""];
}

// yotta_jupyter/panel/frontend/src/filter-bar.js
var EMPTY_LABELS = { status: "Any status", region: "Any region", gpu_type: "Any GPU" };
var ARIA_LABELS = { status: "Filter by status", region: "Filter by region", gpu_type: "Filter by GPU type" };
var FORMATTERS = {
  status: (value) => formatStatus(value),
  region: (value) => value,
  gpu_type: formatGpuType
};
var FilterBar = class {
  /**
   * @param {Store} store
   * @param {(name: keyof Filters, value: string) => void} onFilter
   * @param {() => void} onClear
   */
  constructor(store, onFilter, onClear) {
    this.store = store;
    this.search = h("input", {
      type: "search",
      placeholder: "Filter by name, id, image…",
      "aria-label": "Filter pods"
    });
    this.search.addEventListener("input", () => onFilter("text", this.search.value));
    this._selects = SELECT_FILTERS.map((name) => {
      const select = h("select", { "aria-label": ARIA_LABELS[name] }, h("option", { value: "" }, EMPTY_LABELS[name]));
      select.addEventListener("change", () => onFilter(name, select.value));
      return { name, select };
    });
    this._resultCount = h("span", { class: "yotta-result-count" });
    this._clear = secondaryButton("Clear filters", () => {
      this.search.value = "";
      for (const { select } of this._selects) select.value = "";
      this.search.focus({ preventScroll: true });
      onClear();
    });
    const result = h("span", { class: "yotta-filter-result" }, this._resultCount, this._clear);
    const selects = this._selects.map(({ select }) => select);
    this.element = h("div", { class: "yotta-filter-bar" }, this.search, ...selects, result);
  }
  /**
   * Offer the values that the rows contain.
   *
   * @param {Filters} filters
   */
  updateOptions(filters) {
    for (const { name, select } of this._selects) {
      const values = /* @__PURE__ */ new Set();
      for (const row of this.store.rows.values()) {
        const value = row[name];
        if (value && value !== LAUNCHING) values.add(value);
      }
      const options = [...values].sort();
      const selected = filters[name];
      if (selected && !values.has(selected)) options.push(selected);
      setOptions(select, options, selected, FORMATTERS[name]);
    }
  }
  /**
   * @param {Filters} filters
   * @param {number} count the rows that match
   */
  updateCount(filters, count) {
    const total = formatPodCount(this.store.rows.size);
    this._clear.classList.toggle("yotta-is-invisible", !isFiltered(filters));
    setText(this._resultCount, isFiltered(filters) ? `${count.toLocaleString()} of ${total}` : "");
  }
};
function setOptions(select, values, selected, format) {
  const current = [...select.options].slice(1).map((option) => option.value);
  if (values.join("\n") === current.join("\n")) return;
  const options = values.map((value) => h("option", { value }, format(value)));
  select.replaceChildren(select.options[0], ...options);
  select.value = selected;
}

// yotta_jupyter/panel/frontend/src/combobox-logic.js
var MAX_OPTIONS = 60;
function createFilter(options) {
  const entries = options.map((option) => {
    const text = `${option.label} ${option.value} ${option.keywords ?? ""}`.toLowerCase();
    return { option, text, condensed: condense(text) };
  });
  const groups = [...new Set(options.map(({ group }) => group))];
  return (text) => {
    const words = splitWords(text);
    if (!words.length) return options;
    const matches = findMatches(entries, words);
    const wordStarts = words.map(wordStartPattern);
    const exact = words.join(" ");
    const ranked = matches.map(({ option, text: text2 }) => ({
      option,
      group: groups.indexOf(option.group),
      equality: [option.value, option.label].some((name) => name.toLowerCase() === exact) ? 1 : 0,
      startCount: wordStarts.filter((pattern) => pattern.test(text2)).length
    }));
    ranked.sort((a, b) => a.group - b.group || b.equality - a.equality || b.startCount - a.startCount);
    return ranked.map(({ option }) => option);
  };
}
function findMatches(entries, words) {
  const matches = entries.filter(({ text }) => words.every((word) => text.includes(word)));
  const condensedWords = words.map(condense).filter(Boolean);
  if (matches.length || !condensedWords.length) return matches;
  return entries.filter(({ condensed }) => condensedWords.every((word) => condensed.includes(word)));
}
function wordStartPattern(word) {
  return new RegExp(`(^|[^a-z0-9])${word.replace(/[^a-z0-9]/g, "\\$&")}`);
}
function condense(text) {
  return text.replace(/[^a-z0-9]/g, "");
}
function keyAction({ key, altKey = false }, { open, active, count, selected = -1 }) {
  const last = count - 1;
  switch (key) {
    case "ArrowDown":
      if (!open) return { type: "open", index: altKey ? -1 : Math.max(selected, 0), preventsDefault: true };
      return { type: "move", index: active >= last ? Math.min(0, last) : active + 1, preventsDefault: true };
    case "ArrowUp":
      if (altKey) return open ? { type: "close", preventsDefault: true } : null;
      if (!open) return { type: "open", index: selected >= 0 ? selected : last, preventsDefault: true };
      return { type: "move", index: active <= 0 ? last : active - 1, preventsDefault: true };
    case "Enter":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", preventsDefault: true };
    case "Tab":
      if (!open) return null;
      return { type: active >= 0 ? "accept" : "close", preventsDefault: false };
    case "Escape":
      return open ? { type: "close", preventsDefault: true } : null;
    case "ArrowLeft":
    case "ArrowRight":
    case "Home":
    case "End":
      return open && active >= 0 ? { type: "deselect", index: -1, preventsDefault: false } : null;
    default:
      return null;
  }
}

// yotta_jupyter/panel/frontend/src/popup.js
var GAP = 3;
var MARGIN = 8;
var MIN_HEIGHT = 80;
var MAX_HEIGHT = 320;
var ENOUGH_HEIGHT = 200;
var Popup = class {
  /**
   * @param {HTMLElement} element
   * @param {{ minWidth?: number, alignRight?: boolean, onClose?: () => void }} [options]
   */
  constructor(element, { minWidth = 0, alignRight = false, onClose = () => {
  } } = {}) {
    this.element = element;
    this._minWidth = minWidth;
    this._alignRight = alignRight;
    this._onClose = onClose;
    this._anchor = null;
    this._place = () => this.place();
    element.hidden = true;
    element.classList.add("yotta-popup");
    if ("popover" in element) element.setAttribute("popover", "manual");
  }
  get isOpen() {
    return this._anchor !== null;
  }
  /** @param {HTMLElement} anchor */
  open(anchor) {
    if (this._anchor === anchor) return;
    this.close();
    this._anchor = anchor;
    this.element.hidden = false;
    this.element.showPopover?.();
    window.addEventListener("scroll", this._place, { capture: true, passive: true });
    window.addEventListener("resize", this._place);
    this.place();
  }
  close() {
    if (!this._anchor) return;
    this._anchor = null;
    window.removeEventListener("scroll", this._place, { capture: true });
    window.removeEventListener("resize", this._place);
    if (this.element.isConnected) this.element.hidePopover?.();
    this.element.hidden = true;
    this._onClose();
  }
  /** Put the box below its anchor, or above if there is more space. Close it if the anchor is out of view. */
  place() {
    if (!this._anchor) return;
    const anchor = this._anchor.getBoundingClientRect();
    const { innerWidth, innerHeight } = window;
    if (!this._anchor.isConnected || anchor.bottom < 0 || anchor.top > innerHeight) {
      this.close();
      return;
    }
    const { style } = this.element;
    const width = Math.min(Math.max(anchor.width, this._minWidth), innerWidth - 2 * MARGIN);
    const below = innerHeight - anchor.bottom - GAP - MARGIN;
    const above = anchor.top - GAP - MARGIN;
    const isBelow = below >= ENOUGH_HEIGHT || below >= above;
    style.minWidth = `${width}px`;
    style.maxWidth = `${innerWidth - 2 * MARGIN}px`;
    const space = isBelow ? below : above;
    style.maxHeight = `${Math.max(MIN_HEIGHT, Math.min(MAX_HEIGHT, space))}px`;
    const { offsetWidth } = this.element;
    const preferred = this._alignRight ? anchor.right - offsetWidth : anchor.left;
    const left = Math.min(preferred, innerWidth - MARGIN - offsetWidth);
    style.left = `${Math.max(MARGIN, left)}px`;
    style.top = isBelow ? `${anchor.bottom + GAP}px` : "auto";
    style.bottom = isBelow ? "auto" : `${innerHeight - anchor.top + GAP}px`;
  }
};

// yotta_jupyter/panel/frontend/src/combobox.js
var MIN_WIDTH = 300;
var Combobox = class {
  /**
   * @param {string} label the accessible name of the list
   * @param {Record<string, unknown>} [attributes] of the text field
   */
  constructor(label, attributes = {}) {
    this._id = `yotta-${uniqueId()}`;
    this._options = [];
    this._filter = createFilter([]);
    this._shown = [];
    this._active = -1;
    this._isTyped = false;
    this._listbox = h("div", {
      role: "listbox",
      id: this._id,
      class: "yotta-listbox",
      "aria-label": `${label} options`
    });
    this._footer = h("div", { class: "yotta-listbox-footer", hidden: true });
    const list = h("div", {}, this._listbox, this._footer);
    this._popup = new Popup(list, { minWidth: MIN_WIDTH, onClose: () => this._onClose() });
    this.input = h("input", {
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this._id,
      "aria-haspopup": "listbox",
      ...attributes
    });
    this._arrow = h("button", {
      type: "button",
      class: "yotta-combobox-arrow",
      tabindex: "-1",
      "aria-label": `Show ${label} options`,
      "aria-expanded": "false",
      "aria-controls": this._id
    });
    setIcon(this._arrow, "arrow");
    this.element = h("div", { class: "yotta-combobox" }, this.input, this._arrow, list);
    this.input.addEventListener("click", () => this._openForText(-1));
    this.input.addEventListener("keydown", (event) => this._onKeydown(event));
    this.input.addEventListener("input", (event) => {
      this._isTyped = event.isTrusted;
      if (event.isTrusted) this._open(-1, this.input.value);
    });
    this.input.addEventListener("blur", () => this._popup.close());
    for (const element of [this._arrow, list]) element.addEventListener("mousedown", (event) => event.preventDefault());
    this._arrow.addEventListener("click", () => {
      const { isOpen } = this._popup;
      this.input.focus();
      if (isOpen) this._popup.close();
      else this._openForText(-1);
    });
    this._listbox.addEventListener("click", (event) => {
      const option = (
        /** @type {HTMLElement} */
        event.target.closest("[role=option]")
      );
      if (option) this._accept(Number(
        /** @type {HTMLElement} */
        option.dataset.index
      ));
    });
  }
  /** @param {ComboboxOption[]} options */
  setOptions(options) {
    this._options = options;
    this._filter = createFilter(options);
    if (this._popup.isOpen) this._render(this.input.value);
  }
  /**
   * Open the matches of a typed text, with the best match active. If there are none, open all options.
   *
   * @param {number} active the index of the active option if no text was typed; -1 for none
   */
  _openForText(active) {
    const text = this.input.value.trim();
    if (!this._isTyped || !text) this._open(active, "");
    else if (this._filter(text).length) this._open(0, text);
    else this._open(-1, "");
  }
  /**
   * @param {number} active the index of the option that becomes active; -1 for none
   * @param {string} text the options must match it; empty for all options
   */
  _open(active, text) {
    this._render(text);
    if (!this._shown.length) {
      this._popup.close();
      return;
    }
    this._popup.open(this.input);
    this._popup.place();
    for (const element of [this.input, this._arrow]) setAttribute(element, "aria-expanded", "true");
    const selected = this._selectedIndex(this._shown);
    this._listbox.scrollTop = 0;
    if (active >= 0) this._setActive(active);
    else if (selected >= 0) this._scrollTo(selected);
  }
  _onClose() {
    for (const element of [this.input, this._arrow]) setAttribute(element, "aria-expanded", "false");
    this._setActive(-1);
    this._listbox.replaceChildren();
  }
  /**
   * Render the matching options, with a heading for each group.
   *
   * @param {string} text
   */
  _render(text) {
    const matches = this._filter(text);
    this._shown = matches.slice(0, MAX_OPTIONS);
    const value = this.input.value.trim();
    const children = [];
    let group = null;
    let groupName = "";
    for (const [index, option] of this._shown.entries()) {
      const element = this._option(option, index, option.value === value);
      if (!option.group) {
        children.push(element);
        continue;
      }
      if (!group || option.group !== groupName) {
        groupName = option.group;
        const heading = h("div", { class: "yotta-group-heading", role: "presentation" }, groupName);
        group = h("div", { role: "group", "aria-label": groupName }, heading);
        children.push(group);
      }
      group.append(element);
    }
    this._listbox.replaceChildren(...children);
    const hidden = matches.length - this._shown.length;
    this._footer.hidden = hidden === 0;
    setText(this._footer, hidden ? `${hidden.toLocaleString()} more: type to narrow` : "");
    this._setActive(-1);
  }
  /**
   * @param {ComboboxOption} option
   * @param {number} index
   * @param {boolean} selected
   */
  _option({ label, detail }, index, selected) {
    return h(
      "div",
      {
        role: "option",
        id: `${this._id}-${index}`,
        class: "yotta-option",
        "aria-selected": String(selected),
        "data-index": index
      },
      h("span", { class: "yotta-option-label", dir: "auto" }, label),
      ...detail ? [h("span", { class: "yotta-option-detail", dir: "auto", title: detail }, detail)] : []
    );
  }
  /**
   * @param {ComboboxOption[]} options
   * @returns {number} the index of the option whose value the field has; -1 if there is none
   */
  _selectedIndex(options) {
    const value = this.input.value.trim();
    return options.findIndex((option) => option.value === value);
  }
  /** @param {number} index */
  _elementAt(index) {
    return document.getElementById(`${this._id}-${index}`);
  }
  /** @param {number} index -1 for none */
  _setActive(index) {
    this._elementAt(this._active)?.classList.remove("yotta-is-active");
    this._active = index;
    this._elementAt(index)?.classList.add("yotta-is-active");
    setAttribute(this.input, "aria-activedescendant", index >= 0 ? `${this._id}-${index}` : null);
    if (index >= 0) this._scrollTo(index);
  }
  /** @param {number} index */
  _scrollTo(index) {
    const element = this._elementAt(index);
    if (!element) return;
    const top = element.offsetTop - this._listbox.offsetTop;
    const { clientHeight, scrollTop } = this._listbox;
    if (top < scrollTop) this._listbox.scrollTop = top;
    else if (top + element.offsetHeight > scrollTop + clientHeight) {
      this._listbox.scrollTop = top + element.offsetHeight - clientHeight;
    }
  }
  /** @param {number} index */
  _accept(index) {
    const option = this._shown[index];
    this._popup.close();
    if (!option) return;
    this.input.value = option.value;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  /** @param {KeyboardEvent} event */
  _onKeydown(event) {
    const { isOpen } = this._popup;
    const options = isOpen ? this._shown : this._options.slice(0, MAX_OPTIONS);
    const selected = this._selectedIndex(options);
    const action = keyAction(event, { open: isOpen, active: this._active, count: options.length, selected });
    if (!action) return;
    if (action.preventsDefault) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (action.type === "open") this._openForText(action.index ?? -1);
    else if (action.type === "move" || action.type === "deselect") this._setActive(action.index ?? -1);
    else if (action.type === "accept") this._accept(this._active);
    else this._popup.close();
  }
};

// yotta_jupyter/panel/frontend/src/fields.js
var CONFIRMATION_LABELS = { as_typed: "Use as typed", another: "Launch another pod of this name" };
var Fields = class {
  /** @param {(element: HTMLElement) => void} onInput called after a change that fires no input event */
  constructor(onInput) {
    this._onInput = onInput;
    this.inputs = {};
    this.messageElements = {};
    this._confirmations = {};
    this._renderedChoices = null;
    this._comboboxes = {
      gpu_type: new Combobox("GPU type", { placeholder: "Choose or type, such as L4" }),
      image: new Combobox("Image", { placeholder: "Choose or type, such as pytorch" }),
      region: new Combobox("Region", { placeholder: "Any region" })
    };
    const { gpu_type, image, region } = this._comboboxes;
    this._variables = h("div", { class: "yotta-variables" });
    this._addVariableButton = secondaryButton("Add a variable", () => this._addVariable());
    this._summary = h("summary");
    this._moreFields = h(
      "div",
      { class: "yotta-fields yotta-more-fields" },
      this._field("expose", "Ports"),
      this._field("initialization_command", "Init command", { placeholder: "runs when the pod starts" }),
      this._field("container_volume_in_gb", "Container volume (GB)", { inputmode: "numeric" }),
      this._field("persistent_volume_in_gb", "Persistent volume (GB)", { inputmode: "numeric" }),
      this._field("persistent_mount_path", "Mount path", { placeholder: "e.g. /workspace" }),
      this._labelledField("cloud_type", "Cloud", h("select"))
    );
    this._registryFields = h(
      "div",
      { class: "yotta-fields", hidden: true },
      this._field("image_registry_username", "Registry user name"),
      this._field("image_registry_token", "Registry token", { type: "password" })
    );
    this._privateCheckbox = h("input", { type: "checkbox" });
    this._privateCheckbox.addEventListener("change", () => {
      this._registryFields.hidden = !this._privateCheckbox.checked;
    });
    this.element = h(
      "div",
      {},
      h(
        "div",
        { class: "yotta-fields yotta-main-fields" },
        this._labelledField("gpu_type", "GPU type", gpu_type.input, gpu_type.element),
        this._labelledField("gpu_count", "GPUs", h("select")),
        this._labelledField("image", "Image", image.input, image.element),
        this._field("pod_name", "Name", { placeholder: "Optional" }),
        this._labelledField("region", "Region", region.input, region.element)
      ),
      this._moreOptions()
    );
    this.element.addEventListener("input", () => this._updateSummary());
    this._updateSummary();
  }
  /**
   * @param {Choices | null} choices
   * @returns {boolean} whether they have changed
   */
  renderChoices(choices) {
    if (!choices || choices === this._renderedChoices) return false;
    if (!this._renderedChoices) this.inputs.image.value = choices.default_image;
    this._renderedChoices = choices;
    const { gpu_type, image, region } = this._comboboxes;
    gpu_type.setOptions(choices.gpu_types.map(gpuOption));
    image.setOptions(choices.images.map(imageOption));
    region.setOptions(choices.regions.map((value) => ({ value, label: value })));
    const counts = choices.gpu_counts.map((count) => h("option", {}, String(count)));
    setOptions2(this.inputs.gpu_count, counts);
    const clouds = ["", ...choices.clouds].map((cloud) => h("option", { value: cloud }, cloud || "any"));
    setOptions2(this.inputs.cloud_type, clouds);
    setAttribute(this.inputs.expose, "placeholder", `Default: ${choices.default_ports}`);
    return true;
  }
  /**
   * @param {string} [resolved] the id of the GPU type that the kernel has found for the typed text
   * @param {number | null} [price] US dollars an hour, if the kernel knows it
   * @returns {string} the id, VRAM and price as far as they are known
   */
  gpuHint(resolved, price) {
    const typed = this.inputs.gpu_type.value.trim().toLowerCase();
    const choices = this._renderedChoices?.gpu_types ?? [];
    const gpu = resolved ? choices.find(({ id: id2 }) => id2 === resolved) : choices.find(({ id: id2, value }) => [id2.toLowerCase(), value.toLowerCase()].includes(typed));
    if (!gpu) return "";
    const id = gpu.id.toLowerCase() === typed ? "" : gpu.id;
    return [id, formatGpuFacts({ ...gpu, price: price ?? gpu.price })].filter(Boolean).join(" · ");
  }
  /**
   * @param {{ withSecrets: boolean }} options if false, each secret is replaced by the word "set"
   * @returns {Record<string, any>} by field; environment variables as pairs of name and value
   */
  values({ withSecrets }) {
    const masked = (secret) => withSecrets || !secret ? secret : "set";
    const texts = Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]);
    const values = Object.fromEntries(texts);
    values.image_public_type = this._privateCheckbox.checked ? "PRIVATE" : null;
    values.image_registry_token = masked(values.image_registry_token);
    values.environment_vars = this._variableValues().map(([name, value]) => [name, masked(value)]);
    values.confirmed = Object.keys(this._confirmations).filter((name) => this._confirmations[name].checkbox.checked);
    return values;
  }
  /**
   * Show an error of a field, or else a note.
   *
   * @param {string} name
   * @param {string | undefined} error
   * @param {string | undefined} note
   */
  setMessage(name, error, note) {
    const message = this.messageElements[name];
    if (!message) return;
    const text = error || note || "";
    setText(message, text);
    message.classList.toggle("yotta-is-invalid", Boolean(error));
    if (name === "environment_vars") this._markInvalidVariables(error);
    const input = this.inputs[name];
    if (!input) return;
    setAttribute(input, "aria-invalid", error ? "true" : null);
    setAttribute(input, "aria-describedby", error || note ? message.id : null);
  }
  /**
   * Show or hide the check box that confirms the value of a field.
   *
   * @param {string} name
   * @param {"as_typed" | "another" | undefined} kind undefined to hide it
   */
  setConfirmation(name, kind) {
    const confirmation = this._confirmations[name];
    if (!confirmation) return;
    if (kind) setText(confirmation.text, CONFIRMATION_LABELS[kind]);
    else confirmation.checkbox.checked = false;
    confirmation.label.hidden = !kind;
  }
  /** @param {string} name of a field whose value has changed since it was confirmed */
  clearConfirmation(name) {
    const confirmation = this._confirmations[name];
    if (confirmation) confirmation.checkbox.checked = false;
  }
  clearConfirmations() {
    for (const name of Object.keys(this._confirmations)) this.clearConfirmation(name);
  }
  /** Remove the values of the environment variables: a secret must not be sent to the next pod unnoticed. */
  clearVariableValues() {
    for (const { value } of this._variableInputs()) value.value = "";
  }
  /** @returns {{ name: HTMLInputElement, value: HTMLInputElement }[]} of the environment variables */
  _variableInputs() {
    return [...this._variables.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return { name, value };
    });
  }
  /** @returns {string[][]} the name and value of each environment variable */
  _variableValues() {
    const pairs = this._variableInputs().map(({ name, value }) => [name.value.trim(), value.value]);
    return pairs.filter(([name, value]) => name || value);
  }
  /** Show how many options are set. Hidden options are sent, too. */
  _updateSummary() {
    const count = (element) => {
      const inputs = (
        /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
        element.querySelectorAll("input, select")
      );
      return [...inputs].filter((input) => input.value.trim()).length;
    };
    const registry = this._privateCheckbox.checked ? 1 + count(this._registryFields) : 0;
    const total = count(this._moreFields) + this._variableValues().length + registry;
    setText(this._summary, total ? `More options (${total} set)` : "More options");
  }
  /** Focus the first field with an error, if there is one. */
  focusFirstInvalid() {
    let control = this.element.querySelector("[aria-invalid=true]");
    const hasVariableError = this.messageElements.environment_vars.classList.contains("yotta-is-invalid");
    if (!control && hasVariableError) control = this._variables.querySelector("input") ?? this._addVariableButton;
    const details = control?.closest("details");
    if (details) details.open = true;
    control?.focus();
  }
  _moreOptions() {
    return h(
      "details",
      { class: "yotta-more-options" },
      this._summary,
      this._moreFields,
      h(
        "fieldset",
        { class: "yotta-env" },
        h("legend", {}, "Environment variables"),
        this._variables,
        this._addVariableButton,
        this._message("environment_vars")
      ),
      h("label", { class: "yotta-checkbox" }, this._privateCheckbox, "The image is in a private registry"),
      this._registryFields
    );
  }
  /**
   * If there is an error, mark the variables that it names and those without a name.
   *
   * @param {string | undefined} error
   */
  _markInvalidVariables(error) {
    for (const { name, value } of this._variableInputs()) {
      const text = name.value.trim();
      const isInvalid = error && (!text || error.includes(text));
      setAttribute(value, "aria-invalid", isInvalid ? "true" : null);
    }
  }
  _addVariable() {
    const input = (attributes) => h("input", { autocomplete: "off", ...attributes });
    const name = input({ type: "text", placeholder: "NAME", "aria-label": "Variable name" });
    const value = input({ type: "password", placeholder: "value", "aria-label": "Variable value" });
    name.dataset.field = "environment_vars";
    const remove = iconButton("close", "Remove the variable", () => {
      row.remove();
      this._updateSummary();
      this._onInput(name);
    });
    const row = h("div", { class: "yotta-variable" }, name, value, remove);
    this._variables.append(row);
    name.focus();
  }
  /**
   * @param {string} name
   * @param {string} label
   * @param {Record<string, unknown>} [attributes]
   */
  _field(name, label, attributes = {}) {
    const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
    return this._labelledField(name, label, input);
  }
  /**
   * @param {string} name
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {HTMLElement} [element] contains the input
   */
  _labelledField(name, label, input, element = input) {
    input.id = `yotta-${uniqueId()}`;
    input.dataset.field = name;
    this.inputs[name] = input;
    const classes = `yotta-field yotta-field-${name}`;
    const texts = h("div", {}, this._message(name));
    if (name === "pod_name" || name in this._comboboxes) texts.append(this._confirmation(name));
    const feedback = h("div", { class: "yotta-field-feedback" }, texts);
    return h("div", { class: classes }, h("label", { for: input.id }, label), element, feedback);
  }
  /** @param {string} name */
  _confirmation(name) {
    const checkbox = h("input", { type: "checkbox" });
    const text = h("span");
    const label = h("label", { class: "yotta-checkbox yotta-form-confirmation", hidden: true }, checkbox, text);
    this._confirmations[name] = { checkbox, text, label };
    return label;
  }
  /** @param {string} name */
  _message(name) {
    const message = h("span", { class: "yotta-field-message", id: `yotta-${uniqueId()}` });
    this.messageElements[name] = message;
    return message;
  }
};
function gpuOption(gpu) {
  const label = gpu.display_name ?? gpu.id;
  return { value: gpu.value, label, detail: formatGpuFacts(gpu) || "VRAM and price unknown", keywords: gpu.id };
}
function imageOption({ id, value, label, official }) {
  const group = official ? "Official images" : "In use by your pods";
  return { value, label, detail: id === label ? void 0 : id, group, keywords: id };
}
function setOptions2(select, options) {
  const { value } = select;
  select.replaceChildren(...options);
  if (value) select.value = value;
}

// yotta_jupyter/panel/frontend/src/launch-feedback.js
var LaunchFeedback = class {
  /**
   * @param {Store} store
   * @param {(podId: string, button: HTMLElement) => void} showJupyter
   */
  constructor(store, showJupyter) {
    this._store = store;
    this._rowId = null;
    this._estimate = h("span", { class: "yotta-estimate" });
    this._message = h("span", { class: "yotta-result-message" });
    this._jupyterButton = secondaryButton("Open its Jupyter", () => {
      if (isDisabled(this._jupyterButton) || !this._rowId) return;
      showJupyter(this._rowId, this._jupyterButton);
    });
    setAttribute(this._jupyterButton, "aria-haspopup", "dialog");
    this._repeatCheckbox = h("input", { type: "checkbox" });
    this._repeatLabel = h(
      "label",
      { class: "yotta-checkbox yotta-form-confirmation" },
      this._repeatCheckbox,
      "Launch one more like it"
    );
    this._result = h("div", { class: "yotta-launch-result" }, this._message, this._repeatLabel, this._jupyterButton);
    this.element = h("div", { class: "yotta-launch-feedback" }, this._estimate, this._result);
    this.clear();
  }
  /** @returns {boolean} whether the check box that confirms an equal launch is checked */
  get isRepeatConfirmed() {
    return this._repeatCheckbox.checked;
  }
  /** @param {FormResult} result */
  showEstimate({ command, estimate, volumes, basis }) {
    let text = "";
    if (command) text = estimate == null ? `No estimate: ${basis}` : formatEstimate(estimate, volumes, basis);
    setText(this._estimate, text);
  }
  /**
   * Show a result instead of the estimate.
   *
   * @param {string} text
   * @param {{ isError?: boolean, rowId?: string | null, offersRepeat?: boolean }} [options] `rowId`: the text goes away
   *   when this row ends; `offersRepeat`: show the check box that confirms an equal launch
   */
  showResult(text, { isError = false, rowId = null, offersRepeat = false } = {}) {
    setText(this._message, text);
    this._message.classList.toggle("yotta-is-invalid", isError);
    this._rowId = rowId;
    this._repeatCheckbox.checked = false;
    this._repeatLabel.hidden = !offersRepeat;
    this._result.hidden = !text;
    this._estimate.hidden = Boolean(text);
    this._updateJupyterButton();
  }
  clear() {
    this.showResult("");
  }
  /** Clear the result if its pod has ended, or else update its button. */
  update() {
    if (!this._rowId) return;
    if (!this._store.rows.get(this._rowId)?.is_live) this.clear();
    else this._updateJupyterButton();
  }
  /** Offer the Jupyter of the launched pod, once the pod can be reached. */
  _updateJupyterButton() {
    const row = this._store.rows.get(this._rowId ?? "");
    this._jupyterButton.hidden = !row || row.status === LAUNCHING;
    setDisabled(this._jupyterButton, !row?.ssh);
    setAttribute(this._jupyterButton, "title", row && !row.ssh ? "The pod is not ready yet" : null);
  }
};
function formatEstimate(estimate, volumes, basis) {
  const parts = volumes > 0 ? ` (${formatDollars(estimate - volumes)} GPU + ${formatDollars(volumes)} volumes)` : "";
  return `an estimate of ${formatDollars(estimate)} an hour${parts}, ${basis}`;
}

// yotta_jupyter/panel/frontend/src/form.js
var VALIDATE_DEBOUNCE_MS = 250;
var IGNORE_MS = 1e3;
var REPEATED = "A pod like this was launched just now. Change the form, or check the box.";
var LaunchForm = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this.context = context;
    this._requestNumber = 0;
    this._validationTimer = 0;
    this._touched = /* @__PURE__ */ new Set();
    this._showsAllErrors = false;
    this._enterField = null;
    this._focusMovedAt = 0;
    this._namelessLaunch = null;
    this._podsOfName = "";
    this._launch = null;
    this.fields = new Fields((element) => this._onInput(element));
    this._launchButton = h("button", { type: "submit", class: "yotta-button-primary" }, "Launch");
    this._feedback = new LaunchFeedback(store, (podId, button) => context.showJupyter(podId, button));
    this._command = h("code", {
      class: "yotta-command",
      tabindex: "0",
      role: "textbox",
      "aria-readonly": "true",
      "aria-label": "Equivalent %yotta command"
    });
    const copy = iconButton(
      "copy",
      "Copy the %yotta command",
      () => context.copy(this._command.textContent ?? "", "the %yotta command")
    );
    this._commandPreview = h("div", { class: "yotta-command-preview yotta-is-invisible" }, this._command, copy);
    this.element = h(
      "form",
      { class: "yotta-form", "aria-label": "Launch a pod", novalidate: true },
      h("h3", {}, "Launch a pod"),
      this.fields.element,
      h("div", { class: "yotta-launch" }, this._launchButton, this._feedback.element),
      this._commandPreview
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this._submit();
    });
    this.element.addEventListener("keydown", (event) => this._onKeydown(event));
    this.element.addEventListener("input", (event) => this._onInput(
      /** @type {HTMLElement} */
      event.target
    ));
    this.element.addEventListener("focusout", (event) => this._onFocusout(
      /** @type {HTMLElement} */
      event.target
    ));
  }
  update() {
    const hasNewChoices = this.fields.renderChoices(this.store.meta.choices);
    const mayChangeEstimate = hasNewChoices && this.fields.inputs.gpu_type.value !== "";
    if (this._updatePodsOfName() || mayChangeEstimate) this._validate();
    if (this._launch && !this.store.connected) this._onKernelGone(this._launch);
    this._feedback.update();
    const namelessPod = this.store.rows.get(this._namelessLaunch?.podId ?? "");
    if (!namelessPod?.is_live) this._namelessLaunch = null;
  }
  /** @param {ValidationMessage} message */
  onValidation(message) {
    if (message.request_id !== this._requestId()) return;
    this._showResult(message, (name) => this._showsAllErrors || this._touched.has(name));
    if (this._enterField && this._enterField === document.activeElement) this._moveFocus(message);
    this._enterField = null;
  }
  /** @param {LaunchResult} message */
  onLaunchResult(message) {
    if (!this._launch || message.temp_id !== this._launch.tempId) return;
    const launch = this._launch;
    this._launch = null;
    if (message.type === "launched") {
      this._onLaunched(message, launch);
      return;
    }
    this._setBusy(false);
    if (message.type === "rejected") {
      this._showsAllErrors = true;
      this._showResult(message, () => true);
      this._focusFirstError(message);
    } else {
      const rowId = this.store.rows.has(launch.tempId) ? launch.tempId : null;
      this._showFailure(message.error, rowId);
    }
  }
  focus() {
    this.fields.inputs.gpu_type.focus();
  }
  close() {
    clearTimeout(this._validationTimer);
  }
  /** @param {{ tempId: string }} launch whose result does not arrive any more */
  _onKernelGone({ tempId }) {
    this._launch = null;
    this._setBusy(false);
    this._showFailure(this.store.kernelGoneText(), tempId);
  }
  /**
   * @param {string} error
   * @param {string | null} rowId of a launch of unknown outcome
   */
  _showFailure(error, rowId) {
    this._feedback.showResult(error, { isError: true, rowId });
    this.context.announce(error);
  }
  /**
   * @param {{ pod_id: string, note: string }} message
   * @param {{ name: string, form: string }} launch
   */
  _onLaunched({ pod_id: podId, note }, { name, form }) {
    const podName = this.store.rows.get(podId)?.name || name;
    const text = note || `Launched ${podName ? `${podName} (${podId})` : podId}.`;
    const isNamelessUnchanged = !name && form === this._serialize();
    setText(this._launchButton, "Launch");
    setTimeout(() => this._setBusy(false), IGNORE_MS);
    this._showsAllErrors = false;
    this._feedback.showResult(text, { rowId: podId, offersRepeat: !name });
    this.context.announce(text);
    this.fields.clearConfirmations();
    this.fields.clearVariableValues();
    this._namelessLaunch = isNamelessUnchanged ? { podId, form: this._serialize() } : null;
    this._validate();
  }
  /** @returns {string} the form, to find out whether it has changed */
  _serialize() {
    return JSON.stringify(this.fields.values({ withSecrets: true }));
  }
  /** @param {HTMLElement} element */
  _onInput(element) {
    if (this._feedback.element.contains(element)) return;
    this._feedback.clear();
    this._enterField = null;
    const { field } = element.dataset;
    if (field) {
      this._touched.add(field);
      this.fields.clearConfirmation(field);
    }
    if (field === "gpu_type") this._updateGpuHint();
    clearTimeout(this._validationTimer);
    this._validationTimer = window.setTimeout(() => this._validate(), VALIDATE_DEBOUNCE_MS);
  }
  /** Show VRAM and price at once, without the kernel. */
  _updateGpuHint() {
    this.fields.setMessage("gpu_type", "", this.fields.gpuHint());
  }
  /** @param {HTMLElement} element */
  _onFocusout(element) {
    const { value } = (
      /** @type {HTMLInputElement} */
      element
    );
    if (value && element.dataset.field) this._touched.add(element.dataset.field);
  }
  /**
   * Enter in a field shows what is missing. It launches nothing, because a launch costs money.
   *
   * @param {KeyboardEvent} event
   */
  _onKeydown(event) {
    if (event.key !== "Enter" || event.defaultPrevented) return;
    const target = (
      /** @type {HTMLElement} */
      event.target
    );
    if (target.matches("input, select")) {
      event.preventDefault();
      this._showsAllErrors = true;
      this._enterField = target;
      this._validate();
    } else if (target === this._launchButton) {
      if (event.repeat || Date.now() - this._focusMovedAt < IGNORE_MS) event.preventDefault();
    }
  }
  /** @param {FormResult} result of the validation that Enter has requested */
  _moveFocus({ command, errors, confirmations }) {
    if (command) {
      this._focusMovedAt = Date.now();
      this._launchButton.focus();
    } else this._focusFirstError({ errors, confirmations });
  }
  /** @param {Pick<FormResult, "errors" | "confirmations">} result */
  _focusFirstError({ errors, confirmations }) {
    const offersRepeat = "form" in confirmations;
    if (errors.form) this._feedback.showResult(errors.form, { isError: true, offersRepeat });
    this.fields.focusFirstInvalid();
    this.context.announce(Object.values(errors)[0]);
  }
  /** @returns {boolean} whether pods of the name in the form have appeared, changed or ended */
  _updatePodsOfName() {
    const name = this.fields.inputs.pod_name.value.trim();
    const rows = name ? [...this.store.rows.values()] : [];
    const matching = rows.filter((row) => row.name === name && row.status !== LAUNCHING);
    const podsOfName = matching.map(({ id, status }) => `${id} ${status}`).join();
    const hasChanged = podsOfName !== this._podsOfName;
    this._podsOfName = podsOfName;
    return hasChanged;
  }
  _validate() {
    this._requestNumber += 1;
    clearTimeout(this._validationTimer);
    this.store.send({
      type: "validate",
      request_id: this._requestId(),
      form: this.fields.values({ withSecrets: false })
    });
  }
  /** @returns {string} unique among the views of the panel, which all receive the reply */
  _requestId() {
    return `${this.context.id}:${this._requestNumber}`;
  }
  /**
   * @param {FormResult} result
   * @param {(name: string) => boolean} shouldShow returns whether the error of a field is shown
   */
  _showResult(result, shouldShow) {
    const { errors, notes, confirmations, resolved, command, price } = result;
    const gpuHint = this.fields.gpuHint(resolved.gpu_type, price);
    const allNotes = { ...notes, gpu_type: [gpuHint, notes.gpu_type].filter(Boolean).join(" · ") };
    for (const name of Object.keys(this.fields.messageElements)) {
      const isShown = shouldShow(name);
      this.fields.setMessage(name, isShown ? errors[name] : "", allNotes[name]);
      this.fields.setConfirmation(name, isShown ? confirmations[name] : void 0);
    }
    setText(this._command, command ?? "");
    this._commandPreview.classList.toggle("yotta-is-invisible", !command);
    this._feedback.showEstimate(result);
  }
  _submit() {
    if (this._launch || isDisabled(this._launchButton)) return;
    if (!this.store.connected) {
      this._feedback.showResult(this.store.kernelGoneText(), { isError: true });
      return;
    }
    const form = this._serialize();
    if (this._namelessLaunch?.form === form && !this._feedback.isRepeatConfirmed) {
      const rowId = this._namelessLaunch.podId;
      this._feedback.showResult(REPEATED, { isError: true, rowId, offersRepeat: true });
      this.context.announce(REPEATED);
      return;
    }
    const values = this.fields.values({ withSecrets: true });
    if (this._feedback.isRepeatConfirmed) values.confirmed.push("form");
    this._feedback.clear();
    this._setBusy(true);
    this.context.holdLayout();
    this._launch = { tempId: this.store.launch(values), name: values.pod_name, form };
    this.context.announce(`Launching ${values.pod_name || "a pod"}`);
  }
  /** @param {boolean} busy */
  _setBusy(busy) {
    setDisabled(this._launchButton, busy);
    setText(this._launchButton, busy ? "Launching…" : "Launch");
  }
};

// yotta_jupyter/panel/frontend/src/guard-notice.js
var RESULT_MS = 8e3;
var GuardNotice = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback moves the focus when the button disappears
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._focusFallback = focusFallback;
    this._pendingId = null;
    this._error = null;
    this._result = { text: "", until: 0 };
    this._announcedId = void 0;
    this._text = h("span", { class: "yotta-message-text", dir: "auto" });
    this.button = h("button", { type: "button", class: "yotta-button-secondary" });
    this.button.addEventListener("click", (event) => {
      if (!isSecondClick(event) && !isDisabled(this.button)) this._extendGuard();
    });
    this.element = h(
      "div",
      { class: "yotta-message yotta-guard-notice", role: "group", "aria-label": "Guards", hidden: true },
      this._text,
      this.button
    );
  }
  /** @param {{ isCovered: boolean }} options `isCovered`: whether the alert of the header is shown in the same place */
  update({ isCovered }) {
    const [nearest, ...others] = this._nearGuards();
    const result = Date.now() < this._result.until ? this._result.text : "";
    const text = result || this._describe(nearest, others);
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = isCovered || !text;
    setText(this._text, text);
    setAttribute(this._text, "title", text);
    this._updateButton(result ? void 0 : nearest?.row);
    if (hadFocus && (this.element.hidden || this.button.hidden)) this._focusFallback();
    if (result) return;
    if (nearest && nearest.row.id !== this._announcedId) this.context.announce(text);
    this._announcedId = nearest?.row.id;
  }
  /** @param {GuardExtendedMessage} message */
  onResult({ pod_id, error }) {
    if (pod_id !== this._pendingId) return;
    this._pendingId = null;
    const row = this.store.rows.get(pod_id);
    if (error) this._error = { id: pod_id, text: error };
    else if (row) {
      const text = `The guard of ${displayName(row)} is put off by ${formatDuration(this.store.meta.guard_extension)}`;
      this._result = { text, until: Date.now() + RESULT_MS };
    }
    this.context.announce(error || this._result.text);
  }
  /**
   * @param {NearGuard | undefined} nearest
   * @param {NearGuard[]} others
   * @returns {string} empty if there is nothing to say
   */
  _describe(nearest, others) {
    if (!nearest) return this.store.meta.guards_error ?? "";
    return nearest.row.id === this._error?.id ? this._error.text : describeNear(nearest, others);
  }
  /** @returns {NearGuard[]} the next pause first */
  _nearGuards() {
    const { rows, meta } = this.store;
    const near = [];
    for (const [id, guard] of Object.entries(meta.guards)) {
      const row = rows.get(id);
      if (row && guard.is_near) near.push({ row, guard });
    }
    return near.sort((a, b) => Number(a.guard.pauses_at) - Number(b.guard.pauses_at));
  }
  /** @param {PodRow | undefined} row the pod whose pause can be put off */
  _updateButton(row) {
    this.button.hidden = !row;
    if (!row) return;
    const isPending = this._pendingId !== null;
    const duration = formatDuration(this.store.meta.guard_extension);
    this.button.dataset.podId = row.id;
    setText(this.button, isPending ? "Putting off…" : `Put off ${duration}`);
    setAttribute(this.button, "aria-label", `Put off the guard of ${displayName(row)} by ${duration}`);
    setDisabled(this.button, isPending);
  }
  _extendGuard() {
    const id = this.button.dataset.podId ?? "";
    this._pendingId = id;
    this._error = null;
    this.store.send({ type: "extend_guard", pod_id: id });
    this._updateButton(this.store.rows.get(id));
  }
};
function describeNear({ row, guard }, others) {
  const { state, problem } = guard;
  const name = displayName(row);
  const left = formatTimeLeft(guard);
  let text = `${name} is paused ${left} by its guard`;
  if (state === "pausing") text = `${name} is being paused by its guard`;
  else if (problem) text = `${name} should be paused ${left}, but its guard is NOT enforced`;
  const further = others.map((other) => `${displayName(other.row)} ${formatTimeLeft(other.guard)}`);
  return [text, ...further].join(", ");
}
function formatTimeLeft({ pauses_at }) {
  return `in ${formatDuration(Number(pauses_at) - Date.now() / 1e3)}`;
}

// yotta_jupyter/panel/frontend/src/header.js
var TOTALS = [
  { label: "running", text: ({ running }) => running.toLocaleString() },
  { label: "paused", text: ({ paused }) => paused.toLocaleString() },
  { label: "ended", text: ({ ended }) => ended ? ended.toLocaleString() : "" },
  { label: "in all", text: ({ total }) => total.toLocaleString() },
  { label: "an hour now", text: ({ hourly_cost }) => formatDollars(hourly_cost) }
];
var Header = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this._badge = h("span", { class: "yotta-badge", hidden: true }, "SANDBOX");
    this._endpoint = h("span", { class: "yotta-endpoint" });
    this._totals = TOTALS.map(({ label, text }) => {
      const number = h("strong");
      return { element: h("span", {}, number, " ", h("span", {}, label)), number, text };
    });
    const totals = this._totals.map(({ element }) => element);
    this._cost = /** @type {HTMLElement} */
    totals.at(-1);
    this._refreshedAt = h("span");
    const refresh = iconButton("refresh", "Refresh", () => {
      store.send({ type: "refresh" });
      context.announce("Refreshing");
    });
    this._alertText = h("span", { class: "yotta-message-text", role: "alert" });
    this.alert = h("div", { class: "yotta-message", hidden: true }, this._alertText);
    this.messages = h("div", { class: "yotta-messages" }, this._endpoint, this.alert);
    this.element = h(
      "header",
      { class: "yotta-header" },
      this._badge,
      h("div", { class: "yotta-totals" }, ...totals),
      h("div", { class: "yotta-refresh" }, this._refreshedAt, refresh),
      this.messages
    );
  }
  update() {
    const { base_url, loaded, sandbox, totals } = this.store.meta;
    this._badge.hidden = !sandbox;
    setText(this._endpoint, sandbox ? "Nothing costs money" : base_url);
    setAttribute(this._endpoint, "title", base_url);
    for (const { element, number, text } of this._totals) {
      setText(number, loaded ? text(totals) : "–");
      element.hidden = !number.textContent;
    }
    const { unpriced_pods } = totals;
    setAttribute(
      this._cost,
      "title",
      unpriced_pods ? `without ${formatPodCount(unpriced_pods)} of unknown price` : null
    );
    this.updateTime();
  }
  /** Show how old the rows are. */
  updateTime() {
    const { connected, meta, lastMessageAt } = this.store;
    const now = Date.now() / 1e3;
    const isAlive = connected && now - lastMessageAt / 1e3 < 3 * HEARTBEAT_S;
    let text = meta.refreshed_at ? `As of ${formatTime(meta.refreshed_at)}` : "";
    let tooltip = null;
    if (meta.refreshed_at && isAlive && meta.interval && !meta.error && !meta.late) {
      const started = Math.floor((now - meta.refreshed_at - meta.late_after) / meta.interval);
      const succeeded = Math.max(0, started - 1);
      text = `Refreshed ${formatTime(meta.refreshed_at + succeeded * meta.interval)}`;
      tooltip = `Every ${meta.interval} s`;
    }
    setText(this._refreshedAt, text);
    setAttribute(this._refreshedAt, "title", tooltip);
    this._updateAlert();
  }
  _updateAlert() {
    const { connected, meta } = this.store;
    const retry = meta.error && meta.interval ? ` (It is tried again every ${meta.interval} s.)` : "";
    const text = connected ? `${meta.error ?? ""}${retry}` : `${this.store.kernelGoneText()} The rows are the last known state.`;
    this.alert.hidden = !text;
    setText(this._alertText, text);
    setAttribute(this._alertText, "title", text);
  }
  /** @returns {boolean} whether the rows may be out of date */
  isStale() {
    return !this.store.connected || Boolean(this.store.meta.error);
  }
};

// yotta_jupyter/panel/frontend/src/page.js
function openTab(url) {
  if (navigator.userActivation?.isActive === false) return false;
  try {
    const tab = window.open("about:blank", "_blank");
    if (!tab) return false;
    tab.opener = null;
    tab.location.href = new URL(url, location.href).href;
    return true;
  } catch {
    return false;
  }
}
function remoteServerPath() {
  const { protocol, hostname } = window.location;
  if (!protocol.startsWith("http") || isLoopback(hostname)) return null;
  try {
    return JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "").baseUrl ?? null;
  } catch {
    return null;
  }
}
function isLoopback(hostname) {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

// yotta_jupyter/panel/frontend/src/jupyter-popup.js
var PASSWORD_MS = 6e4;
var JupyterPopup = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} onClose
   */
  constructor(store, context, onClose) {
    this.store = store;
    this.context = context;
    this._notifyClosed = onClose;
    this._requestNumber = 0;
    this._linkRequest = null;
    this._passwordRequest = null;
    this._passwordTimer = 0;
    this._podId = null;
    this._button = null;
    this._linkLine = h("div");
    this._passwordLine = h("div");
    this.element = h("div", { role: "dialog", class: "yotta-jupyter", tabindex: "-1" });
    this._popup = new Popup(this.element, { alignRight: true, onClose: () => this._reset() });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this._closeAndFocus();
    });
    this._onPointerdown = (event) => {
      const path = event.composedPath();
      const isInside = path.includes(this.element) || this._button && path.includes(this._button);
      if (!isInside) this._popup.close();
    };
  }
  /**
   * @param {PodRow} row
   * @param {HTMLElement} button
   */
  toggle(row, button) {
    const isSame = this._popup.isOpen && this._button === button;
    this._popup.close();
    if (isSame) return;
    this._button = button;
    this._podId = row.id;
    const name = displayName(row);
    this.element.setAttribute("aria-label", `Jupyter of ${name}`);
    this._linkLine = h("div", { class: "yotta-jupyter-line", role: "status" });
    this._passwordLine = h("div", { class: "yotta-jupyter-line" });
    if (row.has_password) {
      this._passwordLine.append(secondaryButton("Show Jupyter password", () => this._requestPassword(row.id)));
    } else this._passwordLine.append("The pod has no variable JUPYTER_PASSWORD.");
    const close = secondaryButton("Close", () => this._closeAndFocus());
    this.element.replaceChildren(
      h("strong", { dir: "auto" }, `Jupyter of ${name}`),
      this._linkLine,
      ...publicAddress(row),
      this._passwordLine,
      h("div", { class: "yotta-jupyter-line" }, close)
    );
    this._popup.open(button);
    document.addEventListener("pointerdown", this._onPointerdown, true);
    if (row.ssh) this._requestLink(row.id);
    this.element.querySelector("a, button")?.focus({ preventScroll: true });
  }
  /**
   * Open the link in a new tab, or show it if the browser blocks new tabs.
   *
   * @param {JupyterLinkMessage} message
   * @param {DataView[]} [buffers]
   */
  onLink(message, buffers) {
    if (!this._popup.isOpen || message.request_id !== this._linkRequest) return;
    this._linkRequest = null;
    const row = this.store.rows.get(this._podId ?? "");
    if (!row) return;
    if (!buffers?.length) {
      this._showError(message.error);
      return;
    }
    const name = displayName(row);
    const url = new TextDecoder().decode(buffers[0]);
    const isOpened = openTab(url);
    const link = newTabLink(url, isOpened ? "Open it again" : `Open Jupyter of ${name}`);
    this._linkLine.replaceChildren(link);
    if (message.note) this._linkLine.append(h("div", { class: "yotta-muted" }, message.note));
    if (isOpened) {
      this._linkLine.prepend("Opened in a new tab.");
      this.context.announce(`Opened Jupyter of ${name}`);
    } else {
      link.classList.add("yotta-button-primary");
      this.context.announce(`The link to Jupyter of ${name} is ready`);
      link.focus({ preventScroll: true });
    }
    this._popup.place();
  }
  /**
   * @param {PasswordMessage} message
   * @param {DataView[]} [buffers]
   */
  onPassword(message, buffers) {
    if (!this._popup.isOpen) return;
    if (message.request_id !== this._passwordRequest) {
      if (this._passwordTimer) this._popup.close();
      return;
    }
    if (!buffers?.length) {
      this._passwordLine.replaceChildren(message.error);
      return;
    }
    const field = h("input", { type: "text", readonly: true, "aria-label": "Jupyter password" });
    field.value = new TextDecoder().decode(buffers[0]);
    const copy = secondaryButton("Copy", async () => {
      if (await this.context.copy(field.value, "the Jupyter password")) setText(copy, "Copied");
    });
    this._passwordLine.replaceChildren(field, copy);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = window.setTimeout(() => this._popup.close(), PASSWORD_MS);
    this._popup.place();
    field.focus({ preventScroll: true });
    field.select();
  }
  /** Close if the pod is gone or has no password any more. */
  update() {
    if (!this._popup.isOpen) return;
    const row = this.store.rows.get(this._podId ?? "");
    const isPasswordGone = this._passwordTimer && !row?.has_password;
    if (!row || isPasswordGone) this._popup.close();
  }
  close() {
    this._popup.close();
  }
  /** @returns {boolean} */
  get isOpen() {
    return this._popup.isOpen;
  }
  /** @param {string} podId */
  _requestLink(podId) {
    if (!this.store.connected) {
      this._showError(this.store.kernelGoneText());
      return;
    }
    this._linkRequest = this._newRequestId();
    const spinner = h("span", { class: "yotta-status-indicator", "aria-hidden": "true" });
    const attributes = { class: "yotta-jupyter-progress", "data-pending": "true" };
    this._linkLine.replaceChildren(h("span", attributes, spinner, "Connecting…"));
    const request_id = this._linkRequest;
    this.store.send({ type: "open_jupyter", request_id, pod_id: podId, server_path: remoteServerPath() });
  }
  /** @param {string} podId */
  _requestPassword(podId) {
    this._passwordRequest = this._newRequestId();
    this.store.send({ type: "show_password", request_id: this._passwordRequest, pod_id: podId });
  }
  /** @param {string} error */
  _showError(error) {
    const podId = this._podId ?? "";
    this._linkLine.replaceChildren(
      h("span", { class: "yotta-is-invalid", dir: "auto" }, error),
      secondaryButton("Try again", () => this._requestLink(podId))
    );
    this.context.announce(error);
    this._popup.place();
  }
  /** @returns {string} unique among the views of the panel, which all receive the reply */
  _newRequestId() {
    this._requestNumber += 1;
    return `${this.context.id}:${this._requestNumber}`;
  }
  _closeAndFocus() {
    const button = this._button;
    this._popup.close();
    button?.focus({ preventScroll: true });
  }
  _reset() {
    document.removeEventListener("pointerdown", this._onPointerdown, true);
    clearTimeout(this._passwordTimer);
    this._passwordTimer = 0;
    this._linkRequest = null;
    this._passwordRequest = null;
    this._button = null;
    this._podId = null;
    this.element.replaceChildren();
    this._notifyClosed();
  }
};
function newTabLink(url, text) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, text);
}
function publicAddress(row) {
  if (!row.jupyter) return [];
  const isPlain = row.jupyter.startsWith("http:");
  const link = newTabLink(row.jupyter, row.jupyter);
  return [h("div", { class: "yotta-muted" }, "Public address: ", link, isPlain ? " (not encrypted)" : "")];
}

// yotta_jupyter/panel/frontend/src/selection-toolbar.js
var SelectionToolbar = class {
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
    this._unconfirmed = null;
    this._count = h("strong");
    this._buttons = {
      pause: secondaryButton("Pause", (event) => this._act("pause", event)),
      resume: secondaryButton("Resume", (event) => this._act("resume", event)),
      delete: secondaryButton("Delete", (event) => this._act("delete", event))
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
      this._buttons.delete
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
      this._confirmButton
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
    const isFlipped = isAtPointer(this._confirmButton, event);
    this._confirmation.classList.toggle("yotta-is-flipped", isFlipped);
    this._keepButton.focus({ preventScroll: true });
    this.context.announce(this._question.textContent ?? "");
  }
  /** @returns {PodRow[]} the rows that the question is about, of pods that still allow the action */
  _unconfirmedRows() {
    if (!this._unconfirmed) return [];
    const { action, ids } = this._unconfirmed;
    const rows = ids.map((id) => this.store.rows.get(id)).filter((row) => row !== void 0);
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
};
function setCount(button, label, count) {
  setText(button, count ? `${label} ${count.toLocaleString()}` : label);
  setDisabled(button, count === 0);
}
function formatCost(rows) {
  const costs = rows.map((row) => row.hourly_cost).filter((cost) => cost !== null);
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const unknown = rows.length - costs.length;
  return `${formatDollars(total)} an hour now${unknown ? `, ${unknown} of them of unknown price` : ""}`;
}
function formatLoss(rows) {
  const losing = rows.filter((row) => row.pause_loss);
  if (!losing.length) return null;
  const withoutVolume = losing.filter((row) => !row.has_persistent_volume);
  const files = withoutVolume.length === losing.length ? "all files" : "files";
  return {
    text: `${losing.length.toLocaleString()} may lose ${files}.`,
    tooltip: `A pause may erase all files outside a persistent volume. Pods without one: ${withoutVolume.length}.`
  };
}
function isAtPointer(element, event) {
  if (event.detail === 0) return false;
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x >= left && x <= right && y >= top && y <= bottom;
}

// yotta_jupyter/panel/frontend/src/columns.js
function textKey(field) {
  return (row) => String(row[field] ?? "").toLowerCase();
}
var COLUMNS = [
  { name: "name", title: "Name", width: "minmax(96px, .9fr)", sortFields: ["name"], sortKey: textKey("name") },
  { name: "status", title: "Status", width: "118px", sortFields: ["status"], sortKey: textKey("status") },
  {
    name: "gpu",
    title: "GPUs",
    width: "minmax(94px, 1.8fr)",
    sortFields: ["gpu_type", "gpu_count"],
    sortKey: (row) => `${row.gpu_type ?? ""} ${row.gpu_count ?? 0}`.toLowerCase(),
    classes: "yotta-wide-only",
    text: formatGpus,
    tooltip: (row) => row.gpu_type
  },
  {
    name: "region",
    title: "Region",
    width: "minmax(80px, .9fr)",
    sortFields: ["region"],
    sortKey: textKey("region"),
    classes: "yotta-wide-only",
    text: (row) => row.region ?? ""
  },
  {
    name: "image",
    title: "Image",
    width: "minmax(50px, .65fr)",
    sortFields: ["image"],
    sortKey: textKey("image"),
    classes: "yotta-wide-only",
    text: formatImage,
    tooltip: (row) => row.image
  },
  {
    name: "cost",
    title: "$ / hour",
    width: "56px",
    sortFields: ["hourly_cost"],
    sortKey: (row) => row.hourly_cost ?? -1,
    largestFirst: true,
    classes: "yotta-number",
    text: (row) => row.hourly_cost == null ? "–" : formatDollars(row.hourly_cost),
    tooltip: (row) => row.hourly_rate == null ? "No price is known" : `${formatDollars(row.hourly_rate)} while running`
  },
  {
    name: "age",
    title: "Age",
    width: "46px",
    sortFields: ["created_at", "has_ended"],
    // In the default order, pods that have ended come last.
    sortKey: (row) => -(row.created_at ?? Infinity),
    // The newest first, after pods without a time.
    classes: "yotta-number yotta-wide-only",
    text: (row) => row.created_at ? formatAge(Date.now() / 1e3 - row.created_at) : "",
    tooltip: (row) => row.created_at ? formatDate(row.created_at) : null
  }
];

// yotta_jupyter/panel/frontend/src/frozen-order.js
var FrozenOrder = class {
  constructor() {
    this._rows = null;
  }
  /** @returns {boolean} */
  get isActive() {
    return this._rows !== null;
  }
  /** @param {Map<string, PodRow>} rows */
  freeze(rows) {
    this._rows ??= new Map(rows);
  }
  /** @returns {boolean} whether the order was frozen */
  release() {
    const wasActive = this.isActive;
    this._rows = null;
    return wasActive;
  }
  /**
   * Return the ids to show: those shown now in their places, then the new ones. A new pod takes the place of a
   * launch that has ended.
   *
   * @param {string[]} shown the ids shown now
   * @param {string[]} sorted the ids that would be shown
   * @param {Map<string, PodRow>} rows of the listed pods
   * @returns {string[]}
   */
  merge(shown, sorted, rows) {
    const before = new Set(shown);
    const added = sorted.filter((id) => !before.has(id));
    const kept = shown.map((id) => {
      const isEndedLaunch = !rows.has(id) && this._rows?.get(id)?.status === LAUNCHING;
      return isEndedLaunch ? added.shift() ?? id : id;
    });
    for (const [id, row] of rows) this._rows?.set(id, row);
    return [...kept, ...added];
  }
  /**
   * @param {string} id
   * @returns {PodRow | undefined} the row of a pod that is not listed any more, with all buttons disabled
   */
  goneRow(id) {
    const row = this._rows?.get(id);
    return row && { ...row, status: GONE, actions: [], ssh: null, jupyter: null, pending: null, error: null };
  }
};

// yotta_jupyter/panel/frontend/src/navigation.js
var HEADING_ROWS = 1;
var Navigation = class {
  /** @param {Table} table */
  constructor(table) {
    this.table = table;
    this._activeId = null;
    table.body.addEventListener("keydown", (event) => this._onKeydown(event));
    table.body.addEventListener("focusin", (event) => this._onFocusin(event));
  }
  /** Let Tab reach the controls of the active row; those of the first row if the active one is not rendered. */
  updateTabStop() {
    const { body, rowViews } = this.table;
    const first = (
      /** @type {HTMLElement | null} */
      body.firstElementChild?.dataset.podId
    );
    const isActiveRendered = this._activeId !== null && rowViews.has(this._activeId);
    const tabStop = isActiveRendered ? this._activeId : first;
    for (const [id, view] of rowViews) {
      for (const control of view.controls()) setAttribute(control, "tabindex", id === tabStop ? "0" : "-1");
    }
  }
  /** @param {FocusEvent} event */
  _onFocusin(event) {
    const id = this._viewOf(event)?.id;
    if (id && id !== this._activeId) {
      this._activeId = id;
      this.updateTabStop();
    }
  }
  /** @param {KeyboardEvent} event */
  _onKeydown(event) {
    const view = this._viewOf(event);
    if (!view) return;
    const control = (
      /** @type {HTMLElement} */
      event.target
    );
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const visible = [...view.controls()].filter((each) => each.offsetParent);
      const step = event.key === "ArrowRight" ? 1 : -1;
      visible[visible.indexOf(control) + step]?.focus();
    } else {
      const index = this._targetIndex(event.key, this.table.ids.indexOf(view.id));
      if (index === null) return;
      this._focusRow(Math.min(this.table.ids.length - 1, Math.max(0, index)), control);
    }
    event.preventDefault();
    event.stopPropagation();
  }
  /**
   * @param {string} key
   * @param {number} index
   * @returns {number | null} the target row, possibly out of range; null for any other key
   */
  _targetIndex(key, index) {
    const rowsInView = Math.floor(this.table.scroller.clientHeight / this.table.rowHeight);
    const page = Math.max(1, rowsInView - HEADING_ROWS - 1);
    switch (key) {
      case "ArrowUp":
        return index - 1;
      case "ArrowDown":
        return index + 1;
      case "PageUp":
        return index - page;
      case "PageDown":
        return index + page;
      case "Home":
        return 0;
      case "End":
        return this.table.ids.length - 1;
      default:
        return null;
    }
  }
  /**
   * Scroll to a row, and focus the counterpart of a control in another row.
   *
   * @param {number} index
   * @param {HTMLElement} control
   */
  _focusRow(index, control) {
    const { ids, rowHeight, scroller, rowViews } = this.table;
    const cell2 = (
      /** @type {HTMLElement} */
      control.parentElement
    );
    const place = controlsOf(cell2).indexOf(control);
    const top = index * rowHeight;
    const bottom = top + rowHeight * (HEADING_ROWS + 1);
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
    this.table.renderRows();
    const view = rowViews.get(ids[index]);
    const target = view?.element.getElementsByClassName(cell2.className)[0];
    const counterpart = target && controlsOf(target)[place];
    const isFocusable = counterpart && !counterpart.hidden;
    const next = isFocusable ? counterpart : view?.checkbox;
    next?.focus({ preventScroll: true });
  }
  /**
   * @param {Event} event
   * @returns {RowView | undefined} the row of its target
   */
  _viewOf(event) {
    const element = (
      /** @type {HTMLElement} */
      event.target.closest("[data-pod-id]")
    );
    return this.table.rowViews.get(
      /** @type {HTMLElement | null} */
      element?.dataset.podId ?? ""
    );
  }
};
function controlsOf(cell2) {
  return [.../** @type {NodeListOf<HTMLElement>} */
  cell2.querySelectorAll("input, button")];
}

// yotta_jupyter/panel/frontend/src/action-lock.js
var QUIET_MS = 3e3;
var ActionLock = class {
  /**
   * @param {HTMLElement} button
   * @param {() => void} onUnlock
   */
  constructor(button, onUnlock) {
    this._button = button;
    this._onUnlock = onUnlock;
    this._pointerIsOver = false;
    this._action = null;
    this._timer = 0;
    button.addEventListener("pointerenter", () => {
      this._pointerIsOver = true;
    });
    button.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "touch") return;
      this._pointerIsOver = false;
      this._action = null;
      if (this.isLocked) this._unlock();
    });
    button.addEventListener("click", () => {
      if (this.isLocked) this._lock();
    });
  }
  /** @returns {boolean} */
  get isLocked() {
    return this._timer !== 0;
  }
  /**
   * Lock the button if its action has changed. An undo is never locked.
   *
   * @param {string | null} action what a click does now; null if no action is possible
   */
  update(action) {
    if (action === null) return;
    const hasChanged = this._action !== null && action !== this._action;
    this._action = action;
    if (action === "undo") this._stopTimer();
    else if (hasChanged && (this._pointerIsOver || this._button.matches(":focus-visible"))) this._lock();
  }
  /** Unlock the button, because it belongs to another row now. */
  reset() {
    this._action = null;
    this._stopTimer();
  }
  _lock() {
    this._stopTimer();
    this._timer = window.setTimeout(() => this._unlock(), QUIET_MS);
  }
  _unlock() {
    this._stopTimer();
    this._onUnlock();
  }
  _stopTimer() {
    clearTimeout(this._timer);
    this._timer = 0;
  }
};

// yotta_jupyter/panel/frontend/src/row.js
var RESUME_STATUSES = /* @__PURE__ */ new Set(["PAUSED", "PAUSING"]);
var LOCK_REASON = "its action has just changed. Move the pointer away first";
var RowView = class {
  /**
   * @param {Store} store
   * @param {RowActions} actions
   * @param {(id: string, selected: boolean, isRange: boolean) => void} onSelect
   */
  constructor(store, actions, onSelect) {
    this.store = store;
    this.row = null;
    this.index = null;
    this.checkbox = h("input", { type: "checkbox" });
    this.checkbox.addEventListener("click", (event) => onSelect(this.id, this.checkbox.checked, event.shiftKey));
    const act = (event) => {
      const button = (
        /** @type {HTMLElement} */
        event.currentTarget
      );
      if (isDisabled(button) || isSecondClick(event)) return;
      actions.act(
        this.id,
        /** @type {Action} */
        button.dataset.action
      );
    };
    this.pauseResumeButton = iconButton("pause", "", act);
    this.sshButton = textButton("SSH", "yotta-ssh-button", () => this._copySsh(actions));
    this._copiedTimer = void 0;
    this.jupyterButton = textButton(
      "Jupyter",
      "yotta-jupyter-button",
      () => actions.openJupyter(this.id, this.jupyterButton)
    );
    setAttribute(this.jupyterButton, "aria-haspopup", "dialog");
    this.deleteButton = iconButton("delete", "", act);
    this.deleteButton.classList.add("yotta-delete-button");
    const onUnlock = () => this.row && this._updateButtons(this.row);
    this._locks = /* @__PURE__ */ new Map([
      [this.pauseResumeButton, new ActionLock(this.pauseResumeButton, onUnlock)],
      [this.deleteButton, new ActionLock(this.deleteButton, onUnlock)]
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
    this.textCells = COLUMNS.filter((column) => column.text).map((column) => ({ column, cell: textCell(column) }));
    this.element = h(
      "div",
      { role: "row", class: "yotta-row" },
      cell("yotta-select-cell", this.checkbox),
      cell("yotta-name", this.title, this.subtitle),
      cell("yotta-status", h("span", { class: "yotta-status-indicator", "aria-hidden": "true" }), this.status),
      ...this.textCells.map(({ cell: cell2 }) => cell2),
      cell("yotta-row-message", this.message, this.dismissButton),
      cell("yotta-actions", this.pauseResumeButton, this.sshButton, this.jupyterButton, this.deleteButton)
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
    setAttribute(this.title, "title", row.pause_loss ? `${fullName}
${row.pause_loss}` : fullName);
    setText(this.hardware, [formatGpus(row), row.region].filter(Boolean).join(" · "));
    this._updateGuard(row);
    const undoSeconds = store.undoSecondsLeft(row.id);
    const { connected } = store;
    setText(this.status, formatStatus(row.status, pending, { stalled: store.isStalled(row), undoSeconds, connected }));
    setAttribute(this.status, "title", formatStatusTooltip(row.status, pending, connected));
    for (const { column, cell: cell2 } of this.textCells) {
      setText(cell2, column.text?.(row) ?? "");
      setAttribute(cell2, "title", column.tooltip?.(row));
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
    setAttribute(this.element, "aria-rowindex", index + 2);
  }
  /** @param {PodRow} row */
  _updateGuard(row) {
    const guard = row.has_ended ? void 0 : this.store.meta.guards[row.id];
    const enforcement = guard?.problem ? "not-enforced" : "enforced";
    setAttribute(this.element, "data-guard", guard ? enforcement : null);
    setText(this.guard, guard ? formatGuard(guard, Date.now() / 1e3, row.actions.includes("pause")) : "");
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
    const lock = (
      /** @type {ActionLock} */
      this._locks.get(button)
    );
    lock.update(isPossible ? action : null);
    button.dataset.action = action;
    const whyLocked = lock.isLocked ? LOCK_REASON : "";
    const whyDisabled = isPossible ? whyLocked : this.store.unavailableReason();
    setLabel(button, label, whyDisabled);
    if (!whyDisabled) setAttribute(button, "title", tooltip);
    setDisabled(button, !isPossible || lock.isLocked);
  }
};
function textButton(text, classes, onclick) {
  return h("button", { type: "button", class: `yotta-text-button ${classes}`, onclick }, text);
}
function unreachableReason(row, subject) {
  if (row.ssh) return "";
  return row.status === "RUNNING" ? `${subject} not exposed, or not ready yet` : "the pod is not running";
}
function cell(classes, ...children) {
  return h("div", { role: "cell", class: classes }, ...children);
}
function textCell(column) {
  return cell(`yotta-${column.name} ${column.classes ?? ""}`.trim());
}

// yotta_jupyter/panel/frontend/src/row-actions.js
var RowActions = class {
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
};

// yotta_jupyter/panel/frontend/src/table.js
var OVERSCAN = 4;
var ROW_HEIGHT = 36;
var COMPACT_ROW_HEIGHT = 60;
var NEWEST_FIRST = { column: columnNamed("age"), descending: false };
var Table = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {{ jupyterPopup: JupyterPopup, onShownRowsChange: () => void, focusFallback: () => void }} options
   *   `onShownRowsChange` is called when the rows shown or their order have changed; `focusFallback` moves the focus when
   *   the last row disappears
   */
  constructor(store, context, { jupyterPopup, onShownRowsChange, focusFallback }) {
    this.store = store;
    this.jupyterPopup = jupyterPopup;
    this.onShownRowsChange = onShownRowsChange;
    this.focusFallback = focusFallback;
    this.filters = noFilters();
    this.sort = NEWEST_FIRST;
    this.ids = [];
    this.rowViews = /* @__PURE__ */ new Map();
    this.rowHeight = ROW_HEIGHT;
    this.frozenOrder = new FrozenOrder();
    this._pointerIsOverRows = false;
    this._pool = [];
    this._selectionAnchor = null;
    this.body = h("div", { role: "rowgroup", class: "yotta-body" });
    this.selectAll = h("input", { type: "checkbox", "aria-label": "Select all pods shown" });
    this.selectAll.addEventListener("change", () => this._onSelectAll());
    this._headings = COLUMNS.map((column) => this._heading(column));
    this.element = h("div", { role: "table", "aria-label": "Pods" }, this._head(), this.body);
    this.scroller = h("div", { class: "yotta-scroller" }, this.element);
    const onScroll = () => {
      this.jupyterPopup.close();
      this.renderRows();
    };
    this.scroller.addEventListener("scroll", onScroll, { passive: true });
    const widths = COLUMNS.map((column) => column.width).join(" ");
    this.scroller.style.setProperty("--yotta-columns", widths);
    this.navigation = new Navigation(this);
    this._rowActions = new RowActions(store, context);
    this._addFreezeListeners();
  }
  /**
   * Show a change of the store, with as little work as it needs.
   *
   * @param {Change} change
   */
  update({ rowsChanged, ids = [], fields = /* @__PURE__ */ new Set() }) {
    const filterMayChange = isFiltered(this.filters) && fields.size > 0;
    const orderMayChange = this.sort.column.sortFields.some((field) => fields.has(field));
    if (rowsChanged || filterMayChange || orderMayChange) {
      const sorted = this._sortedIds();
      const isFrozen = this.frozenOrder.isActive;
      this._show(isFrozen ? this.frozenOrder.merge(this.ids, sorted, this.store.rows) : sorted);
      return;
    }
    for (const id of ids) this._refreshRow(id);
    this._updateSelectAll();
  }
  /**
   * @param {Iterable<string>} ids
   * @returns {number} the pods of `ids` whose rows the filters hide
   */
  countHidden(ids) {
    if (!isFiltered(this.filters)) return 0;
    const shown = new Set(this.ids);
    return [...ids].filter((id) => !shown.has(id)).length;
  }
  /** Show the rows that match the filters, sorted, even while the order is frozen. */
  filterAndSort() {
    this._show(this._sortedIds());
  }
  /** @returns {string[]} */
  _sortedIds() {
    const { column, descending } = this.sort;
    const rows = filterRows(this.store.rows.values(), this.filters);
    const isNewestFirst = column === NEWEST_FIRST.column && !descending;
    const groups = isNewestFirst ? groupByEnd(rows) : [rows];
    return groups.flatMap((group) => sortedIds(group, column, descending));
  }
  /** @param {string[]} ids */
  _show(ids) {
    this.ids = ids;
    const { column, descending } = this.sort;
    const direction = descending ? "descending" : "ascending";
    this._headings.forEach((heading, index) => {
      setAttribute(heading, "aria-sort", COLUMNS[index] === column ? direction : null);
    });
    setAttribute(this.element, "aria-rowcount", this.ids.length + 1);
    this._setBodyHeight();
    this.renderRows();
    this._updateSelectAll();
    this.onShownRowsChange();
  }
  /** Create, update and remove the elements of rows, so that those in view are rendered. */
  renderRows() {
    const indexes = this._rowsToRender();
    const removedFocus = this._recycleViews(indexes);
    for (const [id, index] of indexes) {
      let view = this.rowViews.get(id);
      if (!view) {
        view = this._pool.pop() ?? this._createRow();
        this.rowViews.set(id, view);
      }
      const row = (
        /** @type {PodRow} */
        this._rowOf(id)
      );
      const isOutdated = view.row !== row || view.index !== index;
      if (isOutdated || this.store.isOptimistic(id)) view.update(row, { index, top: index * this.rowHeight });
    }
    for (const view of this._pool) view.element.remove();
    const ordered = [...indexes].sort((a, b) => a[1] - b[1]);
    this._reorder(ordered.map(([id]) => (
      /** @type {RowView} */
      this.rowViews.get(id).element
    )));
    this.navigation.updateTabStop();
    if (removedFocus !== null) this._focusNear(removedFocus);
  }
  /** @param {boolean} compact */
  setCompact(compact) {
    this.rowHeight = compact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
    for (const view of this.rowViews.values()) view.invalidate();
    this.scroller.style.setProperty("--yotta-row-height", `${this.rowHeight}px`);
    this._setBodyHeight();
    this.renderRows();
  }
  refreshCountdowns() {
    for (const [id, view] of this.rowViews) {
      if (view.isCountingDown) this._refreshRow(id);
    }
  }
  refreshAges() {
    for (const id of this.rowViews.keys()) this._refreshRow(id);
  }
  _addFreezeListeners() {
    const { body } = this;
    const update = () => this.updateFreeze();
    const setPointer = (isOver) => {
      this._pointerIsOverRows = isOver;
      update();
    };
    body.addEventListener("pointerenter", () => setPointer(true));
    body.addEventListener("pointerleave", () => setPointer(false));
    body.addEventListener("focusin", update);
    body.addEventListener("focusout", () => setTimeout(update));
  }
  /**
   * Freeze the order of the rows while the pointer is over them, while one of them has the focus by keyboard, and while
   * the Jupyter of a pod is shown, which would move with the rows.
   */
  updateFreeze() {
    const hasFocus = this.body.querySelector(":focus-visible") !== null;
    if (this._pointerIsOverRows || hasFocus || this.jupyterPopup.isOpen) this.frozenOrder.freeze(this.store.rows);
    else if (this.frozenOrder.release()) this.filterAndSort();
  }
  /**
   * @param {string} id
   * @returns {PodRow | undefined} also for a pod that is not listed any more, while the order is frozen
   */
  _rowOf(id) {
    return this.store.rows.get(id) ?? this.frozenOrder.goneRow(id);
  }
  /**
   * @param {string[]} ids
   * @returns {string[]} the ids of pods that are listed
   */
  _listed(ids) {
    return ids.filter((id) => this.store.rows.has(id));
  }
  /** @returns {HTMLElement} the row of headings */
  _head() {
    const actions = h("span", { class: "yotta-visually-hidden" }, "Actions");
    const row = h(
      "div",
      { role: "row", class: "yotta-row yotta-heading-row", "aria-rowindex": "1" },
      h("div", { role: "columnheader", class: "yotta-select-cell" }, this.selectAll),
      ...this._headings,
      h("div", { role: "columnheader", class: "yotta-actions" }, actions)
    );
    return h("div", { role: "rowgroup", class: "yotta-thead" }, row);
  }
  /** @param {Column} column */
  _heading(column) {
    const button = h("button", { type: "button", class: "yotta-sort" }, column.title);
    button.addEventListener("click", () => {
      const isSorted = column === this.sort.column;
      this.sort = { column, descending: isSorted ? !this.sort.descending : Boolean(column.largestFirst) };
      this.filterAndSort();
    });
    const classes = `yotta-${column.name} ${column.classes ?? ""}`.trim();
    return h("div", { role: "columnheader", class: classes }, button);
  }
  _createRow() {
    return new RowView(this.store, this._rowActions, (id, selected, isRange) => this._onSelect(id, selected, isRange));
  }
  /** @param {string} id */
  _refreshRow(id) {
    const row = this._rowOf(id);
    if (row) this.rowViews.get(id)?.update(row);
  }
  _setBodyHeight() {
    this.body.style.height = `${this.ids.length * this.rowHeight}px`;
  }
  /** @returns {Map<string, number>} the index of each row in or near the view, and of the focused row, by id */
  _rowsToRender() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.rowHeight) - OVERSCAN);
    const count = Math.ceil(this.scroller.clientHeight / this.rowHeight) + 2 * OVERSCAN;
    const indexes = new Map(this.ids.slice(first, first + count).map((id, offset) => [id, first + offset]));
    const focused = this._focusedId();
    if (focused !== null && !indexes.has(focused)) {
      const index = this.ids.indexOf(focused);
      if (index >= 0) indexes.set(focused, index);
    }
    return indexes;
  }
  /**
   * Move the views of rows that are not rendered any more to the pool.
   *
   * @param {Map<string, number>} indexes of the rows to render
   * @returns {number | null} the index of the row that had the focus, if its view was removed
   */
  _recycleViews(indexes) {
    let removedFocus = null;
    for (const [id, view] of this.rowViews) {
      if (indexes.has(id)) continue;
      this.rowViews.delete(id);
      if (view.hasFocus() || view.element.matches(":active")) {
        if (view.hasFocus()) removedFocus = view.index;
        view.element.remove();
      } else {
        view.invalidate();
        this._pool.push(view);
      }
    }
    return removedFocus;
  }
  /**
   * Put the elements into the order of the rows, for screen readers, without losing the focus.
   *
   * @param {HTMLElement[]} elements
   */
  _reorder(elements) {
    const focused = document.activeElement;
    let next = this.body.firstChild;
    for (const element of elements) {
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.body.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }
  /** @param {number} index */
  _focusNear(index) {
    const view = this.rowViews.get(this.ids[Math.min(index, this.ids.length - 1)]);
    if (view) view.checkbox.focus({ preventScroll: true });
    else this.focusFallback();
  }
  /** @returns {string | null} */
  _focusedId() {
    const focused = document.activeElement;
    if (!focused || !this.body.contains(focused)) return null;
    return (
      /** @type {HTMLElement | null} */
      focused.closest("[data-pod-id]")?.dataset.podId ?? null
    );
  }
  /**
   * @param {string} id
   * @param {boolean} selected
   * @param {boolean} isRange whether the rows from the last click to this one are selected
   */
  _onSelect(id, selected, isRange) {
    let ids = [id];
    const anchor = isRange ? this.ids.indexOf(this._selectionAnchor ?? "") : -1;
    const index = this.ids.indexOf(id);
    if (anchor >= 0 && index >= 0) ids = this.ids.slice(Math.min(anchor, index), Math.max(anchor, index) + 1);
    this._selectionAnchor = id;
    this.store.select(this._listed(ids), selected);
  }
  _onSelectAll() {
    this.store.select(this._listed(this.ids), this.selectAll.checked);
  }
  _updateSelectAll() {
    const { selected } = this.store;
    const count = selected.size ? this.ids.filter((id) => selected.has(id)).length : 0;
    const listedCount = count ? this._listed(this.ids).length : 0;
    this.selectAll.checked = count > 0 && count === listedCount;
    this.selectAll.indeterminate = count > 0 && count < listedCount;
  }
};
function columnNamed(name) {
  return (
    /** @type {Column} */
    COLUMNS.find((column) => column.name === name)
  );
}

// yotta_jupyter/panel/frontend/src/undo-bar.js
var UndoBar = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback moves the focus when the bar disappears
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._focusFallback = focusFallback;
    this._text = h("span");
    this.button = h("button", { type: "button", class: "yotta-button-primary", title: "Escape or Ctrl+Z" }, "Undo");
    this.button.addEventListener("click", (event) => {
      if (!isSecondClick(event)) this.undo();
    });
    this.element = h("div", { class: "yotta-overlay-bar yotta-undo-bar", hidden: true }, this._text, this.button);
  }
  update() {
    const group = this.store.lastUndoable();
    const isShown = group?.isBulk ?? false;
    if (group && isShown) {
      const { action, ids } = group;
      const pods = formatPodCount(ids.length);
      setText(this._text, `${PROGRESS_LABELS[action]} ${pods} in ${this.store.undoSecondsLeft(ids[0])} s`);
      setText(this.button, `Undo ${action} of ${pods}`);
    }
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = !isShown;
    if (!isShown && hadFocus) this._focusFallback();
  }
  /**
   * Undo the last action that can be undone, on one pod or on several.
   *
   * @returns {boolean} whether there was one
   */
  undo() {
    const group = this.store.lastUndoable();
    if (!group) return false;
    const { action, ids, isBulk } = group;
    this.store.act("undo", ids);
    if (isBulk) this.store.select(ids, true);
    this.context.announce(`Undoing the ${action} of ${formatPodCount(ids.length)}`);
    return true;
  }
};

// yotta_jupyter/panel/frontend/src/view.js
var PanelView = class {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.id = uniqueId();
    this.header = new Header(store, this);
    this.filterBar = new FilterBar(
      store,
      (name, value) => this._onFilter({ [name]: value }),
      () => this._onFilter(noFilters())
    );
    const focusSearch = () => this.filterBar.search.focus({ preventScroll: true });
    this.undoBar = new UndoBar(store, this, focusSearch);
    this.guardNotice = new GuardNotice(store, this, focusSearch);
    this.header.messages.append(this.guardNotice.element);
    this.selectionToolbar = new SelectionToolbar(store, this, {
      countHidden: (ids) => this.table.countHidden(ids),
      focusFallback: focusSearch,
      focusUndo: () => this._focusUndo()
    });
    this.jupyterPopup = new JupyterPopup(store, this, () => this.table.updateFreeze());
    this.form = new LaunchForm(store, this);
    this.emptyState = new EmptyState(() => this.form.focus());
    this.table = new Table(store, this, {
      jupyterPopup: this.jupyterPopup,
      onShownRowsChange: () => this._onShownRowsChange(),
      focusFallback: focusSearch
    });
    this.table.scroller.append(this.emptyState.element);
    this._liveRegion = h("div", { class: "yotta-visually-hidden", role: "status", "aria-live": "polite" });
    this.root = h(
      "section",
      { class: "yotta-panel", role: "region", "aria-label": "Yotta pods", [SUPPRESS_SHORTCUTS]: "true" },
      this.header.element,
      this.filterBar.element,
      h(
        "div",
        { class: "yotta-pods" },
        this.table.scroller,
        this.selectionToolbar.element,
        this.undoBar.element,
        this.jupyterPopup.element
      ),
      this.form.element,
      this._liveRegion
    );
    this.root.addEventListener("keydown", (event) => this._onKeydown(event));
    this.form.element.addEventListener("pointerleave", () => this._releaseLayout());
    this._unsubscribe = store.subscribe((change) => this._onChange(change));
    this._onChange({ rowsChanged: true });
  }
  /** @param {string} text */
  announce(text) {
    setText(this._liveRegion, text);
  }
  /**
   * @param {string} text
   * @param {string} label
   */
  async copy(text, label) {
    const copied = await copyText(text, this.root);
    if (copied) this.announce(`Copied ${label}`);
    else this.announce(`${label} cannot be copied from here; press Ctrl+C or ⌘C, it is selected`);
    return copied;
  }
  /** The new row of a launch must not move the form between the clicks of a double click. */
  holdLayout() {
    if (!this.form.element.matches(":hover")) return;
    const { scroller } = this.table;
    scroller.style.height = `${scroller.offsetHeight}px`;
    scroller.scrollTop = 0;
  }
  /**
   * @param {string} id
   * @param {HTMLElement} button
   */
  showJupyter(id, button) {
    const row = this.store.rows.get(id);
    if (row) this.jupyterPopup.toggle(row, button);
    this.table.updateFreeze();
  }
  refreshCountdowns() {
    this.table.refreshCountdowns();
    this.undoBar.update();
  }
  /** Show how old the rows are now, and when a guard pauses a pod. */
  updateTime() {
    this.header.updateTime();
    this.guardNotice.update({ isCovered: !this.header.alert.hidden });
    this.root.classList.toggle("yotta-is-stale", this.header.isStale());
  }
  close() {
    this.form.close();
    this.jupyterPopup.close();
    this._unsubscribe();
  }
  /** @param {Change} change */
  _onChange(change) {
    if (change.message) {
      this._onMessage(change.message, change.buffers);
      return;
    }
    this.header.update();
    this.filterBar.updateOptions(this.table.filters);
    this.form.update();
    this.table.update(change);
    this.jupyterPopup.update();
    this._updateEmptyState();
    this.selectionToolbar.update();
    this.undoBar.update();
    this.updateTime();
  }
  /**
   * @param {NonNullable<Change["message"]>} message
   * @param {DataView[]} [buffers]
   */
  _onMessage(message, buffers) {
    if (message.type === "validation") this.form.onValidation(message);
    else if (message.type === "password") this.jupyterPopup.onPassword(message, buffers);
    else if (message.type === "jupyter_link") this.jupyterPopup.onLink(message, buffers);
    else if (message.type === "guard_extended") {
      this.guardNotice.onResult(message);
      this.updateTime();
    } else this.form.onLaunchResult(message);
  }
  _releaseLayout() {
    this.table.scroller.style.height = "";
    this.table.renderRows();
  }
  _focusUndo() {
    this.undoBar.update();
    if (this.undoBar.element.hidden) this.filterBar.search.focus({ preventScroll: true });
    else this.undoBar.button.focus({ preventScroll: true });
  }
  /**
   * Escape, and Ctrl+Z or ⌘Z outside of text fields, undo the last delete or pause that can be undone.
   *
   * @param {KeyboardEvent} event
   */
  _onKeydown(event) {
    if (event.defaultPrevented) return;
    const target = (
      /** @type {HTMLElement} */
      event.target
    );
    const isTextField = target.matches("input:not([type=checkbox]), textarea");
    const clearsSearch = target === this.filterBar.search && this.filterBar.search.value !== "";
    const isEscape = event.key === "Escape" && !clearsSearch;
    const isCtrlZ = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    const requestsUndo = isEscape || isCtrlZ && !isTextField;
    if (requestsUndo && this.undoBar.undo()) {
      event.preventDefault();
      event.stopPropagation();
    }
  }
  /** @param {Partial<Filters>} filters */
  _onFilter(filters) {
    Object.assign(this.table.filters, filters);
    this.table.scroller.scrollTop = 0;
    this.table.filterAndSort();
    this.announce(`${formatPodCount(this.table.ids.length)} shown`);
  }
  _onShownRowsChange() {
    this._updateEmptyState();
    this.filterBar.updateCount(this.table.filters, this.table.ids.length);
    this.selectionToolbar.update();
  }
  _updateEmptyState() {
    const total = this.store.rows.size;
    this.emptyState.update({ loaded: this.store.meta.loaded, total, matching: this.table.ids.length });
    this.table.element.hidden = total === 0;
  }
};

// yotta_jupyter/panel/frontend/src/index.js
var index_default = () => {
  let store;
  return {
    initialize({ model }) {
      store = new Store(model);
      return () => store.close();
    },
    render({ el }) {
      return attach(new PanelView(store), el);
    }
  };
};
export {
  index_default as default
};
