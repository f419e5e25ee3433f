"""The dropdowns of the launch form, and what axe-core finds in the panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from yotta_jupyter import Sandbox

from .helpers import OpenNotebook, show_panel
from .jupyter_server import Notebook

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Records the durations of frames longer than 50 ms.
LONG_FRAMES = """() => {
  window.longFrames = [];
  window.frameObserver?.disconnect();
  window.frameObserver = new PerformanceObserver((list) => {
    window.longFrames.push(...list.getEntries().map((entry) => entry.duration));
  });
  window.frameObserver.observe({ type: 'longtask' });
}"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pods=12, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def panel_notebook(open_notebook: OpenNotebook, sandbox: Sandbox) -> Notebook:
    """A notebook that shows the panel."""
    return show_loaded_panel(open_notebook, sandbox)


def show_loaded_panel(open_notebook: OpenNotebook, sandbox: Sandbox, app: str = "lab") -> Notebook:
    notebook = show_panel(open_notebook, sandbox, app=app)
    expect(notebook.page.locator("[data-pod-id]").first).to_be_visible()
    return notebook


def combobox(page: Page, label: str) -> Locator:
    return page.get_by_role("combobox", name=label, exact=True)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_gpu_types_are_chosen_by_mouse(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox, app: str) -> None:
    show_loaded_panel(open_notebook, sandbox, app)
    field = combobox(page, "GPU type")
    arrow = page.get_by_role("button", name="Show GPU type options")
    expect(arrow).to_be_visible()
    arrow.click()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-expanded", "true")
    options = page.get_by_role("listbox", name="GPU type options").get_by_role("option")
    expect(options.filter(has_text="24 GB · $").first).to_be_visible()
    page.get_by_role("option", name="L4 24 GB").click()
    expect(field).to_have_value("L4")
    expect(options).to_have_count(0)
    expect(page.get_by_text("NVIDIA_L4_24G · 24 GB · $")).to_be_visible()
    field.click()  # Opens all, whatever the field contains.
    assert options.count() > 10
    arrow.click()
    expect(field).to_have_attribute("aria-expanded", "false")


def test_images_are_chosen_by_keyboard(page: Page, panel_notebook: Notebook) -> None:
    field = combobox(page, "Image")
    expect(field).to_have_value("pytorch")
    field.focus()
    page.keyboard.press("ArrowDown")
    listbox = page.get_by_role("listbox", name="Image options")
    expect(listbox.get_by_role("option").first).to_contain_text("pytorch 2.9.0")
    expect(listbox.get_by_role("option").first).to_contain_text("yottalabsai/pytorch:2.9.0-py3.11")
    expect(listbox.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(field).to_have_value("pytorch")
    field.fill("")
    field.press_sequentially("unsl")
    expect(listbox.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    expect(listbox.get_by_role("option")).to_have_attribute("id", str(active))
    page.keyboard.press("Enter")
    expect(field).to_have_value("unsloth")
    field.press_sequentially("-own/x:1")  # Free text.
    page.keyboard.press("Tab")
    expect(field).to_have_value("unsloth-own/x:1")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    expect(page.locator("[data-pod-id]")).to_have_count(12)  # Enter has launched nothing.


def test_typing_among_a_thousand_images_causes_no_long_frame(page: Page, open_notebook: OpenNotebook) -> None:
    records = [
        {"id": str(10**17 + n), "status": "RUNNING", "podName": f"pod-{n}", "image": f"registry.example/team/own-{n}:1"}
        for n in range(1000)
    ]
    with Sandbox(records=records) as sandbox:
        show_loaded_panel(open_notebook, sandbox)
        field = combobox(page, "Image")
        field.fill("")
        field.click()
        expect(page.get_by_text("more: type to narrow")).to_be_visible()
        page.wait_for_timeout(500)
        attempts = []
        for _ in range(3):  # On a busy machine, a frame is long whatever the page does.
            field.fill("")
            page.evaluate(LONG_FRAMES)
            field.press_sequentially("own-12", delay=80)
            page.wait_for_timeout(500)
            expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("own-129")
            attempts.append(page.evaluate("window.longFrames"))
            if not attempts[-1]:
                break
        assert attempts[-1] == [], attempts


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_in_the_panel(page: Page, panel_notebook: Notebook, theme: str) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core; install it with: npm ci")
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    try:
        expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        page.evaluate(AXE.read_text())
        assert violations(page) == []
        combobox(page, "GPU type").fill("T4")
        page.get_by_text("More options").click()
        page.get_by_role("button", name="Add a variable").click()
        page.get_by_role("button", name="Launch", exact=True).click()
        expect(page.locator("form").get_by_text("There is no GPU type")).to_be_visible()
        page.get_by_label("Select all pods shown").check()
        assert violations(page) == []
        page.get_by_role("button", name="Delete 11", exact=True).click()
        assert violations(page) == []
        page.get_by_role("button", name="Keep").click()
        page.get_by_label("Filter pods").fill("train")
        page.get_by_role("button", name="Open Jupyter of train-1").click()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()  # The pod accepts no key of the test.
        page.get_by_role("button", name="Show Jupyter password").click()
        expect(page.get_by_label("Jupyter password", exact=True)).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        for label in ("GPU type", "Image", "Region"):
            combobox(page, label).fill("")
            combobox(page, label).click()
            page.keyboard.press("ArrowDown")
            expect(page.get_by_role("listbox")).to_be_visible()
            assert violations(page) == []
            page.keyboard.press("Escape")
    finally:
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", "JupyterLab Light"
        )


def violations(page: Page) -> list[Any]:
    """Return what axe-core finds in the panel: rule, element and reason."""
    result = page.evaluate("axe.run('.yotta-panel', { resultTypes: ['violations'] })")
    return [
        (violation["id"], node["html"][:160], node["failureSummary"][:200])
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
