// The panel: what is above the table, the table, the form, and the life of a view.

const NARROW = 790;
const SUPPRESSED = "data-lm-suppress-shortcuts";
const NO_KERNEL = "The kernel has gone. Run the cell of the panel again.";
// Seconds.
const AGES_EVERY = 15;
const SAY_EVERY = 300;
const stores = new Map();

function storeOf(model) {
  const key = model.get("_key");
  if (!stores.has(key)) stores.set(key, new Store(model));
  return stores.get(key);
}

class PanelView {
  constructor(store) {
    this.store = store;
    this.id = uniqueId();
    this.live = h("div", { class: "yotta-hidden", role: "status", "aria-live": "polite" });
    this.badge = h("span", { class: "yotta-badge", hidden: true }, "SANDBOX");
    this.where = h("span", { class: "yotta-where" });
    this.counts = h("div", { class: "yotta-counts" });
    this.fresh = h("span", { class: "yotta-fresh" });
    this.problem = h("div", { class: "yotta-problem", role: "alert", hidden: true });
    this.table = new Table(store, this);
    this.form = new Form(store, this);
    this.root = h("section", { class: "yotta-panel", role: "region", "aria-label": "Yotta pods" });
    this.root.setAttribute(SUPPRESSED, "true");
    const refresh = iconButton("refresh", "Refresh", () => {
      store.send({ t: "refresh" });
      this.announce("Refreshing");
    });
    this.root.append(
      h(
        "header",
        { class: "yotta-header" },
        h("div", { class: "yotta-place" }, this.badge, this.where),
        this.counts,
        h("div", { class: "yotta-time" }, this.fresh, refresh),
      ),
      this.problem,
      this.toolbar(),
      h("div", { class: "yotta-pods" }, this.table.scroller, this.bulk),
      this.form.element,
      this.live,
    );
    this.listener = (change) => this.changed(change);
    store.listeners.add(this.listener);
    this.changed({ all: true });
  }

  toolbar() {
    const text = h("input", { type: "search", placeholder: "Filter by name, id, image…", "aria-label": "Filter pods" });
    this.text = text;
    text.addEventListener("input", () => this.filter("text", text.value));
    const choose = (name, title) => {
      const select = h("select", { "aria-label": title }, h("option", { value: "" }, title));
      select.addEventListener("change", () => this.filter(name, select.value));
      return select;
    };
    this.selects = { status: choose("status", "Any status"), region: choose("region", "Any region"), gpu: choose("gpu", "Any GPU") };
    this.showing = h("span", { class: "yotta-showing" });
    this.bulk = h("span", { class: "yotta-bulk", hidden: true });
    this.bulkCount = h("span", {});
    this.bulkButtons = ["pause", "resume", "delete"].map((action) => {
      const button = h("button", { type: "button", class: "yotta-quiet" });
      button.addEventListener("click", () => this.actOnSelected(action));
      button.dataset.action = action;
      return button;
    });
    const copy = h("button", { type: "button", class: "yotta-quiet" }, "Copy SSH");
    copy.addEventListener("click", () => this.copySelected());
    const clear = h("button", { type: "button", class: "yotta-quiet" }, "Clear");
    clear.addEventListener("click", () => {
      this.store.select([...this.store.selected], false);
      text.focus();
    });
    this.copySelectedButton = copy;
    this.bulk.append(this.bulkCount, ...this.bulkButtons, copy, clear);
    return h("div", { class: "yotta-toolbar" }, text, ...Object.values(this.selects), this.showing);
  }

  filter(name, value) {
    this.table.filters[name] = value;
    this.table.scroller.scrollTop = 0;
    this.table.arrange();
    this.announce(`${this.table.shown.length} pods shown`);
  }

  changed(change) {
    if (change.message) {
      this.heard(change.message);
      return;
    }
    this.summary();
    this.form.choices();
    this.form.showPasswords();
    this.table.changed(change);
    this.showBulk();
  }

  heard(message) {
    if (message.t === "checked") this.form.checked(message);
    else {
      this.form.answered(message);
      this.form.showPasswords();
    }
  }

  summary() {
    const { about, rows } = this.store;
    let counts = { running: 0, paused: 0, all: 0, cost: 0 };
    let unknown = 0;
    const seen = { status: new Set(), region: new Set(), gpu: new Set() };
    for (const row of rows.values()) {
      counts.all += 1;
      counts.running += row[STATUS] === "RUNNING";
      counts.paused += row[STATUS] === "PAUSED";
      counts.cost += row[COST] ?? 0;
      unknown += row[COST] == null && !ENDED.has(row[STATUS]);
      seen.status.add(row[STATUS]);
      if (row[REGION]) seen.region.add(row[REGION]);
      if (row[GPU]) seen.gpu.add(row[GPU]);
    }
    counts = about.counts ?? counts;
    this.badge.hidden = !about.sandbox;
    setText(this.where, about.sandbox ? "Nothing costs money" : about.where ?? "");
    setAttribute(this.where, "title", about.where);
    const figures = [
      [counts.running, "running"],
      [counts.paused, "paused"],
      [counts.all, "in all"],
      [dollars(counts.cost), "an hour now"],
    ];
    if (this.counts.children.length === 0) {
      this.counts.append(...figures.map(() => h("span", {}, h("strong", {}), " ", h("span", {}))));
    }
    figures.forEach(([value, what], index) => {
      const [number, text] = this.counts.children[index].children;
      setText(number, about.loaded ? value.toLocaleString() : "–");
      setText(text, what);
    });
    const note = unknown ? `without ${unknown} pods of unknown price` : null;
    setAttribute(this.counts.lastChild, "title", note);
    for (const [name, values] of Object.entries(seen)) this.offer(name, values);
    this.empty();
    this.tick();
  }

  offer(name, values) {
    const select = this.selects[name];
    const wanted = [...values].filter((value) => value !== "LAUNCHING").sort();
    const offered = [...select.options].slice(1).map((option) => option.value);
    const chosen = this.table.filters[name];
    if (chosen && !wanted.includes(chosen)) wanted.push(chosen);
    if (wanted.join("\n") === offered.join("\n")) return;
    select.replaceChildren(select.options[0], ...wanted.map((value) => h("option", { value }, value)));
    select.value = chosen;
  }

  empty() {
    const { about, rows } = this.store;
    const { empty } = this.table;
    const fits = this.table.shown.length > 0;
    const state = rows.size ? (fits ? "rows" : "unfit") : about.loaded ? "none" : "loading";
    if (empty.dataset.state === state) return;
    empty.dataset.state = state;
    empty.hidden = state === "rows";
    this.table.element.hidden = !rows.size;
    if (state === "unfit") empty.replaceChildren("No pod fits the filters.");
    if (state === "loading") empty.replaceChildren("Listing your pods…");
    if (state === "none") {
      const launch = h("button", { type: "button", class: "yotta-quiet", onclick: () => this.form.focus() }, "Launch your first pod");
      empty.replaceChildren(
        h("strong", {}, "No pods yet"),
        h("span", {}, "Choose a GPU type and an image below; the pod appears here."),
        launch,
      );
    }
  }

  arranged() {
    const { shown } = this.table;
    const all = this.store.rows.size;
    const filtered = Object.values(this.table.filters).some(Boolean);
    this.empty();
    setText(this.showing, filtered ? `${shown.length.toLocaleString()} of ${all.toLocaleString()} pods` : "");
  }

  tick() {
    const { about, alive } = this.store;
    const now = Date.now() / 1000;
    let text = "";
    // Without a word for long the kernel may hang; a notebook that was reopened may have none.
    const silence = now - (this.store.heardAt ?? 0) / 1000;
    const live = alive && about.every > 0 && silence < 3 * SAY_EVERY;
    if (about.at && (about.problem || !live)) text = `As of ${clock(about.at)}`;
    else if (about.at) {
      // The kernel is silent about refreshes that found nothing new.
      const silent = Math.floor((now - about.at) / about.every) * about.every;
      text = `Refreshed ${clock(about.at + Math.max(0, silent || 0))}`;
      setAttribute(this.fresh, "title", `Every ${about.every} s`);
    }
    setText(this.fresh, text);
    const failed = about.problem ? `${about.problem} (It is tried again every ${about.every} s.)` : "";
    const problem = alive ? failed : NO_KERNEL;
    this.problem.hidden = !problem;
    setText(this.problem, problem);
    this.root.classList.toggle("yotta-stale", !alive || Boolean(about.problem));
  }

  selectedRows() {
    return [...this.store.selected].map((id) => this.store.rows.get(id)).filter(Boolean);
  }

  selectedFor(action) {
    const can = { pause: canPause, resume: canResume, delete: canDelete }[action];
    return this.selectedRows().filter((row) => can(this.store, row)).map((row) => row[ID]);
  }

  showBulk() {
    const count = this.store.selected.size;
    this.bulk.hidden = count === 0;
    if (!count) return;
    setText(this.bulkCount, `${count.toLocaleString()} selected`);
    for (const button of this.bulkButtons) {
      const able = this.selectedFor(button.dataset.action).length;
      const action = { pause: "Pause", resume: "Resume", delete: "Delete" }[button.dataset.action];
      setText(button, able ? `${action} ${able.toLocaleString()}` : action);
      setUsable(button, able > 0);
    }
    const reachable = this.selectedRows().filter((row) => row[SSH]).length;
    setText(this.copySelectedButton, reachable ? `Copy SSH ${reachable.toLocaleString()}` : "Copy SSH");
    setUsable(this.copySelectedButton, reachable > 0);
  }

  actOnSelected(action) {
    const ids = this.selectedFor(action);
    if (!ids.length) return;
    this.store.act(action, ids);
    const told = { pause: "Pausing", resume: "Resuming", delete: "Deleting" }[action];
    this.announce(`${told} ${ids.length} pods`);
  }

  async copySelected() {
    const commands = this.selectedRows().map((row) => row[SSH]).filter(Boolean);
    if (commands.length) await this.copy(commands.join("\n"), `${commands.length} SSH commands`);
  }

  async copy(text, what) {
    const copied = await copyText(text, this.root);
    this.announce(copied ? `Copied ${what}` : `${what} cannot be copied from here; press Ctrl+C or ⌘C, it is selected`);
  }

  announce(text) {
    setText(this.live, text);
  }

  // The page's shortcuts are off in the panel, but for the one that saves the notebook.
  letSave(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s" || !this.root.contains(event.target)) return;
    const path = event.composedPath().filter((target) => target instanceof Element && this.root.contains(target));
    const marked = path.filter((target) => target.hasAttribute(SUPPRESSED));
    marked.forEach((target) => target.removeAttribute(SUPPRESSED));
    setTimeout(() => marked.forEach((target) => target.setAttribute(SUPPRESSED, "true")));
  }

  attach(element) {
    element.append(this.root);
    const cleaning = [];
    const listen = (target, name, call, capture = false) => {
      target.addEventListener(name, call, capture);
      cleaning.push(() => target.removeEventListener(name, call, capture));
    };
    let inView = true;
    const say = (seen, gone = false, again = false) => {
      if (seen === this.seen && !gone && !again) return;
      this.seen = seen;
      this.store.send({ t: "view", view: this.id, seen, gone });
    };
    const look = () => say(inView && document.visibilityState === "visible");
    const seeing = new IntersectionObserver((entries) => {
      inView = entries.at(-1).isIntersecting;
      look();
    });
    seeing.observe(this.root);
    const sizing = new ResizeObserver(() => {
      const narrow = this.root.clientWidth < NARROW;
      this.root.classList.toggle("yotta-narrow", narrow);
      this.table.resized(narrow);
    });
    sizing.observe(this.root);
    // Before the page's own listener, which is the document's.
    listen(window, "keydown", (event) => this.letSave(event), true);
    listen(document, "visibilitychange", look);
    listen(window, "pagehide", () => say(false));
    listen(window, "pageshow", look);
    const every = (seconds, call) => {
      const timer = setInterval(call, seconds * 1000);
      cleaning.push(() => clearInterval(timer));
    };
    every(0.25, () => this.table.countDown());
    every(1, () => this.tick());
    every(1, () => this.seen && this.store.askAfterSilence());
    every(AGES_EVERY, () => this.table.tick());
    every(SAY_EVERY, () => this.seen && say(true, false, true));
    look();
    return () => {
      cleaning.forEach((clean) => clean());
      seeing.disconnect();
      sizing.disconnect();
      this.form.close();
      this.store.listeners.delete(this.listener);
      say(false, true);
    };
  }
}

function initialize({ model }) {
  const store = storeOf(model);
  return () => {
    store.close();
    stores.delete(model.get("_key"));
  };
}

function render({ model, el }) {
  return new PanelView(storeOf(model)).attach(el);
}

export default { initialize, render };
