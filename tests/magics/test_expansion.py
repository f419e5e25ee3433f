"""Expansion of Python values in a line, and its split into arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import InvalidRequest, Sandbox
from yotta_jupyter.magics.expansion import MAX_LINE, split_line

Run = Callable[[str], Any]


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
def test_values_are_expanded(run: Run, setup: str, line: str) -> None:
    run(setup)
    assert run(f"%yotta {line}").name == "train-1"


def test_a_list_becomes_several_arguments(run: Run) -> None:
    run("names = ['train-1', 'notebook-1']")
    assert len(run("%yotta pause $names")) == 2


def test_local_variables_of_a_function_are_expanded(run: Run) -> None:
    run("def get(name):\n    return get_ipython().run_line_magic('yotta', 'get $name')")
    assert run("get('train-1')").name == "train-1"


@pytest.mark.parametrize("template", ["$name", '"$name"', "'{name}'", "--name=$name", "{name[0:40]}"])
@pytest.mark.parametrize("name", ["x y", "it's", 'a "b"', "$HOME {x} \\", "# no comment", "x --yes"])
def test_an_expanded_string_is_one_argument(template: str, name: str) -> None:
    prefix = "--name=" if "=" in template else ""
    assert split_line(f"get {template}", {"name": name}) == ["get", prefix + name]


@pytest.mark.parametrize("line", ["delete a $name", "delete a '{name}'", "delete a $names", "delete a {name[0:9]}"])
def test_an_expanded_value_is_never_a_flag(line: str) -> None:
    with pytest.raises(InvalidRequest, match="Write flags in the line"):
        split_line(line, {"name": "--yes", "names": ["b", "--yes"]})


def test_a_dict_is_not_expanded() -> None:
    with pytest.raises(InvalidRequest, match=r"write \{name\['key'\]\}"):
        split_line("create pytorch --env HF_TOKEN=$settings", {"settings": {"HF_TOKEN": "x"}})


def test_an_empty_list_is_an_error(run: Run, sandbox: Sandbox) -> None:
    run("none = %yotta list --name nothing-of-that-name")
    with pytest.raises(InvalidRequest, match="is empty: there is no pod to act on"):
        run("%yotta delete $none.index --yes")
    assert {request.method for request in sandbox.requests} == {"GET"}


@pytest.mark.parametrize("line", ["get $nowhere", "get {nowhere}", 'create x --gpu L4 --init "echo $HOMEDIR"'])
def test_an_undefined_variable_is_an_error(run: Run, sandbox: Sandbox, line: str) -> None:
    with pytest.raises(InvalidRequest, match="is not defined"):
        run(f"%yotta {line}")
    assert sandbox.requests == []


def test_the_exception_of_an_expression_is_not_kept() -> None:
    """It may contain a secret, and a traceback would show it."""
    with pytest.raises(InvalidRequest, match="cannot be expanded") as caught:
        split_line("get {int(name)}", {"name": "canary"})
    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("text", ['"echo $$HOME"', "'echo $HOME'"])
def test_a_dollar_sign_can_be_escaped(run: Run, text: str) -> None:
    body = run(f"%yotta create pytorch --gpu L4 --init {text} --dry-run")
    assert body["initializationCommand"] == "echo $HOME"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("list # all of them", ["list"]),
        ("list #all", ["list"]),
        ("list; # it's", ["list"]),
        ("# all", []),
        ("get '#' # x", ["get", "#"]),
        ("get 'a # b'", ["get", "a # b"]),
        ("create me/img#tag", ["create", "me/img#tag"]),
    ],
)
def test_a_comment_is_removed(line: str, expected: list[str]) -> None:
    assert split_line(line, {}) == expected


def test_a_line_that_is_too_long_is_an_error() -> None:
    with pytest.raises(InvalidRequest, match=r"--init \$text"):
        split_line("x" * (MAX_LINE + 1), {})


@pytest.mark.parametrize("expression", ["pods[mask].index", "pods[mask]", "pods.index[0]", "pods.head(1)"])
def test_a_subscript_after_a_dollar_advises_braces(run: Run, sandbox: Sandbox, expression: str) -> None:
    run("pods = %yotta list\nmask = pods.status == 'PAUSED'")
    count = len(sandbox.requests)
    with pytest.raises(InvalidRequest, match=r"For an expression write \{pods"):
        run(f"%yotta get ${expression}")
    assert len(sandbox.requests) == count
    run("%yotta get {" + expression + "}")


def test_a_bracket_is_text_where_nothing_is_expanded() -> None:
    assert split_line("create --name 'x$pods[1]' $$pods[1]", {"pods": 1}) == [
        "create",
        "--name",
        "x$pods[1]",
        "$pods[1]",
    ]
