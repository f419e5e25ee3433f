"""`PodsClient` works with any backend: here one in memory, with the statuses of another API version."""

import inspect
from functools import partial

import msgspec
import pytest

from yotta_jupyter import CreateOutcomeUnknown, InvalidPodState, Pod, PodNotFound, PodSpec, ServerError
from yotta_jupyter.api import Backend, PodsClient, V1Backend
from yotta_jupyter.models import LAUNCH_ID_ENV, EnvironmentVariable
from yotta_jupyter.secret import Secret
from yotta_jupyter.statuses import TRANSITIONS

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
METHODS = [name for name in vars(Backend) if not name.startswith("_")]


class InMemoryBackend:
    """Pods in a dict. `fail_create` makes a create that takes effect end in an error."""

    def __init__(self, *pods: Pod) -> None:
        self.pods = {pod.id: pod for pod in pods}
        self.fail_create = False

    def list(self, regions, statuses):
        return [
            pod
            for pod in self.pods.values()
            if (not regions or pod.region in regions) and (not statuses or pod.status in statuses)
        ]

    def get(self, pod_id):
        if pod_id not in self.pods:
            raise PodNotFound(404, 404, f"There is no pod {pod_id}.", pod_id=pod_id)
        return self.pods[pod_id]

    def create(self, spec, launch_id):
        pod_id = f"pod-{len(self.pods)}"
        variables = {**spec.environment_vars, LAUNCH_ID_ENV: Secret(launch_id)}
        self.pods[pod_id] = Pod(
            id=pod_id,
            status="INITIALIZING",
            pod_name=spec.pod_name,
            gpu_type=spec.gpu_type,
            environment_vars=[EnvironmentVariable(key, value) for key, value in variables.items()],
        )
        if self.fail_create:
            raise ServerError(500, 500, "Failed.")
        return pod_id

    def pause(self, pod_id):
        self._transition("pause", pod_id)

    def resume(self, pod_id):
        self._transition("resume", pod_id)

    def delete(self, pod_id):
        self._transition("delete", pod_id)

    def preview(self, spec):
        return {"gpu": spec.gpu_type, "env": spec.environment_vars}

    def _transition(self, action, pod_id):
        pod = self.get(pod_id)
        if not TRANSITIONS[action].allows(pod.status):
            raise InvalidPodState(409, 409, "Conflict.", pod_id=pod_id)
        self.pods[pod_id] = msgspec.structs.replace(pod, status=TRANSITIONS[action].after)


@pytest.fixture
def backend():
    return InMemoryBackend(
        Pod(id="1", pod_name="train", status="RUNNING", region="us-west-1"),
        Pod(id="2", pod_name="paused", status="STOPPED", region="us-east-2"),
    )


@pytest.fixture
def pods(backend):
    return PodsClient(backend)


@pytest.mark.parametrize("backend_class", [V1Backend, InMemoryBackend])
@pytest.mark.parametrize("method", METHODS)
def test_backends_have_the_methods_of_the_protocol(backend_class, method):
    expected = list(inspect.signature(getattr(Backend, method)).parameters)
    parameters = list(inspect.signature(getattr(backend_class, method)).parameters)
    assert [name for name in parameters if name != "self"] == [name for name in expected if name != "self"]


@pytest.mark.parametrize("method", METHODS)
def test_methods_of_the_protocol_have_docstrings(method):
    assert inspect.getdoc(getattr(Backend, method))


def test_list_and_filters(pods):
    assert [(pod.id, pod.status) for pod in pods.list()] == [("1", "RUNNING"), ("2", "PAUSED")]
    assert [pod.id for pod in pods.list(statuses="stopped")] == ["2"]
    assert [pod.id for pod in pods.list(regions=["us-west-1"])] == ["1"]


def test_frame(pods):
    assert list(pods.frame()["name"]) == ["train", "paused"]


def test_get(pods):
    assert pods.get("1").name == "train"
    with pytest.raises(PodNotFound):
        pods.get("3")


def test_create(pods, backend):
    pod = pods.create(**REQUIRED, pod_name="new", environment_vars={"A": "1"})
    assert (pod.name, pod.status, pod.gpu_type) == ("new", "INITIALIZE", "NVIDIA_L4_24G")
    assert backend.pods[pod.id].environment["A"].reveal() == "1"
    assert pods.find_by_launch_id(pod.launch_id) == pod


def test_create_of_unknown_outcome_is_found(pods, backend):
    backend.fail_create = True
    pod = pods.create(**REQUIRED, pod_name="new")
    assert backend.pods[pod.id] == pod
    assert len(backend.pods) == 3


@pytest.mark.usefixtures("short_lookup_delays")
def test_create_of_unknown_outcome_is_not_repeated(pods, backend, monkeypatch):
    monkeypatch.setattr(backend, "list", lambda regions, statuses: [])
    backend.fail_create = True
    with pytest.raises(CreateOutcomeUnknown):
        pods.create(**REQUIRED)
    assert len(backend.pods) == 3


def test_pause_resume_delete(pods):
    for action, status in (("pause", "PAUSED"), ("resume", "RUNNING"), ("delete", "TERMINATED")):
        getattr(pods, action)("1")
        assert pods.get("1").status == status


def test_action_in_the_wrong_status(pods):
    with pytest.raises(InvalidPodState, match="is PAUSED already; there is nothing to pause") as error:
        pods.pause("2")
    assert error.value.code == 409


def test_delete_that_the_api_refuses_names_the_status(pods, backend, monkeypatch):
    def refuse(pod_id):
        raise InvalidPodState(409, 409, "Conflict.", pod_id=pod_id)

    monkeypatch.setattr(backend, "delete", refuse)
    with pytest.raises(InvalidPodState, match=r"^Cannot delete pod train \(1\): it is RUNNING\."):
        pods.delete("1")


@pytest.mark.parametrize("action", ["pause", "resume", "delete"])
def test_repeated_action_that_took_effect_succeeds(pods, backend, monkeypatch, action):
    pod_id = "2" if action == "resume" else "1"

    def request(pod_id):
        backend._transition(action, pod_id)
        raise InvalidPodState(409, 409, "Conflict.", pod_id=pod_id, may_be_duplicate=True)

    monkeypatch.setattr(backend, action, request)
    getattr(pods, action)(pod_id)
    assert pods.get(pod_id).status == TRANSITIONS[action].after


def test_repeated_delete_of_a_missing_pod_succeeds(pods, backend, monkeypatch):
    def delete(pod_id, *, may_be_duplicate):
        raise PodNotFound(404, 404, "Gone.", pod_id=pod_id, may_be_duplicate=may_be_duplicate)

    monkeypatch.setattr(backend, "delete", partial(delete, may_be_duplicate=True))
    pods.delete("1")
    monkeypatch.setattr(backend, "delete", partial(delete, may_be_duplicate=False))
    with pytest.raises(PodNotFound):
        pods.delete("1")


def test_wait(pods):
    assert pods.wait("1").status == "RUNNING"
    assert list(pods.wait_all(["1", "2"], "PAUSED", timeout=0)) == ["1", "2"]


def test_bulk(pods):
    assert [type(error) for error in pods.bulk("pause", ["1", "2", "3"])] == [type(None), InvalidPodState, PodNotFound]


def test_preview(pods):
    assert pods.preview(PodSpec(**REQUIRED)) == {"gpu": "NVIDIA_L4_24G", "env": {}}
