"""What is wrong with a create is found before anything is sent."""

import numpy as np
import pytest

from yotta_jupyter import InvalidRequest, PodSpec, Secret
from yotta_jupyter.api import PortSpec

NEEDED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
CREDENTIALS = {"image_registry_username": "u", "image_registry_token": "made-up-token"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *(({"gpu_count": count}, "power of two") for count in (0, 3, -1, "two", True, 1.5, "", [1])),
        *(({"expose": expose}, "1 to 65535") for expose in ([0], [70000], "ssh", [-1], [True], [2.5], [None])),
        ({"expose": [(22, "UDP")]}, "SSH, HTTP or TCP"),
        ({"expose": [22, (22, "SSH")]}, "twice"),
        ({"expose": [(22, "SSH", 1)]}, "pair"),
        ({"expose": [{"port": 22, "proto": "SSH"}]}, "no other keys"),
        ({"expose": [{"protocol": "SSH"}]}, "port"),
        ({"expose": 2.5}, "expose takes ports"),
        ({"image_public_type": "PRIVATE"}, "image_registry_username and image_registry_token"),
        ({"image_public_type": "PRIVATE", "image_registry_username": "u"}, "image_registry_token"),
        (CREDENTIALS, "image_public_type='PRIVATE'"),
        ({**CREDENTIALS, "image_public_type": "PUBLIC"}, "PRIVATE"),
        ({"persistent_volume_in_gb": 10}, "persistent_mount_path"),
        ({"persistent_volume_in_gb": 10, "persistent_mount_path": "workspace"}, "absolute"),
        ({"persistent_mount_path": "/workspace"}, "persistent_volume_in_gb"),
        ({"container_volume_in_gb": -1}, "whole number of gigabytes"),
        ({"container_volume_in_gb": 1.5}, "whole number of gigabytes"),
        ({"gpu_typ": "L4"}, "Did you mean gpu_type"),
        ({"envvars": {}}, "no option 'envvars'"),
        ({"cloud_type": "SECUR"}, "Did you mean SECURE"),
        ({"resource_type": "TPU"}, "GPU, CPU"),
        ({"pod_name": " "}, "not empty"),
        ({"region": 1}, "region is a text"),
        ({"image": ""}, "needs image"),
        ({"image": None}, "needs image"),
        ({"image": "a b"}, "space"),
        ({"gpu_type": None}, "needs gpu_type"),
        ({"environment_vars": "A=1"}, "takes a dict"),
        ({"environment_vars": 1}, "takes a dict"),
        ({"environment_vars": ["A"]}, "takes a dict"),
        ({"environment_vars": [{"key": "A"}]}, "takes a dict"),
        ({"environment_vars": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]}, "given twice"),
        ({"environment_vars": {"A": None}}, "no text"),
        ({"environment_vars": {"A": True}}, "no text"),
        ({"environment_vars": {"1A": "x"}}, "starts with no digit"),
        ({"environment_vars": {"YOTTA_JUPYTER_LAUNCH": "x"}}, "leave it out"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(options, told):
    with pytest.raises(InvalidRequest) as caught:
        PodSpec.of(**{**NEEDED, **options})
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "made-up-token" not in str(caught.value)


def test_a_value_in_the_place_of_a_name_is_not_repeated():
    with pytest.raises(InvalidRequest) as caught:
        PodSpec.of(**NEEDED, environment_vars={"hf-made-up-secret": "HF_TOKEN"})
    assert "made-up-secret" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, "2", np.int64(4)])
def test_a_count_may_come_from_anywhere(count):
    spec = PodSpec.of(**NEEDED, gpu_count=count)
    assert spec.gpu_count == int(count)
    assert type(spec.gpu_count) is int


@pytest.mark.parametrize(
    ("expose", "ports"),
    [
        (22, [(22, "SSH")]),
        ("8888", [(8888, "HTTP")]),
        ({"port": 22, "protocol": "SSH"}, [(22, "SSH")]),
        ([PortSpec(6006, "TCP"), np.int64(22)], [(6006, "TCP"), (22, "SSH")]),
        (((1, "tcp"), (65535, "http")), [(1, "TCP"), (65535, "HTTP")]),
        ((), []),
    ],
)
def test_ports_in_every_form(expose, ports):
    assert [(port.port, port.protocol) for port in PodSpec.of(**NEEDED, expose=expose).expose] == ports


def test_secrets_of_a_spec_are_not_shown():
    spec = PodSpec.of(
        **NEEDED, **CREDENTIALS, image_public_type="private", environment_vars={"A": "made-up-value", "B": 1}
    )
    assert "made-up" not in repr(spec)
    assert isinstance(spec.image_registry_token, Secret)
    assert [value.reveal() for value in spec.environment_vars.values()] == ["made-up-value", "1"]


def test_a_value_that_is_no_text_is_refused_and_not_shown():
    with pytest.raises(InvalidRequest, match="UTF-8") as caught:
        PodSpec.of(image="a/b:1", gpu_type="L4", environment_vars={"HF": "canary\udcff"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("option", ["pod_name", "region", "image_registry_username", "initialization_command"])
def test_a_control_character_is_refused(option):
    with pytest.raises(InvalidRequest, match="control character"):
        PodSpec.of(image="a/b:1", gpu_type="L4", **{option: "a\x1b[2J"})
