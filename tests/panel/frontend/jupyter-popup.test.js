// @ts-check
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { h } from "../../../yotta_jupyter/panel/frontend/src/dom.js";
import { remoteServerPath } from "../../../yotta_jupyter/panel/frontend/src/page.js";
import { encodeRow, podRow } from "./fixtures.js";
import { closePanel, labelled, model, openPanel, sentMessages, TWO_PODS, views } from "./panel.js";

/** @typedef {import("../../../yotta_jupyter/panel/frontend/src/view.js").PanelView} PanelView */

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(closePanel);

describe("the password of Jupyter", () => {
  const password = new DataView(new TextEncoder().encode("canary").buffer);

  /** @param {PanelView} view */
  function show(view) {
    labelled(view, "Open Jupyter of train-1").click();
    const [button] = view.jupyterPopup.element.querySelectorAll("button");
    button.click();
    const { request_id } = sentMessages().at(-1);
    model.receive({ type: "password", request_id, error: "" }, [password]);
  }

  const shownPasswords = () =>
    views.map((view) => view.root.querySelectorAll("[aria-label='Jupyter password']").length);

  beforeEach(() => {
    openPanel([{ ...TWO_PODS[0], jupyter: "http://192.0.2.1:8888", has_password: true }]);
    show(views[0]);
    expect(shownPasswords()).toEqual([1, 0]);
  });

  test("it disappears after a minute", () => {
    vi.advanceTimersByTime(61_000);
    expect(shownPasswords()).toEqual([0, 0]);
  });

  test("it disappears when another view shows one", () => {
    show(views[1]);
    expect(shownPasswords()).toEqual([0, 1]);
  });

  test("it disappears with its pod", () => {
    model.receive({ type: "patch", version: 2, removed: ["1"] });
    expect(shownPasswords()).toEqual([0, 0]);
  });
});

describe("opening Jupyter", () => {
  const url = "http://127.0.0.1:4000/a-link";
  const link = new DataView(new TextEncoder().encode(url).buffer);

  /** @type {PanelView} */
  let view;
  /** @type {{ opener: unknown, location: { href: string } }} */
  let tab;

  const dialog = () => view.jupyterPopup.element;
  const requests = () => sentMessages().filter(({ type }) => type === "open_jupyter");

  /**
   * @param {Record<string, unknown>} [reply]
   * @param {DataView[]} [buffers]
   */
  function reply(reply = {}, buffers = [link]) {
    const { request_id } = requests().at(-1);
    model.receive({ type: "jupyter_link", request_id, error: "", note: "", ...reply }, buffers);
  }

  beforeEach(() => {
    tab = { opener: window, location: { href: "" } };
    vi.spyOn(window, "open").mockImplementation(() => /** @type {any} */ (tab));
    view = openPanel([{ ...TWO_PODS[0], ssh: "ssh root@192.0.2.1", jupyter: "http://192.0.2.1:8888" }]);
    labelled(view, "Open Jupyter of train-1").click();
  });

  test("the link opens in a new tab that cannot reach the notebook", () => {
    expect(requests()).toEqual([expect.objectContaining({ pod_id: "1", server_path: null })]);
    expect(dialog().textContent).toContain("Connecting…");
    reply({ note: "A note." });
    expect(tab).toEqual({ opener: null, location: { href: url } });
    expect(dialog().textContent).toContain("Opened in a new tab.");
    expect(dialog().textContent).toContain("A note.");
    expect(dialog().textContent).not.toContain("Connecting…");
  });

  test.each([
    ["blocks the tab", () => vi.spyOn(window, "open").mockReturnValue(null)],
    [
      "refuses the tab",
      () =>
        vi.spyOn(window, "open").mockImplementation(() => {
          throw new Error("refused");
        }),
    ],
    ["knows of no recent click", () => vi.stubGlobal("navigator", { userActivation: { isActive: false } })],
  ])("the link is shown if the browser %s", (_, prepare) => {
    prepare();
    reply();
    expect(tab.location.href).toBe("");
    const shown = /** @type {HTMLAnchorElement} */ (document.activeElement);
    expect([shown.textContent, shown.href, shown.rel]).toEqual(["Open Jupyter of train-1", url, "noopener noreferrer"]);
    vi.unstubAllGlobals();
  });

  test("the rows keep their places while it is shown", () => {
    model.receive({ type: "patch", version: 2, added: [encodeRow(podRow({ id: "2", created_at: 1_800_000_000 }))] });
    expect(view.table.ids).toEqual(["1", "2"]);
    view.jupyterPopup.close();
    expect(view.table.ids).toEqual(["2", "1"]);
  });

  test("an error is shown with another try", () => {
    reply({ error: "Pod train-1 does not answer." }, []);
    expect(dialog().querySelector(".yotta-is-invalid")?.textContent).toBe("Pod train-1 does not answer.");
    [...dialog().querySelectorAll("button")].find((button) => button.textContent === "Try again")?.click();
    expect(requests().length).toBe(2);
    expect(dialog().textContent).toContain("Connecting…");
    reply();
    expect(tab.location.href).toBe(url);
  });

  test("a link that arrives twice, or after the popup was closed, opens nothing", () => {
    reply();
    tab.location.href = "";
    reply();
    view.jupyterPopup.close();
    labelled(view, "Open Jupyter of train-1").click();
    view.jupyterPopup.close();
    reply();
    expect(tab.location.href).toBe("");
  });

  test("a lost kernel is an error at once", () => {
    view.jupyterPopup.close();
    model.loseKernel();
    labelled(view, "Open Jupyter of train-1").click();
    expect(dialog().textContent).toContain("The kernel has gone.");
    expect(requests().length).toBe(1);
  });

  test("a page from another machine says where its notebook server is", () => {
    document.body.append(
      h("script", { id: "jupyter-config-data", type: "application/json" }, '{"baseUrl": "/user/me/"}'),
    );
    expect(remoteServerPath()).toBeNull();
    vi.stubGlobal("location", { protocol: "https:", hostname: "hub.example.com" });
    expect(remoteServerPath()).toBe("/user/me/");
    vi.stubGlobal("location", { protocol: "vscode-webview:", hostname: "a1b2" });
    expect(remoteServerPath()).toBeNull();
    vi.unstubAllGlobals();
    document.getElementById("jupyter-config-data")?.remove();
  });
});
