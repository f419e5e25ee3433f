"""Fixtures: one Jupyter server and one browser tab for all tests, and a notebook for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from yotta_jupyter import Client
from yotta_jupyter.panel.state import PanelState

from .helpers import OpenNotebook
from .jupyter_server import JupyterServer, Notebook, SharedKernel, chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests without a browser; in CI they fail instead."""
    if chromium() or os.environ.get("CI"):
        return
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="no chromium; install it with: apt-get install chromium"))


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def kernel(jupyter: JupyterServer) -> SharedKernel:
    return SharedKernel(jupyter)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for the tests of this package. While it is open, `asyncio.run` fails on this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def tab(browser: Browser) -> Iterator[Page]:
    """One browser tab for all tests, because JupyterLab loads for seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def state(yotta: Client) -> PanelState:
    """The state of a panel after the first listing."""
    state = PanelState()
    state.apply_listing(yotta.pods.list(), requested_at=0.0)
    return state


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    yield tab
    for other in tab.context.pages:
        if other != tab:  # A new tab hides this one, whose timers then run once a second.
            other.close()
    if tab.locator(".jp-Dialog").count():  # Left open by a failed test.
        tab.goto("about:blank")


@pytest.fixture
def open_notebook(page: Page, jupyter: JupyterServer, kernel: SharedKernel) -> Iterator[OpenNotebook]:
    """Open a new notebook with the given cells, and close the one before. All use one kernel, which is reset."""
    notebooks: list[Notebook] = []

    def open_notebook(*cells: str, app: str = "lab") -> Notebook:
        for notebook in notebooks:
            notebook.close()
        name = f"{uuid.uuid4().hex}.ipynb"
        kernel.attach(name)
        notebooks.append(Notebook(page, jupyter, name, list(cells), app))
        return notebooks[-1]

    yield open_notebook
    for notebook in notebooks:
        notebook.close()
