"""A create is sent exactly once, whatever happens to its answer."""

import pytest

from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidRequest,
    PodNotFound,
    Sandbox,
    connect,
)

NEEDED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G", "pod_name": "mine"}

pytestmark = pytest.mark.usefixtures("quick_looks")


def creates(sandbox):
    return [request for request in sandbox.requests if request.endpoint == "create"]


def mark_of(request):
    return next(entry["value"] for entry in request.json["environmentVars"] if entry["key"] == "YOTTA_JUPYTER_LAUNCH")


@pytest.mark.parametrize(
    "fault",
    ["lost", "500-after", "timeout-after", "html-after", "html-after=502", "empty-after", "truncated", "list-after"],
)
def test_a_pod_whose_answer_was_lost_is_found(sandbox, fault):
    sandbox.add_fault(f"create:{fault}")
    with connect(sandbox.api_key, base_url=sandbox.base_url, timeout=0.5) as yotta:
        pod = yotta.pods.create(**NEEDED)
    (request,) = creates(sandbox)
    (made,) = [record for record in sandbox.pods() if record["podName"] == "mine"]
    assert pod.id == made["id"]
    assert pod.launch_id == mark_of(request)


@pytest.mark.parametrize(
    "fault", ["dropped", "500-before", "timeout", "html", "empty", "list", "status=502", "bare=503"]
)
def test_a_pod_that_may_not_exist_is_not_created_again(sandbox, fault):
    sandbox.add_fault(f"create:{fault}")
    with (
        connect(sandbox.api_key, base_url=sandbox.base_url, timeout=0.5) as yotta,
        pytest.raises(CreateOutcomeUnknown) as caught,
    ):
        yotta.pods.create(**NEEDED)
    (request,) = creates(sandbox)
    assert caught.value.launch_id == mark_of(request)
    assert caught.value.launch_id in str(caught.value)
    assert [record for record in sandbox.pods() if record["podName"] == "mine"] == []


def test_a_system_error_leaves_the_outcome_unknown(yotta, sandbox):
    sandbox.add_fault("create:code=10002")
    with pytest.raises(CreateOutcomeUnknown) as caught:
        yotta.pods.create(**NEEDED)
    assert len(creates(sandbox)) == 1
    assert "Do not create it again yet" in str(caught.value)
    assert "ry again" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("code=10001", ApiError),
        ("status=401", AuthenticationError),
        ("status=403", AuthenticationError),
        ("429=1", ApiError),
    ],
)
def test_a_refusal_is_told_and_not_sent_again(yotta, sandbox, fault, kind):
    sandbox.add_fault(f"create:{fault}")
    with pytest.raises(kind):
        yotta.pods.create(**NEEDED)
    assert [request.endpoint for request in sandbox.requests] == ["create"]


def test_a_listing_that_lags_or_fails_is_asked_again(yotta, sandbox):
    sandbox.add_fault("create:lost")
    sandbox.add_fault("list:htmlx1")
    sandbox.add_fault("list:lag=3600x1")
    assert yotta.pods.create(**NEEDED).name == "mine"
    assert len(creates(sandbox)) == 1


def test_the_pod_of_an_unknown_create_is_found_later(yotta, sandbox):
    sandbox.add_fault("create:lost")
    sandbox.add_fault("list:lag=3600")
    with pytest.raises(CreateOutcomeUnknown) as caught:
        yotta.pods.create(**NEEDED)
    with pytest.raises(PodNotFound, match="lag"):
        yotta.pods.find_launch(caught.value.launch_id)
    sandbox.clear_faults()
    assert yotta.pods.find_launch(caught.value.launch_id).name == "mine"


def test_every_create_has_a_mark_of_its_own(yotta, sandbox):
    pods = [yotta.pods.create(**NEEDED) for _ in range(2)]
    marks = [mark_of(request) for request in creates(sandbox)]
    assert len(set(marks)) == 2
    assert [yotta.pods.find_launch(mark).id for mark in marks] == [pod.id for pod in pods]


def test_a_server_that_is_not_there_was_sent_nothing():
    with Sandbox() as sandbox:
        pass
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta, pytest.raises(ConnectionFailed) as caught:
        yotta.pods.create(**NEEDED)
    assert caught.value.sent is False


def test_a_wrong_create_is_not_sent(yotta, sandbox):
    with pytest.raises(InvalidRequest):
        yotta.pods.create(image="made/up:1")
    assert sandbox.requests == []
