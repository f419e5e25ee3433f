// @ts-check
/** Creates and updates elements. Text is only ever set as text, never as HTML. */

import { icon } from "./icons.js";

/** @typedef {import("./icons.js").IconName} IconName */

/** JupyterLab ignores its keyboard shortcuts on elements with this attribute; without it "d d" deletes the cell. */
export const SUPPRESS_SHORTCUTS = "data-lm-suppress-shortcuts";

const FOCUSABLE = new Set(["button", "input", "select", "summary", "textarea"]);

/**
 * Create an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes] a function named `on…` becomes a listener; `true` sets an empty
 *   attribute; `false`, `null` and `undefined` set none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute(SUPPRESS_SHORTCUTS, "true");
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value `false`, `null` and `undefined` remove the attribute
 */
export function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Set the accessible name and the tooltip of a button.
 *
 * @param {Element} button
 * @param {string} label
 * @param {string} [reason] why it is disabled, for the tooltip
 */
export function setLabel(button, label, reason) {
  setAttribute(button, "aria-label", label);
  setAttribute(button, "title", reason ? `${label}: ${reason}` : label);
}

/**
 * @param {HTMLElement} button
 * @param {IconName} name
 * @param {string} [text] beside the icon
 */
export function setIcon(button, name, text = "") {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.replaceChildren(icon(name));
  if (text) button.append(h("span", {}, text));
}

/**
 * Create a button that shows an icon only.
 *
 * @param {IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @returns {HTMLButtonElement}
 */
export function iconButton(name, label, onclick) {
  const attributes = { type: "button", class: "yotta-icon-button", "aria-label": label, title: label, onclick };
  const button = h("button", attributes);
  setIcon(button, name);
  return button;
}

/**
 * @param {string} text
 * @param {(event: MouseEvent) => void} onclick
 * @returns {HTMLButtonElement}
 */
export function secondaryButton(text, onclick) {
  return h("button", { type: "button", class: "yotta-button-secondary", onclick }, text);
}

/**
 * Disable or enable a button. With `aria-disabled` it keeps the focus, which the attribute `disabled` would lose.
 *
 * @param {Element} button
 * @param {boolean} disabled
 */
export function setDisabled(button, disabled) {
  setAttribute(button, "aria-disabled", disabled ? "true" : null);
}

/**
 * @param {Element} button
 * @returns {boolean}
 */
export function isDisabled(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/**
 * @param {MouseEvent} event
 * @returns {boolean} whether a click is the second of a double click; the first may have met another button
 */
export function isSecondClick(event) {
  return event.detail > 1;
}

/** @returns {string} 32 random hexadecimal digits */
export function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
