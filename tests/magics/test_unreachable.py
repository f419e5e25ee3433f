"""Commands for a pod whose SSH server does not answer, although the API says that it does."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.remote.sshd import wait_until
from yotta_jupyter.remote import connection

Run = Callable[[str], Any]

COMMANDS = ["run train-1 -- 1", "attach train-1", "sh train-1 -- ls", "open train-1", "cp train-1:x ."]


def end_ssh_servers() -> None:
    """Kill the processes that stand for pods."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # Other processes of the pod may have ended.
            if "yotta_jupyter.sandbox.pod" in process.cmdline():
                process.kill()


@pytest.fixture
def unreachable(run: Run, pod_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SSH server of the pod train-1 end after a cell has run there."""
    run("%yotta run train-1 -- 1")
    remote = run("get_ipython().magics_manager.registry['YottaMagics'].session").client.remotes.get(pod_id)
    end_ssh_servers()
    wait_until(lambda: not remote.is_connected)
    monkeypatch.setattr(connection, "STATUS_DELAY", 0.05)


def run_to_error(shell: InteractiveShell, cell: str, *steps: tuple[str, Callable[[], None]]) -> tuple[str, str]:
    """Run a cell. Return what it printed, and its error as IPython shows it.

    Each step is a text and a function, which is called on another thread when the text is printed.
    """
    with capture_output() as captured:
        output = sys.stdout
        assert isinstance(output, io.StringIO)

        def follow() -> None:
            for printed, action in steps:
                wait_until(lambda printed=printed: printed in output.getvalue())
                action()

        thread = threading.Thread(target=follow)
        thread.start()
        result = shell.run_cell(cell)
        thread.join()
    error: Any = result.error_in_exec
    assert error is not None
    return captured.stdout, "\n".join(error._render_traceback_())


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_wait_is_visible_and_ends_with_what_to_do(
    connected: InteractiveShell, unreachable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.3)
    for command in COMMANDS:
        output, error = run_to_error(connected, f"%yotta {command}")
        assert "Pod train-1 does not answer on its SSH port, 0 s: connection refused; trying again until " in output
        assert error.startswith("PodUnreachable: Pod train-1 does not answer by SSH at 127.0.0.1:")
        assert "%yotta get train-1" in error
        assert "It still costs $" in error


def test_ctrl_c_while_connecting_is_one_line(connected: InteractiveShell, unreachable: None) -> None:
    for command in COMMANDS:
        _, error = run_to_error(connected, f"%yotta {command}", ("trying again until", press_ctrl_c))
        assert error == "ConnectInterrupted: Interrupted while connecting to pod train-1; nothing was sent to it."


def test_ctrl_c_while_a_cell_is_out_of_reach_says_that_it_goes_on(
    connected: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STATUS_DELAY", 0.05)
    cell = "%%yotta run train-1\nimport time\nprint('begun', flush=True)\ntime.sleep(60)"
    output, error = run_to_error(connected, cell, ("begun", end_ssh_servers), ("trying again until", press_ctrl_c))
    assert "The connection to pod train-1 was lost; connecting again." in output
    assert "Interrupting" not in output
    assert error.startswith("RemoteDetached: The cell could not be interrupted: no connection to pod ")
    assert "it goes on running there. See all of its output with: %yotta attach train-1 --run " in error
