// What the browser knows of a panel, shared by all its views: rows, what was clicked, what is selected.

const [ID, NAME, STATUS, GPU, COUNT, REGION, IMAGE, COST, PRICE, CREATED, SSH, ASKED, ERROR] = Array(13).keys();
const ENDED = new Set(["TERMINATED", "FAILED"]);
const WAITING_AFTER = 1500;

class Store {
  constructor(model) {
    this.model = model;
    this.rows = new Map();
    this.about = {};
    this.version = -1;
    this.clicked = new Map();
    this.undoUntil = new Map();
    this.selected = new Set();
    this.listeners = new Set();
    this.alive = true;
    this.heardAt = null;
    this.askedAt = 0;
    this.launches = new Map();
    this.passwords = [];
    this.load();
    this.selected = new Set(this.about.selected ?? []);
    this.prune();
    model.on("change:_rows", () => {
      this.heardAt = Date.now();
      this.load();
      this.prune();
    });
    model.on("msg:custom", (message) => this.received(message));
    model.on("comm_live_update", () => {
      this.alive = false;
      this.changed({});
    });
  }

  load() {
    const data = this.model.get("_rows");
    if (!data || !data.byteLength) return;
    const { rows, ...about } = JSON.parse(new TextDecoder().decode(data));
    if (about.v < this.version) {
      this.send({ t: "rows" });
      return;
    }
    this.about = about;
    this.version = about.v;
    this.rows = new Map(rows.map((row) => [row[ID], row]));
    for (const id of this.clicked.keys()) this.heard(id);
    for (const row of rows) this.noteUndo(row[ID], row[ASKED]);
    this.changed({ all: true });
  }

  prune() {
    for (const id of this.selected) if (!this.rows.has(id) && !this.about.counts) this.selected.delete(id);
  }

  received(message) {
    this.heardAt = Date.now();
    if ("v" in message) this.patch(message);
    else if (message.t === "heard") {
      message.pods.forEach((id) => this.heard(id));
      this.changed({ ids: message.pods });
    } else {
      this.launchAnswered(message);
      this.changed({ message });
    }
  }

  // Here and not in a view, for a view may have gone meanwhile.
  launchAnswered(message) {
    const launch = this.launches.get(message.key);
    if (!launch) return;
    this.launches.delete(message.key);
    // The kernel tells of the row itself, but for one that it has not taken.
    if (message.t === "refused" || this.clicked.has(message.key)) this.forget(message.key);
    if (message.t === "launched" && launch.password) {
      this.passwords.push({ name: launch.name || message.id, password: launch.password });
    }
  }

  patch(message) {
    if (message.v !== this.version + 1) {
      // One was lost, or came before the rows did.
      if (message.v > this.version) this.send({ t: "rows" });
      return;
    }
    const { v, new: fresh = [], set = [], gone = [], ...about } = message;
    if (set.some(([id]) => !this.rows.has(id))) {
      this.send({ t: "rows" });
      return;
    }
    this.version = v;
    Object.assign(this.about, about);
    for (const row of fresh) {
      this.heard(row[ID]);
      this.rows.set(row[ID], row);
    }
    const places = new Set();
    for (const [id, ...values] of set) {
      const row = [...this.rows.get(id)];
      for (let index = 0; index < values.length; index += 2) {
        row[values[index]] = values[index + 1];
        places.add(values[index]);
        if (values[index] === ASKED) this.noteUndo(id, values[index + 1]);
      }
      this.heard(id);
      this.rows.set(id, row);
    }
    for (const id of gone) {
      this.heard(id);
      this.noteUndo(id, null);
      this.rows.delete(id);
      if (this.selected.delete(id)) this.sendSelection();
    }
    this.changed({ all: fresh.length > 0 || gone.length > 0, ids: set.map(([id]) => id), places });
  }

  // What is asked of a pod: what was clicked here counts until the kernel has heard of it.
  asked(row) {
    const click = this.clicked.get(row[ID]);
    return click ? click.asked : row[ASKED];
  }

  waits(row) {
    return Boolean(this.clicked.get(row[ID])?.waits);
  }

  // The kernel's five seconds begin when it hears of a delete.
  noteUndo(id, asked) {
    if (asked === "undo") this.undoUntil.set(id, Date.now() + this.about.delay * 1000);
    else this.undoUntil.delete(id);
  }

  undoLeft(id) {
    return Math.max(1, Math.ceil((this.undoUntil.get(id) - Date.now()) / 1000));
  }

  act(action, ids) {
    if (!this.alive) return;
    const asked = action === "delete" && this.about.delay > 0 ? "undo" : action === "undo" ? "undoing" : action;
    for (const id of ids) this.click(id, asked);
    this.send({ t: action, pods: ids });
    this.changed({ ids });
  }

  click(id, asked) {
    this.heard(id);
    this.noteUndo(id, asked);
    const timer = setTimeout(() => {
      this.clicked.get(id).waits = true;
      this.changed({ ids: [id] });
    }, WAITING_AFTER);
    this.clicked.set(id, { asked, timer, waits: false });
  }

  heard(id) {
    clearTimeout(this.clicked.get(id)?.timer);
    this.clicked.delete(id);
  }

  launch(form, password) {
    const key = uniqueId();
    this.launches.set(key, { name: form.name, password });
    const row = Array(13).fill(null);
    Object.assign(row, { [ID]: key, [NAME]: form.name, [STATUS]: "LAUNCHING", [GPU]: form.gpu_type });
    Object.assign(row, { [COUNT]: form.gpu_count, [REGION]: form.region, [IMAGE]: form.image, [ASKED]: "launch" });
    this.rows = new Map([[key, row], ...this.rows]);
    this.click(key, "launch");
    // As a buffer: ipywidgets writes what a message says into the debug log, and a form holds secrets.
    this.send({ t: "launch", key }, [new TextEncoder().encode(JSON.stringify(form))]);
    this.changed({ all: true });
    return key;
  }

  // Where pushes of the kernel's threads stall, as in Colab, only what is asked for comes.
  askAfterSilence() {
    const quiet = Date.now() - Math.max(this.heardAt ?? 0, this.askedAt);
    if (!(this.about.every > 0) || quiet < 2000 * this.about.every) return;
    this.askedAt = Date.now();
    this.send({ t: "sync", v: this.version });
  }

  forget(key) {
    this.heard(key);
    if (this.rows.delete(key)) this.changed({ all: true });
  }

  select(ids, chosen) {
    for (const id of ids) chosen ? this.selected.add(id) : this.selected.delete(id);
    this.sendSelection();
    this.changed({ ids });
  }

  sendSelection() {
    clearTimeout(this.selecting);
    this.selecting = setTimeout(() => this.send({ t: "select", pods: [...this.selected] }), 100);
  }

  send(message, buffers) {
    if (!this.alive) return;
    try {
      this.model.send(message, undefined, buffers);
    } catch {
      this.alive = false;
    }
  }

  changed(change) {
    for (const listener of [...this.listeners]) listener(change);
  }

  close() {
    for (const id of [...this.clicked.keys()]) this.heard(id);
    clearTimeout(this.selecting);
  }
}

function label(row) {
  return row[NAME] || row[ID];
}

function canPause(store, row) {
  return row[STATUS] === "RUNNING" && !store.asked(row);
}

function canResume(store, row) {
  return row[STATUS] === "PAUSED" && !store.asked(row);
}

function canDelete(store, row) {
  return !["TERMINATING", "TERMINATED", "LAUNCHING"].includes(row[STATUS]) && !store.asked(row);
}
