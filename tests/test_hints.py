"""Advice that names ``%yotta`` commands."""

from __future__ import annotations

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, WaitTimeout
from yotta_jupyter.errors import NameTaken, UnknownName
from yotta_jupyter.hints import add_advice, command_name, describe
from yotta_jupyter.models import Pod

ID = "331864222263676928"
PODS = [Pod(id=ID, pod_name="train", status="RUNNING"), Pod(id="2", pod_name="a b", status="RUNNING")]


def test_an_unknown_name_advises_as_typed() -> None:
    error = UnknownName("There is no GPU type 'T4' here. Closest: NVIDIA_L4_24G.", field="gpu_type")
    assert describe(error).endswith("add --as-typed to send the name unchanged.")


def test_a_taken_name_advises_another() -> None:
    error = NameTaken("2 live pods are named train: 1 (RUNNING), 2 (PAUSED).", tuple(PODS))
    assert describe(error).endswith("Choose another --name, or add --another to create one more.")


def test_a_missing_field_names_its_flag() -> None:
    assert "--gpu" in describe(InvalidRequest("create requires gpu_type.", field="gpu_type"))


@pytest.mark.parametrize(
    ("pods", "name"),
    [
        (PODS, "train"),
        ([], ID),
        ([PODS[0], Pod(id="3", pod_name="train")], ID),
        ([PODS[0], Pod(id="train", pod_name="other")], ID),
    ],
)
def test_commands_name_a_pod_by_its_unique_name(pods: list[Pod], name: str) -> None:
    error = InvalidPodState(None, None, "It is PAUSED.", pod_id=ID, pod_status="PAUSED")
    assert describe(error, pods) == f"It is PAUSED. Resume it with: %yotta resume {name} --wait"


@pytest.mark.parametrize(
    ("pod_name", "word"), [("a b", "'a b'"), ("-x", "1"), ("x\n", "1"), ("", "1"), ("{x}", "'{{x}}'")]
)
def test_a_name_is_one_word_of_a_command(pod_name: str, word: str) -> None:
    assert command_name(Pod(id="1", pod_name=pod_name), []) == word


def test_all_pods_of_a_wait_are_named() -> None:
    error = WaitTimeout(PODS[0], 5.0, "PAUSED")
    add_advice(error, PODS)
    assert error.advice == "Stop it with %yotta pause train, or continue waiting with %yotta wait train --until paused"
