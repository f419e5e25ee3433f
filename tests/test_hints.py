"""Advice that names `%yotta` commands for each error."""

import pickle
import re

import pytest

from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    Pod,
    PodNotFound,
    PodSpec,
    RequestInterrupted,
    Sandbox,
    ServerError,
    UnexpectedResponse,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
    connect,
    ssh,
)
from yotta_jupyter.config import resolve_config
from yotta_jupyter.create_command import CREATE_FLAGS
from yotta_jupyter.errors import NameTaken, UnknownName, UnusableKey
from yotta_jupyter.hints import describe, pod_argument, use_magic_advice
from yotta_jupyter.magics.commands import get_command
from yotta_jupyter.magics.expansion import split_line
from yotta_jupyter.models import ExposedPort

CLOUD = "https://api.example.org"
LOCAL = "http://127.0.0.1:8000"
ID = "331864222263676928"
PODS = [Pod(id=ID, pod_name="train", status="RUNNING"), Pod(id="2", pod_name="a b", status="RUNNING")]
LAUNCH_ID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
COMMAND_LINE = re.compile(r"%yotta ((?:[\w/…-]+ ?)+)")


def pod(status, number=0, **fields):
    return Pod(id=str(123 + number), pod_name="train", status=status, **fields)


def state_error(status, message="It is so.", code=12001):
    return InvalidPodState(code, 200, message, pod_id="123", pod_status=status)


def ssh_error(status, *, protocol="SSH", healthy=False):
    with pytest.raises(InvalidPodState) as error:
        ssh.command(pod(status, expose=[ExposedPort(port=22, protocol=protocol, healthy=healthy)]))
    return error.value


ADVICE = [
    (AuthenticationError(401, 401, "Refused.", base_url=CLOUD), ["login"]),
    (AuthenticationError(401, 401, "Refused.", base_url=LOCAL), ["login"]),
    (PodNotFound(13000, 200, "There is no pod 123.", pod_id="123"), ["list"]),
    (ConnectionFailed("Refused.", False, method="GET", base_url=LOCAL), ["sandbox start"]),
    (ConnectionFailed("Refused.", False, method="POST", base_url=LOCAL), ["sandbox start"]),
    (ConnectionFailed("Timeout.", True, method="POST", base_url=CLOUD), ["list"]),
    (ConnectionFailed("Timeout.", True, method="DELETE", base_url=LOCAL), ["list"]),
    (ConnectionFailed("Timeout.", True, method="GET", base_url=CLOUD), []),
    (ConnectionFailed("Refused.", False, method="POST", base_url=CLOUD), []),
    (CreateOutcomeUnknown(LAUNCH_ID, "no response within 60 s."), [f"get {LAUNCH_ID}"]),
    (WaitTimeout(pod("RUNNING"), 900.0, "SSH"), ["pause 123", "wait 123 --until ssh"]),
    (WaitTimeout(pod("INITIALIZE"), 900.0), ["delete 123", "wait 123"]),
    (WaitTimeout(pod("PAUSING"), 900.0, "PAUSED"), ["wait 123 --until paused"]),
    (WaitTimeout(pod("FAILED"), 900.0, "TERMINATED"), ["list"]),
    (
        WaitInterrupted(pod("RUNNING"), pod("RUNNING", 1), target="PAUSED"),
        ["pause 123 124", "wait 123 124 --until paused"],
    ),
    (WaitInterrupted(pod("RUNNING"), pod("INITIALIZE", 1)), ["delete 123 124", "wait 123 124"]),
    (WaitInterrupted(pod("FAILED"), pod("RUNNING", 1)), ["pause 124", "wait 124"]),
    (WaitInterrupted(pod("FAILED")), ["list"]),
    (WaitTimeout(pod("INITIALIZE"), 900.0, unsent="pause"), ["pause 123 --wait", "delete 123"]),
    (WaitInterrupted(pod("RUNNING"), unsent="pause"), ["pause 123 --wait"]),
    (WaitInterrupted(pod("PAUSING"), target="PAUSED", unsent="resume"), ["resume 123 --wait"]),
    (state_error("PAUSING", "Cannot resume pod 123."), ["wait 123 --until paused"]),
    (state_error("PAUSED", "There is nothing to pause."), ["get 123"]),
    (state_error("RUNNING", "There is nothing to resume."), ["get 123"]),
    (state_error("INITIALIZE", "Cannot pause pod 123."), ["wait 123", "pause 123", "delete 123"]),
    (state_error(None), ["get 123"]),
    (RequestInterrupted("pause", pod("RUNNING")), ["get 123"]),
    (RequestInterrupted("delete", pod("RUNNING"), pod("RUNNING", 1)), ["list"]),
    (state_error("FAILED", code=None), ["list"]),
    (InvalidPodState(12001, 200, "Invalid."), ["list"]),
    (ssh_error("PAUSED"), ["resume 123 --wait"]),
    (ssh_error("PAUSING"), ["wait 123 --until paused", "resume 123 --wait"]),
    (ssh_error("INITIALIZE"), ["wait 123 --until ssh"]),
    (ssh_error("RUNNING"), ["wait 123 --until ssh"]),
    (ssh_error("TERMINATING"), ["get 123"]),
    (ssh_error("TERMINATED"), ["list"]),
    (ssh_error("RUNNING", protocol="HTTP"), ["create … --expose 22/SSH"]),
]
"""Errors, and the commands that the advice for each names."""


def commands(text):
    """Return the `%yotta` lines that a text names, without ``%yotta``."""
    return [command.strip() for command in COMMAND_LINE.findall(text)]


@pytest.mark.parametrize(("error", "expected"), ADVICE, ids=lambda value: type(value).__name__)
def test_advice_names_commands(error, expected):
    text = describe(error)
    assert commands(text) == expected
    assert text.startswith(error.message)
    assert "\n" not in text
    assert "pods." not in text.removeprefix(error.message)


@pytest.mark.parametrize("line", sorted({line for _, lines in ADVICE for line in lines}))
def test_command_in_advice_is_valid(line):
    name, *arguments = split_line(line.replace("…", "pytorch --gpu L4"), {})
    get_command(name).parser().parse_words(arguments)


@pytest.mark.parametrize(("error", "expected"), ADVICE, ids=lambda value: type(value).__name__)
def test_use_magic_advice_replaces_the_advice_for_python(error, expected):
    expected_text = describe(error)
    copied = pickle.loads(pickle.dumps(error))
    use_magic_advice(copied)
    assert str(copied) == expected_text
    assert copied._render_traceback_() == [f"{type(error).__name__}: {expected_text}"]
    use_magic_advice(copied)
    assert str(copied) == expected_text
    assert str(pickle.loads(pickle.dumps(copied))) == expected_text


@pytest.mark.parametrize(
    "error",
    [
        YottaError("It failed.", advice="Do it again."),
        InvalidRequest("A port is a number.", field="expose", advice="Change it."),
        UnexpectedResponse("The body is empty.", 200, advice="Check the address."),
        ApiError(10001, 400, "Refused.", advice="Check it."),
        ServerError(10002, 500, "Failed.", advice="Try again in a minute."),
        PodNotFound(None, None, "No listed pod has that launch ID.", advice="A listing may lag."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_advice_without_a_better_command_is_kept(error):
    assert describe(error) == str(error)


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"gpu_type": ""}, "--gpu"),
        ({"persistent_volume_in_gb": 10}, "--mount"),
        ({"persistent_mount_path": "/workspace"}, "--persistent-volume"),
        ({"image_public_type": "PRIVATE"}, "--registry-username"),
        ({"image_public_type": "PRIVATE", "image_registry_username": "u"}, "--registry-token-env"),
        ({"image_registry_username": "u"}, "--private"),
    ],
)
def test_missing_field_names_its_flag(options, flag):
    with pytest.raises(InvalidRequest) as error:
        PodSpec(**{"image": "made/up:1", "gpu_type": "L4", **options})
    assert CREATE_FLAGS[error.value.field] == flag
    assert f"Add it with {flag} (see %yotta create -h)." in describe(error.value)


@pytest.mark.parametrize("options", [{"gpu_count": 3}, {"expose": [0]}, {"persistent_mount_path": "x"}])
def test_invalid_value_names_no_flag(options):
    with pytest.raises(InvalidRequest) as error:
        PodSpec(**{"image": "made/up:1", "gpu_type": "L4", **options})
    assert "Add it with" not in describe(error.value)


def test_each_flag_of_create_exists():
    parser = get_command("create").parser()
    assert set(CREATE_FLAGS.values()) <= set(parser.flags())


def test_suggested_command_names_at_most_eight_pods():
    text = describe(WaitInterrupted(*(pod("RUNNING", number) for number in range(20))))
    assert "130 …" in text
    assert "131" not in text.partition("Stop it")[2]


# Errors of real requests.


def test_wrong_key(sandbox):
    with connect("made-up-key", base_url=sandbox.base_url) as yotta, pytest.raises(AuthenticationError) as error:
        yotta.pods.list()
    assert "%yotta login" in describe(error.value)
    assert "made-up-key" not in describe(error.value)


def test_stopped_sandbox():
    with Sandbox() as sandbox:
        pass
    with connect("k", base_url=sandbox.base_url) as yotta, pytest.raises(ConnectionFailed) as error:
        yotta.pods.list()
    assert "%yotta sandbox start" in describe(error.value)


@pytest.mark.parametrize(("action", "name"), [("pause", "finetune-1"), ("resume", "train-1")])
def test_action_without_effect(yotta, action, name):
    pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == name)
    with pytest.raises(InvalidPodState) as error:
        getattr(yotta.pods, action)(pod_id)
    assert commands(describe(error.value)) == [f"get {pod_id}"]


def test_resume_of_a_pod_that_is_pausing(make_client):
    pods = make_client(speed=0.001).pods
    pod_id = next(pod.id for pod in pods.list() if pod.name == "train-1")
    pods.pause(pod_id)
    with pytest.raises(InvalidPodState, match="it is PAUSING, and must be PAUSED") as error:
        pods.resume(pod_id)
    assert commands(describe(error.value)) == [f"wait {pod_id} --until paused"]


def test_wait_for_ssh_without_an_ssh_port(yotta, sandbox):
    pod_id = yotta.pods.create(image="made/up:1", gpu_type="L4").id
    with pytest.raises(InvalidPodState) as error:
        yotta.pods.wait(pod_id, "SSH", progress=lambda latest: sandbox.advance(10))
    assert commands(describe(error.value)) == ["create … --expose 22/SSH"]


def test_wait_for_a_paused_pod(yotta, monkeypatch):
    monkeypatch.setattr("yotta_jupyter.api.waiter.MAX_STALENESS", -1)  # The first PAUSED counts as current.
    pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == "finetune-1")
    with pytest.raises(InvalidPodState) as error:
        yotta.pods.wait(pod_id)
    assert commands(describe(error.value)) == [f"resume {pod_id} --wait"]


def test_lost_create(yotta, sandbox, short_lookup_delays):
    sandbox.add_fault("create:dropped")
    with pytest.raises(CreateOutcomeUnknown) as error:
        yotta.pods.create(image="made/up:1", gpu_type="L4")
    assert commands(describe(error.value)) == [f"get {error.value.launch_id}"]


def test_missing_api_key():
    with pytest.raises(InvalidRequest) as error:
        resolve_config()
    assert commands(describe(error.value)) == ["login", "sandbox start"]


def test_an_unknown_name_advises_as_typed() -> None:
    error = UnknownName("There is no GPU type 'T4' here. Closest: NVIDIA_L4_24G.", field="gpu_type")
    assert describe(error).endswith("add --as-typed to send the name unchanged.")


def test_a_taken_name_advises_another() -> None:
    error = NameTaken("2 live pods are named train: 1 (RUNNING), 2 (PAUSED).", tuple(PODS))
    assert describe(error).endswith("Choose another --name, or add --another to create one more.")


def test_an_unusable_key_advises_the_flag_if_another_key_helps() -> None:
    error = UnusableKey("The SSH key k does not exist.", advice="Name another key with ssh_key.")
    assert "--key FILE" in describe(error)
    assert describe(UnusableKey("The SSH key k is encrypted.")) == "The SSH key k is encrypted."


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
    assert pod_argument(Pod(id="1", pod_name=pod_name), []) == word


def test_all_pods_of_a_wait_are_named() -> None:
    error = WaitTimeout(PODS[0], 5.0, "PAUSED")
    use_magic_advice(error, PODS)
    assert error.advice == "Stop it with %yotta pause train, or continue waiting with %yotta wait train --until paused"
