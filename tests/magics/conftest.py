"""Fixtures: an IPython shell with the extension, connected to a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output

from yotta_jupyter import Sandbox


@pytest.fixture
def shell(bare_shell: InteractiveShell) -> Iterator[InteractiveShell]:
    bare_shell.run_line_magic("load_ext", "yotta_jupyter")
    yield bare_shell
    bare_shell.run_line_magic("unload_ext", "yotta_jupyter")


@pytest.fixture
def connected(shell: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """The shell, configured for `sandbox`."""
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    return shell


@pytest.fixture
def run(connected: InteractiveShell) -> Callable[[str], Any]:
    """Run a cell; return its result or raise its error."""

    def run(cell: str) -> Any:
        with capture_output():
            result: ExecutionResult = connected.run_cell(cell)
        result.raise_error()
        return result.result

    return run


@pytest.fixture
def captured_output(connected: InteractiveShell) -> Callable[[str], str]:
    """Run a cell; return all text that it shows."""

    def captured_output(cell: str) -> str:
        with capture_output() as captured:
            connected.run_cell(cell)
        displayed = [output.data.get("text/plain", "") for output in captured.outputs]
        return "\n".join([captured.stdout + captured.stderr, *displayed]).strip("\n")

    return captured_output


@pytest.fixture
def requests_to(sandbox: Sandbox) -> Callable[[str], list[Any]]:
    """Return the requests that `sandbox` received at an endpoint, such as ``create``."""
    return lambda endpoint: [request for request in sandbox.requests if request.endpoint == endpoint]


@pytest.fixture
def pod_id(sandbox: Sandbox) -> str:
    """The id of train-1, a running pod of `sandbox`."""
    return next(pod["id"] for pod in sandbox.pods() if pod["podName"] == "train-1")
