"""What several tests of the panel use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

from yotta_jupyter import Pod, Sandbox
from yotta_jupyter.api.v1.decoding import decode_pod_lenient

from .jupyter_server import Notebook

OpenNotebook = Callable[..., Notebook]
THREAD_NAMES = "sorted(t.name for t in __import__('threading').enumerate() if 'yotta' in t.name)"


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


def fill_in(page: Page, **fields: str) -> None:
    """Fill in fields by label, such as ``GPU_type="L4"``."""
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def pod_of(record: dict[str, Any]) -> Pod:
    """Return the pod of a record of the API."""
    pod = decode_pod_lenient(record)
    assert pod is not None
    return pod
