"""The sandbox command."""

from __future__ import annotations

import socket

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidRequest


def error_of(shell: InteractiveShell, cell: str) -> BaseException | None:
    return shell.run_cell(cell).error_in_exec


def test_the_sandbox_connects_the_magics_and_connect_until_it_is_stopped(shell: InteractiveShell) -> None:
    assert shell.run_cell("%yotta sandbox start --pods 5 --speed 50").success
    assert shell.run_cell("%yotta sandbox start --pods 5 --speed 50").success
    assert len(shell.run_cell("%yotta list").result) == 5
    assert shell.run_cell("from yotta_jupyter import connect; len(connect().pods.list())").result == 5
    assert "SANDBOX" in shell.run_cell("%yotta status").result
    assert shell.run_cell("%yotta sandbox stop").success
    assert not shell.run_cell("%yotta list").success


def test_default_options_are_the_same_options(shell: InteractiveShell) -> None:
    assert shell.run_cell("%yotta sandbox start").success
    assert "runs already" in shell.run_cell("%yotta sandbox start --pods 3 --seed 0").result
    assert "%yotta sandbox stop" in str(error_of(shell, "%yotta sandbox start --pods 4"))


def test_reset_restores_the_pods(shell: InteractiveShell) -> None:
    shell.run_cell("%yotta sandbox start --speed 1000")
    shell.run_cell("%yotta delete train-1 --yes --wait")
    assert "is reset" in shell.run_cell("%yotta sandbox reset").result
    assert list(shell.run_cell("%yotta list --name train-1").result["status"]) == ["RUNNING"]


@pytest.mark.parametrize("action", ["stop", "reset", "status"])
def test_without_a_sandbox_the_error_names_start(shell: InteractiveShell, action: str) -> None:
    assert "%yotta sandbox start" in str(error_of(shell, f"%yotta sandbox {action}"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("--pods many", "--pods is a number"), ("--speed 0", "speed"), ("--fault nonsense", "fault")],
)
def test_invalid_options_are_rejected(shell: InteractiveShell, flags: str, expected: str) -> None:
    error = error_of(shell, f"%yotta sandbox start {flags}")
    assert isinstance(error, InvalidRequest)
    assert expected in str(error)
    assert "No sandbox" in str(error_of(shell, "%yotta sandbox status"))


def test_a_port_in_use_is_reported(shell: InteractiveShell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = error_of(shell, f"%yotta sandbox start --port {server.getsockname()[1]}")
    assert "Leave --port out" in str(error)
