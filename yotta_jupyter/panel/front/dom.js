// Small helpers for building and changing elements. Text is only ever set as text.

const FOCUSABLE = new Set(["button", "input", "select", "summary", "textarea"]);
const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  pause: "M5 3h2v10H5zM9 3h2v10H9z",
  resume: "M5 3l8 5-8 5z",
  delete: "M6 2h4l.5 1H14v1.4H2V3h3.500zM3.300 5.500h9.400l-.7 8.500H4z",
  undo: "M6.500 2.500v2.600h2.700a4.100 4.100 0 0 1 0 8.200H5v-1.400h4.200a2.700 2.700 0 0 0 0-5.400H6.500v2.600L2.500 5.800z",
  copy: "M5 1.500h8.500V11H12V3H5zM2.500 4.500H10.500V14.500H2.500z",
  refresh: "M8 2.500a5.500 5.500 0 1 0 5.500 5.500h-1.500A4 4 0 1 1 8 4v2.500L12 3.200 8 0z",
  close: "M4.200 3.200L8 7l3.800-3.800 1 1L9 8l3.800 3.800-1 1L8 9l-3.800 3.800-1-1L7 8 3.200 4.200z",
};

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  // Without it JupyterLab takes keys typed here for its own: "d d" would delete the cell.
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function setIcon(button, name) {
  if (button.dataset.icon !== name) {
    button.dataset.icon = name;
    button.replaceChildren(icon(name));
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function iconButton(name, label, onclick) {
  const button = h("button", { type: "button", class: "yotta-icon", "aria-label": label, title: label, onclick });
  setIcon(button, name);
  return button;
}

// A button that cannot be used now keeps the focus, which a disabled one would lose.
function setUsable(button, usable) {
  setAttribute(button, "aria-disabled", usable ? null : "true");
}

function isUsable(button) {
  return button.getAttribute("aria-disabled") !== "true";
}

function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Returns whether it was copied; where a page may not copy, the text is left selected for the user to do so.
async function copyText(text, beside) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "yotta-copy", "aria-label": "Copy this", readonly: true });
    field.value = text;
    field.rows = Math.min(8, text.split("\n").length);
    beside.append(field);
    field.select();
    if (document.execCommand("copy")) {
      field.remove();
      return true;
    }
    field.addEventListener("blur", () => field.remove());
    return false;
  }
}

// Made once: to make one takes longer than to draw a row.
const CENTS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function dollars(amount) {
  return amount > 0 && amount < 0.01 ? "<$0.01" : `$${CENTS.format(amount)}`;
}

function age(seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}
