"""Measure the panel in JupyterLab in Chromium, against core widgets in the same notebook."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.benchmarks.timing import Row
from tests.panel.jupyter_server import JupyterServer, Notebook, chromium, connect_cell
from yotta_jupyter import Sandbox

# The panel contains a launch form, so the baseline does, too.
LABEL = """
form = ipywidgets.VBox([
    ipywidgets.Combobox(description="GPU type", options=list(yotta.catalog.gpus_frame().index)),
    ipywidgets.Dropdown(description="GPUs", options=[1, 2, 4, 8]),
    ipywidgets.Combobox(description="Image", options=list(yotta.catalog.images_frame().index)),
    *(ipywidgets.Text(description=name) for name in ("Name", "Region", "Ports", "Init command", "Mount path")),
    *(ipywidgets.Text(description=name) for name in ("Container volume", "Persistent volume", "Registry user")),
    ipywidgets.Dropdown(description="Cloud", options=["any", "SECURE", "COMMUNITY"]),
    ipywidgets.Checkbox(description="Private"),
    ipywidgets.Button(description="Launch"),
])
ipywidgets.VBox([ipywidgets.Label("hello"), form])
"""
PANEL = "panel = Panel(yotta)\npanel"
BUTTON = """
button, label = ipywidgets.Button(description="Press"), ipywidgets.Label("before")
button.on_click(lambda _: setattr(label, "value", "after"))
ipywidgets.VBox([button, label])
"""
# A row of core widgets for each pod, as panels are often built.
HBOX_PER_POD = """
rows = [[pod.name, pod.status, "Pause", "Resume", "Delete"] for pod in yotta.pods.list()]
ipywidgets.VBox([
    ipywidgets.HBox([
        ipywidgets.Label(name),
        ipywidgets.Label(status),
        *(ipywidgets.Button(description=action) for action in actions),
    ])
    for name, status, *actions in rows
])
"""
# Milliseconds from running a cell to the first frame with an element that matches a selector.
MEASURE_PAINT = """
async ([cell, selector]) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = cell;
  notebook.deselectAll();
  const output = () => notebook.widgets[cell].node.querySelector('.jp-Cell-outputWrapper');
  await window.jupyterapp.commands.execute('notebook:clear-cell-output');
  await new Promise((done) => setTimeout(done, 300));
  const started = performance.now();
  window.jupyterapp.commands.execute('notebook:run-cell');
  await new Promise((done) => {
    const check = () => requestAnimationFrame(output()?.querySelector(selector) ? done : check);
    check();
  });
  return performance.now() - started;
}
"""
MEASURE_CLICK = """
async ([button, text, selector]) => {
  const started = performance.now();
  document.querySelector(button).click();
  await new Promise((done) => {
    const check = () =>
      document.querySelector(selector).textContent.includes(text) ? done() : requestAnimationFrame(check);
    check();
  });
  return performance.now() - started;
}
"""
MEASURE_SCROLL = """
async (scroller) => {
  const frames = [];
  scroller.scrollTop = 0;
  let last = performance.now();
  for (let step = 0; step < 120; step++) {
    scroller.scrollTop += 2500;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return Math.max(...frames.slice(2));
}
"""


@contextmanager
def open_notebook(jupyter: JupyterServer, page: Page, sandbox: Sandbox, *cells: str) -> Iterator[Notebook]:
    """Open a notebook connected to a sandbox, with all modules imported."""
    imports = "\nfrom yotta_jupyter import Panel, connect\nimport ipywidgets\nPanel\nyotta = connect()"
    notebook = Notebook(page, jupyter, f"{uuid.uuid4().hex}.ipynb", [connect_cell(sandbox) + imports, *cells])
    notebook.run(0)
    yield notebook
    notebook.close()
    for session in jupyter.request("/api/sessions"):
        jupyter.request(f"/api/sessions/{session['id']}", "DELETE")


def time_to_paint(page: Page, *cells: tuple[int, str], runs: int = 7) -> list[float]:
    """Return the shortest time in seconds from running each cell to its first paint. The cells alternate.

    Parameters
    ----------
    page : playwright.sync_api.Page
    *cells : tuple of int and str
        The number of a cell, and a selector of an element of its output.
    runs : int
    """
    shortest = [float("inf")] * len(cells)
    for _ in range(runs):
        for index, cell in enumerate(cells):
            shortest[index] = min(shortest[index], page.evaluate(MEASURE_PAINT, list(cell)) / 1000)
    return shortest


def time_of_click(page: Page, button: str, text: str, selector: str) -> float:
    """Return the time in seconds from a click to the changed text."""
    return page.evaluate(MEASURE_CLICK, [button, text, selector]) / 1000


def rows() -> Iterator[Row]:
    """Measure, and yield the rows of the table."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        jupyter = JupyterServer(Path(home))
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)
        try:
            for pods in (10, 1_000, 10_000):
                with Sandbox(pods=pods) as sandbox, open_notebook(jupyter, page, sandbox, LABEL, PANEL) as notebook:
                    notebook.run(1)
                    notebook.run(2)
                    times = time_to_paint(page, (2, "[data-pod-id]"), (1, ".widget-button"))
                    yield Row(
                        f"panel of {pods:,} pods painted / a Label and a form of core widgets", *times, limit=1.25
                    )
                    if pods == 10_000:
                        scroller = page.locator(".yotta-scroller")
                        frame = min(scroller.evaluate(MEASURE_SCROLL) for _ in range(3))
                        yield Row("longest frame while scrolling 10,000 pods / 50 ms", frame / 1000, 0.05, 1.0)
            with Sandbox(pods=300) as sandbox, open_notebook(jupyter, page, sandbox, HBOX_PER_POD, PANEL) as notebook:
                notebook.run(2)
                last_row = ".widget-hbox:nth-child(300) .widget-label"
                times = time_to_paint(page, (2, "[data-pod-id]"), (1, last_row), runs=2)
                yield Row("panel of 300 pods / an HBox of core widgets a pod", *times, limit=1.0)
            with Sandbox(pods=3) as sandbox, open_notebook(jupyter, page, sandbox, BUTTON, PANEL) as notebook:
                notebook.run(1)
                notebook.run(2)
                expect(page.get_by_role("button", name="Pause train-1")).to_be_visible()
                pause = "[aria-label='Pause train-1']"
                row = "[data-pod-id]:has([aria-label='Pause train-1'])"
                ours = time_of_click(page, pause, "Pausing", row)
                baseline = time_of_click(page, ".widget-button", "after", ".widget-vbox .widget-label")
                yield Row("click to changed row / core Button changing a Label", ours, baseline, 1.2)
        finally:
            browser.close()
            jupyter.close()
