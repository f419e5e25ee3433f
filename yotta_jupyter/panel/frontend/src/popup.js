// @ts-check
/** A box beside an element. It is above everything else on the page, because the output of a cell would cut it off. */

// All in pixels.
/** Between the box and its anchor. */
const GAP = 3;
/** Between the box and the edge of the window. */
const MARGIN = 8;
const MIN_HEIGHT = 80;
const MAX_HEIGHT = 320;
/** With this space below the anchor, the box is below the anchor even if there is more space above. */
const ENOUGH_HEIGHT = 200;

export class Popup {
  /**
   * @param {HTMLElement} element
   * @param {{ minWidth?: number, alignRight?: boolean, onClose?: () => void }} [options]
   */
  constructor(element, { minWidth = 0, alignRight = false, onClose = () => {} } = {}) {
    this.element = element;
    this._minWidth = minWidth;
    this._alignRight = alignRight;
    this._onClose = onClose;
    /** @type {HTMLElement | null} */
    this._anchor = null;
    this._place = () => this.place();
    element.hidden = true;
    element.classList.add("yotta-popup");
    // A popover is in the top layer. Browsers without popovers show the box inside the panel.
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
}
