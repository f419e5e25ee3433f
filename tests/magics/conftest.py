"""A real IPython shell with the extension, connected to a sandbox."""

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
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    return shell


@pytest.fixture
def run(connected: InteractiveShell) -> Callable[[str], Any]:
    """Run a cell; return its result, or raise what it raised."""

    def run(cell: str) -> Any:
        with capture_output():
            result: ExecutionResult = connected.run_cell(cell)
        result.raise_error()
        return result.result

    return run


@pytest.fixture
def shown(connected: InteractiveShell) -> Callable[[str], str]:
    """Run a cell; return all the text that it shows."""

    def shown(cell: str) -> str:
        with capture_output() as captured:
            connected.run_cell(cell)
        displayed = [output.data.get("text/plain", "") for output in captured.outputs]
        return "\n".join([captured.stdout + captured.stderr, *displayed]).strip("\n")

    return shown
