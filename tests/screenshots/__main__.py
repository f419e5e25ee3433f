"""Takes screenshots of the panel in JupyterLab: ``python -m tests.screenshots`` that of the README, with FOLDER all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.panel.jupyter_server import PANEL, JupyterServer, Notebook, chromium, connect_cell
from yotta_jupyter import Sandbox

README = Path(__file__).parents[2] / "docs" / "panel.png"


class Camera:
    """Takes screenshots of panels.

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
        height: int = 1000,
    ) -> None:
        """Show a panel, prepare it, and take its screenshot."""
        page = self._browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1.5)
        name = f"{path.stem}.ipynb"
        notebook = Notebook(page, self._jupyter, name, [connect_cell(sandbox), PANEL])
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        page.evaluate("theme => window.jupyterapp?.commands.execute('apputils:change-theme', { theme })", theme)
        if width < 900:
            page.evaluate("window.jupyterapp?.commands.execute('application:toggle-left-area')")
        notebook.run(0)
        notebook.run(1)
        region = page.get_by_role("region", name="Yotta pods")
        expect(region.get_by_text("in all")).to_be_visible()
        expect(region.get_by_text("Listing your pods…")).to_be_hidden()
        prepare(page)
        region.scroll_into_view_if_needed()
        region.screenshot(path=path)
        page.close()


def _show_form_errors(page: Page) -> None:
    page.get_by_text("More options").click()
    page.get_by_label("Ports").fill("22/SHS")
    page.get_by_role("button", name="Add a variable").click()
    page.get_by_role("checkbox", name="private registry").check()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("Choose an image")).to_be_visible()


def _show_actions(page: Page) -> None:
    page.get_by_label("Select train-1").check()
    page.get_by_label("Select finetune-1").check()
    page.get_by_role("button", name="Delete train-2", exact=True).click()
    page.get_by_role("button", name="Pause eval-1").click()
    page.get_by_label("GPU type").fill("NVIDIA_L4_24G")
    page.get_by_label("Image", exact=True).fill("pytorch")
    page.get_by_label("Name", exact=True).fill("my-run")
    expect(page.get_by_text("an estimate of $")).to_be_visible()


def _show_failed_refresh(page: Page) -> None:
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def _show_failed_action(page: Page) -> None:
    page.get_by_role("button", name="Pause train-1").click()
    expect(page.get_by_role("button", name="Dismiss").first).to_be_visible()


def _take_all(camera: Camera, folder: Path) -> None:
    for pods in (0, 1, 12, 1000):
        for theme in ("light", "dark"):
            with Sandbox(pods=pods) as sandbox:
                camera.take(folder / f"{pods}-pods-{theme}.png", sandbox, dark=theme == "dark")
    narrow: dict[str, Any] = {"width": 500, "height": 1600}
    views: list[tuple[str, Callable[[Page], None], dict[str, Any]]] = [
        ("acting", _show_actions, {}),
        ("acting-dark", _show_actions, {"dark": True}),
        ("errors", _show_form_errors, {"height": 1400}),
        ("errors-dark-narrow", _show_form_errors, {**narrow, "dark": True}),
        ("narrow", lambda page: None, narrow),
        ("wide", lambda page: None, {"width": 1900}),
        ("refused", _show_failed_action, {}),
        ("refused-narrow", _show_failed_action, narrow),
    ]
    for name, prepare, options in views:
        with Sandbox(pods=12, faults=["pause:code=10002"]) as sandbox:
            camera.take(folder / f"{name}.png", sandbox, prepare, **options)
    with Sandbox(pods=12) as sandbox:

        def prepare(page: Page) -> None:
            sandbox.add_fault("list:status=503")
            _show_failed_refresh(page)

        camera.take(folder / "down.png", sandbox, prepare)


def main() -> None:
    """Take the README's screenshot, or all into a folder."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        jupyter = JupyterServer(Path(home))
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        camera = Camera(browser, jupyter)
        try:
            if len(sys.argv) > 1:
                folder = Path(sys.argv[1])
                folder.mkdir(parents=True, exist_ok=True)
                _take_all(camera, folder)
            else:
                with Sandbox(pods=12) as sandbox:
                    camera.take(README, sandbox, _show_actions)
        finally:
            browser.close()
            jupyter.close()


if __name__ == "__main__":
    main()
