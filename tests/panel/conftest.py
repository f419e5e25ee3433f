"""What the panel's tests share: a server for all, a page and a notebook for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .jupyter import Jupyter, Notebook, chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip without a browser, but not where CI counts on it."""
    if chromium() or os.environ.get("CI"):
        return
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="there is no chromium here: apt-get install chromium"))


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    server = Jupyter(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = {"args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(executable_path=chromium(), **options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[Page]:
    """One tab of the browser for all tests: JupyterLab takes seconds to load."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    yield tab
    if tab.locator(".jp-Dialog").count():  # Whatever a test that failed has left.
        tab.goto("about:blank")


@pytest.fixture
def notebook(page: Page, jupyter: Jupyter) -> Iterator[Callable[..., Notebook]]:
    """Open a new notebook with these cells, and close the one before."""
    opened: list[Notebook] = []

    def opens(*cells: str, app: str = "lab") -> Notebook:
        for each in opened:
            each.close()
        name = f"{uuid.uuid4().hex}.ipynb"
        opened.append(Notebook(page, jupyter, name, list(cells), app))
        return opened[-1]

    yield opens
    for each in opened:
        each.close()
    for session in jupyter.get("/api/sessions"):
        jupyter.get(f"/api/sessions/{session['id']}", "DELETE")
