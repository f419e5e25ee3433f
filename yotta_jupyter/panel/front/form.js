// The launch form. The kernel checks what was typed; what is secret stays in these fields and in the one launch message.

const CHECK_AFTER = 250;
const AGAIN_AFTER = 1000;
const DEFAULT_PORTS = "22/SSH, 8888/HTTP";

class Form {
  constructor(store, panel) {
    this.store = store;
    this.panel = panel;
    this.number = 0;
    this.touched = new Set();
    this.fields = {};
    this.errors = {};
    this.key = null;
    this.attempted = false;
    this.shownPasswords = new Set();
    this.lists = Object.fromEntries(["gpus", "images", "regions"].map((name) => [name, this.datalist()]));
    this.variables = h("div", { class: "yotta-variables" });
    this.line = h("code", { class: "yotta-line", tabindex: "0", role: "textbox", "aria-readonly": "true" });
    this.line.setAttribute("aria-label", "The equal %yotta line");
    this.estimate = h("span", { class: "yotta-estimate" });
    this.launchButton = h("button", { type: "submit", class: "yotta-primary" }, "Launch");
    this.told = h("p", { class: "yotta-told", hidden: true });
    this.passwords = h("div", { class: "yotta-passwords" });
    this.element = h(
      "form",
      { class: "yotta-form", "aria-label": "Launch a pod", novalidate: true },
      h("h3", {}, "Launch a pod"),
      h(
        "div",
        { class: "yotta-fields yotta-main-fields" },
        this.field("gpu_type", "GPU type", { list: this.lists.gpus.id, placeholder: "L4" }),
        this.select("gpu_count", "GPUs"),
        this.field("image", "Image", { list: this.lists.images.id, placeholder: "pytorch" }),
        this.field("name", "Name", { placeholder: "optional" }),
        this.field("region", "Region", { list: this.lists.regions.id, placeholder: "any" }),
      ),
      this.moreFields(),
      h(
        "div",
        { class: "yotta-launch" },
        this.launchButton,
        this.estimate,
        h("span", { class: "yotta-equal", hidden: true }, this.line, iconButton("copy", "Copy the %yotta line", () => this.copyLine())),
      ),
      this.told,
      this.passwords,
      ...Object.values(this.lists),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.launch();
    });
    this.element.addEventListener("input", (event) => this.edited(event.target));
    this.element.addEventListener("focusout", (event) => this.left(event.target));
  }

  datalist() {
    return h("datalist", { id: `yotta-${uniqueId()}` });
  }

  moreFields() {
    const add = h("button", { type: "button", class: "yotta-quiet", onclick: () => this.addVariable() }, "Add a variable");
    const secret = { type: "password", autocomplete: "off" };
    this.registry = h(
      "div",
      { class: "yotta-fields", hidden: true },
      this.field("registry_username", "Registry user name", { autocomplete: "off" }),
      this.field("registry_token", "Registry token", secret),
    );
    const isPrivate = h("input", { type: "checkbox" });
    this.private = isPrivate;
    isPrivate.addEventListener("change", () => {
      this.registry.hidden = !isPrivate.checked;
      this.edited(isPrivate);
    });
    return h(
      "details",
      { class: "yotta-more" },
      h("summary", {}, "More options"),
      h(
        "div",
        { class: "yotta-fields yotta-more-fields" },
        this.field("ports", "Ports", { placeholder: DEFAULT_PORTS }),
        this.field("init", "Init command", { placeholder: "runs when the pod starts" }),
        this.field("container_volume", "Container volume (GB)", { inputmode: "numeric" }),
        this.field("persistent_volume", "Persistent volume (GB)", { inputmode: "numeric" }),
        this.field("mount", "Mount path", { placeholder: "/workspace" }),
        this.select("cloud", "Cloud"),
      ),
      h("fieldset", { class: "yotta-env" }, h("legend", {}, "Environment variables"), this.variables, add, this.errorOf("env")),
      h("label", { class: "yotta-checkbox" }, isPrivate, "The image is in a private registry"),
      this.registry,
    );
  }

  field(name, title, attributes = {}) {
    const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
    return this.labelled(name, title, input);
  }

  select(name, title) {
    return this.labelled(name, title, h("select"));
  }

  labelled(name, title, input) {
    input.id = `yotta-${uniqueId()}`;
    input.dataset.field = name;
    this.fields[name] = input;
    const error = this.errorOf(name);
    return h("div", { class: `yotta-field yotta-field-${name}` }, h("label", { for: input.id }, title), input, error);
  }

  errorOf(name) {
    const error = h("span", { class: "yotta-beside", id: `yotta-${uniqueId()}` });
    this.errors[name] = error;
    return error;
  }

  addVariable() {
    const name = h("input", { type: "text", placeholder: "NAME", "aria-label": "Variable name", autocomplete: "off" });
    const value = h("input", { type: "password", placeholder: "value", "aria-label": "Variable value", autocomplete: "off" });
    name.dataset.field = "env";
    const row = h("div", { class: "yotta-variable" }, name, value);
    row.append(
      iconButton("close", "Remove the variable", () => {
        row.remove();
        this.edited(name);
      }),
    );
    this.variables.append(row);
    name.focus();
  }

  choices() {
    const { choices } = this.store.about;
    if (!choices || choices === this.drawn) return;
    this.drawn = choices;
    const option = (value, text) => h("option", text ? { value, label: text } : { value });
    this.lists.gpus.replaceChildren(...choices.gpus.map(([id, , vram, price]) => option(id, this.aboutGpu(vram, price))));
    this.lists.images.replaceChildren(...choices.images.map((image) => option(image)));
    this.lists.regions.replaceChildren(...choices.regions.map((region) => option(region)));
    const fill = (select, options) => {
      const before = select.value;
      select.replaceChildren(...options);
      if (before) select.value = before;
    };
    fill(this.fields.gpu_count, choices.counts.map((count) => h("option", {}, String(count))));
    fill(this.fields.cloud, ["", ...choices.clouds].map((cloud) => h("option", { value: cloud }, cloud || "any")));
    this.noteGpu();
  }

  aboutGpu(vram, price) {
    return [vram && `${vram} GB`, price != null && `${dollars(price)} an hour`].filter(Boolean).join(" · ");
  }

  values(withSecrets) {
    const text = (name) => this.fields[name].value.trim();
    const values = Object.fromEntries(Object.keys(this.fields).map((name) => [name, text(name)]));
    const secret = (value) => (withSecrets ? value : value && "set");
    values.private = this.private.checked;
    values.registry_token = secret(values.registry_token);
    values.env = [...this.variables.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return [name.value.trim(), secret(value.value)];
    });
    values.env = values.env.filter(([name, value]) => name || value);
    return values;
  }

  edited(input) {
    if (input.dataset.field) this.touched.add(input.dataset.field);
    this.noteGpu();
    clearTimeout(this.checking);
    this.checking = setTimeout(() => this.check(), CHECK_AFTER);
  }

  left(input) {
    if (input.value && input.dataset.field) this.touched.add(input.dataset.field);
  }

  check() {
    this.number += 1;
    this.store.send({ t: "check", number: this.token(), form: this.values(false) });
  }

  // Other views of the panel check forms of their own.
  token() {
    return `${this.panel.id}:${this.number}`;
  }

  // VRAM and price at once, without asking the kernel.
  noteGpu() {
    const typed = this.fields.gpu_type.value.trim();
    const gpu = this.store.about.choices?.gpus.find(([id, name]) => id === typed || name === typed);
    this.gpuNote = gpu ? this.aboutGpu(gpu[2], gpu[3] == null ? null : gpu[3]) : "";
    this.say("gpu_type", "", this.gpuNote);
  }

  say(name, error, note) {
    const beside = this.errors[name];
    if (!beside) return;
    setText(beside, error || note || "");
    beside.classList.toggle("yotta-wrong", Boolean(error));
    const input = this.fields[name];
    if (input) {
      setAttribute(input, "aria-invalid", error ? "true" : null);
      setAttribute(input, "aria-describedby", error || note ? beside.id : null);
    }
  }

  checked(message) {
    if (message.number !== this.token()) return;
    this.show(message, (name) => this.attempted || this.touched.has(name));
  }

  show({ errors, notes, line, estimate }, concerns) {
    for (const name of Object.keys(this.errors)) {
      const note = name === "gpu_type" ? [this.gpuNote, notes[name]].filter(Boolean).join(" · ") : notes[name];
      this.say(name, concerns(name) ? errors[name] : "", note);
    }
    setText(this.line, line ?? "");
    this.line.parentElement.hidden = !line;
    const about = estimate == null ? "" : `an estimate of ${dollars(estimate)} an hour`;
    setText(this.estimate, about);
    setAttribute(this.estimate, "title", about && "By the price of a card in a listing; volumes come on top");
  }

  launch() {
    if (this.key !== null || !isUsable(this.launchButton)) return;
    if (!this.store.alive) {
      this.tell(NO_KERNEL);
      return;
    }
    const form = this.values(true);
    const jupyter = /(^|\D)8888(\D|$)/.test(form.ports || DEFAULT_PORTS);
    const given = form.env.some(([name]) => name === "JUPYTER_PASSWORD");
    const password = jupyter && !given ? uniqueId().slice(0, 20) : null;
    if (password) form.env.push(["JUPYTER_PASSWORD", password]);
    this.name = form.name;
    this.tell("");
    this.busy(true);
    this.key = this.store.launch(form, password);
    this.panel.announce(`Launching ${form.name || "a pod"}`);
  }

  busy(busy) {
    setUsable(this.launchButton, !busy);
    setText(this.launchButton, busy ? "Launching…" : "Launch");
  }

  answered(message) {
    if (message.key !== this.key) return;
    this.key = null;
    // A second click of a double click must not launch a second pod.
    if (message.t === "launched") setTimeout(() => this.busy(false), AGAIN_AFTER);
    else this.busy(false);
    if (message.t === "launched") {
      this.attempted = false;
      this.panel.announce(`Launched ${this.name || message.id}`);
      this.fields.name.value = ""; // Names tell pods apart: the next one gets its own.
      this.check();
    } else if (message.t === "refused") {
      this.attempted = true;
      this.show(message, () => true);
      this.tell(message.errors.form ?? "");
      this.firstWrong()?.focus();
      this.panel.announce(Object.values(message.errors)[0]);
    } else {
      this.tell(message.error);
      this.panel.announce(message.error);
    }
  }

  firstWrong() {
    const wrong = this.element.querySelector("[aria-invalid=true]");
    const details = wrong?.closest("details");
    if (details) details.open = true;
    return wrong;
  }

  tell(text) {
    setText(this.told, text);
    this.told.hidden = !text;
  }

  showPasswords() {
    for (const entry of this.store.passwords) {
      if (this.shownPasswords.has(entry)) continue;
      this.shownPasswords.add(entry);
      this.showPassword(entry);
    }
  }

  showPassword(entry) {
    const { name, password } = entry;
    const field = h("input", { type: "password", readonly: true, "aria-label": `Jupyter password of ${name}` });
    field.value = password;
    const show = h("button", { type: "button", class: "yotta-quiet" }, "Show");
    show.addEventListener("click", () => {
      field.type = field.type === "password" ? "text" : "password";
      setText(show, field.type === "password" ? "Show" : "Hide");
    });
    const copy = iconButton("copy", `Copy the Jupyter password of ${name}`, async () => {
      await this.panel.copy(password, "the Jupyter password");
    });
    const row = h("div", { class: "yotta-password" });
    const close = iconButton("close", `Forget the Jupyter password of ${name}`, () => {
      row.remove();
      this.store.passwords = this.store.passwords.filter((other) => other !== entry);
      this.launchButton.focus();
    });
    row.append(h("span", {}, `Jupyter password of ${name}, shown this once:`), field, show, copy, close);
    this.passwords.append(row);
  }

  async copyLine() {
    await this.panel.copy(this.line.textContent, "the %yotta line");
  }

  focus() {
    this.fields.gpu_type.focus();
  }

  close() {
    clearTimeout(this.checking);
  }
}
