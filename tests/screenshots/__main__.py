"""Take screenshots of the panel in JupyterLab."""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.panel.jupyter_server import PANEL, RESTART, JupyterServer, Notebook, chromium, connect_cell
from yotta_jupyter import Sandbox

README_IMAGE = Path(__file__).parents[2] / "docs" / "panel.png"
FOLDED_SIDEBAR_WIDTH = 900
"""CSS pixels of a page below which JupyterLab's side bar is folded."""


class Screenshots:
    """Takes screenshots of panels in new notebooks.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    jupyter : JupyterServer
    """

    def __init__(self, browser: Browser, jupyter: JupyterServer) -> None:
        self._browser, self._jupyter = browser, jupyter

    def take(
        self,
        path: Path,
        sandbox: Sandbox,
        prepare: Callable[[Page], None] = lambda page: None,
        width: int = 1280,
        dark: bool = False,
        height: int = 1200,
        whole_page: bool = False,
    ) -> None:
        """Show a panel and take a screenshot of it.

        Parameters
        ----------
        path : Path
        sandbox : Sandbox
        prepare : callable
            Brings the panel into a state.
        width, height : int
            Of the page, in CSS pixels.
        dark : bool, default False
            Whether to use JupyterLab's dark theme.
        whole_page : bool, default False
            Whether to include what is around the panel, such as lists that extend beyond its edge.
        """
        page = self._browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1.5)
        name = f"{path.stem}.ipynb"
        notebook = Notebook(page, self._jupyter, name, [connect_cell(sandbox), PANEL])
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        page.evaluate("theme => window.jupyterapp?.commands.execute('apputils:change-theme', { theme })", theme)
        if width < FOLDED_SIDEBAR_WIDTH:
            page.evaluate("window.jupyterapp?.commands.execute('application:toggle-left-area')")
        notebook.run(0)
        notebook.run(1)
        region = page.get_by_role("region", name="Yotta pods")
        expect(region.get_by_text("in all")).to_be_visible()
        expect(region.get_by_text("Listing your pods…")).to_be_hidden()
        prepare(page)
        page.mouse.move(0, 0)
        if whole_page:
            page.screenshot(path=path)
        else:
            region.scroll_into_view_if_needed()
            region.screenshot(path=path)
        page.close()


def _fill_in(page: Page) -> None:
    page.get_by_label("GPU type", exact=True).fill("L4")
    page.get_by_label("Name", exact=True).fill("my-run")
    expect(page.get_by_text("an estimate of $")).to_be_visible()


def _show_pending_actions(page: Page) -> None:
    page.get_by_label("Select train-1").check()
    page.get_by_label("Select finetune-1").check()
    page.get_by_role("button", name="Delete train-2", exact=True).click()
    page.get_by_role("button", name="Pause eval-1").click()
    _fill_in(page)


def _show_form_errors(page: Page) -> None:
    page.get_by_label("GPU type", exact=True).fill("T4")
    page.get_by_label("Image", exact=True).fill("pytroch")
    page.get_by_label("Region", exact=True).fill("us-wset-1")
    page.get_by_label("Name", exact=True).fill("train-1")
    page.get_by_text("More options").click()
    page.get_by_label("Ports").fill("22/SHS")
    page.get_by_role("button", name="Add a variable").click()
    page.get_by_role("checkbox", name="private registry").check()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("There is no image")).to_be_visible()


def _show_differing_name(page: Page) -> None:
    page.get_by_label("GPU type", exact=True).fill("H200")
    page.get_by_label("Name", exact=True).fill("train-1")
    expect(page.get_by_text("Launch another pod of this name")).to_be_visible()


def _show_options(label: str, text: str = "") -> Callable[[Page], None]:
    def show(page: Page) -> None:
        field = page.get_by_role("combobox", name=label, exact=True)
        field.click()
        if text:
            field.press_sequentially(text)
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("listbox")).to_be_visible()

    return show


def _show_pause_confirmation(page: Page) -> None:
    page.get_by_label("Select all pods shown").check()
    page.get_by_role("button", name=re.compile(r"^Pause \d+$")).click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()


def _show_kernel_gone(page: Page) -> None:
    page.get_by_role("button", name="Delete train-2", exact=True).click()
    page.evaluate(RESTART)
    expect(page.get_by_role("alert")).to_be_visible()


def _show_confirmation(page: Page) -> None:
    page.get_by_label("Select all pods shown").check()
    page.get_by_role("button", name=re.compile(r"^Delete \d+$")).click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()


def _show_undo(page: Page) -> None:
    _show_confirmation(page)
    page.get_by_role("button", name=re.compile(r"^Delete \d+ pods$")).click()
    expect(page.get_by_role("button", name="Undo delete of")).to_be_focused()


def _show_jupyter_error(page: Page) -> None:
    page.get_by_role("button", name="Open Jupyter of train-1").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Show Jupyter password").click()
    expect(page.get_by_label("Jupyter password", exact=True)).to_be_visible()


def _show_connecting(page: Page) -> None:
    _launch(page)
    page.get_by_role("button", name="Open its Jupyter").click()
    expect(page.get_by_text("Connecting…")).to_be_visible()


def _show_jupyter_link(page: Page) -> None:
    _launch(page)
    page.evaluate("window.open = () => null")
    page.get_by_role("button", name="Open Jupyter of my-run").click()
    expect(page.get_by_role("link", name="Open Jupyter of my-run")).to_be_visible(timeout=60_000)


def _launch(page: Page) -> None:
    _fill_in(page)
    page.get_by_role("button", name="Launch", exact=True).click()
    page.mouse.move(0, 0)
    button = page.get_by_role("button", name="Open its Jupyter")
    expect(button).to_be_enabled(timeout=60_000)


def _show_failed_action(page: Page) -> None:
    page.get_by_role("button", name="Resume finetune-1").click()
    page.get_by_role("button", name="Pause train-1").click()
    expect(page.get_by_role("button", name="Dismiss").first).to_be_visible()


def _show_pause_note(page: Page) -> None:
    page.get_by_role("button", name="Pause notebook-1").click()
    expect(page.get_by_text("A pause may erase").first).to_be_visible()


def _show_filters(page: Page) -> None:
    page.get_by_label("Filter pods").fill("train")
    page.get_by_label("Filter by status").select_option("RUNNING")
    expect(page.get_by_role("button", name="Clear filters")).to_be_visible()


class View(NamedTuple):
    """A state of the panel.

    Attributes
    ----------
    name : str
    prepare : callable
        Brings the panel into the state.
    faults : tuple of str
        Of the sandbox.
    """

    name: str
    prepare: Callable[[Page], None]
    faults: tuple[str, ...] = ()


VIEWS = [
    View("plain", lambda page: None),
    View("pending-actions", _show_pending_actions),
    View("gpu-options", _show_options("GPU type")),
    View("gpu-typed", _show_options("GPU type", "4090")),
    View("image-options", _show_options("Image")),
    View("region-options", _show_options("Region")),
    View("confirmation", _show_confirmation),
    View("pause-confirmation", _show_pause_confirmation),
    View("kernel-gone", _show_kernel_gone),
    View("undo", _show_undo),
    View("jupyter-connecting", _show_connecting),
    View("jupyter-link", _show_jupyter_link),
    View("jupyter-error", _show_jupyter_error),
    View("filters", _show_filters),
    View("errors", _show_form_errors),
    View("name-taken", _show_differing_name),
    View("pause-note", _show_pause_note),
    View("failed-action", _show_failed_action, ("pause:code=10002",)),
]

WIDTHS = (400, 800, 1400)
"""CSS pixels."""


def _take_all(screenshots: Screenshots, folder: Path, text: str = "") -> None:
    """Take the screenshots whose name contains a text."""
    for theme in ("light", "dark"):
        dark = theme == "dark"
        for width in WIDTHS:
            for view in VIEWS:
                path = folder / f"{view.name}-{width}-{theme}.png"
                if text in path.stem:
                    with Sandbox(pods=12, speed=20, faults=list(view.faults)) as sandbox:
                        screenshots.take(path, sandbox, view.prepare, width, dark, height=1500, whole_page=True)
        for pods in (0, 1, 1000):
            path = folder / f"{pods}-pods-{theme}.png"
            if text in path.stem:
                with Sandbox(pods=pods) as sandbox:
                    screenshots.take(path, sandbox, dark=dark)


def main() -> None:
    """Take the screenshots that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, help="take all states of the panel; without it, update the README"
    )
    parser.add_argument("text", nargs="?", default="", help="take only the states whose name contains this text")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        jupyter = JupyterServer(Path(home))
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        screenshots = Screenshots(browser, jupyter)
        try:
            if arguments.folder:
                arguments.folder.mkdir(parents=True, exist_ok=True)
                _take_all(screenshots, arguments.folder, arguments.text)
            else:
                with Sandbox(pods=12) as sandbox:
                    screenshots.take(README_IMAGE, sandbox, _show_pending_actions)
        finally:
            browser.close()
            jupyter.close()


if __name__ == "__main__":
    main()
