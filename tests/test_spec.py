"""`PodSpec` validates and converts its fields, however it is created."""

import copy

import msgspec
import numpy as np
import pytest

from yotta_jupyter import InvalidRequest, PodSpec, Secret
from yotta_jupyter.environment import parse_env, validate_env_name
from yotta_jupyter.spec import PortSpec, parse_gpu_count, parse_port, parse_ports

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
CREDENTIALS = {"image_registry_username": "u", "image_registry_token": "made-up-token"}


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        *(({"gpu_count": count}, "gpu_count", "power of two") for count in (0, 3, -1, "two", True, 1.5, "", [1])),
        *(
            ({"expose": expose}, "expose", "1 to 65535")
            for expose in ([0], [70000], "ssh", [-1], [True], [2.5], [None])
        ),
        ({"expose": [(22, "UDP")]}, "expose", "SSH, HTTP or TCP"),
        ({"expose": ["22/UDP"]}, "expose", "SSH, HTTP or TCP"),
        ({"expose": [22, (22, "SSH")]}, "expose", "twice"),
        ({"expose": [(22, "SSH", 1)]}, "expose", "pair"),
        ({"expose": [{"port": 22, "proto": "SSH"}]}, "expose", "without other keys"),
        ({"expose": [{"protocol": "SSH"}]}, "expose", "'port'"),
        ({"expose": [PortSpec(0, "SSH")]}, "expose", "1 to 65535"),
        ({"expose": 2.5}, "expose", "expose is a list of ports"),
        ({"image_public_type": "PRIVATE"}, "image_registry_username", "image_registry_username and"),
        (
            {"image_public_type": "PRIVATE", "image_registry_username": "u"},
            "image_registry_token",
            "image_registry_token",
        ),
        (CREDENTIALS, "image_public_type", "image_public_type='PRIVATE'"),
        ({**CREDENTIALS, "image_public_type": "PUBLIC"}, "image_public_type", "PRIVATE"),
        ({"image_registry_token": Secret("")}, "image_registry_token", "non-empty"),
        ({"persistent_volume_in_gb": 10}, "persistent_mount_path", "persistent_mount_path"),
        (
            {"persistent_volume_in_gb": 10, "persistent_mount_path": "workspace"},
            "persistent_mount_path",
            "absolute",
        ),
        ({"persistent_mount_path": "/workspace"}, "persistent_volume_in_gb", "persistent_volume_in_gb"),
        ({"container_volume_in_gb": -1}, "container_volume_in_gb", "whole number of gigabytes"),
        ({"container_volume_in_gb": 1.5}, "container_volume_in_gb", "whole number of gigabytes"),
        ({"min_single_card_ram_in_gb": "many"}, "min_single_card_ram_in_gb", "whole number of gigabytes"),
        ({"cloud_type": "SECUR"}, "cloud_type", "Did you mean SECURE"),
        ({"resource_type": "TPU"}, "resource_type", "GPU, CPU"),
        ({"pod_name": " "}, "pod_name", "non-empty"),
        ({"pod_name": "a\nb"}, "pod_name", "line break"),
        ({"region": 1}, "region", "string"),
        ({"image": ""}, "image", "requires image"),
        ({"image": None}, "image", "requires image"),
        ({"image": "a b"}, "image", "space"),
        ({"image": "x y\n"}, "image", "space"),
        ({"image": "a\x1bb"}, "image", "control character"),
        ({"gpu_type": None}, "gpu_type", "requires gpu_type"),
        ({"gpu_type": ""}, "gpu_type", "requires gpu_type"),
        ({"environment_vars": "A=1"}, "environment_vars", "is a dict"),
        ({"environment_vars": 1}, "environment_vars", "is a dict"),
        ({"environment_vars": ["A"]}, "environment_vars", "is a dict"),
        ({"environment_vars": [{"key": "A"}]}, "environment_vars", "is a dict"),
        (
            {"environment_vars": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]},
            "environment_vars",
            "given twice",
        ),
        ({"environment_vars": {"A": None}}, "environment_vars", "not text"),
        ({"environment_vars": {"A": True}}, "environment_vars", "not text"),
        ({"environment_vars": {"1A": "x"}}, "environment_vars", "does not start with a digit"),
        ({"environment_vars": {"YOTTA_JUPYTER_LAUNCH": "x"}}, "environment_vars", "leave it out"),
    ],
)
def test_invalid_field_is_rejected_in_one_line(options, field, message):
    with pytest.raises(InvalidRequest) as error:
        PodSpec(**{**REQUIRED, **options})
    assert message in str(error.value)
    assert error.value.field == field
    assert "\n" not in str(error.value)
    assert "made-up-token" not in str(error.value)


def test_several_invalid_fields_are_rejected():
    with pytest.raises(InvalidRequest):
        PodSpec(image="x y\n", gpu_type="", gpu_count=3)


def test_replaced_field_is_validated():
    with pytest.raises(InvalidRequest, match="power of two"):
        msgspec.structs.replace(PodSpec(**REQUIRED), gpu_count=3)


@pytest.mark.parametrize("option", ["gpu_typ", "envvars", "name"])
def test_unknown_field_is_rejected(option):
    with pytest.raises(TypeError, match=option):
        PodSpec(**REQUIRED, **{option: "x"})


def test_fields_are_keywords_only():
    with pytest.raises(TypeError):
        PodSpec("made/up:1", "NVIDIA_L4_24G")


def test_all_forms_are_converted():
    spec = PodSpec(
        image=" made/up:1 ",
        gpu_type="NVIDIA_L4_24G\n",
        gpu_count="2",
        cloud_type="secure",
        expose=[22, (8888, "http"), {"port": 6006, "protocol": "tcp"}, "9000/http"],
        environment_vars={"A": "made-up-value", "B": 1},
        container_volume_in_gb="100",
    )
    assert spec == PodSpec(
        image="made/up:1",
        gpu_type="NVIDIA_L4_24G",
        gpu_count=2,
        cloud_type="SECURE",
        expose=(PortSpec(22, "SSH"), PortSpec(8888, "HTTP"), PortSpec(6006, "TCP"), PortSpec(9000, "HTTP")),
        environment_vars={"A": Secret("made-up-value"), "B": Secret("1")},
        container_volume_in_gb=100,
    )
    assert type(spec.gpu_count) is type(spec.container_volume_in_gb) is int
    assert all(isinstance(value, Secret) for value in spec.environment_vars.values())


def test_validation_changes_nothing_in_a_valid_spec():
    spec = PodSpec(**REQUIRED, expose=[22], environment_vars=[{"key": "A", "value": "1"}])
    assert msgspec.structs.replace(spec) == spec
    assert copy.deepcopy(spec) == spec


def test_none_is_the_default_of_each_optional_field():
    defaults = PodSpec(**REQUIRED)
    optional = [name for name in PodSpec.__struct_fields__ if name not in REQUIRED]
    assert PodSpec(**REQUIRED, **dict.fromkeys(optional)) == defaults
    assert (defaults.gpu_count, defaults.environment_vars, defaults.expose) == (1, {}, ())


def test_invalid_name_of_a_variable_is_not_shown():
    with pytest.raises(InvalidRequest) as error:
        PodSpec(**REQUIRED, environment_vars={"hf-made-up-secret": "HF_TOKEN"})
    assert "made-up-secret" not in str(error.value)


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, "2", np.int64(4)])
def test_parse_gpu_count(count):
    assert parse_gpu_count(count) == int(count)
    assert type(parse_gpu_count(count)) is int


@pytest.mark.parametrize(
    ("expose", "ports"),
    [
        (22, [(22, "SSH")]),
        ("8888", [(8888, "HTTP")]),
        ("8888/http", [(8888, "HTTP")]),
        ({"port": 22, "protocol": "SSH"}, [(22, "SSH")]),
        (PortSpec(22, "SSH"), [(22, "SSH")]),
        ([PortSpec(6006, "TCP"), np.int64(22)], [(6006, "TCP"), (22, "SSH")]),
        (((1, "tcp"), (65535, "http")), [(1, "TCP"), (65535, "HTTP")]),
        ((), []),
    ],
)
def test_parse_ports(expose, ports):
    assert [(port.port, port.protocol) for port in parse_ports(expose)] == ports


def test_parse_port_without_protocol_is_ssh_for_22_and_http_otherwise():
    assert [parse_port(port).protocol for port in (22, 8888, "22/tcp")] == ["SSH", "HTTP", "TCP"]


def test_parse_env_keeps_the_order():
    assert list(parse_env({"B": "1", "A": "2"})) == ["B", "A"]
    assert list(parse_env([{"key": "B", "value": "1"}, {"key": "A", "value": "2"}])) == ["B", "A"]


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=1", "a-b", "é", None, 1])
def test_invalid_name_of_a_variable_is_rejected(name):
    with pytest.raises(InvalidRequest):
        validate_env_name(name)


def test_secrets_of_a_spec_are_masked():
    spec = PodSpec(**REQUIRED, **CREDENTIALS, image_public_type="private", environment_vars={"A": "made-up-value"})
    assert "made-up" not in repr(spec)
    assert isinstance(spec.image_registry_token, Secret)
    assert [secret.reveal() for secret in spec.secrets] == ["made-up-value", "made-up-token"]


def test_value_that_is_not_utf_8_is_rejected_and_not_shown():
    with pytest.raises(InvalidRequest, match="UTF-8") as error:
        PodSpec(**REQUIRED, environment_vars={"HF": "canary\udcff"})
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("field", ["pod_name", "region", "image_registry_username", "initialization_command"])
def test_control_character_is_rejected(field):
    with pytest.raises(InvalidRequest, match="control character") as error:
        PodSpec(**REQUIRED, **{field: "a\x1b[2J"})
    assert error.value.field == field


def test_initialization_command_may_have_several_lines():
    assert PodSpec(**REQUIRED, initialization_command="a\n\tb").initialization_command == "a\n\tb"
