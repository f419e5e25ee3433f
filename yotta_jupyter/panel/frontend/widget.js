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
function setLabel(button, label) {
  setAttribute(button, "aria-label", label);
  setAttribute(button, "title", label);
}
function setIcon(button, name) {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.replaceChildren(icon(name));
}
function iconButton(name, label, onclick) {
  const button = h("button", { type: "button", class: "yotta-icon", "aria-label": label, title: label, onclick });
  setIcon(button, name);
  return button;
}
function setDisabled(button, disabled) {
  setAttribute(button, "aria-disabled", disabled ? "true" : null);
}
function isDisabled(button) {
  return button.getAttribute("aria-disabled") === "true";
}
function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// yotta_jupyter/panel/frontend/src/lifecycle.js
var COMPACT_WIDTH = 790;
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
  listen(window, "pagehide", () => visibility.report(false));
  listen(window, "pageshow", () => visibility.update());
  every(COUNTDOWN_INTERVAL_S, () => table.refreshCountdowns());
  every(TIME_INTERVAL_S, () => view.updateTime());
  every(TIME_INTERVAL_S, () => visibility.isVisible && store.resyncIfStale());
  every(AGE_INTERVAL_S, () => table.refreshAges());
  every(HEARTBEAT_S, () => visibility.isVisible && visibility.send(true));
  visibility.update();
  return () => {
    for (const dispose of disposers) dispose();
    view.close();
    visibility.send(false, true);
  };
}
var VisibilityReporter = class {
  /** @param {PanelView} view */
  constructor(view) {
    this._view = view;
    this._inViewport = true;
    this.isVisible = null;
  }
  /** @param {boolean} inViewport */
  setInViewport(inViewport) {
    this._inViewport = inViewport;
    this.update();
  }
  update() {
    this.report(this._inViewport && document.visibilityState === "visible");
  }
  /** @param {boolean} visible */
  report(visible) {
    if (visible !== this.isVisible) this.send(visible);
  }
  /**
   * @param {boolean} visible
   * @param {boolean} [closed]
   */
  send(visible, closed = false) {
    this.isVisible = visible;
    this._view.store.send({ type: "view", view_id: this._view.id, visible, closed });
  }
};
function allowSaveShortcut(root, event) {
  const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!isSave || !root.contains(
    /** @type {Node} */
    event.target
  )) return;
  const suppressed = event.composedPath().filter((target) => target instanceof Element).filter((element) => root.contains(element) && element.hasAttribute(SUPPRESS_SHORTCUTS));
  for (const element of suppressed) element.removeAttribute(SUPPRESS_SHORTCUTS);
  setTimeout(() => {
    for (const element of suppressed) element.setAttribute(SUPPRESS_SHORTCUTS, "true");
  });
}

// yotta_jupyter/panel/frontend/src/protocol.js
var LAUNCHING = "LAUNCHING";
var DEFAULT_INFO = {
  fields: [],
  complete: true,
  loaded: false,
  totals: { running: 0, paused: 0, total: 0, hourly_cost: 0, unknown_cost: 0 },
  base_url: "",
  sandbox: false,
  undo_seconds: 0,
  interval: null,
  error: null,
  choices: null
};
function emptySnapshot() {
  return { version: -1, rows: /* @__PURE__ */ new Map(), selected: [], info: { ...DEFAULT_INFO } };
}
function decodeRow(fields, values) {
  const row = {};
  for (let index = 0; index < fields.length; index++) row[fields[index]] = values[index];
  return (
    /** @type {any} */
    row
  );
}
function decodeSnapshot(bytes) {
  if (!bytes?.byteLength) return null;
  const { version, rows, selected, ...info } = JSON.parse(new TextDecoder().decode(bytes));
  const decoded = rows.map((values) => decodeRow(info.fields, values));
  return {
    version,
    rows: new Map(decoded.map((row) => [row.id, row])),
    selected: selected ?? [],
    info: { ...DEFAULT_INFO, ...info }
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

// yotta_jupyter/panel/frontend/src/store.js
var STALL_MS = 1500;
var SELECTION_DEBOUNCE_MS = 100;
var STALE_INTERVALS = 2.5;
var Store = class {
  /** @param {Model} model */
  constructor(model) {
    this.rows = /* @__PURE__ */ new Map();
    this.info = emptySnapshot().info;
    this.selected = /* @__PURE__ */ new Set();
    this.passwords = [];
    this.connected = true;
    this.lastMessageAt = 0;
    this._model = model;
    this._version = -1;
    this._listeners = /* @__PURE__ */ new Set();
    this._optimistic = /** @type {Map<string, { pending: string, timer: number, stalled: boolean }>} */
    /* @__PURE__ */ new Map();
    this._undoDeadlines = /* @__PURE__ */ new Map();
    this._launches = /* @__PURE__ */ new Map();
    this._lastSyncAt = 0;
    this._selectionTimer = 0;
    this._loadSnapshot();
    model.on("change:_snapshot", () => {
      this.lastMessageAt = Date.now();
      this._loadSnapshot();
    });
    model.on("msg:custom", (message, buffers) => this._onMessage(message, buffers));
    model.on("comm_live_update", () => {
      this.connected = false;
      this._notify({});
    });
  }
  /**
   * Call a function after each change.
   *
   * @param {(change: Change) => void} listener
   * @returns {() => void} ends it
   */
  subscribe(listener) {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }
  /**
   * The action that a pod waits for. A click counts before the kernel has confirmed it.
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
    return Math.max(1, Math.ceil(((this._undoDeadlines.get(id) ?? 0) - Date.now()) / 1e3));
  }
  /**
   * @param {PodRow} row
   * @param {string} action
   * @returns {boolean} whether the pod's status allows the action and nothing else is pending
   */
  can(row, action) {
    return row.actions.includes(action) && !this.pendingAction(row);
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
   */
  act(action, ids) {
    if (!this.connected) return;
    const canUndo = action === "delete" && this.info.undo_seconds > 0;
    const pending = canUndo ? "pending_delete" : action === "undo" ? "undoing" : action;
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
    this._launches.set(id, form.pod_name);
    const row = {
      ...decodeRow(
        this.info.fields,
        this.info.fields.map(() => null)
      ),
      id,
      name: form.pod_name,
      status: LAUNCHING,
      gpu_type: form.gpu_type,
      gpu_count: form.gpu_count,
      region: form.region,
      image: form.image,
      actions: [],
      pending: "launch"
    };
    this.rows = new Map([[id, row], ...this.rows]);
    this._setOptimistic(id, "launch");
    this.send({ type: "launch", temp_id: id }, [new TextEncoder().encode(JSON.stringify(form))]);
    this._notify({ all: true });
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
  /** Request the rows if messages are overdue: in Colab, messages from the kernel's threads can stall. */
  resyncIfStale() {
    const { interval } = this.info;
    const silence = Date.now() - Math.max(this.lastMessageAt, this._lastSyncAt);
    if (interval === null || silence < STALE_INTERVALS * interval * 1e3) return;
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
    this.info = snapshot.info;
    for (const id of [...this._optimistic.keys()]) this._clearOptimistic(id);
    for (const row of this.rows.values()) this._setUndoDeadline(row.id, row.pending);
    this._pruneSelection();
    this._notify({ all: true });
  }
  _pruneSelection() {
    if (!this.info.complete) return;
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
      if (message.type !== "validation") this._onLaunchResult(message, buffers);
      this._notify({ message });
    }
  }
  /**
   * @param {LaunchResult} message
   * @param {DataView[]} [buffers]
   */
  _onLaunchResult(message, buffers) {
    const name = this._launches.get(message.temp_id);
    if (name === void 0) return;
    this._launches.delete(message.temp_id);
    if (message.type === "rejected" || this._optimistic.has(message.temp_id)) this._discard(message.temp_id);
    if (message.type === "launched" && buffers?.length) {
      this.passwords.push({ name: name || message.pod_id, password: new TextDecoder().decode(buffers[0]) });
    }
  }
  /** @param {Patch} patch */
  _applyPatch(patch) {
    if (patch.version <= this._version) return;
    const isNext = patch.version === this._version + 1;
    const applied = isNext ? applyRows(this.rows, this.info.fields, patch) : null;
    if (!applied) {
      this.send({ type: "resync" });
      return;
    }
    const { type: _, version, added, updated = [], removed = [], totals, ...info } = patch;
    this._version = version;
    this.info = { ...this.info, ...info, totals: { ...this.info.totals, ...totals } };
    for (const id of applied.added) this._clearOptimistic(id);
    for (const { id, pending } of updated) {
      this._clearOptimistic(id);
      if (pending !== void 0) this._setUndoDeadline(id, pending);
    }
    for (const id of removed) {
      this._clearOptimistic(id);
      this._undoDeadlines.delete(id);
      if (this.selected.delete(id)) this._sendSelection();
    }
    const all = applied.added.length > 0 || removed.length > 0;
    this._notify({ all, ids: updated.map(({ id }) => id), fields: applied.fields });
  }
  /**
   * @param {string} id
   * @param {string} pending
   */
  _setOptimistic(id, pending) {
    this._clearOptimistic(id);
    this._setUndoDeadline(id, pending);
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
   * Start the countdown of a delete. The kernel's own countdown starts when it receives the click.
   *
   * @param {string} id
   * @param {string | null} pending
   */
  _setUndoDeadline(id, pending) {
    if (pending === "pending_delete") this._undoDeadlines.set(id, Date.now() + this.info.undo_seconds * 1e3);
    else this._undoDeadlines.delete(id);
  }
  /** @param {string} id */
  _discard(id) {
    this._clearOptimistic(id);
    if (this.rows.delete(id)) this._notify({ all: true });
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
async function copyText(text, container) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "yotta-copy-fallback", "aria-label": "Copy this", readonly: true });
    field.value = text;
    field.rows = Math.min(8, text.split("\n").length);
    container.append(field);
    field.select();
    if (document.execCommand("copy")) {
      field.remove();
      return true;
    }
    field.addEventListener("blur", () => field.remove());
    return false;
  }
}

// yotta_jupyter/panel/frontend/src/empty-state.js
var EmptyState = class {
  /** @param {() => void} onLaunch moves the focus to the launch form */
  constructor(onLaunch) {
    this._onLaunch = onLaunch;
    this._state = "";
    this.element = h("div", { class: "yotta-empty-state" });
  }
  /** @param {{ loaded: boolean, total: number, matching: number }} rows */
  update({ loaded, total, matching }) {
    const state = total ? matching ? "rows" : "no-match" : loaded ? "no-pods" : "loading";
    if (state === this._state) return;
    this._state = state;
    this.element.hidden = state === "rows";
    this.element.replaceChildren(...this._content(state));
  }
  /** @param {string} state */
  _content(state) {
    if (state === "no-match") return ["No pod fits the filters."];
    if (state === "loading") return ["Listing your pods…"];
    if (state !== "no-pods") return [];
    const onclick = this._onLaunch;
    return [
      h("strong", {}, "No pods yet"),
      h("span", {}, "Choose a GPU type and an image below; the pod appears here."),
      h("button", { type: "button", class: "yotta-button-secondary", onclick }, "Launch your first pod")
    ];
  }
};

// yotta_jupyter/panel/frontend/src/format.js
var TWO_DECIMALS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
var DATE = new Intl.DateTimeFormat(void 0, { dateStyle: "medium", timeStyle: "short" });
var STATUS_LABELS = (
  /** @type {Record<string, string>} */
  { INITIALIZE: "Initializing" }
);
var PENDING_LABELS = (
  /** @type {Record<string, string>} */
  {
    pause: "Pausing…",
    resume: "Resuming…",
    delete: "Deleting…",
    undoing: "Undoing…",
    launch: "Launching…"
  }
);
function formatDollars(amount) {
  return amount > 0 && amount < 0.01 ? "<$0.01" : `$${TWO_DECIMALS.format(amount)}`;
}
function formatAge(seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}
function formatTime(timestamp) {
  return new Date(timestamp * 1e3).toLocaleTimeString([], { hour12: false });
}
function formatDate(timestamp) {
  return DATE.format(timestamp * 1e3);
}
function displayName(row) {
  return row.name || row.id;
}
function formatGpus(row) {
  if (!row.gpu_type) return "";
  return `${row.gpu_count ?? "?"} × ${row.gpu_type.replace(/^NVIDIA_/, "").replaceAll("_", " ")}`;
}
function formatImage(row) {
  return (row.image ?? "").replace(/^yottalabsai\//, "");
}
function formatGpuFacts({ vram_in_gb, price }) {
  const facts = [vram_in_gb && `${vram_in_gb} GB`, price != null && `${formatDollars(price)} an hour`];
  return facts.filter(Boolean).join(" · ");
}
function formatStatus(status, pending, { stalled = false, undoSeconds = 0 } = {}) {
  if (stalled) return "Waiting for kernel…";
  if (pending === "pending_delete") return `Deleting in ${undoSeconds} s`;
  if (pending) return PENDING_LABELS[pending] ?? pending;
  if (!status) return "Unknown";
  return STATUS_LABELS[status] ?? status[0].toUpperCase() + status.slice(1).toLowerCase();
}

// yotta_jupyter/panel/frontend/src/fields.js
var Fields = class {
  /** @param {(element: HTMLElement) => void} onInput called after a change that fires no event of its own */
  constructor(onInput) {
    this._onInput = onInput;
    this.inputs = {};
    this.messages = {};
    this._renderedChoices = null;
    this._lists = { gpu_types: datalist(), images: datalist(), regions: datalist() };
    this._variables = h("div", { class: "yotta-variables" });
    this._isPrivate = h("input", { type: "checkbox" });
    this.element = h(
      "div",
      {},
      h(
        "div",
        { class: "yotta-fields yotta-main-fields" },
        this._field("gpu_type", "GPU type", { list: this._lists.gpu_types.id, placeholder: "L4" }),
        this._labelledField("gpu_count", "GPUs", h("select")),
        this._field("image", "Image", { list: this._lists.images.id, placeholder: "pytorch" }),
        this._field("pod_name", "Name", { placeholder: "optional" }),
        this._field("region", "Region", { list: this._lists.regions.id, placeholder: "any" })
      ),
      this._moreOptions(),
      ...Object.values(this._lists)
    );
  }
  /**
   * @param {Choices | null} choices
   * @returns {boolean} whether they have changed
   */
  renderChoices(choices) {
    if (!choices || choices === this._renderedChoices) return false;
    this._renderedChoices = choices;
    const { gpu_types, images, regions } = this._lists;
    gpu_types.replaceChildren(...choices.gpu_types.map((gpu) => option(gpu.id, formatGpuFacts(gpu))));
    images.replaceChildren(...choices.images.map((image) => option(image)));
    regions.replaceChildren(...choices.regions.map((region) => option(region)));
    const counts = choices.gpu_counts.map((count) => h("option", {}, String(count)));
    setOptions(this.inputs.gpu_count, counts);
    const clouds = ["", ...choices.clouds].map((cloud) => h("option", { value: cloud }, cloud || "any"));
    setOptions(this.inputs.cloud_type, clouds);
    setAttribute(this.inputs.expose, "placeholder", choices.default_ports);
    return true;
  }
  /** @returns {string} VRAM and price of the GPU type in the field, as far as known */
  gpuHint() {
    const typed = this.inputs.gpu_type.value.trim();
    const gpu = this._renderedChoices?.gpu_types.find(({ id, display_name }) => id === typed || display_name === typed);
    return gpu ? formatGpuFacts(gpu) : "";
  }
  /**
   * @param {boolean} withSecrets whether secrets are included; else a placeholder says whether they are set
   * @returns {Record<string, any>} by field; environment variables as pairs of name and value
   */
  values(withSecrets) {
    const secret = (value) => withSecrets ? value : value && "set";
    const texts = Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]);
    const values = Object.fromEntries(texts);
    values.image_public_type = this._isPrivate.checked ? "PRIVATE" : null;
    values.image_registry_token = secret(values.image_registry_token);
    const variables = [...this._variables.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return [name.value.trim(), secret(value.value)];
    });
    values.environment_vars = variables.filter(([name, value]) => name || value);
    return values;
  }
  /**
   * Show an error, or else a note, below a field.
   *
   * @param {string} name
   * @param {string | undefined} error
   * @param {string | undefined} note
   */
  setMessage(name, error, note) {
    const message = this.messages[name];
    if (!message) return;
    setText(message, error || note || "");
    message.classList.toggle("yotta-is-invalid", Boolean(error));
    const input = this.inputs[name];
    if (!input) return;
    setAttribute(input, "aria-invalid", error ? "true" : null);
    setAttribute(input, "aria-describedby", error || note ? message.id : null);
  }
  /** Focus the first field with an error, if any. */
  focusFirstInvalid() {
    const input = (
      /** @type {HTMLElement | null} */
      this.element.querySelector("[aria-invalid=true]")
    );
    const details = input?.closest("details");
    if (details) details.open = true;
    input?.focus();
  }
  _moreOptions() {
    const addVariable = h("button", { type: "button", class: "yotta-button-secondary" }, "Add a variable");
    addVariable.addEventListener("click", () => this._addVariable());
    const variables = h("legend", {}, "Environment variables");
    return h(
      "details",
      { class: "yotta-details" },
      h("summary", {}, "More options"),
      h(
        "div",
        { class: "yotta-fields yotta-more-fields" },
        this._field("expose", "Ports"),
        this._field("initialization_command", "Init command", { placeholder: "runs when the pod starts" }),
        this._field("container_volume_in_gb", "Container volume (GB)", { inputmode: "numeric" }),
        this._field("persistent_volume_in_gb", "Persistent volume (GB)", { inputmode: "numeric" }),
        this._field("persistent_mount_path", "Mount path", { placeholder: "/workspace" }),
        this._labelledField("cloud_type", "Cloud", h("select"))
      ),
      h("fieldset", { class: "yotta-env" }, variables, this._variables, addVariable, this._message("environment_vars")),
      h("label", { class: "yotta-checkbox" }, this._isPrivate, "The image is in a private registry"),
      this._registryFields()
    );
  }
  _registryFields() {
    const fields = h(
      "div",
      { class: "yotta-fields", hidden: true },
      this._field("image_registry_username", "Registry user name"),
      this._field("image_registry_token", "Registry token", { type: "password" })
    );
    this._isPrivate.addEventListener("change", () => {
      fields.hidden = !this._isPrivate.checked;
      this._onInput(this._isPrivate);
    });
    return fields;
  }
  _addVariable() {
    const input = (attributes) => h("input", { autocomplete: "off", ...attributes });
    const name = input({ type: "text", placeholder: "NAME", "aria-label": "Variable name" });
    const value = input({ type: "password", placeholder: "value", "aria-label": "Variable value" });
    name.dataset.field = "environment_vars";
    const remove = iconButton("close", "Remove the variable", () => {
      row.remove();
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
   */
  _labelledField(name, label, input) {
    input.id = `yotta-${uniqueId()}`;
    input.dataset.field = name;
    this.inputs[name] = input;
    const classes = `yotta-field yotta-field-${name}`;
    return h("div", { class: classes }, h("label", { for: input.id }, label), input, this._message(name));
  }
  /** @param {string} name */
  _message(name) {
    const message = h("span", { class: "yotta-field-message", id: `yotta-${uniqueId()}` });
    this.messages[name] = message;
    return message;
  }
};
function datalist() {
  return h("datalist", { id: `yotta-${uniqueId()}` });
}
function option(value, label) {
  return h("option", { value, label: label || null });
}
function setOptions(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options);
  if (chosen) select.value = chosen;
}

// yotta_jupyter/panel/frontend/src/header.js
var KERNEL_GONE = "The kernel has gone. Run the cell of the panel again.";
var Header = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   */
  constructor(store, context) {
    this.store = store;
    this._badge = h("span", { class: "yotta-badge", hidden: true }, "SANDBOX");
    this._endpoint = h("span", { class: "yotta-endpoint" });
    this._totals = ["running", "paused", "in all", "an hour now"].map((label) => ({ number: h("strong"), label }));
    const totals = this._totals.map(({ number, label }) => h("span", {}, number, " ", h("span", {}, label)));
    this._cost = /** @type {HTMLElement} */
    totals.at(-1);
    this._refreshedAt = h("span");
    const refresh = iconButton("refresh", "Refresh", () => {
      store.send({ type: "refresh" });
      context.announce("Refreshing");
    });
    this.element = h(
      "header",
      { class: "yotta-header" },
      h("div", { class: "yotta-connection" }, this._badge, this._endpoint),
      h("div", { class: "yotta-totals" }, ...totals),
      h("div", { class: "yotta-refresh" }, this._refreshedAt, refresh)
    );
    this.alert = h("div", { class: "yotta-alert", role: "alert", hidden: true });
  }
  update() {
    const { base_url, loaded, sandbox, totals } = this.store.info;
    this._badge.hidden = !sandbox;
    setText(this._endpoint, sandbox ? "Nothing costs money" : base_url);
    setAttribute(this._endpoint, "title", base_url);
    const counts = [totals.running, totals.paused, totals.total].map((count) => count.toLocaleString());
    const figures = [...counts, formatDollars(totals.hourly_cost)];
    for (const [index, { number }] of this._totals.entries()) setText(number, loaded ? figures[index] : "–");
    const { unknown_cost } = totals;
    setAttribute(this._cost, "title", unknown_cost ? `without ${unknown_cost} pods of unknown price` : null);
    this.updateTime();
  }
  /** Show how old the rows are. */
  updateTime() {
    const { connected, info, lastMessageAt } = this.store;
    const now = Date.now() / 1e3;
    const isLive = connected && info.interval !== null && now - lastMessageAt / 1e3 < 3 * HEARTBEAT_S;
    let text = "";
    if (info.refreshed_at && isLive && info.interval && !info.error) {
      const refreshes = Math.max(0, Math.floor((now - info.refreshed_at) / info.interval));
      text = `Refreshed ${formatTime(info.refreshed_at + refreshes * info.interval)}`;
      setAttribute(this._refreshedAt, "title", `Every ${info.interval} s`);
    } else if (info.refreshed_at) text = `As of ${formatTime(info.refreshed_at)}`;
    setText(this._refreshedAt, text);
    const error = info.error ? `${info.error} (It is tried again every ${info.interval} s.)` : "";
    const alert = connected ? error : KERNEL_GONE;
    this.alert.hidden = !alert;
    setText(this.alert, alert);
  }
  /** @returns {boolean} whether the rows may be out of date */
  isStale() {
    return !this.store.connected || Boolean(this.store.info.error);
  }
};

// yotta_jupyter/panel/frontend/src/passwords.js
var Passwords = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} onRemove called after the user has removed one
   */
  constructor(store, context, onRemove) {
    this.store = store;
    this.context = context;
    this.onRemove = onRemove;
    this._rendered = /* @__PURE__ */ new Set();
    this.element = h("div");
  }
  update() {
    for (const entry of this.store.passwords) {
      if (this._rendered.has(entry)) continue;
      this._rendered.add(entry);
      this.element.append(this._row(entry));
    }
  }
  /** @param {Password} entry */
  _row(entry) {
    const { name, password } = entry;
    const field = h("input", { type: "password", readonly: true, "aria-label": `Jupyter password of ${name}` });
    field.value = password;
    const show = h("button", { type: "button", class: "yotta-button-secondary" }, "Show");
    show.addEventListener("click", () => {
      field.type = field.type === "password" ? "text" : "password";
      setText(show, field.type === "password" ? "Show" : "Hide");
    });
    const copy = iconButton(
      "copy",
      `Copy the Jupyter password of ${name}`,
      () => this.context.copy(password, "the Jupyter password")
    );
    const remove = iconButton("close", `Forget the Jupyter password of ${name}`, () => {
      row.remove();
      this.store.passwords = this.store.passwords.filter((other) => other !== entry);
      this.onRemove();
    });
    const label = h("span", {}, `Jupyter password of ${name}, shown this once:`);
    const row = h("div", { class: "yotta-password" }, label, field, show, copy, remove);
    return row;
  }
};

// yotta_jupyter/panel/frontend/src/form.js
var VALIDATE_DEBOUNCE_MS = 250;
var RELAUNCH_COOLDOWN_MS = 1e3;
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
    this._launchRejected = false;
    this._launch = null;
    this.fields = new Fields((element) => this._onInput(element));
    this._launchButton = h("button", { type: "submit", class: "yotta-button-primary" }, "Launch");
    this._estimate = h("span", { class: "yotta-estimate" });
    this._command = h("code", {
      class: "yotta-command",
      tabindex: "0",
      role: "textbox",
      "aria-readonly": "true",
      "aria-label": "The equal %yotta line"
    });
    const copy = iconButton(
      "copy",
      "Copy the %yotta line",
      () => context.copy(this._command.textContent ?? "", "the %yotta line")
    );
    this._commandPreview = h("span", { class: "yotta-command-preview", hidden: true }, this._command, copy);
    this._errorMessage = h("p", { class: "yotta-error-message", hidden: true });
    this._passwords = new Passwords(store, context, () => this._launchButton.focus());
    this.element = h(
      "form",
      { class: "yotta-form", "aria-label": "Launch a pod", novalidate: true },
      h("h3", {}, "Launch a pod"),
      this.fields.element,
      h("div", { class: "yotta-launch" }, this._launchButton, this._estimate, this._commandPreview),
      this._errorMessage,
      this._passwords.element
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this._submit();
    });
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
    if (this.fields.renderChoices(this.store.info.choices)) this._updateGpuHint();
    this._passwords.update();
  }
  /** @param {ValidationMessage} message */
  onValidation(message) {
    if (message.request_id !== this._requestId()) return;
    this._showResult(message, (name) => this._launchRejected || this._touched.has(name));
  }
  /** @param {LaunchResult} message */
  onLaunchResult(message) {
    this._passwords.update();
    if (!this._launch || message.temp_id !== this._launch.tempId) return;
    const { name } = this._launch;
    this._launch = null;
    if (message.type === "launched") {
      setTimeout(() => this._setBusy(false), RELAUNCH_COOLDOWN_MS);
      this._launchRejected = false;
      this.context.announce(`Launched ${name || message.pod_id}`);
      this.fields.inputs.pod_name.value = "";
      this._validate();
      return;
    }
    this._setBusy(false);
    if (message.type === "rejected") {
      this._launchRejected = true;
      this._showResult(message, () => true);
      this._showError(message.errors.form ?? "");
      this.fields.focusFirstInvalid();
      this.context.announce(Object.values(message.errors)[0]);
    } else {
      this._showError(message.error);
      this.context.announce(message.error);
    }
  }
  focus() {
    this.fields.inputs.gpu_type.focus();
  }
  close() {
    clearTimeout(this._validationTimer);
  }
  /** @param {HTMLElement} element */
  _onInput(element) {
    if (element.dataset.field) this._touched.add(element.dataset.field);
    this._updateGpuHint();
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
  _validate() {
    this._requestNumber += 1;
    this.store.send({ type: "validate", request_id: this._requestId(), form: this.fields.values(false) });
  }
  /** Other views of the panel validate forms of their own. */
  _requestId() {
    return `${this.context.id}:${this._requestNumber}`;
  }
  /**
   * @param {FormResult} result
   * @param {(name: string) => boolean} shouldShow whether the error of a field is shown
   */
  _showResult({ errors, notes, command, estimate }, shouldShow) {
    for (const name of Object.keys(this.fields.messages)) {
      const hint = name === "gpu_type" ? this.fields.gpuHint() : "";
      const note = [hint, notes[name]].filter(Boolean).join(" · ");
      this.fields.setMessage(name, shouldShow(name) ? errors[name] : "", note);
    }
    setText(this._command, command ?? "");
    this._commandPreview.hidden = !command;
    const text = estimate == null ? "" : `an estimate of ${formatDollars(estimate)} an hour`;
    setText(this._estimate, text);
    setAttribute(this._estimate, "title", text && "By the price of a card in a listing; volumes come on top");
  }
  _submit() {
    if (this._launch || isDisabled(this._launchButton)) return;
    if (!this.store.connected) {
      this._showError(KERNEL_GONE);
      return;
    }
    const form = this.fields.values(true);
    this._showError("");
    this._setBusy(true);
    this._launch = { tempId: this.store.launch(form), name: form.pod_name };
    this.context.announce(`Launching ${form.pod_name || "a pod"}`);
  }
  /** @param {boolean} busy */
  _setBusy(busy) {
    setDisabled(this._launchButton, busy);
    setText(this._launchButton, busy ? "Launching…" : "Launch");
  }
  /** @param {string} text */
  _showError(text) {
    setText(this._errorMessage, text);
    this._errorMessage.hidden = !text;
  }
};

// yotta_jupyter/panel/frontend/src/selection-toolbar.js
var ACTIONS = (
  /** @type {const} */
  [
    { action: "pause", label: "Pause", announcement: "Pausing" },
    { action: "resume", label: "Resume", announcement: "Resuming" },
    { action: "delete", label: "Delete", announcement: "Deleting" }
  ]
);
var SelectionToolbar = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} focusFallback called when the toolbar disappears with the focus
   */
  constructor(store, context, focusFallback) {
    this.store = store;
    this.context = context;
    this._count = h("span");
    this._buttons = ACTIONS.map(({ action, label, announcement }) => {
      const button = secondaryButton("", () => this._act(action, announcement));
      return { action, label, button };
    });
    this._copyButton = secondaryButton("", () => this._copySsh());
    const clear = secondaryButton("Clear", () => {
      store.select([...store.selected], false);
      focusFallback();
    });
    const buttons = this._buttons.map(({ button }) => button);
    this.element = h("span", { class: "yotta-selection-toolbar", hidden: true });
    this.element.append(this._count, ...buttons, this._copyButton, clear);
  }
  update() {
    const count = this.store.selected.size;
    this.element.hidden = count === 0;
    if (!count) return;
    setText(this._count, `${count.toLocaleString()} selected`);
    for (const { action, label, button } of this._buttons) setCount(button, label, this._idsFor(action).length);
    setCount(this._copyButton, "Copy SSH", this._sshCommands().length);
  }
  /** @param {string} action */
  _idsFor(action) {
    const rows = this.store.selectedRows().filter((row) => this.store.can(row, action));
    return rows.map((row) => row.id);
  }
  _sshCommands() {
    return this.store.selectedRows().map((row) => row.ssh).filter((ssh) => ssh !== null);
  }
  /**
   * @param {(typeof ACTIONS)[number]["action"]} action
   * @param {string} announcement
   */
  _act(action, announcement) {
    const ids = this._idsFor(action);
    if (!ids.length) return;
    this.store.act(action, ids);
    this.context.announce(`${announcement} ${ids.length} pods`);
  }
  async _copySsh() {
    if (isDisabled(this._copyButton)) return;
    const commands = this._sshCommands();
    await this.context.copy(commands.join("\n"), `${commands.length} SSH commands`);
  }
};
function secondaryButton(text, onclick) {
  return h("button", { type: "button", class: "yotta-button-secondary", onclick }, text);
}
function setCount(button, label, count) {
  setText(button, count ? `${label} ${count.toLocaleString()}` : label);
  setDisabled(button, count === 0);
}

// yotta_jupyter/panel/frontend/src/columns.js
var textKey = (field) => (row) => String(row[field] ?? "").toLowerCase();
var COLUMNS = [
  { name: "name", title: "Name", width: "minmax(90px, 1.2fr)", fields: ["name"], sortKey: textKey("name") },
  { name: "status", title: "Status", width: "118px", fields: ["status"], sortKey: textKey("status") },
  {
    name: "gpu",
    title: "GPUs",
    width: "minmax(118px, 1.1fr)",
    fields: ["gpu_type", "gpu_count"],
    sortKey: (row) => `${row.gpu_type ?? ""} ${row.gpu_count ?? 0}`.toLowerCase(),
    classes: "yotta-wide-only",
    text: formatGpus,
    tooltip: (row) => row.gpu_type
  },
  {
    name: "region",
    title: "Region",
    width: "minmax(84px, .8fr)",
    fields: ["region"],
    sortKey: textKey("region"),
    classes: "yotta-wide-only",
    text: (row) => row.region ?? ""
  },
  {
    name: "image",
    title: "Image",
    width: "minmax(50px, 1fr)",
    fields: ["image"],
    sortKey: textKey("image"),
    classes: "yotta-wide-only",
    text: formatImage,
    tooltip: (row) => row.image
  },
  {
    name: "cost",
    title: "$ / hour",
    width: "58px",
    fields: ["hourly_cost"],
    sortKey: (row) => -(row.hourly_cost ?? -1),
    descending: true,
    classes: "yotta-number",
    text: (row) => row.hourly_cost == null ? "–" : formatDollars(row.hourly_cost),
    tooltip: (row) => row.hourly_rate == null ? "No price is known" : `${formatDollars(row.hourly_rate)} while running`
  },
  {
    name: "age",
    title: "Age",
    width: "46px",
    fields: ["created_at"],
    sortKey: (row) => -(row.created_at ?? Infinity),
    classes: "yotta-number yotta-wide-only",
    text: (row) => row.created_at ? formatAge(Date.now() / 1e3 - row.created_at) : "",
    tooltip: (row) => row.created_at ? formatDate(row.created_at) : null
  }
];

// yotta_jupyter/panel/frontend/src/filter.js
var SELECT_FILTERS = (
  /** @type {const} */
  ["status", "region", "gpu_type"]
);
var SEARCHED_FIELDS = ["name", "id", "image", "gpu_type", "region"];
function noFilters() {
  return { text: "", status: "", region: "", gpu_type: "" };
}
function isFiltered(filters) {
  return Object.values(filters).some(Boolean);
}
function filterRows(rows, filters) {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...rows].filter((row) => {
    if (SELECT_FILTERS.some((field) => filters[field] && row[field] !== filters[field])) return false;
    if (!words.length) return true;
    const text = SEARCHED_FIELDS.map((field) => row[field] ?? "").join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
function sortedIds(rows, column, reversed) {
  const sign = reversed ? -1 : 1;
  const keyed = rows.map((row) => ({ key: column.sortKey(row), id: row.id }));
  keyed.sort((a, b) => a.key < b.key ? -sign : a.key > b.key ? sign : 0);
  return keyed.map(({ id }) => id);
}

// yotta_jupyter/panel/frontend/src/navigation.js
var Navigation = class {
  /** @param {Table} table */
  constructor(table) {
    this.table = table;
    this._activeId = null;
    table.body.addEventListener("keydown", (event) => this._onKeydown(event));
    table.body.addEventListener("focusin", (event) => this._onFocusin(event));
  }
  /** Make the controls of the active row, or else of the first, the ones that Tab reaches. */
  updateTabStop() {
    const { body, views } = this.table;
    const first = (
      /** @type {HTMLElement | null} */
      body.firstElementChild?.dataset.podId
    );
    const stop = this._activeId !== null && views.has(this._activeId) ? this._activeId : first;
    for (const [id, view] of views) {
      for (const control of view.controls()) setAttribute(control, "tabindex", id === stop ? "0" : "-1");
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
      const controls = [...view.controls()].filter((each) => each.offsetParent);
      controls[controls.indexOf(control) + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
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
    const page = Math.max(1, Math.floor(this.table.scroller.clientHeight / this.table.rowHeight) - 2);
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
   * Scroll to a row, and focus the control in the place of another row's.
   *
   * @param {number} index
   * @param {HTMLElement} control
   */
  _focusRow(index, control) {
    const { ids, rowHeight, scroller, views } = this.table;
    const cell2 = (
      /** @type {HTMLElement} */
      control.parentElement
    );
    const place = [...cell2.children].indexOf(control);
    const top = index * rowHeight;
    const lowest = top - (scroller.clientHeight - rowHeight * 2);
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (lowest > scroller.scrollTop) scroller.scrollTop = lowest;
    this.table.renderRows();
    const target = views.get(ids[index])?.element.getElementsByClassName(cell2.className)[0];
    const controls = target?.querySelectorAll("input, button");
    controls?.[place]?.focus({ preventScroll: true });
  }
  /**
   * @param {Event} event
   * @returns {RowView | undefined} the row in which it happened
   */
  _viewOf(event) {
    const element = (
      /** @type {HTMLElement} */
      event.target.closest("[data-pod-id]")
    );
    return this.table.views.get(
      /** @type {HTMLElement | null} */
      element?.dataset.podId ?? ""
    );
  }
};

// yotta_jupyter/panel/frontend/src/row.js
var RESUMABLE_LATER = /* @__PURE__ */ new Set(["PAUSED", "PAUSING"]);
var RowView = class {
  /**
   * @param {Store} store
   * @param {RowHandlers} handlers
   */
  constructor(store, { onToggle, onAction, onCopySsh, onDismiss }) {
    this.store = store;
    this.row = null;
    this.index = null;
    this.checkbox = h("input", { type: "checkbox" });
    this.checkbox.addEventListener("click", (event) => onToggle(this.id, this.checkbox.checked, event.shiftKey));
    const act = (event) => {
      const button = (
        /** @type {HTMLElement} */
        event.currentTarget
      );
      if (isDisabled(button) || event.detail > 1) return;
      onAction(
        this.id,
        /** @type {Action} */
        button.dataset.action
      );
    };
    this.toggleButton = iconButton("pause", "", act);
    this.sshButton = iconButton("copy", "", () => onCopySsh(this.id, this.sshButton));
    this.deleteButton = iconButton("delete", "", act);
    this.dismissButton = iconButton("close", "Dismiss", () => {
      onDismiss(this.id);
      this.deleteButton.focus();
    });
    this.title = h("span", { class: "yotta-title", dir: "auto" });
    this.detail = h("span", { class: "yotta-detail", dir: "auto" });
    this.status = h("span", { class: "yotta-status-text" });
    this.error = h("span", { class: "yotta-error-text", dir: "auto" });
    this.textCells = COLUMNS.filter((column) => column.text).map((column) => ({ column, cell: textCell(column) }));
    this.element = h(
      "div",
      { role: "row", class: "yotta-row" },
      cell("yotta-check", this.checkbox),
      cell("yotta-name", this.title, this.detail),
      cell("yotta-status", h("span", { class: "yotta-status-indicator", "aria-hidden": "true" }), this.status),
      ...this.textCells.map(({ cell: cell2 }) => cell2),
      cell("yotta-error", this.error, this.dismissButton),
      cell("yotta-actions", this.toggleButton, this.sshButton, this.deleteButton)
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
    setAttribute(element, "data-pod-id", row.id);
    setAttribute(element, "data-status", row.status);
    setAttribute(element, "data-pending", pending);
    setAttribute(element, "data-error", row.error ? "true" : null);
    setAttribute(element, "aria-selected", String(selected));
    this.checkbox.checked = selected;
    setAttribute(this.checkbox, "aria-label", `Select ${name}`);
    setText(this.title, name);
    setAttribute(this.title, "title", row.name ? `${row.name} (${row.id})` : row.id);
    setText(this.detail, [formatGpus(row), row.region].filter(Boolean).join(" · "));
    const undoSeconds = store.undoSecondsLeft(row.id);
    setText(this.status, formatStatus(row.status, pending, { stalled: store.isStalled(row), undoSeconds }));
    setAttribute(this.status, "title", row.status);
    for (const { column, cell: cell2 } of this.textCells) {
      setText(cell2, column.text?.(row) ?? "");
      setAttribute(cell2, "title", column.tooltip?.(row));
    }
    setText(this.error, row.error ?? "");
    setAttribute(this.error, "title", row.error);
    this._updateButtons(row, name, pending);
  }
  /** @returns {NodeListOf<HTMLElement>} what can have the focus */
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
    setAttribute(this.element, "aria-rowindex", index + 2);
  }
  /**
   * @param {PodRow} row
   * @param {string} name
   * @param {string | null} pending
   */
  _updateButtons(row, name, pending) {
    const { store, toggleButton, sshButton, deleteButton } = this;
    const toggle = RESUMABLE_LATER.has(row.status) ? "resume" : "pause";
    toggleButton.dataset.action = toggle;
    setIcon(toggleButton, toggle);
    setLabel(toggleButton, `${toggle === "resume" ? "Resume" : "Pause"} ${name}`);
    setDisabled(toggleButton, !store.can(row, toggle));
    setLabel(sshButton, `Copy SSH command of ${name}`);
    setDisabled(sshButton, !row.ssh);
    const canUndo = pending === "pending_delete";
    deleteButton.dataset.action = canUndo ? "undo" : "delete";
    setIcon(deleteButton, canUndo ? "undo" : "delete");
    setLabel(deleteButton, canUndo ? `Undo delete ${name}` : `Delete ${name}`);
    setDisabled(deleteButton, !canUndo && !store.can(row, "delete"));
  }
};
function cell(classes, ...children) {
  return h("div", { role: "cell", class: classes }, ...children);
}
function textCell(column) {
  return cell(`yotta-${column.name} ${column.classes ?? ""}`.trim());
}

// yotta_jupyter/panel/frontend/src/table.js
var OVERSCAN = 4;
var ROW_HEIGHT = 36;
var COMPACT_ROW_HEIGHT = 52;
var COPIED_MS = 1200;
var ANNOUNCEMENTS = { pause: "Pausing", resume: "Resuming", delete: "Deleting", undo: "Undoing the delete of" };
var Table = class {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {{ onFiltered: () => void, focusFallback: () => void }} callbacks `onFiltered` is called when the rows
   *   shown or their order have changed; `focusFallback` moves the focus when the last row disappears
   */
  constructor(store, context, { onFiltered, focusFallback }) {
    this.store = store;
    this.context = context;
    this.onFiltered = onFiltered;
    this.focusFallback = focusFallback;
    this.filters = noFilters();
    this.sort = { column: columnNamed("age"), reversed: false };
    this.ids = [];
    this.views = /* @__PURE__ */ new Map();
    this.rowHeight = ROW_HEIGHT;
    this._pool = [];
    this._anchor = null;
    this.body = h("div", { role: "rowgroup", class: "yotta-body" });
    this.selectAll = h("input", { type: "checkbox", "aria-label": "Select all pods shown" });
    this.selectAll.addEventListener("change", () => this._onSelectAll());
    this._headings = COLUMNS.map((column) => this._heading(column));
    this.element = h("div", { role: "table", "aria-label": "Pods" }, this._head(), this.body);
    this.scroller = h("div", { class: "yotta-scroller" }, this.element);
    this.scroller.addEventListener("scroll", () => this.renderRows(), { passive: true });
    const widths = COLUMNS.map((column) => column.width).join(" ");
    this.scroller.style.setProperty("--yotta-columns", widths);
    this.navigation = new Navigation(this);
  }
  /**
   * Show a change of the store, with as little work as it needs.
   *
   * @param {Change} change
   */
  update({ all, ids = [], fields = /* @__PURE__ */ new Set() }) {
    const filterMayChange = isFiltered(this.filters) && fields.size > 0;
    const orderMayChange = this.sort.column.fields.some((field) => fields.has(field));
    if (all || filterMayChange || orderMayChange) this.applyFilters();
    else for (const id of ids) this._refreshRow(id);
    this._updateSelectAll();
  }
  applyFilters() {
    const { column, reversed } = this.sort;
    this.ids = sortedIds(filterRows(this.store.rows.values(), this.filters), column, reversed);
    this._headings.forEach((heading, index) => {
      const direction = reversed !== Boolean(column.descending) ? "descending" : "ascending";
      setAttribute(heading, "aria-sort", COLUMNS[index] === column ? direction : null);
    });
    setAttribute(this.element, "aria-rowcount", this.ids.length + 1);
    this._setBodyHeight();
    this.renderRows();
    this.onFiltered();
  }
  /** Create, update and remove elements so that the rows in view are shown. */
  renderRows() {
    const visible = this._visibleRows();
    const removedFocus = this._recycleViews(visible);
    for (const [id, index] of visible) {
      let view = this.views.get(id);
      if (!view) {
        view = this._pool.pop() ?? this._createRow();
        this.views.set(id, view);
      }
      const row = (
        /** @type {PodRow} */
        this.store.rows.get(id)
      );
      if (view.row !== row || view.index !== index || this.store.isOptimistic(id)) {
        view.update(row, { index, top: index * this.rowHeight });
      }
    }
    for (const view of this._pool) view.element.remove();
    const ordered = [...visible].sort((a, b) => a[1] - b[1]);
    this._reorder(ordered.map(([id]) => (
      /** @type {RowView} */
      this.views.get(id).element
    )));
    this.navigation.updateTabStop();
    if (removedFocus !== null) this._focusNear(removedFocus);
  }
  /** @param {boolean} compact */
  setCompact(compact) {
    this.rowHeight = compact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
    for (const view of this.views.values()) view.index = null;
    this.scroller.style.setProperty("--yotta-row-height", `${this.rowHeight}px`);
    this._setBodyHeight();
    this.renderRows();
  }
  refreshCountdowns() {
    for (const [id, view] of this.views) if (view.element.dataset.pending === "pending_delete") this._refreshRow(id);
  }
  refreshAges() {
    for (const id of this.views.keys()) this._refreshRow(id);
  }
  /** @returns {HTMLElement} the row of headings */
  _head() {
    const actions = h("span", { class: "yotta-visually-hidden" }, "Actions");
    const row = h(
      "div",
      { role: "row", class: "yotta-row yotta-head", "aria-rowindex": "1" },
      h("div", { role: "columnheader", class: "yotta-check" }, this.selectAll),
      ...this._headings,
      h("div", { role: "columnheader", class: "yotta-actions" }, actions)
    );
    return h("div", { role: "rowgroup", class: "yotta-thead" }, row);
  }
  /** @param {Column} column */
  _heading(column) {
    const button = h("button", { type: "button", class: "yotta-sort" }, column.title);
    button.addEventListener("click", () => {
      this.sort = { column, reversed: column === this.sort.column && !this.sort.reversed };
      this.applyFilters();
    });
    const classes = `yotta-${column.name} ${column.classes ?? ""}`.trim();
    return h("div", { role: "columnheader", class: classes }, button);
  }
  _createRow() {
    return new RowView(this.store, {
      onToggle: (id, selected, range) => this._onToggle(id, selected, range),
      onAction: (id, action) => this._onAction(id, action),
      onCopySsh: (id, button) => this._copySsh(id, button),
      onDismiss: (id) => this.store.send({ type: "dismiss", pods: [id] })
    });
  }
  /** @param {string} id */
  _refreshRow(id) {
    const row = this.store.rows.get(id);
    if (row) this.views.get(id)?.update(row);
  }
  _setBodyHeight() {
    this.body.style.height = `${this.ids.length * this.rowHeight}px`;
  }
  /** @returns {Map<string, number>} the index of each row to render, by id */
  _visibleRows() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.rowHeight) - OVERSCAN);
    const count = Math.ceil(this.scroller.clientHeight / this.rowHeight) + 2 * OVERSCAN;
    const visible = new Map(this.ids.slice(first, first + count).map((id, offset) => [id, first + offset]));
    const focused = this._focusedId();
    if (focused !== null && !visible.has(focused)) {
      const index = this.ids.indexOf(focused);
      if (index >= 0) visible.set(focused, index);
    }
    return visible;
  }
  /**
   * Take the views of rows that are not visible any more into the pool.
   *
   * @param {Map<string, number>} visible
   * @returns {number | null} the index of the row that had the focus, if its view was removed
   */
  _recycleViews(visible) {
    let removedFocus = null;
    for (const [id, view] of this.views) {
      if (visible.has(id)) continue;
      this.views.delete(id);
      if (view.hasFocus() || view.element.matches(":active")) {
        if (view.hasFocus()) removedFocus = view.index;
        view.element.remove();
      } else this._pool.push(view);
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
    const view = this.views.get(this.ids[Math.min(index, this.ids.length - 1)]);
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
   * @param {Action} action
   */
  _onAction(id, action) {
    const row = this.store.rows.get(id);
    if (!row) return;
    this.store.act(action, [id]);
    this.context.announce(`${ANNOUNCEMENTS[action]} ${displayName(row)}`);
  }
  /**
   * @param {string} id
   * @param {HTMLElement} button
   */
  async _copySsh(id, button) {
    const row = this.store.rows.get(id);
    if (!row) return;
    if (isDisabled(button) || !row.ssh) {
      this.context.announce(`${displayName(row)} is not reachable by SSH now`);
      return;
    }
    await this.context.copy(row.ssh, `the SSH command of ${displayName(row)}`);
    button.classList.add("yotta-is-copied");
    setTimeout(() => button.classList.remove("yotta-is-copied"), COPIED_MS);
  }
  /**
   * @param {string} id
   * @param {boolean} selected
   * @param {boolean} range whether all rows since the last click are meant
   */
  _onToggle(id, selected, range) {
    let ids = [id];
    if (range && this._anchor !== null) {
      const [first, last] = [this.ids.indexOf(this._anchor), this.ids.indexOf(id)].sort((a, b) => a - b);
      if (first >= 0) ids = this.ids.slice(first, last + 1);
    }
    this._anchor = id;
    this.store.select(ids, selected);
  }
  _onSelectAll() {
    this.store.select(this.ids, this.selectAll.checked);
  }
  _updateSelectAll() {
    let count = 0;
    if (this.store.selected.size) {
      for (const id of this.ids) if (this.store.selected.has(id)) count++;
    }
    this.selectAll.checked = count > 0 && count === this.ids.length;
    this.selectAll.indeterminate = count > 0 && count < this.ids.length;
  }
};
function columnNamed(name) {
  return (
    /** @type {Column} */
    COLUMNS.find((column) => column.name === name)
  );
}

// yotta_jupyter/panel/frontend/src/toolbar.js
var ANY = { status: "Any status", region: "Any region", gpu_type: "Any GPU" };
var Toolbar = class {
  /**
   * @param {Store} store
   * @param {(name: keyof Filters, value: string) => void} onFilter
   */
  constructor(store, onFilter) {
    this.store = store;
    this.search = h("input", {
      type: "search",
      placeholder: "Filter by name, id, image…",
      "aria-label": "Filter pods"
    });
    this.search.addEventListener("input", () => onFilter("text", this.search.value));
    this._selects = SELECT_FILTERS.map((name) => {
      const select = h("select", { "aria-label": ANY[name] }, h("option", { value: "" }, ANY[name]));
      select.addEventListener("change", () => onFilter(name, select.value));
      return { name, select };
    });
    this._resultCount = h("span", { class: "yotta-result-count" });
    const selects = this._selects.map(({ select }) => select);
    this.element = h("div", { class: "yotta-toolbar" }, this.search, ...selects, this._resultCount);
  }
  /**
   * Offer the values that the rows have.
   *
   * @param {Filters} filters
   */
  updateOptions(filters) {
    for (const { name, select } of this._selects) {
      const values = /* @__PURE__ */ new Set();
      for (const row of this.store.rows.values()) if (row[name] && row[name] !== LAUNCHING) values.add(row[name]);
      const options = [...values].sort();
      const chosen = filters[name];
      if (chosen && !values.has(chosen)) options.push(chosen);
      setOptions2(select, options, chosen);
    }
  }
  /**
   * @param {Filters} filters
   * @param {number} count the rows that match
   */
  updateCount(filters, count) {
    const total = this.store.rows.size.toLocaleString();
    setText(this._resultCount, isFiltered(filters) ? `${count.toLocaleString()} of ${total} pods` : "");
  }
};
function setOptions2(select, values, chosen) {
  const current = [...select.options].slice(1).map((option2) => option2.value);
  if (values.join("\n") === current.join("\n")) return;
  select.replaceChildren(select.options[0], ...values.map((value) => h("option", { value }, value)));
  select.value = chosen;
}

// yotta_jupyter/panel/frontend/src/view.js
var PanelView = class {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.id = uniqueId();
    this.header = new Header(store, this);
    this.toolbar = new Toolbar(store, (name, value) => this._onFilter(name, value));
    const focusSearch = () => this.toolbar.search.focus({ preventScroll: true });
    this.selectionToolbar = new SelectionToolbar(store, this, focusSearch);
    this.form = new LaunchForm(store, this);
    this.emptyState = new EmptyState(() => this.form.focus());
    this.table = new Table(store, this, { onFiltered: () => this._onFiltered(), focusFallback: focusSearch });
    this.table.scroller.append(this.emptyState.element);
    this._liveRegion = h("div", { class: "yotta-visually-hidden", role: "status", "aria-live": "polite" });
    this.root = h(
      "section",
      { class: "yotta-panel", role: "region", "aria-label": "Yotta pods", [SUPPRESS_SHORTCUTS]: "true" },
      this.header.element,
      this.header.alert,
      this.toolbar.element,
      h("div", { class: "yotta-pods" }, this.table.scroller, this.selectionToolbar.element),
      this.form.element,
      this._liveRegion
    );
    this._unsubscribe = store.subscribe((change) => this._onChange(change));
    this._onChange({ all: true });
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
    this.announce(
      copied ? `Copied ${label}` : `${label} cannot be copied from here; press Ctrl+C or ⌘C, it is selected`
    );
  }
  /** Show how old the rows are now. */
  updateTime() {
    this.header.updateTime();
    this.root.classList.toggle("yotta-stale", this.header.isStale());
  }
  close() {
    this.form.close();
    this._unsubscribe();
  }
  /** @param {Change} change */
  _onChange(change) {
    if (change.message) {
      if (change.message.type === "validation") this.form.onValidation(change.message);
      else this.form.onLaunchResult(change.message);
      return;
    }
    this.header.update();
    this.toolbar.updateOptions(this.table.filters);
    this.form.update();
    this.table.update(change);
    this._updateEmptyState();
    this.selectionToolbar.update();
    this.updateTime();
  }
  /**
   * @param {keyof Filters} name
   * @param {string} value
   */
  _onFilter(name, value) {
    this.table.filters[name] = value;
    this.table.scroller.scrollTop = 0;
    this.table.applyFilters();
    this.announce(`${this.table.ids.length} pods shown`);
  }
  _onFiltered() {
    this._updateEmptyState();
    this.toolbar.updateCount(this.table.filters, this.table.ids.length);
  }
  _updateEmptyState() {
    const total = this.store.rows.size;
    this.emptyState.update({ loaded: this.store.info.loaded, total, matching: this.table.ids.length });
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
