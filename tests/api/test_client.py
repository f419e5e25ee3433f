"""The client's calls, against the sandbox."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, PodNotFound, PodSpec, Sandbox, connect

LAUNCH = "YOTTA_JUPYTER_LAUNCH"
NEEDED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
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


def id_of(yotta, name):
    return next(pod.id for pod in yotta.pods.list() if pod.name == name)


def sent_create(sandbox):
    """The one body of a create that arrived, without the mark."""
    (body,) = [request.json for request in sandbox.requests if request.endpoint == "create"]
    variables = [entry for entry in body.pop("environmentVars") if entry["key"] != LAUNCH]
    return {**body, **({"environmentVars": variables} if variables else {})}


def test_list_returns_every_pod(yotta, sandbox):
    assert {pod.id for pod in yotta.pods.list()} == {pod["id"] for pod in sandbox.pods()}


def test_an_empty_account_has_no_pods(client_of):
    assert client_of(pods=0).pods.list() == []


@pytest.mark.parametrize(
    ("statuses", "sent", "names"),
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
def test_list_by_status(yotta, sandbox, statuses, sent, names):
    assert {pod.name for pod in yotta.pods.list(statuses=statuses)} == names
    assert sandbox.requests[-1].params == [("statusList", number) for number in sent]


@pytest.mark.parametrize(
    ("regions", "names"),
    [
        ("us-west-1", {"train-1"}),
        (["us-west-1", "us-east-2"], {"train-1", "finetune-1"}),
        (["a region with & and ="], set()),
    ],
)
def test_list_by_region(yotta, sandbox, regions, names):
    assert {pod.name for pod in yotta.pods.list(regions=regions)} == names
    expected = [regions] if isinstance(regions, str) else regions
    assert sandbox.requests[-1].params == [("regionList", region) for region in expected]


def test_list_by_region_and_status(yotta):
    found = yotta.pods.list(regions=["us-west-1", "us-east-2"], statuses="paused")
    assert [pod.name for pod in found] == ["finetune-1"]


def test_an_unknown_status_gets_a_suggestion_and_nothing_is_sent(yotta, sandbox):
    with pytest.raises(InvalidRequest, match="Did you mean RUNNING"):
        yotta.pods.list(statuses="runing")
    assert sandbox.requests == []


@pytest.mark.parametrize("wrong", [{"statuses": 7}, {"statuses": ""}, {"regions": ""}, {"regions": [1]}])
def test_a_wrong_filter_is_not_sent(yotta, sandbox, wrong):
    with pytest.raises(InvalidRequest):
        yotta.pods.list(**wrong)
    assert sandbox.requests == []


@pytest.mark.parametrize("get_endpoint", [True, False])
def test_get(client_of, get_endpoint):
    yotta = client_of(get_endpoint=get_endpoint)
    for pod in yotta.pods.list():
        assert yotta.pods.get(pod.id) == pod


@pytest.mark.parametrize("get_endpoint", [True, False])
def test_get_of_a_pod_that_is_not_there(client_of, get_endpoint):
    with pytest.raises(PodNotFound, match="123"):
        client_of(get_endpoint=get_endpoint).pods.get("123")


@pytest.mark.parametrize("wrong", ["", "a/b", "../list", "1 2", "x" * 65, None, 1.5, True])
def test_what_is_no_id_is_not_sent(yotta, sandbox, wrong):
    with pytest.raises(InvalidRequest):
        yotta.pods.delete(wrong)
    assert sandbox.requests == []


@pytest.mark.parametrize("options", [PUBLIC, PRIVATE], ids=["public", "private"])
def test_create_sends_the_examples_of_the_page(yotta, sandbox, options):
    pod = yotta.pods.create(**options)
    camel = {"".join(w.capitalize() if n else w for n, w in enumerate(k.split("_"))): v for k, v in options.items()}
    assert sent_create(sandbox) == camel
    assert pod == yotta.pods.get(pod.id)
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
def test_an_option_arrives_as_its_field(yotta, sandbox, option, value, field):
    yotta.pods.create(**NEEDED, **{option: value})
    assert sent_create(sandbox)[field] == (value.upper() if option == "cloud_type" else value)


def test_a_persistent_volume_arrives_with_its_mount(yotta, sandbox):
    yotta.pods.create(**NEEDED, persistent_volume_in_gb=50, persistent_mount_path="/workspace")
    body = sent_create(sandbox)
    assert (body["persistentVolumeInGb"], body["persistentMountPath"]) == (50, "/workspace")


def test_an_option_that_is_not_given_is_not_sent(yotta, sandbox):
    yotta.pods.create(**NEEDED, region=None)
    assert sent_create(sandbox) == {"image": "made/up:1", "gpuType": "NVIDIA_L4_24G", "gpuCount": 1}


@pytest.mark.parametrize(
    "expose",
    [[22, 8888], [22, (8888, "http")], [["22", "SSH"], {"port": 8888}], [{"port": 22, "protocol": "ssh"}, 8888]],
)
def test_every_form_of_expose(yotta, sandbox, expose):
    yotta.pods.create(**NEEDED, expose=expose)
    assert sent_create(sandbox)["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]


@pytest.mark.parametrize("variables", [{"A": "1", "B": ""}, [{"key": "A", "value": "1"}, {"key": "B", "value": ""}]])
def test_every_form_of_environment_vars(yotta, sandbox, variables):
    yotta.pods.create(**NEEDED, environment_vars=variables)
    assert sent_create(sandbox)["environmentVars"] == [{"key": "A", "value": "1"}, {"key": "B", "value": ""}]


def test_create_takes_one_spec_or_options(yotta, sandbox):
    spec = PodSpec.of(**NEEDED)
    with pytest.raises(InvalidRequest):
        yotta.pods.create(spec, region="us-west-1")
    assert sandbox.requests == []
    assert yotta.pods.create(spec).gpu_type == "NVIDIA_L4_24G"


def test_a_created_pod_is_returned_though_it_cannot_be_read_yet(yotta, sandbox):
    sandbox.add_fault("get:lag=3600")
    pod = yotta.pods.create(**NEEDED, pod_name="new", expose=[22])
    assert (pod.name, pod.status, pod.expose[0].port) == ("new", "INITIALIZE", 22)
    assert pod.id in {record["id"] for record in sandbox.pods()}


def test_pause_resume_delete(yotta, sandbox):
    pod_id = id_of(yotta, "train-1")
    for act, status in [("pause", "PAUSED"), ("resume", "RUNNING"), ("delete", "TERMINATED")]:
        assert getattr(yotta.pods, act)(pod_id) is None
        sandbox.advance(10)
        assert yotta.pods.get(pod_id).status == status


@pytest.mark.parametrize(
    ("act", "name", "told"),
    [("pause", "finetune-1", "PAUSED already"), ("resume", "train-1", "RUNNING already")],
)
def test_what_is_so_already_is_an_error_that_says_so(yotta, act, name, told):
    pod_id = id_of(yotta, name)
    with pytest.raises(InvalidPodState, match=told) as caught:
        getattr(yotta.pods, act)(pod_id)
    assert pod_id in str(caught.value)
    assert caught.value.code == 12001


@pytest.mark.parametrize("act", ["pause", "resume", "delete", "wait"])
def test_acting_on_a_pod_that_is_not_there(yotta, act):
    with pytest.raises(PodNotFound):
        getattr(yotta.pods, act)("123")


def test_one_client_serves_sixteen_threads(yotta, sandbox):
    def use(number):
        pod = yotta.pods.create(**NEEDED, pod_name=f"pod-{number}")
        return yotta.pods.get(pod.id).name, len(yotta.pods.list()) > 3

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(use, range(32))) == [(f"pod-{number}", True) for number in range(32)]
    assert len({record["id"] for record in sandbox.pods()}) == 35


def test_each_acts_on_all_and_tells_what_failed(yotta):
    running, paused = id_of(yotta, "train-1"), id_of(yotta, "finetune-1")
    errors = yotta.pods.each(yotta.pods.pause, [running, "123", paused])
    assert [type(error) for error in errors] == [type(None), PodNotFound, InvalidPodState]


def test_a_closed_client_connects_anew():
    with Sandbox() as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yotta.close()
        assert len(yotta.pods.list()) == 3
