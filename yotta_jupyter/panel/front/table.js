// The table of pods: sorting, filters, selection, and rows of which only those in view are elements.

const SPARE_ROWS = 4;
const BY_TEXT = (place) => (row) => (row[place] ?? "").toLowerCase();
const COLUMNS = [
  { name: "name", title: "Name", key: BY_TEXT(NAME) },
  { name: "status", title: "Status", key: BY_TEXT(STATUS) },
  { name: "gpu", title: "GPUs", key: (row) => `${row[GPU] ?? ""} ${row[COUNT] ?? 0}`.toLowerCase() },
  { name: "region", title: "Region", key: BY_TEXT(REGION) },
  { name: "image", title: "Image", key: BY_TEXT(IMAGE) },
  { name: "cost", title: "$ / hour", key: (row) => -(row[COST] ?? -1) },
  { name: "age", title: "Age", key: (row) => -(row[CREATED] ?? Infinity) },
];
const SORTED_BY = { name: [NAME], status: [STATUS], gpu: [GPU, COUNT], region: [REGION], image: [IMAGE] };
Object.assign(SORTED_BY, { cost: [COST], age: [CREATED] });
const DOING = { pause: "Pausing…", resume: "Resuming…", delete: "Deleting…", undoing: "Undoing…", launch: "Launching…" };

function statusText(store, row) {
  const asked = store.asked(row);
  if (store.waits(row)) return "Waiting for kernel…";
  if (asked === "undo") return `Deleting in ${store.undoLeft(row[ID])} s`;
  if (asked) return DOING[asked];
  const status = row[STATUS] || "unknown";
  return status === "INITIALIZE" ? "Initializing" : status[0].toUpperCase() + status.slice(1).toLowerCase();
}

function shortImage(image) {
  return (image ?? "").replace(/^yottalabsai\//, "");
}

function gpuText(row) {
  return row[GPU] ? `${row[COUNT] ?? "?"} × ${row[GPU].replace(/^NVIDIA_/, "").replaceAll("_", " ")}` : "";
}

class Table {
  constructor(store, panel) {
    this.store = store;
    this.panel = panel;
    this.filters = { text: "", status: "", region: "", gpu: "" };
    this.sort = { name: "age", down: true };
    this.shown = [];
    this.elements = new Map();
    this.free = [];
    this.active = null;
    this.rowHeight = 36;
    this.body = h("div", { role: "rowgroup", class: "yotta-body" });
    this.all = h("input", { type: "checkbox", "aria-label": "Select all pods shown" });
    this.all.addEventListener("change", () => this.selectAll());
    this.heads = COLUMNS.map((column) => this.headCell(column));
    const head = h(
      "div",
      { role: "row", class: "yotta-row yotta-head", "aria-rowindex": "1" },
      h("div", { role: "columnheader", class: "yotta-check" }, this.all),
      ...this.heads,
      h("div", { role: "columnheader", class: "yotta-actions" }, h("span", { class: "yotta-hidden" }, "Actions")),
    );
    this.empty = h("div", { class: "yotta-empty" });
    this.element = h(
      "div",
      { role: "table", "aria-label": "Pods", class: "yotta-table" },
      h("div", { role: "rowgroup", class: "yotta-headgroup" }, head),
      this.body,
    );
    this.scroller = h("div", { class: "yotta-scroller" }, this.element, this.empty);
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.moved(event));
    this.body.addEventListener("focusin", (event) => this.focused(event));
    this.lastChosen = null;
  }

  headCell(column) {
    const button = h("button", { type: "button", class: "yotta-sort" }, column.title);
    button.addEventListener("click", () => {
      const { name, down } = this.sort;
      this.sort = { name: column.name, down: name === column.name ? !down : true };
      this.arrange();
    });
    return h("div", { role: "columnheader", class: `yotta-${column.name}` }, button);
  }

  // Filters and sorts anew.
  arrange() {
    const { text, status, region, gpu } = this.filters;
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    for (const row of this.store.rows.values()) {
      if (status && row[STATUS] !== status) continue;
      if (region && row[REGION] !== region) continue;
      if (gpu && row[GPU] !== gpu) continue;
      if (wanted.length) {
        const words = `${row[NAME] ?? ""} ${row[ID]} ${row[IMAGE] ?? ""} ${row[GPU] ?? ""} ${row[REGION] ?? ""}`.toLowerCase();
        if (!wanted.every((word) => words.includes(word))) continue;
      }
      rows.push(row);
    }
    const { key } = COLUMNS.find((column) => column.name === this.sort.name);
    const keyed = rows.map((row) => [key(row), row[ID]]);
    const sign = this.sort.down ? 1 : -1;
    keyed.sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : 0));
    this.shown = keyed.map((pair) => pair[1]);
    this.heads.forEach((head, index) => {
      const sorted = COLUMNS[index].name === this.sort.name;
      const ascending = this.sort.down !== (this.sort.name === "cost");
      setAttribute(head, "aria-sort", sorted ? (ascending ? "ascending" : "descending") : null);
    });
    setAttribute(this.element, "aria-rowcount", this.shown.length + 1);
    this.body.style.height = `${this.shown.length * this.rowHeight}px`;
    this.draw();
    this.panel.arranged();
  }

  // Takes in what changed in the store, with as little work as that needs.
  changed({ all, ids = [], places = new Set() }) {
    const filtered = Object.values(this.filters).some(Boolean) && places.size > 0;
    const moves = filtered || SORTED_BY[this.sort.name].some((place) => places.has(place));
    if (all || moves) this.arrange();
    else for (const id of ids) if (this.elements.has(id)) this.fill(this.elements.get(id), this.store.rows.get(id));
    this.markAll();
  }

  draw() {
    const top = this.scroller.scrollTop;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - SPARE_ROWS);
    const count = Math.ceil(this.scroller.clientHeight / this.rowHeight) + 2 * SPARE_ROWS;
    const wanted = new Map();
    for (let index = first; index < Math.min(this.shown.length, first + count); index++) {
      wanted.set(this.shown[index], index);
    }
    const focus = this.focusedId();
    if (focus !== null && !wanted.has(focus)) {
      const index = this.shown.indexOf(focus);
      if (index >= 0) wanted.set(focus, index);
    }
    let left = null;
    for (const [id, element] of this.elements) {
      if (wanted.has(id)) continue;
      this.elements.delete(id);
      // An element under the focus or the pointer must not become another pod's: a key would act on that one.
      if (element.contains(document.activeElement) || element.matches(":active")) {
        if (element.contains(document.activeElement)) left = element.index;
        element.remove();
      } else this.free.push(element);
    }
    for (const [id, index] of wanted) {
      let element = this.elements.get(id);
      if (!element) {
        element = this.free.pop() ?? this.rowElement();
        this.elements.set(id, element);
      }
      const row = this.store.rows.get(id);
      if (element.row !== row || element.index !== index || this.store.clicked.has(id)) this.fill(element, row, index);
    }
    for (const element of this.free) element.remove();
    this.order([...wanted].sort((a, b) => a[1] - b[1]).map(([id]) => this.elements.get(id)));
    this.setTabStop();
    if (left !== null) this.focusNear(left);
  }

  // Where the pod with the focus has gone, to what harms nothing in the row that took its place.
  focusNear(index) {
    const id = this.shown[Math.min(index, this.shown.length - 1)];
    const element = this.elements.get(id);
    (element ? element.parts.check : this.panel.text).focus({ preventScroll: true });
  }

  // Elements stand in the order of the rows, for those who read with a screen reader; the focus stays where it is.
  order(elements) {
    const focus = document.activeElement;
    let next = this.body.firstChild;
    for (const element of elements) {
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
    if (focus !== document.activeElement && this.body.contains(focus)) focus.focus({ preventScroll: true });
  }

  rowElement() {
    const cell = (name, ...children) => h("div", { role: "cell", class: `yotta-${name}` }, ...children);
    const check = h("input", { type: "checkbox" });
    check.addEventListener("click", (event) => this.chosen(row.dataset.podId, check.checked, event.shiftKey));
    const toggle = iconButton("pause", "", (event) => this.clicked(row, toggle, event));
    const ssh = iconButton("copy", "", () => this.copySsh(row, ssh));
    const remove = iconButton("delete", "", (event) => this.clicked(row, remove, event));
    const dismiss = iconButton("close", "Dismiss", () => this.dismiss(row));
    const parts = {
      check,
      toggle,
      ssh,
      remove,
      dismiss,
      title: h("span", { class: "yotta-title", dir: "auto" }),
      detail: h("span", { class: "yotta-detail", dir: "auto" }),
      status: h("span", { class: "yotta-status-text" }),
      gpu: cell("gpu"),
      region: cell("region"),
      image: cell("image"),
      cost: cell("cost"),
      age: cell("age"),
      error: h("span", { class: "yotta-error-text", dir: "auto" }),
    };
    const row = h(
      "div",
      { role: "row", class: "yotta-row" },
      cell("check", check),
      cell("name", parts.title, parts.detail),
      cell("status", h("span", { class: "yotta-dot", "aria-hidden": "true" }), parts.status),
      parts.gpu,
      parts.region,
      parts.image,
      parts.cost,
      parts.age,
      cell("error", parts.error, dismiss),
      cell("actions", toggle, ssh, remove),
    );
    row.parts = parts;
    return row;
  }

  fill(element, row, index) {
    const { store } = this;
    const { parts } = element;
    element.row = row;
    const name = label(row);
    const asked = store.asked(row);
    if (index !== undefined) {
      element.index = index;
      element.style.transform = `translateY(${index * this.rowHeight}px)`;
      setAttribute(element, "aria-rowindex", index + 2);
    }
    setAttribute(element, "data-pod-id", row[ID]);
    setAttribute(element, "data-status", row[STATUS]);
    setAttribute(element, "data-asked", asked);
    setAttribute(element, "data-error", row[ERROR] ? "true" : null);
    setAttribute(element, "aria-selected", store.selected.has(row[ID]));
    parts.check.checked = store.selected.has(row[ID]);
    setAttribute(parts.check, "aria-label", `Select ${name}`);
    setText(parts.title, name);
    setAttribute(parts.title, "title", row[NAME] ? `${row[NAME]} (${row[ID]})` : row[ID]);
    setText(parts.detail, [gpuText(row), row[REGION]].filter(Boolean).join(" · "));
    setText(parts.status, statusText(store, row));
    setAttribute(parts.status, "title", row[STATUS]);
    setText(parts.gpu, gpuText(row));
    setAttribute(parts.gpu, "title", row[GPU]);
    setText(parts.region, row[REGION] ?? "");
    setText(parts.image, shortImage(row[IMAGE]));
    setAttribute(parts.image, "title", row[IMAGE]);
    setText(parts.cost, row[COST] == null ? "–" : dollars(row[COST]));
    setAttribute(parts.cost, "title", row[PRICE] == null ? "No price is known" : `${dollars(row[PRICE])} while running`);
    setText(parts.age, row[CREATED] ? age(Date.now() / 1000 - row[CREATED]) : "");
    setAttribute(parts.age, "title", row[CREATED] ? DATE.format(row[CREATED] * 1000) : null);
    setText(parts.error, row[ERROR] ?? "");
    setAttribute(parts.error, "title", row[ERROR]);
    this.fillButtons(parts, row, name, asked);
  }

  fillButtons({ toggle, ssh, remove }, row, name, asked) {
    const { store } = this;
    const resumes = row[STATUS] === "PAUSED" || row[STATUS] === "PAUSING";
    toggle.dataset.action = resumes ? "resume" : "pause";
    setIcon(toggle, toggle.dataset.action);
    setLabel(toggle, `${resumes ? "Resume" : "Pause"} ${name}`);
    setUsable(toggle, resumes ? canResume(store, row) : canPause(store, row));
    setLabel(ssh, `Copy SSH command of ${name}`);
    setUsable(ssh, Boolean(row[SSH]));
    const undoes = asked === "undo";
    remove.dataset.action = undoes ? "undo" : "delete";
    setIcon(remove, remove.dataset.action);
    setLabel(remove, undoes ? `Undo delete ${name}` : `Delete ${name}`);
    setUsable(remove, undoes || canDelete(store, row));
  }

  clicked(element, button, event) {
    const row = this.store.rows.get(element.dataset.podId);
    // The second click of a double click would undo the first.
    if (!row || !isUsable(button) || event.detail > 1) return;
    const { action } = button.dataset;
    this.store.act(action, [row[ID]]);
    const told = { pause: "Pausing", resume: "Resuming", delete: "Deleting", undo: "Undoing the delete of" }[action];
    this.panel.announce(`${told} ${label(row)}`);
  }

  async copySsh(element, button) {
    const row = this.store.rows.get(element.dataset.podId);
    if (!isUsable(button)) {
      this.panel.announce(`${label(row)} is not reachable by SSH now`);
      return;
    }
    await this.panel.copy(row[SSH], `the SSH command of ${label(row)}`);
    button.classList.add("yotta-done");
    setTimeout(() => button.classList.remove("yotta-done"), 1200);
  }

  dismiss(element) {
    const id = element.dataset.podId;
    this.store.send({ t: "dismiss", pods: [id] });
    element.parts.remove.focus();
  }

  chosen(id, checked, range) {
    let ids = [id];
    if (range && this.lastChosen) {
      const [a, b] = [this.shown.indexOf(this.lastChosen), this.shown.indexOf(id)].sort((x, y) => x - y);
      if (a >= 0) ids = this.shown.slice(a, b + 1);
    }
    this.lastChosen = id;
    this.store.select(ids, checked);
  }

  selectAll() {
    this.store.select(this.shown, this.all.checked);
    for (const [id, element] of this.elements) this.fill(element, this.store.rows.get(id));
  }

  markAll() {
    let chosen = 0;
    if (this.store.selected.size) for (const id of this.shown) chosen += this.store.selected.has(id);
    this.all.checked = chosen > 0 && chosen === this.shown.length;
    this.all.indeterminate = chosen > 0 && chosen < this.shown.length;
  }

  focusedId() {
    const focus = document.activeElement;
    return this.body.contains(focus) ? focus.closest("[data-pod-id]")?.dataset.podId ?? null : null;
  }

  // One row at a time is in the order of Tab, else 10,000 pods would be 40,000 stops; arrows go to the others.
  setTabStop() {
    const stop = this.elements.has(this.active) ? this.active : this.body.firstChild?.dataset.podId;
    for (const [id, element] of this.elements) {
      for (const control of element.querySelectorAll("input, button")) {
        setAttribute(control, "tabindex", id === stop ? "0" : "-1");
      }
    }
  }

  focused(event) {
    const id = event.target.closest("[data-pod-id]")?.dataset.podId;
    if (id && id !== this.active) {
      this.active = id;
      this.setTabStop();
    }
  }

  moved(event) {
    const element = event.target.closest("[data-pod-id]");
    if (!element) return;
    const controls = [...element.querySelectorAll("input, button")].filter((control) => control.offsetParent);
    const column = controls.indexOf(event.target);
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      controls[column + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
    } else {
      const index = this.shown.indexOf(element.dataset.podId);
      const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 2);
      const last = this.shown.length - 1;
      const steps = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: last };
      Object.assign(steps, { PageUp: index - page, PageDown: index + page });
      if (!(event.key in steps)) return;
      this.goTo(Math.min(last, Math.max(0, steps[event.key])), event.target.parentElement.className, event.target);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  goTo(index, cell, from) {
    const id = this.shown[index];
    const top = index * this.rowHeight;
    const room = this.scroller.clientHeight - this.rowHeight * 2;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top > this.scroller.scrollTop + room) this.scroller.scrollTop = top - room;
    this.draw();
    const place = [...from.parentElement.children].indexOf(from);
    const target = this.elements.get(id).getElementsByClassName(cell)[0];
    target?.querySelectorAll("input, button")[place]?.focus({ preventScroll: true });
  }

  resized(narrow) {
    this.rowHeight = narrow ? 52 : 36;
    for (const element of this.elements.values()) element.index = null;
    this.scroller.style.setProperty("--yotta-row", `${this.rowHeight}px`);
    this.body.style.height = `${this.shown.length * this.rowHeight}px`;
    this.draw();
  }

  countDown() {
    for (const [id, element] of this.elements) {
      if (element.dataset.asked === "undo") this.fill(element, this.store.rows.get(id));
    }
  }

  tick() {
    for (const [id, element] of this.elements) this.fill(element, this.store.rows.get(id));
  }
}

function setLabel(button, text) {
  setAttribute(button, "aria-label", text);
  setAttribute(button, "title", text);
}
