// @ts-check
/** A text field with a list of options: the WAI-ARIA pattern of an editable combobox with list autocomplete. */

import { createFilter, keyAction, MAX_OPTIONS } from "./combobox-logic.js";
import { h, setAttribute, setIcon, setText, uniqueId } from "./dom.js";
import { Popup } from "./popup.js";

/** @typedef {import("./combobox-logic.js").ComboboxOption} ComboboxOption */

/** Of the list, in pixels. */
const MIN_WIDTH = 300;

export class Combobox {
  /**
   * @param {string} label the accessible name of the list
   * @param {Record<string, unknown>} [attributes] of the text field
   */
  constructor(label, attributes = {}) {
    this._id = `yotta-${uniqueId()}`;
    /** @type {ComboboxOption[]} */
    this._options = [];
    this._filter = createFilter([]);
    /** The options in the list. @type {ComboboxOption[]} */
    this._shown = [];
    /** The index of the option that Enter accepts; -1 for none. */
    this._active = -1;
    /** Whether the text of the field was typed and not chosen from the list. */
    this._isTyped = false;
    this._listbox = h("div", {
      role: "listbox",
      id: this._id,
      class: "yotta-listbox",
      "aria-label": `${label} options`,
    });
    this._footer = h("div", { class: "yotta-listbox-footer", hidden: true });
    const list = h("div", {}, this._listbox, this._footer);
    this._popup = new Popup(list, { minWidth: MIN_WIDTH, onClose: () => this._onClose() });
    this.input = h("input", {
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this._id,
      "aria-haspopup": "listbox",
      ...attributes,
    });
    this._arrow = h("button", {
      type: "button",
      class: "yotta-combobox-arrow",
      tabindex: "-1",
      "aria-label": `Show ${label} options`,
      "aria-expanded": "false",
      "aria-controls": this._id,
    });
    setIcon(this._arrow, "arrow");
    this.element = h("div", { class: "yotta-combobox" }, this.input, this._arrow, list);
    this.input.addEventListener("click", () => this._openForText(-1));
    this.input.addEventListener("keydown", (event) => this._onKeydown(event));
    this.input.addEventListener("input", (event) => {
      this._isTyped = event.isTrusted; // The event of `_accept` is not trusted.
      if (event.isTrusted) this._open(-1, this.input.value);
    });
    this.input.addEventListener("blur", () => this._popup.close());
    // Keep the focus in the field.
    for (const element of [this._arrow, list]) element.addEventListener("mousedown", (event) => event.preventDefault());
    this._arrow.addEventListener("click", () => {
      const { isOpen } = this._popup;
      this.input.focus();
      if (isOpen) this._popup.close();
      else this._openForText(-1);
    });
    this._listbox.addEventListener("click", (event) => {
      const option = /** @type {HTMLElement} */ (event.target).closest("[role=option]");
      if (option) this._accept(Number(/** @type {HTMLElement} */ (option).dataset.index));
    });
  }

  /** @param {ComboboxOption[]} options */
  setOptions(options) {
    this._options = options;
    this._filter = createFilter(options);
    if (this._popup.isOpen) this._render(this.input.value);
  }

  /**
   * Open the matches of a typed text, with the best match active. If there are none, open all options.
   *
   * @param {number} active the index of the active option if no text was typed; -1 for none
   */
  _openForText(active) {
    const text = this.input.value.trim();
    if (!this._isTyped || !text) this._open(active, "");
    else if (this._filter(text).length) this._open(0, text);
    else this._open(-1, "");
  }

  /**
   * @param {number} active the index of the option that becomes active; -1 for none
   * @param {string} text the options must match it; empty for all options
   */
  _open(active, text) {
    this._render(text);
    if (!this._shown.length) {
      this._popup.close();
      return;
    }
    this._popup.open(this.input);
    this._popup.place();
    for (const element of [this.input, this._arrow]) setAttribute(element, "aria-expanded", "true");
    const selected = this._selectedIndex(this._shown);
    this._listbox.scrollTop = 0;
    if (active >= 0) this._setActive(active);
    else if (selected >= 0) this._scrollTo(selected);
  }

  _onClose() {
    for (const element of [this.input, this._arrow]) setAttribute(element, "aria-expanded", "false");
    this._setActive(-1);
    this._listbox.replaceChildren();
  }

  /**
   * Render the matching options, with a heading for each group.
   *
   * @param {string} text
   */
  _render(text) {
    const matches = this._filter(text);
    this._shown = matches.slice(0, MAX_OPTIONS);
    const value = this.input.value.trim();
    /** @type {HTMLElement[]} */
    const children = [];
    /** @type {HTMLElement | null} */
    let group = null;
    let groupName = "";
    for (const [index, option] of this._shown.entries()) {
      const element = this._option(option, index, option.value === value);
      if (!option.group) {
        children.push(element);
        continue;
      }
      if (!group || option.group !== groupName) {
        groupName = option.group;
        const heading = h("div", { class: "yotta-group-heading", role: "presentation" }, groupName);
        group = h("div", { role: "group", "aria-label": groupName }, heading);
        children.push(group);
      }
      group.append(element);
    }
    this._listbox.replaceChildren(...children);
    const hidden = matches.length - this._shown.length;
    this._footer.hidden = hidden === 0;
    setText(this._footer, hidden ? `${hidden.toLocaleString()} more: type to narrow` : "");
    this._setActive(-1);
  }

  /**
   * @param {ComboboxOption} option
   * @param {number} index
   * @param {boolean} selected
   */
  _option({ label, detail }, index, selected) {
    return h(
      "div",
      {
        role: "option",
        id: `${this._id}-${index}`,
        class: "yotta-option",
        "aria-selected": String(selected),
        "data-index": index,
      },
      h("span", { class: "yotta-option-label", dir: "auto" }, label),
      ...(detail ? [h("span", { class: "yotta-option-detail", dir: "auto", title: detail }, detail)] : []),
    );
  }

  /**
   * @param {ComboboxOption[]} options
   * @returns {number} the index of the option whose value the field has; -1 if there is none
   */
  _selectedIndex(options) {
    const value = this.input.value.trim();
    return options.findIndex((option) => option.value === value);
  }

  /** @param {number} index */
  _elementAt(index) {
    return document.getElementById(`${this._id}-${index}`);
  }

  /** @param {number} index -1 for none */
  _setActive(index) {
    this._elementAt(this._active)?.classList.remove("yotta-is-active");
    this._active = index;
    this._elementAt(index)?.classList.add("yotta-is-active");
    setAttribute(this.input, "aria-activedescendant", index >= 0 ? `${this._id}-${index}` : null);
    if (index >= 0) this._scrollTo(index);
  }

  /** @param {number} index */
  _scrollTo(index) {
    const element = this._elementAt(index);
    if (!element) return;
    const top = element.offsetTop - this._listbox.offsetTop;
    const { clientHeight, scrollTop } = this._listbox;
    if (top < scrollTop) this._listbox.scrollTop = top;
    else if (top + element.offsetHeight > scrollTop + clientHeight) {
      this._listbox.scrollTop = top + element.offsetHeight - clientHeight;
    }
  }

  /** @param {number} index */
  _accept(index) {
    const option = this._shown[index];
    this._popup.close();
    if (!option) return;
    this.input.value = option.value;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** @param {KeyboardEvent} event */
  _onKeydown(event) {
    const { isOpen } = this._popup;
    const options = isOpen ? this._shown : this._options.slice(0, MAX_OPTIONS);
    const selected = this._selectedIndex(options);
    const action = keyAction(event, { open: isOpen, active: this._active, count: options.length, selected });
    if (!action) return;
    if (action.preventsDefault) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (action.type === "open") this._openForText(action.index ?? -1);
    else if (action.type === "move" || action.type === "deselect") this._setActive(action.index ?? -1);
    else if (action.type === "accept") this._accept(this._active);
    else this._popup.close();
  }
}
