// @ts-check
import { h, iconButton, setText } from "./dom.js";

/** @typedef {import("./store.js").Password} Password */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./view.js").ViewContext} ViewContext */

/** The Jupyter passwords of launched pods, each until the user removes it. */
export class Passwords {
  /**
   * @param {Store} store
   * @param {ViewContext} context
   * @param {() => void} onRemove called after the user has removed one
   */
  constructor(store, context, onRemove) {
    this.store = store;
    this.context = context;
    this.onRemove = onRemove;
    /** @type {Set<Password>} */
    this._rendered = new Set();
    this.element = h("div");
  }

  update() {
    for (const entry of this.store.passwords) {
      if (this._rendered.has(entry)) continue;
      this._rendered.add(entry);
      this.element.append(this._row(entry));
    }
  }

  /** @param {Password} entry */
  _row(entry) {
    const { name, password } = entry;
    const field = h("input", { type: "password", readonly: true, "aria-label": `Jupyter password of ${name}` });
    field.value = password;
    const show = h("button", { type: "button", class: "yotta-button-secondary" }, "Show");
    show.addEventListener("click", () => {
      field.type = field.type === "password" ? "text" : "password";
      setText(show, field.type === "password" ? "Show" : "Hide");
    });
    const copy = iconButton("copy", `Copy the Jupyter password of ${name}`, () =>
      this.context.copy(password, "the Jupyter password"),
    );
    const remove = iconButton("close", `Forget the Jupyter password of ${name}`, () => {
      row.remove();
      this.store.passwords = this.store.passwords.filter((other) => other !== entry);
      this.onRemove();
    });
    const label = h("span", {}, `Jupyter password of ${name}, shown this once:`);
    const row = h("div", { class: "yotta-password" }, label, field, show, copy, remove);
    return row;
  }
}
