"""Fixtures: an IPython shell with the extension, connected to a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

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
    """A function that runs a cell and returns its result, or raises its error."""

    def run(cell: str) -> Any:
        with capture_output():
            result: ExecutionResult = connected.run_cell(cell)
        result.raise_error()
        return result.result

    return run


@pytest.fixture
def captured_output(connected: InteractiveShell) -> Callable[[str], str]:
    """A function that runs a cell and returns all text that it shows."""

    def captured_output(cell: str) -> str:
        with capture_output() as captured:
            connected.run_cell(cell)
        displayed = [output.data.get("text/plain", "") for output in captured.outputs]
        return "\n".join([captured.stdout + captured.stderr, *displayed]).strip("\n")

    return captured_output


@pytest.fixture
def requests_to(sandbox: Sandbox) -> Callable[[str], list[Any]]:
    """A function that returns the requests that `sandbox` received at an endpoint, such as ``create``."""
    return lambda endpoint: [request for request in sandbox.requests if request.endpoint == endpoint]


@pytest.fixture
def pod_id(sandbox: Sandbox) -> str:
    """The id of train-1, a running pod of `sandbox`."""
    return next(pod["id"] for pod in sandbox.pods() if pod["podName"] == "train-1")


class PodShell:
    """An IPython shell, and a pod of a sandbox named train.

    Parameters
    ----------
    shell : InteractiveShell
    home : Path
        The home directory on the pod, which is a folder of this machine.
    """

    def __init__(self, shell: InteractiveShell, home: Path) -> None:
        self.shell = shell
        self.home = home

    def run(self, cell: str) -> tuple[Any, str]:
        """Run a cell. Return its result and what it printed, or raise its error."""
        with capture_output() as captured:
            result: ExecutionResult = self.shell.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result, captured.stdout + captured.stderr


@pytest.fixture(scope="module")
def pod_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodShell]:
    """A shell with its own sandbox, for all tests of a file."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config, colors="nocolor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        with capture_output():
            shell.run_cell("%load_ext yotta_jupyter\n%yotta sandbox start --speed 200")
            shell.run_cell("%yotta create pytorch --gpu L4 --name train --wait")
            shell.run_cell("home = %yotta sh train -- pwd")
        yield PodShell(shell, Path(shell.user_ns["home"].stdout.strip()))
    shell.run_line_magic("unload_ext", "yotta_jupyter")
    InteractiveShell.clear_instance()
