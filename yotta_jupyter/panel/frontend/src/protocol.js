// @ts-check
/** Decodes what the kernel sends. `protocol.py` lists all messages in both directions. */

/**
 * A pod, or a launch whose pod has no id yet.
 *
 * @typedef {object} PodRow
 * @property {string} id
 * @property {string | null} name
 * @property {string} status
 * @property {string | null} gpu_type
 * @property {number | null} gpu_count
 * @property {string | null} region
 * @property {string | null} image
 * @property {number | null} hourly_cost US dollars an hour now
 * @property {number | null} hourly_rate US dollars an hour while running
 * @property {number | null} created_at seconds since 1970
 * @property {string | null} ssh a command without the key file; null if the pod cannot be reached
 * @property {string | null} jupyter the public address of its Jupyter; null if it has none now
 * @property {boolean} has_password whether it has a Jupyter password
 * @property {string | null} pause_loss what a pause may erase; null for a launch
 * @property {boolean} has_persistent_volume whether a pause keeps the files of a volume
 * @property {boolean} has_ended whether it has ended for good
 * @property {boolean} is_live whether it has not ended and is not being deleted
 * @property {string[]} actions the actions that the pod's status allows: pause, resume, delete
 * @property {boolean} warns_of_pause whether a pause warns that it may erase all files; such a pause can be undone
 * @property {string | null} pending the action that has been requested and does not show in the status yet
 * @property {string | null} pending_note what the user should know about that action
 * @property {string | null} error why the last action failed
 */

/** @typedef {keyof PodRow} Field */

/**
 * @typedef {object} Totals
 * @property {number} running
 * @property {number} paused
 * @property {number} ended
 * @property {number} total
 * @property {number} hourly_cost US dollars
 * @property {number} unpriced_pods pods whose cost is not in `hourly_cost`
 */

/**
 * @typedef {object} GpuChoice
 * @property {string} id
 * @property {string} value its text in the form field
 * @property {string | null} display_name
 * @property {number | null} vram_in_gb
 * @property {number | null} price US dollars an hour for one
 */

/**
 * @typedef {object} ImageChoice
 * @property {string} id the whole reference
 * @property {string} value its text in the form field
 * @property {string} label
 * @property {boolean} official
 */

/**
 * What the launch form offers.
 *
 * @typedef {object} Choices
 * @property {GpuChoice[]} gpu_types
 * @property {number[]} gpu_counts
 * @property {ImageChoice[]} images
 * @property {string} default_image
 * @property {string[]} regions
 * @property {string[]} clouds
 * @property {string} default_ports
 */

/**
 * The guard of a pod; `yotta_jupyter.guard.status.GuardStatus`.
 *
 * @typedef {object} Guard
 * @property {string} rule such as "after 8h, idle 30m"
 * @property {string} state waiting, active, pausing or paused
 * @property {number | null} pauses_at seconds since 1970 when its next limit is reached
 * @property {number | null} idle_since seconds since 1970; set only while the idle limit is the next one
 * @property {boolean} is_near whether the pause must be announced
 * @property {string} problem why it is not enforced; empty if it is
 */

/**
 * What the panel shows beside the rows.
 *
 * @typedef {object} Meta
 * @property {string[]} fields the names of the values of an encoded row
 * @property {boolean} complete false if only the newest pods were sent; a snapshot of all pods follows
 * @property {boolean} loaded false until the kernel has listed the pods
 * @property {Totals} totals
 * @property {string} base_url
 * @property {boolean} sandbox
 * @property {string} ssh_option the end of an SSH command, which names the key file
 * @property {number} delete_delay seconds during which a delete or a pause can be undone
 * @property {number | null} interval seconds between refreshes; null while there are none
 * @property {number} [refreshed_at] seconds since 1970
 * @property {string | null} error why the last refresh failed; null if it succeeded
 * @property {boolean} reachable whether the API answered the last refresh
 * @property {boolean} late whether a refresh takes long
 * @property {number} late_after seconds after which a refresh is reported as late
 * @property {Choices | null} choices
 * @property {Record<string, Guard>} guards by pod id
 * @property {string | null} guards_error why the guards cannot be read
 * @property {number} guard_extension seconds by which a click puts off a guard's pause
 * @property {string[]} transitional statuses that change by themselves
 */

/**
 * @typedef {object} Snapshot
 * @property {number} version
 * @property {Map<string, PodRow>} rows
 * @property {string[]} selected
 * @property {Record<string, number>} undoSeconds for how long an action can still be undone, by row
 * @property {Meta} meta
 */

/**
 * @typedef {{ type: "patch", version: number, added?: unknown[][], updated?: (Partial<PodRow> & { id: string })[],
 *   removed?: string[], totals?: Partial<Totals> } & Partial<Omit<Meta, "totals">>} Patch
 */

/**
 * @typedef {object} FormResult
 * @property {Record<string, string>} errors by field; `form` for an error of no field
 * @property {Record<string, string>} notes by field
 * @property {Record<string, "as_typed" | "another">} confirmations the check box to show, by field: `as_typed` accepts an
 *   unknown value, `another` creates a second pod of the same name
 * @property {Record<string, string>} resolved the full name of what was typed, by field
 * @property {string | null} command the equivalent `%yotta create` line
 * @property {number | null} price US dollars an hour for one GPU
 * @property {number | null} estimate US dollars an hour
 * @property {number} volumes the part of the estimate that volumes cost, in US dollars an hour
 * @property {string} basis what the estimate is based on, or why there is none
 */

/** @typedef {{ type: "validation", request_id: string } & FormResult} ValidationMessage */

/**
 * The result of a launch.
 *
 * @typedef {({ type: "rejected", temp_id: string } & FormResult)
 *   | { type: "launched", temp_id: string, pod_id: string, note: string }
 *   | { type: "failed", temp_id: string, error: string }} LaunchResult
 */

/** @typedef {{ type: "ack", pods: string[] }} Ack */

/** The password is in a buffer. @typedef {{ type: "password", request_id: string, error: string }} PasswordMessage */

/**
 * The link is in a buffer.
 *
 * @typedef {{ type: "jupyter_link", request_id: string, error: string, note: string }} JupyterLinkMessage
 */

/** @typedef {{ type: "guard_extended", pod_id: string, error: string }} GuardExtendedMessage */

/** @typedef {ValidationMessage | PasswordMessage | JupyterLinkMessage | GuardExtendedMessage} Reply */

/** @typedef {Patch | Ack | LaunchResult | Reply} KernelMessage */

/** The status of a row whose pod is being created; the same as in `protocol.py`. */
export const LAUNCHING = "LAUNCHING";

/** The status of a row whose pod is not listed any more. */
export const GONE = "GONE";

/** The start of a pending action that can still be undone, such as "undoable_delete"; the same as in `protocol.py`. */
export const UNDOABLE_PREFIX = "undoable_";

/** @type {Meta} */
const DEFAULT_META = {
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
  transitional: [],
};

/** @returns {Snapshot} what a panel shows before the first snapshot */
export function emptySnapshot() {
  return { version: -1, rows: new Map(), selected: [], undoSeconds: {}, meta: { ...DEFAULT_META } };
}

/**
 * @param {string | null} pending
 * @returns {string | null} the action if it can still be undone, such as "delete"
 */
export function undoableAction(pending) {
  return pending?.startsWith(UNDOABLE_PREFIX) ? pending.slice(UNDOABLE_PREFIX.length) : null;
}

/**
 * @param {string[]} fields
 * @param {unknown[]} values
 * @returns {PodRow}
 */
export function decodeRow(fields, values) {
  /** @type {Record<string, unknown>} */
  const row = {};
  for (let index = 0; index < fields.length; index++) row[fields[index]] = values[index];
  return /** @type {any} */ (row);
}

/**
 * @param {string} id the temporary id
 * @param {string[]} fields
 * @param {Record<string, any>} form
 * @returns {PodRow} the row of a launch until the kernel sends one
 */
export function placeholderRow(id, fields, form) {
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
    pending: "launch",
  };
}

/**
 * @param {DataView | null | undefined} bytes UTF-8 JSON
 * @returns {Snapshot | null} null if nothing was sent, as in a saved notebook without a kernel
 */
export function decodeSnapshot(bytes) {
  if (!bytes?.byteLength) return null;
  const { version, rows, selected, undo_seconds, ...meta } = JSON.parse(new TextDecoder().decode(bytes));
  /** @type {PodRow[]} */
  const decoded = rows.map((/** @type {unknown[]} */ values) => decodeRow(meta.fields, values));
  return {
    version,
    rows: new Map(decoded.map((row) => [row.id, row])),
    selected: selected ?? [],
    undoSeconds: undo_seconds ?? {},
    meta: { ...DEFAULT_META, ...meta },
  };
}

/**
 * Apply the rows of a patch.
 *
 * @param {Map<string, PodRow>} rows changed in place
 * @param {string[]} fields
 * @param {Pick<Patch, "added" | "updated" | "removed">} patch
 * @returns {{ added: string[], fields: Set<Field> } | null} the ids of the added rows, and the changed fields of the
 *   updated rows; null, without any change, if the patch updates an unknown row
 */
export function applyRows(rows, fields, { added = [], updated = [], removed = [] }) {
  if (updated.some(({ id }) => !rows.has(id))) return null;
  const addedRows = added.map((values) => decodeRow(fields, values));
  for (const row of addedRows) rows.set(row.id, row);
  /** @type {Set<Field>} */
  const changed = new Set();
  for (const { id, ...values } of updated) {
    rows.set(id, /** @type {PodRow} */ ({ ...rows.get(id), ...values })); // A new object: views compare by identity.
    for (const field of Object.keys(values)) changed.add(/** @type {Field} */ (field));
  }
  for (const id of removed) rows.delete(id);
  return { added: addedRows.map(({ id }) => id), fields: changed };
}
