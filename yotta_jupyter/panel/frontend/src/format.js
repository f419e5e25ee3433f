// @ts-check
/** Formats values as text. */

import { LAUNCHING, undoableAction } from "./protocol.js";

/** @typedef {import("./protocol.js").PodRow} PodRow */
/** @typedef {import("./protocol.js").GpuChoice} GpuChoice */
/** @typedef {import("./protocol.js").Guard} Guard */

// Created once: creating one takes longer than rendering a row.
const TWO_DECIMALS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const STATUS_LABELS = /** @type {Record<string, string>} */ ({ INITIALIZE: "Initializing" });

/** By pending action. */
export const PROGRESS_LABELS = /** @type {Record<string, string>} */ ({
  pause: "Pausing",
  resume: "Resuming",
  delete: "Deleting",
  undoing: "Undoing",
  launch: "Launching",
});

/**
 * @param {string} text what is announced of an action
 * @returns {string} the text with how to undo the action
 */
export function withUndoHint(text) {
  return `${text.replace(/\.$/, "")}. Undo with Escape`;
}

/** The status and its tooltip when the kernel has ended, by pending action. */
const LAST_KNOWN = /** @type {Record<string, { status: string, tooltip: string }>} */ ({
  pause: {
    status: "Paused?",
    tooltip: "Paused or being paused: the kernel ended. If it was killed, the pod may still run and cost money.",
  },
  resume: { status: "Running?", tooltip: "Running or starting, and may cost money: the kernel ended." },
  delete: {
    status: "Deleted?",
    tooltip: "Deleted or being deleted: the kernel ended. If it was killed, the pod may still exist and cost money.",
  },
  undoing: {
    status: "Undone?",
    tooltip: "The kernel ended before it confirmed the undo: the pod may be deleted or paused.",
  },
  launch: { status: "May exist", tooltip: "May exist and cost money: the kernel ended before the API had answered." },
});

/**
 * @param {number} amount
 * @returns {string} such as "$1,234.50"
 */
export function formatDollars(amount) {
  return amount > 0 && amount < 0.01 ? "<$0.01" : `$${TWO_DECIMALS.format(amount)}`;
}

/**
 * @param {number} count
 * @returns {string} such as "6 pods"
 */
export function formatPodCount(count) {
  return `${count.toLocaleString()} pod${count === 1 ? "" : "s"}`;
}

/**
 * @param {number} seconds
 * @returns {string} such as "5 min"
 */
export function formatAge(seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * @param {number} seconds
 * @returns {string} such as "8 min" or "1 h 20 min", rounded up to minutes
 */
export function formatDuration(seconds) {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  return [hours && `${hours} h`, minutes % 60 && `${minutes % 60} min`].filter(Boolean).join(" ");
}

/**
 * @param {Guard} guard
 * @param {number} now seconds since 1970
 * @param {boolean} runs whether the pod runs; the guard may be that of the last check
 * @returns {string} such as "pauses in 42 min"
 */
export function formatGuard({ rule, state, pauses_at, idle_since, problem }, now, runs) {
  if (problem) return "guard NOT enforced";
  if (state === "pausing") return "guard: pausing…";
  if (!runs) return state === "paused" ? "paused by its guard" : "guard waits";
  if (state === "paused" || state === "waiting" || pauses_at === null) return `guard: ${rule}`;
  if (idle_since === null) return `pauses in ${formatDuration(pauses_at - now)}`;
  return `guard: idle ${wholeMinutes(now - idle_since)} of ${wholeMinutes(pauses_at - idle_since)} min`;
}

/** @param {number} seconds */
function wholeMinutes(seconds) {
  return Math.max(0, Math.floor(seconds / 60));
}

/**
 * @param {Guard} guard
 * @returns {string}
 */
export function formatGuardTooltip({ rule, state, pauses_at, problem }) {
  let at = pauses_at === null ? "" : `. Pauses at ${formatDate(pauses_at)}`;
  if (state === "paused" || state === "waiting") at = ". Its limits start when the pod runs";
  const problemText = problem ? `. NOT enforced: ${problem}. %yotta guard shows why and starts its enforcer again` : "";
  return `Guard: ${rule}${at}${problemText}`;
}

/**
 * @param {number} timestamp seconds since 1970
 * @returns {string} the local time of day
 */
export function formatTime(timestamp) {
  return new Date(timestamp * 1000).toLocaleTimeString([], { hour12: false });
}

/**
 * @param {number} timestamp seconds since 1970
 * @returns {string} the local date and time
 */
export function formatDate(timestamp) {
  return DATE.format(timestamp * 1000);
}

/**
 * @param {PodRow} row
 * @returns {string} the pod's name, else its id; the id of a launch means nothing to a user
 */
export function displayName(row) {
  return row.name || (row.status === LAUNCHING ? "New pod" : row.id);
}

/**
 * @param {PodRow} row
 * @returns {string} such as "2 × L4 24G"
 */
export function formatGpus(row) {
  if (!row.gpu_type) return "";
  return `${row.gpu_count ?? "?"} × ${formatGpuType(row.gpu_type)}`;
}

/**
 * @param {string} gpuType
 * @returns {string} such as "RTX 4090 24G"
 */
export function formatGpuType(gpuType) {
  return gpuType.replace(/^NVIDIA_/, "").replaceAll("_", " ");
}

/**
 * @param {string[]} losses what a pause may erase, a sentence for each pod; pods without a persistent volume
 * @returns {string} a text to append to a sentence; empty if there are no losses
 */
export function formatPauseLosses(losses) {
  if (!losses.length) return "";
  if (losses.length === 1) return `. ${losses[0]}`;
  return `. A pause may erase all files of ${losses.length} pods: they have no persistent volume.`;
}

/**
 * @param {PodRow} row
 * @returns {string} the image without the prefix of official images
 */
export function formatImage(row) {
  return (row.image ?? "").replace(/^yottalabsai\//, "");
}

/**
 * @param {Pick<GpuChoice, "vram_in_gb" | "price">} gpu
 * @returns {string} such as "24 GB · $0.61 an hour"
 */
export function formatGpuFacts({ vram_in_gb, price }) {
  const facts = [vram_in_gb && `${vram_in_gb} GB`, price != null && `${formatDollars(price)} an hour`];
  return facts.filter(Boolean).join(" · ");
}

/**
 * @param {string} status
 * @param {string | null} pending the pending action
 * @param {{ stalled?: boolean, undoSeconds?: number, connected?: boolean }} [progress] `connected` is false if the kernel
 *   has ended
 * @returns {string}
 */
export function formatStatus(status, pending = null, { stalled = false, undoSeconds = 0, connected = true } = {}) {
  const lastKnown = connected ? null : lastKnownOf(pending);
  if (lastKnown) return lastKnown.status;
  if (stalled) return "Waiting for kernel…";
  const undoable = undoableAction(pending);
  if (undoable) return `${PROGRESS_LABELS[undoable]} in ${undoSeconds} s`;
  if (pending) return `${PROGRESS_LABELS[pending] ?? pending}…`;
  if (!status) return "Unknown";
  return STATUS_LABELS[status] ?? status[0].toUpperCase() + status.slice(1).toLowerCase();
}

/**
 * @param {string} status
 * @param {string | null} pending the pending action
 * @param {boolean} connected whether there is a kernel
 * @returns {string} the tooltip of a status
 */
export function formatStatusTooltip(status, pending, connected) {
  const lastKnown = connected ? null : lastKnownOf(pending);
  return lastKnown?.tooltip ?? status;
}

/** @param {string | null} pending */
function lastKnownOf(pending) {
  return LAST_KNOWN[undoableAction(pending) ?? pending ?? ""];
}
