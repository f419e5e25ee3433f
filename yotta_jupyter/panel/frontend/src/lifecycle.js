// @ts-check
/** Attaches a view to the page: its observers, its timers, and its reports to the kernel. */

import { SUPPRESS_SHORTCUTS } from "./dom.js";

/** @typedef {import("./view.js").PanelView} PanelView */

/** A panel narrower than this, in pixels, is compact. */
const COMPACT_WIDTH = 820;
const COUNTDOWN_INTERVAL_S = 0.25;
const TIME_INTERVAL_S = 1;
const AGE_INTERVAL_S = 15;
/** How often a visible view reports that it is visible. The kernel replies to each report. */
export const HEARTBEAT_S = 300;

/**
 * @param {PanelView} view
 * @param {HTMLElement} container
 * @returns {() => void} removes it
 */
export function attach(view, container) {
  const { root, store, table } = view;
  container.append(root);
  /** @type {(() => void)[]} */
  const disposers = [];
  /** @type {(target: EventTarget, type: string, listener: (event: any) => void, capture?: boolean) => void} */
  const listen = (target, type, listener, capture = false) => {
    target.addEventListener(type, listener, capture);
    disposers.push(() => target.removeEventListener(type, listener, capture));
  };
  /** @type {(seconds: number, callback: () => void) => void} */
  const every = (seconds, callback) => {
    const timer = setInterval(callback, seconds * 1000);
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

  // Capturing on the window runs before JupyterLab's listener on the document.
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

/** Reports to the kernel whether a view is visible. The kernel lists pods only while a view is visible. */
class VisibilityReporter {
  /** @param {PanelView} view */
  constructor(view) {
    this._view = view;
    this._inViewport = true;
    /** What was reported last. @type {boolean | null} */
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
}

/**
 * Let Ctrl+S, or ⌘S, save the notebook. All other shortcuts are suppressed in the panel.
 *
 * @param {HTMLElement} root
 * @param {KeyboardEvent} event
 */
function allowSaveShortcut(root, event) {
  const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!isSave || !root.contains(/** @type {Node} */ (event.target))) return;
  const elements = event.composedPath().filter((target) => target instanceof Element && root.contains(target));
  const suppressed = /** @type {Element[]} */ (elements).filter((element) => element.hasAttribute(SUPPRESS_SHORTCUTS));
  for (const element of suppressed) element.removeAttribute(SUPPRESS_SHORTCUTS);
  // After JupyterLab has handled the key.
  setTimeout(() => {
    for (const element of suppressed) element.setAttribute(SUPPRESS_SHORTCUTS, "true");
  });
}
