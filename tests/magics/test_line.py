"""The line behind ``%yotta``: help, suggestions, Python values, and how errors look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidRequest, Sandbox
from yotta_jupyter.magics.dispatch import COMMANDS
from yotta_jupyter.magics.line import words

Run = Callable[[str], Any]
Shown = Callable[[str], str]


@pytest.mark.parametrize("line", ["", "-h", "help"])
def test_help_lists_every_command(shown: Shown, line: str) -> None:
    text = shown(f"%yotta {line}")
    assert all(f"  {command.name}" in text for command in COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(shown: Shown, name: str) -> None:
    assert f"usage: %yotta {name}" in shown(f"%yotta {name} -h")


@pytest.mark.parametrize(
    ("line", "told"),
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
def test_what_is_mistyped_gets_a_suggestion(run: Run, sandbox: Sandbox, line: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta {line}")
    assert told in str(caught.value)
    assert sandbox.requests == []


def test_a_comment_is_no_argument(run: Run) -> None:
    assert run("%yotta get train-1  # the one that costs").name == "train-1"
    assert run("%yotta create pytorch --gpu L4 --name a#1").name == "a#1"


def test_an_error_is_one_line_and_fails_the_cell(shown: Shown, connected: InteractiveShell) -> None:
    text = shown("%yotta lsit")
    assert text.strip().count("\n") == 0
    assert text.startswith("InvalidRequest: ")
    assert not connected.run_cell("%yotta lsit").success


@pytest.mark.parametrize(
    ("setup", "line"),
    [
        ("name = 'train-1'", "get $name"),
        ("name = 'train-1'", "get {name}"),
        ("pods = %yotta list", "get {pods.index[0]}"),
        ("pods = %yotta list --name train-1", "get $pods"),
        ("pods = %yotta list --name train-1", "get $pods.index"),
        ("pod = %yotta get train-1", "get $pod"),
    ],
)
def test_python_values_are_filled_in(run: Run, setup: str, line: str) -> None:
    run(setup)
    assert run(f"%yotta {line}").name == "train-1"


def test_a_list_becomes_several_words(run: Run) -> None:
    run("names = ['train-1', 'notebook-1']")
    assert len(run("%yotta pause $names")) == 2


@pytest.mark.parametrize("written", ["$name", '"$name"', "'{name}'", "--name=$name"])
@pytest.mark.parametrize("name", ["x y", "it's", 'a "b"', "$HOME {x} \\", "# no comment", "x --yes"])
def test_a_text_that_is_filled_in_is_one_word(written: str, name: str) -> None:
    prefix = "--name=" if "=" in written else ""
    assert words(f"get {written}", {"name": name}) == ["get", prefix + name]


def test_a_dict_is_not_filled_in() -> None:
    with pytest.raises(InvalidRequest, match=r"write \{name\['key'\]\}"):
        words("create pytorch --env HF_TOKEN=$settings", {"settings": {"HF_TOKEN": "x"}})


@pytest.mark.parametrize("line", ["delete a $name", "delete a '{name}'", "delete a $names"])
def test_what_is_filled_in_is_no_flag(line: str) -> None:
    with pytest.raises(InvalidRequest, match="Write flags in the line"):
        words(line, {"name": "--yes", "names": ["b", "--yes"]})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("list # all of them", ["list"]),
        ("list #all", ["list"]),
        ("list; # it's", ["list"]),
        ("get '#' # x", ["get", "#"]),
        ("get 'a # b'", ["get", "a # b"]),
        ("create me/img#tag", ["create", "me/img#tag"]),
    ],
)
def test_a_comment_is_what_follows_an_unquoted_sign(line: str, expected: list[str]) -> None:
    assert words(line, {}) == expected


def test_an_empty_list_is_told_and_nothing_is_sent(run: Run, sandbox: Sandbox) -> None:
    run("none = %yotta list --name nothing-of-that-name")
    with pytest.raises(InvalidRequest, match="is empty: there is no pod to act on"):
        run("%yotta delete $none.index --yes")
    assert {request.method for request in sandbox.requests} == {"GET"}


def test_a_function_sees_its_own_variables(run: Run) -> None:
    run("def look(which):\n    return get_ipython().run_line_magic('yotta', 'get $which')")
    assert run("look('train-1')").name == "train-1"


@pytest.mark.parametrize("line", ["get $nowhere", "get {nowhere}", 'create x --gpu L4 --init "echo $HOMEDIR"'])
def test_what_is_not_defined_is_an_error(run: Run, sandbox: Sandbox, line: str) -> None:
    with pytest.raises(InvalidRequest):
        run(f"%yotta {line}")
    assert sandbox.requests == []


@pytest.mark.parametrize("text", ['"echo $$HOME"', "'echo $HOME'"])
def test_a_dollar_sign_can_be_written(run: Run, text: str) -> None:
    body = run(f"%yotta create pytorch --gpu L4 --init {text} --dry-run")
    assert body["initializationCommand"] == "echo $HOME"


def test_no_key_names_both_ways_to_go_on(shell: InteractiveShell) -> None:
    result = shell.run_cell("%yotta list")
    assert "%yotta login" in str(result.error_in_exec)
    assert "%yotta sandbox start" in str(result.error_in_exec)


def test_the_sandbox_connects_the_notebook_and_connect_until_it_is_stopped(shell: InteractiveShell) -> None:
    assert shell.run_cell("%yotta sandbox start --pods 5 --speed 50").success
    assert shell.run_cell("%yotta sandbox start --pods 5 --speed 50").success
    assert len(shell.run_cell("%yotta list").result) == 5
    assert shell.run_cell("from yotta_jupyter import connect; len(connect().pods.list())").result == 5
    assert "SANDBOX" in shell.run_cell("%yotta status").result
    assert shell.run_cell("%yotta sandbox stop").success
    assert not shell.run_cell("%yotta list").success


def test_unload_takes_everything_away(shell: InteractiveShell) -> None:
    shell.run_cell("%yotta sandbox start")
    sandbox = shell.magics_manager.registry["YottaMagics"].session.sandbox
    shell.run_cell("%reload_ext yotta_jupyter")
    assert not sandbox.running
    assert len(shell.Completer.custom_matchers) == 1
    shell.run_cell("%unload_ext yotta_jupyter")
    assert "yotta" not in shell.magics_manager.magics["line"]
    assert shell.Completer.custom_matchers == []
