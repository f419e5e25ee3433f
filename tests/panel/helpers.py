"""Helpers of the tests of the panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

from yotta_jupyter import Pod, Sandbox
from yotta_jupyter.api.v1.decoding import decode_pod_lenient
from yotta_jupyter.panel.state import PanelState

from .jupyter_server import PANEL, Notebook, connect_cell

OpenNotebook = Callable[..., Notebook]

THREAD_NAMES = "sorted(t.name for t in __import__('threading').enumerate() if 'yotta' in t.name)"
"""An expression for a cell."""


def show_panel(open_notebook: OpenNotebook, sandbox: Sandbox, *further_cells: str, app: str = "lab") -> Notebook:
    """Open a notebook, connect it to a sandbox and show the panel. `further_cells` have the numbers from 2."""
    notebook = open_notebook(connect_cell(sandbox), PANEL, *further_cells, app=app)
    notebook.run(0)
    notebook.run(1)
    return notebook


def row(page: Page, name: str) -> Locator:
    """Return the row of the pod with a name."""
    table = page.get_by_role("table", name="Pods")
    return table.locator("[data-pod-id]").filter(has=page.get_by_text(name, exact=True))


def requests_to(sandbox: Sandbox, endpoint: str) -> list[Any]:
    """Return the requests that a sandbox received at an endpoint, such as ``create``."""
    return [request for request in sandbox.requests if request.endpoint == endpoint]


def status_of(sandbox: Sandbox, name: str) -> str:
    """Return the status of the pod with a name."""
    return next(pod["status"] for pod in sandbox.pods() if pod["podName"] == name)


def id_of(state: PanelState, name: str) -> str:
    """Return the id of the pod with a name."""
    return next(pod.id for pod in state.pods.values() if pod.name == name)


def fill_in(page: Page, **fields: str) -> None:
    """Fill in fields by label, such as ``GPU_type="L4"``."""
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def pod_of(record: dict[str, Any]) -> Pod:
    """Return the pod of a record of the API."""
    pod = decode_pod_lenient(record)
    assert pod is not None
    return pod
