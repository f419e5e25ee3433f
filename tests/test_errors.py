"""Errors carry facts, fit on one line, and give the next step for Python callers."""

import copy
import inspect
import pickle

import pytest

import yotta_jupyter
from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    CommandFailed,
    ConnectInterrupted,
    ConnectionFailed,
    CopyInterrupted,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    NameTaken,
    Pod,
    PodNotFound,
    PodUnreachable,
    RemoteDetached,
    RemoteError,
    RemoteUnavailable,
    RequestInterrupted,
    RunInterrupted,
    ServerError,
    TransferInterrupted,
    UnexpectedResponse,
    UnknownName,
    UnsupportedValue,
    UnusableKey,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
    errors,
)

URL = "https://api.example.org"
RUNNING = Pod(id="123", pod_name="train", status="RUNNING", single_card_price=0.6, gpu_count=1)
ERRORS = {
    "YottaError": YottaError("It failed.", advice="Do it again.", base_url=URL),
    "InvalidRequest": InvalidRequest("create requires image.", field="image", advice="Add it."),
    "UnknownName": UnknownName("There is no GPU type 'T4' here.", field="gpu_type"),
    "NameTaken": NameTaken("Pod train exists and differs.", (RUNNING,)),
    "UnusableKey": UnusableKey("The SSH key k does not exist.", advice="Name another key with ssh_key."),
    "UnsupportedValue": UnsupportedValue("model cannot be pushed: its dtype is object.", advice="Copy a file."),
    "ConnectionFailed": ConnectionFailed(f"{URL} refuses connections.", False, method="GET", base_url=URL),
    "UnexpectedResponse": UnexpectedResponse("The body is empty.", 502, advice="Check the address.", base_url=URL),
    "ApiError": ApiError(10001, 400, "Refused.", advice="Check it.", base_url=URL),
    "AuthenticationError": AuthenticationError(None, 401, "Refused.", base_url=URL),
    "PodNotFound": PodNotFound(13000, 200, "There is no pod 123.", pod_id="123", may_be_duplicate=True),
    "InvalidPodState": InvalidPodState(12001, 200, "Pod 123 is PAUSED.", pod_id="123", pod_status="PAUSED"),
    "ServerError": ServerError(10002, 500, "Failed."),
    "CreateOutcomeUnknown": CreateOutcomeUnknown("1b4e28ba", "no response within 60 s."),
    "WaitTimeout": WaitTimeout(RUNNING, 900.0, "SSH"),
    "WaitInterrupted": WaitInterrupted(RUNNING, Pod(id="124", status="PAUSED"), target="SSH"),
    "RemoteError": RemoteError("ZeroDivisionError", "division by zero"),
    "CommandFailed": CommandFailed(3),
    "RemoteUnavailable": RemoteUnavailable("Pod 123 has no Python.", advice="Install it.", pod_id="123"),
    "PodUnreachable": PodUnreachable("Pod 123 does not answer.", "123"),
    "ConnectInterrupted": ConnectInterrupted("train"),
    "RemoteDetached": RemoteDetached("7f3a", "123"),
    "RunInterrupted": RunInterrupted("train"),
    "TransferInterrupted": TransferInterrupted("The pull was interrupted.", "Pull it again."),
    "CopyInterrupted": CopyInterrupted(),
    "RequestInterrupted": RequestInterrupted("pause", RUNNING),
}
all_errors = pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)


def test_each_error_class_is_tested_and_public():
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
    ]
    assert classes == list(ERRORS)
    assert set(classes) <= set(yotta_jupyter.__all__)


@all_errors
def test_error_is_shown_as_one_line(error):
    shown = error._render_traceback_()
    assert shown == [f"{type(error).__name__}: {error}"]
    assert "\n" not in shown[0]
    assert str(error) == f"{error.message} {error.advice}".rstrip()


@all_errors
@pytest.mark.parametrize("copied", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy], ids=["pickle", "copy"])
def test_copy_has_all_attributes(error, copied):
    other = copied(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert vars(other) == vars(error)


@all_errors
def test_error_names_no_command_of_the_magics(error):
    assert "%yotta" not in str(error)


def test_interrupts_are_keyboard_interrupts():
    for name, error in ERRORS.items():
        is_interrupt = name == "RemoteDetached" or name.endswith("Interrupted")
        assert isinstance(error, KeyboardInterrupt) == is_interrupt
        assert isinstance(error, YottaError) != is_interrupt


@pytest.mark.parametrize("name", ["AuthenticationError", "PodNotFound", "InvalidPodState", "ServerError"])
def test_errors_of_the_api_are_api_errors(name):
    assert isinstance(ERRORS[name], ApiError)


@pytest.mark.parametrize(
    ("statuses", "advice"),
    [
        (["RUNNING"], 'Stop it with pods.pause("0").'),
        (["RUNNING", "RUNNING"], 'Stop them with pods.bulk("pause", ["0", "1"]).'),
        (["INITIALIZE"], 'Stop it with pods.delete("0").'),
        (["RUNNING", "PAUSED"], 'Stop it with pods.pause("0").'),
        (["PAUSING", "RUNNING"], 'Stop it with pods.pause("1").'),
        (["RUNNING", "INITIALIZE"], 'Stop them with pods.bulk("delete", ["0", "1"]).'),
        (["HIBERNATING"], 'Stop it with pods.delete("0").'),
        (["FAILED", "RUNNING"], 'Stop it with pods.pause("1").'),
        (["PAUSING"], ""),
        (["PAUSED"], ""),
        (["TERMINATING"], ""),
        (["FAILED"], ""),
        (["TERMINATED", "PAUSED"], ""),
    ],
)
def test_wait_that_ends_early_names_the_call_that_stops_the_cost(statuses, advice):
    pods = [Pod(id=str(number), status=status) for number, status in enumerate(statuses)]
    assert WaitInterrupted(*pods).advice == advice


def test_wait_message_says_whether_the_pods_cost_money():
    unknown_price = Pod(id="1", status="RUNNING")
    assert "This still costs money." in WaitTimeout(RUNNING, 1.0).message
    assert "This may still cost money." in WaitTimeout(unknown_price, 1.0).message
    assert "money" not in WaitTimeout(Pod(id="1", status="FAILED"), 1.0).message


def test_wait_message_names_at_most_three_pods():
    pods = [Pod(id=str(number), status="RUNNING") for number in range(9)]
    message = WaitInterrupted(*pods).message
    assert message.count("is RUNNING") == 3
    assert "and 6 more" in message


def test_wait_message_has_one_line_for_any_name():
    error = WaitTimeout(Pod(id="1", pod_name="a\nb\x1b[2J" + "x" * 500, status="ODD\nSTATUS"), 1.0)
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300
