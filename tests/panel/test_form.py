"""Validation of the launch form: errors, notes and confirmations by field, and the equivalent command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import Client, PodSpec
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.create_command import to_command
from yotta_jupyter.models import Pod
from yotta_jupyter.panel import form

from .helpers import pod_of

FORM = {"gpu_type": "L4", "gpu_count": "1", "image": "pytorch"}


def test_form_returns_the_spec_and_the_equivalent_command() -> None:
    values = {
        **FORM,
        "pod_name": "it's {mine} $HOME",
        "region": "us-west-1",
        "expose": "22, 9000/TCP",
        "environment_vars": [["MODE", "fast"]],
        "initialization_command": "echo 'a b' > /tmp/x",
        "persistent_volume_in_gb": "50",
        "persistent_mount_path": "/workspace",
        "cloud_type": "SECURE",
        "image_public_type": "PRIVATE",
        "image_registry_username": "me",
        "image_registry_token": "canary-token",
    }
    result = form.validate(values, Catalog())
    assert result.errors == {}
    assert isinstance(result.spec, PodSpec)
    assert (result.spec.pod_name, result.spec.region, result.spec.cloud_type) == (
        values["pod_name"],
        "us-west-1",
        "SECURE",
    )
    assert [(port.port, port.protocol) for port in result.spec.expose] == [(22, "SSH"), (9000, "TCP")]
    assert result.command == to_command(result.spec)
    assert "canary" not in result.command
    assert "fast" not in result.command


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("gpu_type", "", "Choose a GPU type"),
        ("gpu_type", "T4", "Closest: NVIDIA_L4_24G"),
        ("gpu_type", "nvidia", "may be"),
        ("image", "pytroch", "Closest: pytorch."),
        ("image", "pytorch:9", "Closest: pytorch:2.9.0"),
        ("region", "us-wset-1", "Closest: us-west-1"),
        ("region", "mars", "Known: ap-southeast-1, gke-dev-us-west-1, us-central-2, us-east-2 and 1 more."),
        ("image", "", "Choose an image"),
        ("gpu_count", "3", "power of two"),
        ("expose", "70000", "1 to 65535"),
        ("expose", "22 22", "twice"),
        ("environment_vars", [["1A", "x"]], "does not start with a digit"),
        ("environment_vars", [["A", "x"], ["HF_TOKEN", ""]], "HF_TOKEN: enter the value, or remove the variable."),
        ("container_volume_in_gb", "ten", "gigabytes"),
        ("persistent_volume_in_gb", "-1", "gigabytes"),
        ("persistent_mount_path", "workspace", "starts with /"),
        ("pod_name", "two\nlines", "line break"),
        ("cloud_type", "SECUR", "Did you mean SECURE"),
    ],
)
def test_form_errors_by_field(field: str, value: Any, message: str) -> None:
    result = form.validate({**FORM, field: value}, Catalog())
    assert result.spec is None
    assert message in result.errors[field]
    assert "\n" not in result.errors[field]


@pytest.fixture
def make_pod(record: Callable[..., dict[str, Any]]) -> Callable[..., Pod]:
    """Return a running pod named train with the form's GPU type and image, and changed fields."""
    image = Catalog().find_image("pytorch").name
    return lambda **changes: pod_of(record(**{"podName": "train", "status": "RUNNING", "image": image, **changes}))


def test_name_of_the_same_pod_is_noted_and_the_pod_is_used(make_pod: Callable[..., Pod]) -> None:
    result = form.validate({**FORM, "pod_name": "train"}, Catalog(), [make_pod()])
    assert result.notes["pod_name"] == "train exists (RUNNING, 1 × L4). Launch uses that pod and creates none."
    assert result.confirmations == {"pod_name": "another"}
    assert result.spec is not None
    assert (result.must_reuse, result.another) == (True, False)


def test_variables_and_ports_that_a_reused_pod_lacks_are_noted(make_pod: Callable[..., Pod]) -> None:
    values = {**FORM, "pod_name": "train", "environment_vars": [["A", "canary"]], "expose": "22/SSH, 9000"}
    result = form.validate(values, Catalog(), [make_pod()])
    note = "train keeps its own variables and ports; requested, but not set on it: A, port 9000."
    assert result.notes["pod_name"].endswith(f"Launch uses that pod and creates none. {note}")


def test_estimate_is_by_the_price_beside_the_gpu_type_or_that_of_a_reused_pod(make_pod: Callable[..., Pod]) -> None:
    catalog = Catalog()
    pod = make_pod()
    catalog.update([pod])
    volume = {"container_volume_in_gb": "0"}
    new = form.validate({**FORM, **volume}, catalog)
    assert new.estimate == new.price == pod.single_card_price
    listed = {gpu["id"]: gpu["price"] for gpu in form.choices(catalog)["gpu_types"]}
    assert listed["NVIDIA_L4_24G"] == new.price
    reused = form.validate({**FORM, "pod_name": "train"}, catalog, [pod])
    assert (reused.estimate, reused.basis) == (pod.hourly_rate, "the price of that pod")


def test_estimate_names_the_part_of_volumes(make_pod: Callable[..., Pod]) -> None:
    catalog = Catalog()
    pod = make_pod()
    assert pod.container_volume_price is not None
    assert pod.persistent_volume_price is not None
    catalog.update([pod])
    volumes = {
        "container_volume_in_gb": "100",
        "persistent_volume_in_gb": "99999",
        "persistent_mount_path": "/workspace",
    }
    result = form.validate({**FORM, **volumes}, catalog)
    assert result.volumes == 100 * pod.container_volume_price + 99_999 * pod.persistent_volume_price
    assert result.price is not None
    assert result.estimate == result.price + result.volumes


def test_variable_without_a_value_does_not_prevent_the_use_of_a_pod(make_pod: Callable[..., Pod]) -> None:
    values = {**FORM, "pod_name": "train", "environment_vars": [["HF_TOKEN", ""]]}
    assert "Launch uses that pod" in form.validate(values, Catalog(), [make_pod()]).notes["pod_name"]
    another = form.validate({**values, "confirmed": ["pod_name"]}, Catalog(), [make_pod()])
    assert "HF_TOKEN" in another.errors["environment_vars"]


def test_name_of_a_differing_pod_is_refused_with_what_differs(make_pod: Callable[..., Pod]) -> None:
    values = {**FORM, "pod_name": "train"}
    result = form.validate(values, Catalog(), [make_pod(gpuType="NVIDIA_H200_141G")])
    assert result.spec is None
    assert result.errors["pod_name"] == (
        "train exists (RUNNING, 1 × H200), but its GPU type is NVIDIA_H200_141G, not NVIDIA_L4_24G."
    )
    assert result.confirmations == {"pod_name": "another"}
    several = form.validate(values, Catalog(), [make_pod(), make_pod(id="1")])
    assert several.errors["pod_name"] == "2 live pods are named train. Choose another name."


def test_name_is_noted_while_other_fields_are_empty(make_pod: Callable[..., Pod]) -> None:
    result = form.validate({"pod_name": "train"}, Catalog(), [make_pod()])
    assert result.notes["pod_name"] == "train exists (RUNNING, 1 × L4)."


def test_name_of_an_ended_pod_is_free(make_pod: Callable[..., Pod]) -> None:
    pods = [make_pod(status="TERMINATED"), make_pod(status="FAILED"), make_pod(status="TERMINATING")]
    result = form.validate({**FORM, "pod_name": "train"}, Catalog(), pods)
    assert "pod_name" not in result.notes
    assert result.confirmations == {}


def test_another_pod_of_a_name_is_confirmed(make_pod: Callable[..., Pod]) -> None:
    values = {**FORM, "pod_name": "train", "confirmed": ["pod_name"]}
    result = form.validate(values, Catalog(), [make_pod(gpuCount=2)])
    assert result.another
    assert "each will cost money" in result.notes["pod_name"]
    assert str(result.command).endswith(" --name train --another")


def test_unknown_names_are_sent_once_confirmed() -> None:
    values = {**FORM, "gpu_type": "T4", "image": "pytroch", "region": "mars"}
    result = form.validate(values, Catalog())
    assert result.spec is None
    assert result.confirmations == dict.fromkeys(("gpu_type", "image", "region"), "as_typed")
    confirmed = form.validate({**values, "confirmed": ["gpu_type", "image", "region"]}, Catalog())
    assert confirmed.spec is not None
    assert (confirmed.spec.gpu_type, confirmed.spec.image, confirmed.spec.region) == ("T4", "pytroch", "mars")
    assert confirmed.command == "%yotta create pytroch --gpu T4 --region mars --as-typed"


def test_confirmation_of_a_known_name_has_no_effect() -> None:
    result = form.validate({**FORM, "confirmed": ["gpu_type", "image", "pod_name"]}, Catalog())
    assert result.command == form.validate(FORM, Catalog()).command
    assert "--as-typed" not in str(result.command)


@pytest.mark.parametrize("image", ["me/own:1", "ghcr.io/me/own", "python:3.11"])
def test_whole_image_reference_needs_no_confirmation(image: str) -> None:
    assert form.validate({**FORM, "image": image}, Catalog()).confirmations == {}


def test_control_character_cannot_be_confirmed() -> None:
    result = form.validate({**FORM, "gpu_type": "T4\x1b[0m", "confirmed": ["gpu_type"]}, Catalog())
    assert result.spec is None
    assert "gpu_type" not in result.confirmations


def test_equivalent_command_names_no_generated_value() -> None:
    command = form.validate({**FORM, "image": "me/own:1"}, Catalog()).command
    assert command == "%yotta create me/own:1 --gpu NVIDIA_L4_24G"


def test_choices_are_names_by_which_the_form_finds_the_same(yotta: Client) -> None:
    yotta.pods.list()
    choices = form.choices(yotta.catalog)
    for gpu in choices["gpu_types"]:
        assert form.validate({**FORM, "gpu_type": gpu["value"]}, yotta.catalog).resolved["gpu_type"] == gpu["id"]
    for image in choices["images"]:
        assert form.validate({**FORM, "image": image["value"]}, yotta.catalog).resolved["image"] == image["id"]
    official = [image["official"] for image in choices["images"]]
    assert official == sorted(official, reverse=True)
    assert choices["default_image"] == "pytorch"
    assert any(gpu["price"] for gpu in choices["gpu_types"])
