"""The widget in busy kernels, several views, closed and restarted kernels, saved notebooks, and with hostile data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox, connect

from .helpers import THREAD_NAMES, OpenNotebook, fill_in, requests_to, row, show_panel
from .jupyter_server import PANEL, JupyterServer, connect_cell

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "long " * 2000,
    "\u202eright to left \u05d0\u05d1",
    "emoji 🧨🧑‍🚀",
    "two\nlines \"and\" 'quotes'",
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pods=12, speed=20) as sandbox:
        yield sandbox


WITHOUT_SUBSHELLS = "import yotta_jupyter.panel.widget as w; w.PanelWidget._reset_route = lambda self: None"


@pytest.mark.parametrize("has_subshells", [True, False], ids=["subshells", "no subshells"])
def test_while_a_cell_runs_the_panel_refreshes_and_several_clicks_send_one_request(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox, has_subshells: bool
) -> None:
    wait_for_file = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    poll_often = "\nimport yotta_jupyter.panel.timings as t; t.IDLE_INTERVAL = t.ACTIVE_INTERVAL\n"
    setup = connect_cell(sandbox) + poll_often + ("" if has_subshells else WITHOUT_SUBSHELLS)
    notebook = open_notebook(setup, PANEL, wait_for_file)
    notebook.run(0)
    notebook.run(1)
    expect(row(page, "train-1")).to_be_visible()
    running_cell = notebook.run(2, wait=False)
    with connect(sandbox.api_key, base_url=sandbox.base_url) as other_client:
        other_client.pods.pause(next(pod["id"] for pod in sandbox.pods() if pod["podName"] == "train-2"))
    expect(row(page, "train-2")).to_contain_text("Paused", timeout=20_000)
    button = page.get_by_role("button", name="Pause train-1")
    button.evaluate("button => { for (let i = 0; i < 5; i++) button.click(); }")
    if not has_subshells:  # Such as in VS Code.
        expect(row(page, "train-1")).to_contain_text("Waiting for kernel…")
        (notebook.jupyter.folder / "go").touch()
    expect(row(page, "train-1")).to_contain_text("Paused", timeout=15_000)
    (notebook.jupyter.folder / "go").touch()
    expect(running_cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]:"))
    (notebook.jupyter.folder / "go").unlink()
    assert len(requests_to(sandbox, "pause")) == 2  # One of the browser, one of the other client.


def test_two_views_share_one_thread_and_close_leaves_none(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox
) -> None:
    notebook = show_panel(open_notebook, sandbox, "panel", THREAD_NAMES, "panel.close(); " + THREAD_NAMES, THREAD_NAMES)
    notebook.run(2)
    regions = page.get_by_role("region", name="Yotta pods")
    expect(regions).to_have_count(2)
    assert notebook.output_of(3).count("yotta-panel") == 1
    regions.last.get_by_role("button", name="Pause train-1").click()
    for region in (regions.first, regions.last):
        expect(region.locator("[data-pod-id]").filter(has_text="train-1")).to_contain_text("Paused")
    notebook.run(4)
    expect(regions).to_have_count(0)
    # The static tables show what the panel showed last.
    for table in page.locator(".yotta-static").all():
        expect(table.locator("tr").filter(has_text="train-1")).to_contain_text("PAUSED")
    assert notebook.output_of(5) == "[]"


def test_hidden_panel_has_no_thread(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> None:
    notebook = show_panel(open_notebook, sandbox, f"import time\nwhile ({THREAD_NAMES}): time.sleep(0.05)\n'gone'")
    expect(row(page, "train-1")).to_be_visible()
    page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea").click(button="right", position={"x": 5, "y": 5})
    page.get_by_role("menuitem", name="Clear Cell Output").click()
    assert notebook.output_of(2) == "'gone'"


def test_rows_and_buttons_fit_any_width(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> None:
    show_panel(open_notebook, sandbox)
    expect(row(page, "train-1")).to_be_visible()
    have_equal_heights = """rows => {
      const tops = rows.map((row) => row.getBoundingClientRect().top);
      return new Set(tops.slice(1).map((top, index) => Math.round(top - tops[index]))).size === 1
        && rows.every((row) => row.offsetHeight === Math.round(tops[1] - tops[0]));
    }"""
    region = page.get_by_role("region", name="Yotta pods")
    for width in (400, 700, 821, 822, 900):
        region.evaluate("(element, width) => { element.style.width = `${width}px`; }", width)
        expect(region).to_have_class(re.compile("yotta-is-compact") if width < 822 else re.compile("^yotta-panel$"))
        assert page.locator("[data-pod-id]").evaluate_all(have_equal_heights)
        button = page.get_by_role("button", name="Delete train-1", exact=True).bounding_box()
        panel = region.bounding_box()
        assert button is not None
        assert panel is not None
        assert button["x"] + button["width"] < panel["x"] + panel["width"]


def test_kernel_restart_is_shown(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> None:
    notebook = show_panel(open_notebook, sandbox, "%load_ext yotta_jupyter\n" + THREAD_NAMES)
    expect(row(page, "train-1")).to_be_visible()
    notebook.restart()
    expect(page.get_by_role("alert")).to_contain_text(
        "Run %load_ext yotta_jupyter, %yotta sandbox start, then the cell of the panel again."
    )
    expect(row(page, "train-1")).to_be_visible()
    pause = page.get_by_role("button", name="Pause train-1")
    expect(pause).to_be_disabled()
    pause.click(force=True)
    assert requests_to(sandbox, "pause") == []
    assert notebook.output_of(2) == "[]"


def test_reloading_the_extension_closes_its_panels(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> None:
    notebook = show_panel(open_notebook, sandbox, "%reload_ext yotta_jupyter\n" + THREAD_NAMES)
    expect(row(page, "train-1")).to_be_visible()
    assert notebook.output_of(2) == "[]"


def test_saved_notebook_contains_a_table_and_no_secret(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox, jupyter: JupyterServer
) -> None:
    environment = {"YOTTA_API_KEY": sandbox.api_key, "YOTTA_BASE_URL": sandbox.base_url}
    (jupyter.folder / "environment.json").write_text(json.dumps(environment))
    notebook = open_notebook("import json, os; os.environ.update(json.load(open('environment.json')))", PANEL)
    notebook.run(0)
    notebook.run(1)
    expect(row(page, "train-1")).to_be_visible()
    page.get_by_text("More options").click()
    page.get_by_role("button", name="Add a variable").click()
    fill_in(page, Variable_name="HF_TOKEN", Variable_value="canary-value", GPU_type="L4", Image="pytorch")
    fill_in(page, Ports="8888/HTTP")  # No SSH, so that the button opens no new tab.
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("[data-pod-id]")).to_have_count(13)
    page.mouse.move(0, 0)
    expect(page.locator("[data-pod-id]").first).to_contain_text("Running", timeout=15_000)
    page.locator("[data-pod-id]").first.get_by_role("button", name="Open Jupyter of").click()
    page.get_by_role("button", name="Show Jupyter password").click()
    field = page.get_by_label("Jupyter password", exact=True)
    expect(field).to_have_value(re.compile(".{32}"))
    password = field.input_value()
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Settings").click()
    save = page.get_by_text("Save Widget State Automatically")
    save.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    path = jupyter.folder / notebook.name
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    text = path.read_text()
    assert "train-1" in text
    assert "as of 2" in text
    assert not any(secret in text for secret in (sandbox.api_key, "canary-value", password))
    html = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--stdout", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "train-1</td>" in html
    for session in jupyter.request("/api/sessions"):
        jupyter.request(f"/api/sessions/{session['id']}", "DELETE")
    notebook.close()
    notebook.open()
    # The static table, or, where the widget's state was saved before the notebook was, the panel as it was then.
    expect(page.locator(".yotta-static, .yotta-panel").get_by_text("train-1").locator("visible=true")).to_have_count(1)


def test_hostile_text_is_shown_as_text(page: Page, open_notebook: OpenNotebook) -> None:
    pods = [
        {"id": str(10**17 + n), "status": "RUNNING", "podName": name, "region": name, "image": name}
        for n, name in enumerate(HOSTILE)
    ]
    with Sandbox(records=pods) as sandbox:
        show_panel(open_notebook, sandbox)
        expect(page.locator("[data-pod-id]")).to_have_count(len(HOSTILE))
        assert page.title() != "owned"
        assert page.locator(".yotta-panel img").count() == 0
        heights = page.locator("[data-pod-id]").evaluate_all("rows => rows.map((row) => row.offsetHeight)")
        assert set(heights) == {36}
        box = page.get_by_role("region", name="Yotta pods")
        assert box.evaluate("element => element.scrollWidth <= element.clientWidth + 1")


def test_panel_follows_a_sandbox_that_was_started_again(page: Page, open_notebook: OpenNotebook) -> None:
    start = "%load_ext yotta_jupyter\n%yotta sandbox start"
    notebook = open_notebook(start, "%yotta panel", "%yotta sandbox stop", "%yotta sandbox start --pods 1")
    for number in range(3):
        notebook.run(number)
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Start one with %yotta sandbox start")
    notebook.run(3)
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("[data-pod-id]")).to_have_count(1)
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Paused", timeout=20_000)
