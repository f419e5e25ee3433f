// @ts-check

/** A button is unlocked after this time without a click. */
const QUIET_MS = 3000;

/**
 * Locks a button whose action has changed under the pointer, or while it has the focus by keyboard. Otherwise a further
 * click that is meant for the earlier action would do the opposite. The button is unlocked when the pointer leaves it.
 *
 * It is also unlocked after some seconds without a click: a keyboard has no pointer, and Playwright does not move its
 * pointer to a button that is disabled.
 */
export class ActionLock {
  /**
   * @param {HTMLElement} button
   * @param {() => void} onUnlock
   */
  constructor(button, onUnlock) {
    this._button = button;
    this._onUnlock = onUnlock;
    this._pointerIsOver = false;
    /** The last action that was possible since the pointer came. @type {string | null} */
    this._action = null;
    /** 0 while unlocked. */
    this._timer = 0;
    button.addEventListener("pointerenter", () => {
      this._pointerIsOver = true;
    });
    button.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "touch") return; // A finger leaves after each tap.
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
}
