"""Help, suggestions for mistyped words, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidRequest, Sandbox, __version__
from yotta_jupyter.magics.commands import COMMANDS

Run = Callable[[str], Any]
Output = Callable[[str], str]


@pytest.mark.parametrize("line", ["", "-h", "help"])
def test_help_lists_every_command(captured_output: Output, line: str) -> None:
    output = captured_output(f"%yotta {line}")
    assert all(f"  {command.name}" in output for command in COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(captured_output: Output, name: str) -> None:
    assert f"usage: %yotta {name}" in captured_output(f"%yotta {name} -h")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lsit", "Did you mean list"),
        ("list --sttaus running", "Did you mean --status"),
        ("list --status runing", "Did you mean RUNNING"),
        ("sandbox strat", "Did you mean start"),
        ("wait train-1 --until sssh", "Did you mean SSH"),
        ("get", "%yotta list"),
        ("create pytorch", "%yotta gpus"),
        ("list surplus", "'surplus'"),
        ("get 'train", "quote"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(run: Run, sandbox: Sandbox, line: str, expected: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta {line}")
    assert expected in str(caught.value)
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("stop", "pause"), ("rm", "delete"), ("start", "resume"), ("ps", "list"), ("lsit", "list")],
)
def test_names_of_other_tools_are_suggested(captured_output: Output, name: str, suggestion: str) -> None:
    assert f"Did you mean {suggestion}?" in captured_output(f"%yotta {name} train-1")


def test_a_comment_is_not_an_argument(run: Run) -> None:
    assert run("%yotta get train-1  # the expensive one").name == "train-1"
    assert run("%yotta create pytorch --gpu L4 --name a#1").name == "a#1"


def test_an_error_is_one_line_and_fails_the_cell(captured_output: Output, connected: InteractiveShell) -> None:
    output = captured_output("%yotta lsit")
    assert output.strip().count("\n") == 0
    assert output.startswith("InvalidRequest: ")
    assert not connected.run_cell("%yotta lsit").success


def test_without_a_key_the_error_names_login_and_sandbox(shell: InteractiveShell) -> None:
    result = shell.run_cell("%yotta list")
    assert "%yotta login" in str(result.error_in_exec)
    assert "%yotta sandbox start" in str(result.error_in_exec)


@pytest.mark.parametrize("line", ["--version", "-V"])
def test_version(captured_output: Output, line: str) -> None:
    assert captured_output(f"%yotta {line}") == f"yotta_jupyter {__version__}"


@pytest.mark.parametrize("cell", ["%yotta list?", "%yotta list ?", "%yotta list??", "\n%yotta list?\n"])
def test_a_question_mark_shows_the_help_of_the_command(captured_output: Output, cell: str) -> None:
    assert captured_output(cell).startswith("usage: %yotta list")


def test_a_question_mark_elsewhere_is_left_to_ipython(captured_output: Output) -> None:
    assert "%yotta -h" in captured_output("%yotta?")
    assert captured_output("text = 'x?'\nprint(text)") == "x?"
