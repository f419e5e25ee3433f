"""Reusing a pod by its name in Python. A fault such as ``create:lostx1`` occurs once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import Client, InvalidRequest, Sandbox, connect
from yotta_jupyter.api.reuse import live_pods_named, select_reusable
from yotta_jupyter.errors import NameTaken
from yotta_jupyter.models import Pod
from yotta_jupyter.spec import PodSpec
from yotta_jupyter.statuses import STATUSES

SPEC = PodSpec(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name="train")


def pod(**changes: Any) -> Pod:
    fields = {"id": "1", "pod_name": "train", "status": "RUNNING", "image": SPEC.image, "gpu_type": SPEC.gpu_type}
    return Pod(**{**fields, "gpu_count": 1, "region": "us-west-1", "cloud_type": "SECURE", **changes})


def create_requests(sandbox: Sandbox) -> int:
    return sum(request.endpoint == "create" for request in sandbox.requests)


def test_reuse_returns_the_live_pod(yotta: Client, sandbox: Sandbox) -> None:
    first = yotta.pods.create(SPEC, reuse=True)
    assert yotta.pods.create(SPEC, reuse=True).id == first.id
    assert yotta.pods.create_or_reuse(SPEC)[1] is False
    assert create_requests(sandbox) == 1


def test_a_plain_create_always_creates(yotta: Client, sandbox: Sandbox) -> None:
    assert yotta.pods.create(SPEC).id != yotta.pods.create(SPEC).id
    assert create_requests(sandbox) == 2


def test_reuse_needs_a_name(yotta: Client, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidRequest, match="requires pod_name"):
        yotta.pods.create(image="me/own:1", gpu_type="NVIDIA_L4_24G", reuse=True)
    assert create_requests(sandbox) == 0


@pytest.mark.parametrize("status", [*STATUSES, "HIBERNATING"])
def test_only_live_pods_are_reused(status: str) -> None:
    expected = status not in ("TERMINATING", "TERMINATED", "FAILED")
    assert (select_reusable([pod(status=status)], SPEC) is not None) is expected
    assert bool(live_pods_named([pod(status=status)], "train")) is expected


@pytest.mark.parametrize("changes", [{"region": None}, {"cloud_type": None}])
def test_what_a_response_lacks_is_no_difference(changes: dict[str, Any]) -> None:
    spec = PodSpec(image=SPEC.image, gpu_type=SPEC.gpu_type, pod_name="train", region="us-west-1", cloud_type="SECURE")
    assert select_reusable([pod(**changes)], spec) is not None


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"gpu_type": "NVIDIA_H200_141G"}, "its GPU type is NVIDIA_H200_141G, not NVIDIA_L4_24G"),
        ({"gpu_count": 2}, "its number of GPUs is 2, not 1"),
        ({"gpu_count": None}, "its number of GPUs is unknown, not 1"),
        ({"image": "me/own:2"}, "its image is me/own:2, not me/own:1"),
    ],
)
def test_a_difference_is_named(changes: dict[str, Any], difference: str) -> None:
    with pytest.raises(NameTaken, match=difference) as caught:
        select_reusable([pod(**changes)], SPEC)
    assert [taken.id for taken in caught.value.pods] == ["1"]


def test_texts_of_the_server_are_one_printable_line() -> None:
    with pytest.raises(NameTaken) as caught:
        select_reusable([pod(image="a\n\x1b[31mb", id="x")], SPEC)
    assert str(caught.value).isprintable()


def test_many_pods_of_a_name_are_counted() -> None:
    with pytest.raises(NameTaken, match=r"^9 live pods are named train: 0 \(RUNNING\), .* and 3 more\."):
        select_reusable([pod(id=str(number)) for number in range(9)], SPEC)


@pytest.mark.parametrize("fault", ["create:lostx1", "create:500-afterx1", "create:truncatedx1"])
def test_reuse_after_a_lost_response_creates_one_pod(
    make_client: Callable[..., Client], short_lookup_delays: None, fault: str
) -> None:
    yotta = make_client(faults=[fault])
    first = yotta.pods.create(SPEC, reuse=True)
    assert yotta.pods.create(SPEC, reuse=True).id == first.id
    assert [pod.name for pod in yotta.pods.list()].count("train") == 1


def test_a_deleted_pod_is_not_reused_during_a_listing_lag(make_client: Callable[..., Client]) -> None:
    yotta = make_client(faults=["list:lag=1000000"])
    first = yotta.pods.create(SPEC, reuse=True)
    yotta.pods.delete(first.id)
    assert yotta.pods.create(SPEC, reuse=True).id != first.id


def test_a_race_warns_of_the_other_pod(sandbox: Sandbox) -> None:
    with (
        connect(sandbox.api_key, base_url=sandbox.base_url) as first,
        connect(sandbox.api_key, base_url=sandbox.base_url) as second,
    ):
        original = second.pods.list
        created: list[Pod] = []

        def list_then_lose_the_race(*filters: Any) -> list[Pod]:
            pods = original(*filters)
            if not created:
                created.append(first.pods.create(SPEC))
            return pods

        second.pods.list = list_then_lose_the_race  # type: ignore[method-assign]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            second.pods.create(SPEC, reuse=True)
    (warning,) = caught
    assert created[0].id in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("field", "value", "label"),
    [
        ("persistent_mount_path", "/data", "mount path"),
        ("initialization_command", "pip install made-up", "initialization command"),
        ("container_volume_in_gb", 500, "container volume"),
    ],
)
def test_a_volume_or_a_command_that_the_pod_lacks_is_a_difference(field: str, value: object, label: str) -> None:
    options: dict[str, Any] = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G", "pod_name": "train", field: value}
    if field == "persistent_mount_path":
        options["persistent_volume_in_gb"] = 100
    without_options = pod(
        image="made/up:1", persistent_volume_in_gb=0, container_volume_in_gb=100, initialization_command=""
    )
    with pytest.raises(NameTaken, match=label):
        select_reusable([without_options], PodSpec(**options))
