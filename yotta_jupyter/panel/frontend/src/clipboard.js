// @ts-check
import { h } from "./dom.js";

/**
 * Copy a text. Where the page may not copy, show the text selected in a field, for the user to copy.
 *
 * @param {string} text
 * @param {Element} container the field is appended here
 * @returns {Promise<boolean>} whether the text was copied
 */
export async function copyText(text, container) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "yotta-copy-fallback", "aria-label": "Copy this", readonly: true });
    field.value = text;
    field.rows = Math.min(8, text.split("\n").length);
    container.append(field);
    field.focus({ preventScroll: true }); // Without the focus nothing is copied, and no blur removes the field.
    field.select();
    if (document.execCommand("copy")) {
      field.remove();
      return true;
    }
    field.addEventListener("blur", () => field.remove());
    return false;
  }
}
