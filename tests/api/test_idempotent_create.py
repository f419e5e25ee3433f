"""A create request is sent exactly once, whatever happens to its response. A fault such as ``lostx1`` occurs once."""

import pytest

from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidRequest,
    PodNotFound,
    Sandbox,
    WaitInterrupted,
    connect,
)
from yotta_jupyter.models import LAUNCH_ID_ENV

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G", "pod_name": "mine"}

pytestmark = pytest.mark.usefixtures("short_lookup_delays")


def create_requests(sandbox):
    return [request for request in sandbox.requests if request.endpoint == "create"]


def launch_id_of(request):
    return next(entry["value"] for entry in request.json["environmentVars"] if entry["key"] == LAUNCH_ID_ENV)


@pytest.mark.parametrize(
    "fault",
    ["lost", "500-after", "timeout-after", "html-after", "html-after=502", "empty-after", "truncated", "list-after"],
)
def test_pod_is_found_when_the_response_is_lost(sandbox, fault):
    sandbox.add_fault(f"create:{fault}")
    with connect(sandbox.api_key, base_url=sandbox.base_url, timeout=0.5) as yotta:
        pod = yotta.pods.create(**REQUIRED)
    (request,) = create_requests(sandbox)
    (created,) = [record for record in sandbox.pods() if record["podName"] == "mine"]
    assert pod.id == created["id"]
    assert pod.launch_id == launch_id_of(request)


@pytest.mark.parametrize(
    "fault", ["dropped", "500-before", "timeout", "html", "empty", "list", "status=502", "bare=503"]
)
def test_create_of_unknown_outcome_is_not_repeated(sandbox, fault):
    sandbox.add_fault(f"create:{fault}")
    with (
        connect(sandbox.api_key, base_url=sandbox.base_url, timeout=0.5) as yotta,
        pytest.raises(CreateOutcomeUnknown) as error,
    ):
        yotta.pods.create(**REQUIRED)
    (request,) = create_requests(sandbox)
    assert error.value.launch_id == launch_id_of(request)
    assert error.value.launch_id in str(error.value)
    assert [record for record in sandbox.pods() if record["podName"] == "mine"] == []


def test_system_error_leaves_the_outcome_unknown(yotta, sandbox):
    sandbox.add_fault("create:code=10002")
    with pytest.raises(CreateOutcomeUnknown) as error:
        yotta.pods.create(**REQUIRED)
    assert len(create_requests(sandbox)) == 1
    assert "Do not create it again yet" in str(error.value)
    assert "try again" not in str(error.value).lower()


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        ("code=10001", ApiError),
        ("status=401", AuthenticationError),
        ("status=403", AuthenticationError),
        ("429=1", ApiError),
    ],
)
def test_rejected_create_is_raised_without_a_retry(yotta, sandbox, fault, error_type):
    sandbox.add_fault(f"create:{fault}")
    with pytest.raises(error_type):
        yotta.pods.create(**REQUIRED)
    assert [request.endpoint for request in sandbox.requests] == ["create"]


def test_lookup_is_repeated_when_a_listing_lags_or_fails(yotta, sandbox):
    sandbox.add_fault("create:lost")
    sandbox.add_fault("list:htmlx1")
    sandbox.add_fault("list:lag=3600x1")
    assert yotta.pods.create(**REQUIRED).name == "mine"
    assert len(create_requests(sandbox)) == 1


def test_pod_of_unknown_outcome_is_found_later_by_its_launch_id(yotta, sandbox):
    sandbox.add_fault("create:lost")
    sandbox.add_fault("list:lag=3600")
    with pytest.raises(CreateOutcomeUnknown) as error:
        yotta.pods.create(**REQUIRED)
    with pytest.raises(PodNotFound, match="lag"):
        yotta.pods.find_by_launch_id(error.value.launch_id)
    sandbox.clear_faults()
    assert yotta.pods.find_by_launch_id(error.value.launch_id).name == "mine"


@pytest.fixture
def unconfirmed(yotta, sandbox):
    """The launch ID of a pod that exists, whose create response was lost and which no listing shows."""
    sandbox.add_fault("create:lostx1")
    sandbox.add_fault("list:lag=3600")
    with pytest.raises(CreateOutcomeUnknown) as error:
        yotta.pods.create(**REQUIRED)
    return error.value.launch_id


def test_reuse_creates_no_second_pod_while_the_first_is_not_listed(yotta, sandbox, unconfirmed):
    with pytest.raises(CreateOutcomeUnknown, match=r"It can be created again in 1\d\d s") as error:
        yotta.pods.create(**REQUIRED, reuse=True)
    assert error.value.launch_id == unconfirmed
    sandbox.clear_faults()
    assert yotta.pods.create(**REQUIRED, reuse=True).launch_id == unconfirmed
    assert len(create_requests(sandbox)) == 1


def test_reuse_creates_a_pod_when_no_listing_shows_the_first_for_long(yotta, sandbox, unconfirmed, monkeypatch):
    monkeypatch.setattr("yotta_jupyter.api.creator.UNCONFIRMED_SECONDS", 0.0)
    assert yotta.pods.create(**REQUIRED, reuse=True).launch_id != unconfirmed


def test_a_pod_that_was_found_does_not_prevent_a_create_after_its_delete(yotta, sandbox, unconfirmed):
    sandbox.clear_faults()
    pod = yotta.pods.create(**REQUIRED, reuse=True)
    yotta.pods.delete(pod.id)
    sandbox.advance(1e6)
    assert pod.id not in {listed.id for listed in yotta.pods.list()}
    assert yotta.pods.create(**REQUIRED, reuse=True).id != pod.id


@pytest.mark.parametrize("interrupted_request", ["get", "list"], ids=["reading the pod", "looking for duplicates"])
def test_ctrl_c_after_a_create_names_the_pod_and_reuse_finds_it(yotta, sandbox, monkeypatch, interrupted_request):
    def interrupt(*args):
        if create_requests(sandbox):
            raise KeyboardInterrupt
        return []

    with monkeypatch.context() as context:
        context.setattr(f"yotta_jupyter.api.v1.backend.V1Backend.{interrupted_request}", interrupt)
        with pytest.raises(WaitInterrupted) as error:
            yotta.pods.create(**REQUIRED, reuse=True)
    sandbox.add_fault("list:lag=3600")
    assert yotta.pods.create(**REQUIRED, reuse=True).id == error.value.pods[0].id
    assert len(create_requests(sandbox)) == 1


def test_each_create_has_its_own_launch_id(yotta, sandbox):
    pods = [yotta.pods.create(**REQUIRED) for _ in range(2)]
    launch_ids = [launch_id_of(request) for request in create_requests(sandbox)]
    assert len(set(launch_ids)) == 2
    assert [yotta.pods.find_by_launch_id(launch_id).id for launch_id in launch_ids] == [pod.id for pod in pods]


def test_refused_connection_creates_nothing():
    with Sandbox() as sandbox:
        pass
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta, pytest.raises(ConnectionFailed) as error:
        yotta.pods.create(**REQUIRED)
    assert error.value.may_have_been_delivered is False


def test_invalid_create_sends_nothing(yotta, sandbox):
    with pytest.raises(InvalidRequest):
        yotta.pods.create(image="made/up:1")
    assert sandbox.requests == []


def test_interrupted_create_has_an_unknown_outcome(yotta, sandbox, monkeypatch):
    def interrupt(backend, spec, launch_id):
        raise KeyboardInterrupt

    monkeypatch.setattr("yotta_jupyter.api.v1.backend.V1Backend.create", interrupt)
    with pytest.raises(CreateOutcomeUnknown, match="interrupted"):
        yotta.pods.create(**REQUIRED)
