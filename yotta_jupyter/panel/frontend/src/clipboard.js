// @ts-check
import { h } from "./dom.js";

/** How long a button says "Copied". */
export const COPIED_MS = 1200;

/**
 * Copy a text. If the page may not copy, show the text selected in a field, for the user to copy.
 *
 * @param {string} text
 * @param {HTMLElement} container the field is appended here
 * @returns {Promise<boolean>} whether the text was copied
 */
export async function copyText(text, container) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text, container);
  }
}

/**
 * @param {string} text
 * @param {HTMLElement} container
 * @returns {boolean} whether the text was copied
 */
function copyFromField(text, container) {
  const field = h("textarea", { class: "yotta-copy-fallback", "aria-label": "Copy this", readonly: true });
  field.value = text;
  field.rows = Math.min(8, text.split("\n").length);
  container.append(field);
  field.focus({ preventScroll: true }); // Needed for the copy, and for the event blur.
  field.select();
  if (document.execCommand("copy")) {
    field.remove();
    return true;
  }
  field.addEventListener("blur", () => field.remove());
  return false;
}
