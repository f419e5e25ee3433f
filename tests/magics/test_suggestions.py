"""Suggestions for commands that do not exist: they help, and never point at harm."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import InvalidRequest, Sandbox
from yotta_jupyter.magics.commands import COMMANDS, command_names
from yotta_jupyter.magics.suggestions import _SYNONYMS, ADVICE, RISKY_COMMANDS, suggest_command
from yotta_jupyter.spelling import is_one_edit_apart

Run = Callable[[str], Any]

WORDS = """
able about activate add apply archive back backup bench boot box browse build buy cache cancel card cause check clean
clear clone close cloud code compare compose config configure cost-report count cpu credits crash cuda data debug
default defeat delay deliver delta deploy detach detail device dilute disk docker doctor done edit elite empty end env
error estimate eta evict exit expire export fetch file find finish fix flush folder free freeze get-pods gone grab
group health hello hibernate history host hours image import init install invoice join keep keys label last leave lease
limits link live load lock machine make manage map mount name network next node order own park parse paste patch path
pay pending ping plan play pod pool power print prune publish quit quota queue rate read ready reap recover region
release reload relate rename renew repair replace report request reserve retry return reuse revert save scale search
select send serve session set setup share size sleep snapshot ssd ssh-key stash state storage store submit-job swap
switch tag task team template test time token train transfer trash type undo uninstall update upgrade use user version
view volume vram wake warm wipe worker write zero zone
"""


def random_words(count: int) -> list[str]:
    rng = random.Random(12)
    return ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))) for _ in range(count)]


@pytest.mark.parametrize("word", [*random_words(200), *WORDS.split()])
def test_no_changing_command_is_suggested_by_spelling_alone(word: str) -> None:
    suggestion, _ = suggest_command(word, command_names())
    if word in ADVICE or word in _SYNONYMS:
        return
    for command in RISKY_COMMANDS:
        assert command not in suggestion or is_one_edit_apart(word, command)


@pytest.mark.parametrize("word", ADVICE)
def test_no_advice_names_delete(word: str) -> None:
    assert "delete" not in ADVICE[word]
    assert "Did you mean" not in ADVICE[word]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("exec", "%%yotta run POD"),
        ("logs", "console"),
        ("runs", "%yotta attach POD --list"),
        ("undo", "Nothing can be undone"),
        ("profile", "%yotta login --profile P"),
        ("config", "%yotta login --profile P"),
        ("connect", "%yotta ssh POD"),
        ("terminal", "%yotta ssh POD"),
        ("shell", "%yotta ssh POD"),
        ("idle", "%yotta guard"),
        ("autostop", "%yotta guard"),
        ("spend", "%yotta cost"),
        ("budget", "%yotta guard"),
        ("scp", "%yotta cp"),
        ("tunnel", "%yotta open"),
        ("stop", "Did you mean pause?"),
        ("rm", "Did you mean delete?"),
        ("delet", "Did you mean delete?"),
        ("delte", "Did you mean delete?"),
        ("puase", "Did you mean pause?"),
        ("creat", "Did you mean create?"),
        ("lsit", "Did you mean list?"),
    ],
)
def test_words_that_people_try_get_what_fits(run: Run, sandbox: Sandbox, word: str, expected: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta {word} train-1")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sandbox.requests == []


def test_the_table_names_existing_commands_and_flags() -> None:
    commands = {command.name: command for command in COMMANDS}
    assert set(_SYNONYMS.values()) <= set(commands)
    assert not set(command_names()) & {*_SYNONYMS, *ADVICE}
    for advice in ADVICE.values():
        for name, flag in re.findall(r"%yotta ([a-z]+)(?: POD)?(?: (--[a-z]+))?", advice):
            assert flag in ("", *commands[name].parser().flags())


def test_a_mistyped_flag_never_becomes_yes(run: Run) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run("%yotta delete train-1 --keys")
    assert "--yes" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("delet", "delete", True),
        ("deelte", "delete", True),
        ("dalete", "delete", True),
        ("ddelete", "delete", True),
        ("delete", "delete", False),
        ("dlet", "delete", False),
        ("etdele", "delete", False),
        ("", "a", True),
        ("", "", False),
    ],
)
def test_one_edit_apart(first: str, second: str, expected: bool) -> None:
    assert is_one_edit_apart(first, second) is expected
    assert is_one_edit_apart(second, first) is expected
