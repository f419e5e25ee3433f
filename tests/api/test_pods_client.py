"""Requests of `PodsClient` to the sandbox, and the pods that it returns."""

import inspect
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, PodNotFound, PodSpec
from yotta_jupyter.api import PodsClient
from yotta_jupyter.keys import PUBLIC_KEY_ENV
from yotta_jupyter.models import LAUNCH_ID_ENV

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
PUBLIC = {
    "image": "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025050802",
    "gpu_type": "NVIDIA_L4_24G",
    "gpu_count": 1,
    "environment_vars": [{"key": "JUPYTER_PASSWORD", "value": "your_password"}],
    "expose": [{"port": 22, "protocol": "SSH"}],
}
PRIVATE = {
    "image_public_type": "PRIVATE",
    "image_registry_username": "your_registry_user",
    "image_registry_token": "dckr_pat_xxx",
    "image": "yourorg/your-private-image:tag",
    "gpu_type": "NVIDIA_L4_24G",
    "gpu_count": 1,
    "initialization_command": "sshd &",
    "expose": [{"port": 22, "protocol": "SSH"}],
}
"""`PUBLIC` and `PRIVATE` are the two examples of a create in the API documentation."""


def id_of(yotta, name):
    return next(pod.id for pod in yotta.pods.list() if pod.name == name)


def create_body(sandbox):
    """Return the body of the only create request, without the variables that the client adds."""
    (body,) = [request.json for request in sandbox.requests if request.endpoint == "create"]
    added = (LAUNCH_ID_ENV, PUBLIC_KEY_ENV)
    variables = [entry for entry in body.pop("environmentVars") if entry["key"] not in added]
    if variables:
        body["environmentVars"] = variables
    return body


def camel_case(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_list_returns_all_pods(yotta, sandbox):
    assert {pod.id for pod in yotta.pods.list()} == {pod["id"] for pod in sandbox.pods()}


def test_list_of_an_empty_account(make_client):
    assert make_client(pods=0).pods.list() == []


@pytest.mark.parametrize(
    ("statuses", "codes", "names"),
    [
        ("RUNNING", ["1"], {"train-1", "notebook-1"}),
        ("running", ["1"], {"train-1", "notebook-1"}),
        (1, ["1"], {"train-1", "notebook-1"}),
        ("3", ["3"], {"finetune-1"}),
        ("stopped", ["3"], {"finetune-1"}),
        ("Initializing", ["0"], set()),
        (["stopping", "PAUSED"], ["2", "3"], {"finetune-1"}),
        (("Running", 3), ["1", "3"], {"train-1", "notebook-1", "finetune-1"}),
    ],
)
def test_list_filters_by_status(yotta, sandbox, statuses, codes, names):
    assert {pod.name for pod in yotta.pods.list(statuses=statuses)} == names
    assert sandbox.requests[-1].params == [("statusList", code) for code in codes]


@pytest.mark.parametrize(
    ("regions", "names"),
    [
        ("us-west-1", {"train-1"}),
        (["us-west-1", "us-east-2"], {"train-1", "finetune-1"}),
        (["a region with & and ="], set()),
    ],
)
def test_list_filters_by_region(yotta, sandbox, regions, names):
    assert {pod.name for pod in yotta.pods.list(regions=regions)} == names
    expected = [regions] if isinstance(regions, str) else regions
    assert sandbox.requests[-1].params == [("regionList", region) for region in expected]


def test_list_filters_by_region_and_status(yotta):
    pods = yotta.pods.list(regions=["us-west-1", "us-east-2"], statuses="paused")
    assert [pod.name for pod in pods] == ["finetune-1"]


def test_unknown_status_gets_a_suggestion_and_sends_nothing(yotta, sandbox):
    with pytest.raises(InvalidRequest, match="Did you mean RUNNING"):
        yotta.pods.list(statuses="runing")
    assert sandbox.requests == []


@pytest.mark.parametrize("filters", [{"statuses": 7}, {"statuses": ""}, {"regions": ""}, {"regions": [1]}])
def test_invalid_filter_sends_nothing(yotta, sandbox, filters):
    with pytest.raises(InvalidRequest):
        yotta.pods.list(**filters)
    assert sandbox.requests == []


@pytest.mark.parametrize("get_endpoint", [True, False])
def test_get_returns_the_same_pod_as_list(make_client, get_endpoint):
    yotta = make_client(get_endpoint=get_endpoint)
    for pod in yotta.pods.list():
        assert yotta.pods.get(pod.id) == pod


@pytest.mark.parametrize("get_endpoint", [True, False])
def test_get_of_a_missing_pod(make_client, get_endpoint):
    with pytest.raises(PodNotFound, match="123") as error:
        make_client(get_endpoint=get_endpoint).pods.get("123")
    assert error.value.pod_id == "123"


@pytest.mark.parametrize("pod_id", ["", "a/b", "../list", "1 2", "x" * 65, None, 1.5, True])
@pytest.mark.parametrize("method", ["get", "pause", "resume", "delete", "wait"])
def test_invalid_id_sends_nothing(yotta, sandbox, method, pod_id):
    with pytest.raises(InvalidRequest):
        getattr(yotta.pods, method)(pod_id)
    assert sandbox.requests == []


@pytest.mark.parametrize("options", [PUBLIC, PRIVATE], ids=["public", "private"])
def test_create_sends_the_examples_of_the_contract(yotta, sandbox, options):
    pod = yotta.pods.create(**options)
    assert create_body(sandbox) == {camel_case(name): value for name, value in options.items()}
    # Not compared as a whole: the pod may change its status between the requests.
    assert yotta.pods.get(pod.id).environment == pod.environment
    assert pod.image == options["image"]


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("pod_name", "train", "podName"),
        ("region", "us-west-1", "region"),
        ("cloud_type", "community", "cloudType"),
        ("official_image", "CUSTOM", "officialImage"),
        ("resource_type", "GPU", "resourceType"),
        ("image_public_type", "PUBLIC", "imagePublicType"),
        ("initialization_command", "sshd &", "initializationCommand"),
        ("min_single_card_ram_in_gb", 16, "minSingleCardRamInGb"),
        ("container_volume_in_gb", 100, "containerVolumeInGb"),
        ("gpu_count", 4, "gpuCount"),
    ],
)
def test_create_sends_each_option_as_its_field(yotta, sandbox, option, value, field):
    yotta.pods.create(**REQUIRED, **{option: value})
    assert create_body(sandbox)[field] == (value.upper() if option == "cloud_type" else value)


def test_create_sends_a_persistent_volume_with_its_mount_path(yotta, sandbox):
    yotta.pods.create(**REQUIRED, persistent_volume_in_gb=50, persistent_mount_path="/workspace")
    body = create_body(sandbox)
    assert (body["persistentVolumeInGb"], body["persistentMountPath"]) == (50, "/workspace")


def test_create_does_not_send_unset_options(yotta, sandbox):
    yotta.pods.create(**REQUIRED, region=None)
    assert create_body(sandbox) == {"image": "made/up:1", "gpuType": "NVIDIA_L4_24G", "gpuCount": 1}


@pytest.mark.parametrize(
    "expose",
    [[22, 8888], [22, (8888, "http")], [["22", "SSH"], {"port": 8888}], [{"port": 22, "protocol": "ssh"}, 8888]],
)
def test_create_accepts_each_form_of_expose(yotta, sandbox, expose):
    yotta.pods.create(**REQUIRED, expose=expose)
    assert create_body(sandbox)["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]


@pytest.mark.parametrize("variables", [{"A": "1", "B": ""}, [{"key": "A", "value": "1"}, {"key": "B", "value": ""}]])
def test_create_accepts_each_form_of_environment_vars(yotta, sandbox, variables):
    yotta.pods.create(**REQUIRED, environment_vars=variables)
    assert create_body(sandbox)["environmentVars"] == [{"key": "A", "value": "1"}, {"key": "B", "value": ""}]


def test_create_accepts_a_spec_or_options_but_not_both(yotta, sandbox):
    spec = PodSpec(**REQUIRED)
    for options in ({"region": "us-west-1"}, {"gpu_count": 2}, {"image": "made/up:1"}):
        with pytest.raises(InvalidRequest, match="not both"):
            yotta.pods.create(spec, **options)
    assert sandbox.requests == []
    assert yotta.pods.create(spec).gpu_type == "NVIDIA_L4_24G"


@pytest.mark.parametrize("option", ["gpu_typ", "envvars", "imageName"])
def test_create_rejects_unknown_options(yotta, sandbox, option):
    with pytest.raises(TypeError, match=option):
        yotta.pods.create(**REQUIRED, **{option: "x"})
    assert sandbox.requests == []


def test_create_names_each_field_of_a_spec_for_completion():
    _, spec, reuse, *options = inspect.signature(PodsClient.create).parameters.values()
    assert (spec.name, spec.kind) == ("spec", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert reuse.name == "reuse"
    assert {option.kind for option in [reuse, *options]} == {inspect.Parameter.KEYWORD_ONLY}
    assert [option.name for option in options] == list(PodSpec.__struct_fields__)
    docstring = inspect.getdoc(PodsClient.create)
    assert [option.name for option in options if option.name not in docstring] == []


def test_create_uses_each_option(yotta, sandbox):
    options = {
        **PRIVATE,
        "gpu_count": 2,
        "pod_name": "train",
        "region": "us-west-1",
        "cloud_type": "SECURE",
        "official_image": "CUSTOM",
        "resource_type": "GPU",
        "environment_vars": [{"key": "A", "value": "1"}],
        "min_single_card_ram_in_gb": 8,
        "container_volume_in_gb": 100,
        "persistent_volume_in_gb": 50,
        "persistent_mount_path": "/workspace",
    }
    assert set(options) == set(PodSpec.__struct_fields__)
    yotta.pods.create(**options)
    assert create_body(sandbox) == {camel_case(name): value for name, value in options.items()}


def test_preview_is_the_body_of_a_create_with_masked_secrets(yotta, sandbox):
    spec = PodSpec(**PRIVATE, environment_vars={"HF_TOKEN": "made-up-value"})
    preview = yotta.pods.preview(spec)
    assert sandbox.requests == []
    shown = json.dumps(preview) + repr(preview)
    assert "made-up-value" not in shown
    assert PRIVATE["image_registry_token"] not in shown
    yotta.pods.create(spec)
    (request,) = [request for request in sandbox.requests if request.endpoint == "create"]
    assert set(preview) == set(request.json)
    assert [entry["key"] for entry in preview["environmentVars"]] == ["HF_TOKEN", LAUNCH_ID_ENV]


def test_created_pod_is_returned_before_it_can_be_read(yotta, sandbox):
    sandbox.add_fault("get:lag=3600")
    pod = yotta.pods.create(**REQUIRED, pod_name="new", expose=[22])
    assert (pod.name, pod.status, pod.expose[0].port) == ("new", "INITIALIZE", 22)
    assert pod.id in {record["id"] for record in sandbox.pods()}


def test_pause_right_after_a_resume_does_not_take_a_stale_status_for_paused(make_client):
    yotta = make_client(faults=["get:lag=3600"])
    pod_id = id_of(yotta, "finetune-1")
    yotta.pods.resume(pod_id)
    with pytest.raises(InvalidPodState) as error:
        yotta.pods.pause(pod_id)
    assert error.value.pod_status == "INITIALIZE"


def test_pause_resume_delete(yotta, sandbox):
    pod_id = id_of(yotta, "train-1")
    for action, status in [("pause", "PAUSED"), ("resume", "RUNNING"), ("delete", "TERMINATED")]:
        assert getattr(yotta.pods, action)(pod_id) is None
        sandbox.advance(10)
        assert yotta.pods.get(pod_id).status == status


@pytest.mark.parametrize(
    ("action", "name", "status", "message"),
    [
        ("pause", "finetune-1", "PAUSED", "is PAUSED already; there is nothing to pause"),
        ("resume", "train-1", "RUNNING", "is RUNNING already; there is nothing to resume"),
    ],
)
def test_action_without_effect_is_an_error(yotta, action, name, status, message):
    pod_id = id_of(yotta, name)
    with pytest.raises(InvalidPodState, match=message) as error:
        getattr(yotta.pods, action)(pod_id)
    assert pod_id in str(error.value)
    assert (error.value.code, error.value.pod_id, error.value.pod_status) == (12001, pod_id, status)


def test_action_in_the_wrong_status_names_the_required_one(make_client):
    pods = make_client(speed=0.001).pods
    pod_id = pods.create(**REQUIRED).id
    with pytest.raises(InvalidPodState, match="it is INITIALIZE, and must be RUNNING") as error:
        pods.pause(pod_id)
    assert (error.value.pod_id, error.value.pod_status) == (pod_id, "INITIALIZE")


@pytest.mark.parametrize("method", ["pause", "resume", "delete", "wait"])
def test_action_on_a_missing_pod(yotta, method):
    with pytest.raises(PodNotFound) as error:
        getattr(yotta.pods, method)("123")
    assert error.value.pod_id == "123"


def test_bulk_acts_on_all_pods_and_returns_errors(yotta):
    running, paused = id_of(yotta, "train-1"), id_of(yotta, "finetune-1")
    errors = yotta.pods.bulk("pause", [running, "123", paused])
    assert [type(error) for error in errors] == [type(None), PodNotFound, InvalidPodState]


@pytest.mark.parametrize("action", ["list", "", "close", "__init__"])
def test_bulk_rejects_unknown_actions(yotta, sandbox, action):
    with pytest.raises(InvalidRequest, match="pause, resume, delete"):
        yotta.pods.bulk(action, ["123"])
    assert sandbox.requests == []


def test_one_client_serves_sixteen_threads(yotta, sandbox):
    def create_and_read(number):
        pod = yotta.pods.create(**REQUIRED, pod_name=f"pod-{number}")
        return yotta.pods.get(pod.id).name, len(yotta.pods.list()) > 3

    with ThreadPoolExecutor(16) as executor:
        assert list(executor.map(create_and_read, range(32))) == [(f"pod-{number}", True) for number in range(32)]
    assert len({record["id"] for record in sandbox.pods()}) == 3 + 32


@pytest.mark.parametrize("name", [name for name in dir(PodsClient) if not name.startswith("_")])
def test_public_methods_have_docstrings_with_their_parameters(name):
    method = getattr(PodsClient, name)
    docstring = inspect.getdoc(method)
    assert docstring
    parameters = [parameter for name, parameter in inspect.signature(method).parameters.items() if name != "self"]
    assert [parameter.name for parameter in parameters if parameter.name not in docstring] == []
    assert [parameter.name for parameter in parameters if parameter.annotation is parameter.empty] == []
