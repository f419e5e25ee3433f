"""What a pod is created from, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from .errors import InvalidRequest
from .models import LAUNCH_VARIABLE
from .secret import Secret
from .text import did_you_mean, nearest, printable

PROTOCOLS: Final = ("SSH", "HTTP", "TCP")
CHOICES: Final = {
    "image_public_type": ("OFFICIAL", "CUSTOM", "PUBLIC", "PRIVATE"),
    "official_image": ("OFFICIAL", "CUSTOM"),
    "cloud_type": ("SECURE", "COMMUNITY"),
    "resource_type": ("GPU", "CPU"),
}
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PortSpec(msgspec.Struct, frozen=True):
    """A port to expose.

    Attributes
    ----------
    port : int
        The port inside the pod, 1 to 65535.
    protocol : str
        ``SSH``, ``HTTP`` or ``TCP``.
    """

    port: int
    protocol: str


class PodSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod is created from. Made by `PodSpec.of`, which checks it.

    Attributes
    ----------
    image : str
        A Docker image, such as ``yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04``.
    gpu_type : str
        A GPU type of the API, such as ``NVIDIA_L4_24G``.
    gpu_count : int
        A power of two.
    environment_vars : dict of str to Secret
        Environment variables.
    expose : tuple of PortSpec
        Ports to expose.
    image_public_type : str or None
        ``OFFICIAL``, ``CUSTOM``, ``PUBLIC`` or ``PRIVATE``; PRIVATE takes `image_registry_username` and
        `image_registry_token`.
    container_volume_in_gb, persistent_volume_in_gb, min_single_card_ram_in_gb : int or None
        Gigabytes. A persistent volume takes a `persistent_mount_path`.
    """

    image: str
    gpu_type: str
    gpu_count: int = 1
    pod_name: str | None = None
    region: str | None = None
    cloud_type: str | None = None
    official_image: str | None = None
    resource_type: str | None = None
    image_public_type: str | None = None
    image_registry_username: str | None = None
    image_registry_token: Secret | None = None
    initialization_command: str | None = None
    environment_vars: dict[str, Secret] = {}
    expose: tuple[PortSpec, ...] = ()
    min_single_card_ram_in_gb: int | None = None
    container_volume_in_gb: int | None = None
    persistent_volume_in_gb: int | None = None
    persistent_mount_path: str | None = None

    @classmethod
    def of(cls, **options: Any) -> PodSpec:
        """Check the options of a create and return them as one `PodSpec`.

        Parameters
        ----------
        **options
            The fields of `PodSpec`. `environment_vars` is a dict or the API's list of ``{"key", "value"}``; `expose`
            is ports, ``(port, protocol)`` pairs or the API's list of ``{"port", "protocol"}``.

        Returns
        -------
        PodSpec

        Raises
        ------
        InvalidRequest
            What is wrong, and what to write instead.
        """
        unknown = sorted(set(options) - set(cls.__struct_fields__))
        if unknown:
            raise InvalidRequest(
                f"create has no option {printable(unknown[0], 60)!r}."
                + (did_you_mean(unknown[0], cls.__struct_fields__) or f" It takes: {', '.join(cls.__struct_fields__)}.")
            )
        given = {name: value for name, value in options.items() if value is not None}
        checked: dict[str, Any] = {}
        for name in ("image", "gpu_type"):
            checked[name] = _required_word(name, given.pop(name, None))
        checked["gpu_count"] = gpu_count(given.pop("gpu_count", 1))
        checked["environment_vars"] = environment_variables(given.pop("environment_vars", {}))
        checked["expose"] = ports(given.pop("expose", ()))
        token = given.pop("image_registry_token", None)
        checked["image_registry_token"] = None if token is None else Secret(_text("image_registry_token", token))
        for name, value in given.items():
            checked[name] = _checked_option(name, value)
        _check_together(checked)
        return cls(**checked)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values of the environment variables, and the registry's token where there is one."""
        token = self.image_registry_token
        return (*self.environment_vars.values(), *(() if token is None else (token,)))


def gpu_count(value: object) -> int:
    """Return a count of GPUs, a power of two.

    Parameters
    ----------
    value : int or str

    Returns
    -------
    int

    Raises
    ------
    InvalidRequest
        It is no number, or no power of two.
    """
    count = _whole_number(value)
    if count is None or count < 1 or count & (count - 1):
        raise InvalidRequest(f"A GPU count is 1, 2, 4, 8 or another power of two, not {printable(value, 40)}.")
    return count


def port_spec(port: object, protocol: object = None) -> PortSpec:
    """Return a port to expose; without a protocol, 22 is SSH and any other HTTP.

    Parameters
    ----------
    port : int or str
    protocol : str, optional
        ``SSH``, ``HTTP`` or ``TCP`` in any case.

    Returns
    -------
    PortSpec

    Raises
    ------
    InvalidRequest
        The port is not 1 to 65535, or the protocol is none of the three.
    """
    number = _whole_number(port)
    if number is None or not 1 <= number <= 65535:
        raise InvalidRequest(f"A port is a number from 1 to 65535, not {printable(port, 40)}.")
    if protocol is None:
        return PortSpec(number, "SSH" if number == 22 else "HTTP")
    name = str(protocol).upper()
    if name not in PROTOCOLS:
        raise InvalidRequest(f"The protocol of a port is SSH, HTTP or TCP, not {printable(protocol, 40)}.")
    return PortSpec(number, name)


def ports(expose: object) -> tuple[PortSpec, ...]:
    """Return the ports to expose, from any of the forms that `PodSpec.of` takes.

    Parameters
    ----------
    expose : iterable of int, (int, str), dict or PortSpec, or one of them

    Returns
    -------
    tuple of PortSpec

    Raises
    ------
    InvalidRequest
        A port is wrong, or named twice.
    """
    if isinstance(expose, (int, str, Mapping, PortSpec)):
        expose = [expose]
    if not isinstance(expose, Iterable):
        raise InvalidRequest(f"expose takes ports such as [22, (8888, 'HTTP')], not {printable(expose, 40)}.")
    specs = tuple(_one_port(entry) for entry in expose)
    numbers = [spec.port for spec in specs]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise InvalidRequest(f"Port {twice} is exposed twice; name it once.")
    return specs


def environment_variables(variables: object) -> dict[str, Secret]:
    """Return environment variables by name, from a dict or the API's list of ``{"key", "value"}``.

    Parameters
    ----------
    variables : mapping or iterable of mapping

    Returns
    -------
    dict of str to Secret

    Raises
    ------
    InvalidRequest
        A name is not one that a shell takes, is given twice, or a value is no text.
    """
    pairs: list[tuple[object, object]]
    if isinstance(variables, Mapping):
        pairs = list(variables.items())
    elif isinstance(variables, Iterable) and not isinstance(variables, str):
        pairs = [_key_and_value(entry) for entry in variables]
    else:
        raise InvalidRequest("environment_vars takes a dict, or a list of {'key': NAME, 'value': VALUE}.")
    checked: dict[str, Secret] = {}
    for key, value in pairs:
        name = variable_name(key)
        if name in checked:
            raise InvalidRequest(f"The environment variable {name} is given twice; give it once.")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise InvalidRequest(f"The value of the environment variable {name} is no text; give it as a string.")
        checked[name] = value if isinstance(value, Secret) else Secret(str(value))
        if not _can_be_sent(checked[name]):
            raise InvalidRequest(f"The value of the environment variable {name} holds bytes that are no text in UTF-8.")
    return checked


def _can_be_sent(value: Secret) -> bool:
    try:
        value.reveal().encode()
    except UnicodeEncodeError:
        return False
    return True


def variable_name(key: object) -> str:
    """Return the name of an environment variable.

    Parameters
    ----------
    key : str

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        A shell would not take it, or it is the one that marks a create.
    """
    if not isinstance(key, str) or not _VARIABLE_NAME.fullmatch(key):
        # What is wrong here may be a value that was put in the wrong place: it is not repeated.
        raise InvalidRequest("The name of an environment variable is letters, digits and _, and starts with no digit.")
    if key == LAUNCH_VARIABLE:
        raise InvalidRequest(f"{LAUNCH_VARIABLE} marks each create by itself; leave it out.")
    return key


def _one_port(entry: object) -> PortSpec:
    if isinstance(entry, PortSpec):
        return port_spec(entry.port, entry.protocol)
    if isinstance(entry, Mapping):
        if set(entry) - {"port", "protocol"} or "port" not in entry:
            raise InvalidRequest("A port of expose is {'port': 22, 'protocol': 'SSH'}; it has no other keys.")
        return port_spec(entry["port"], entry.get("protocol"))
    if isinstance(entry, (tuple, list)):
        if len(entry) != 2:
            raise InvalidRequest("A port of expose is a number, or a pair such as (8888, 'HTTP').")
        return port_spec(*entry)
    return port_spec(entry)


def _key_and_value(entry: object) -> tuple[object, object]:
    if isinstance(entry, Mapping) and set(entry) == {"key", "value"}:
        return entry["key"], entry["value"]
    raise InvalidRequest("environment_vars takes a dict, or a list of {'key': NAME, 'value': VALUE}.")


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) < 12:
        return int(value)
    index = getattr(value, "__index__", None)  # numpy integers, as they come out of a DataFrame
    return int(index()) if index else None


def _text(name: str, value: object) -> str:
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequest(f"{name} is a text that is not empty.")
    allowed = "\n\t" if name == "initialization_command" else ""
    if any(not c.isprintable() and c not in allowed for c in value):
        what = "a control character" if allowed else "a line break or another control character"
        raise InvalidRequest(f"{name} holds {what}; leave it out.")
    return value


def _required_word(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        example = "NVIDIA_L4_24G" if name == "gpu_type" else "yottalabsai/pytorch:TAG"
        raise InvalidRequest(f"create needs {name}, such as {example}.")
    word = value.strip()
    if any(c.isspace() or not c.isprintable() for c in word):
        raise InvalidRequest(f"{name} holds a space or a control character: {printable(word, 60)!r}.")
    return word


def _checked_option(name: str, value: object) -> object:
    if name in CHOICES:
        choice = str(value).upper()
        if choice not in CHOICES[name]:
            near = nearest(choice, CHOICES[name])
            hint = f" Did you mean {near}?" if near else ""
            raise InvalidRequest(f"{name} is one of {', '.join(CHOICES[name])}, not {printable(value, 40)}.{hint}")
        return choice
    if name.endswith("_in_gb"):
        size = _whole_number(value)
        if size is None or size < 0:
            raise InvalidRequest(f"{name} is a whole number of gigabytes, not {printable(value, 40)}.")
        return size
    return _text(name, value)


def _check_together(checked: dict[str, Any]) -> None:
    credentials = [checked.get("image_registry_username"), checked.get("image_registry_token")]
    if checked.get("image_public_type") == "PRIVATE":
        if not all(credentials):
            raise InvalidRequest(
                "A private image needs image_registry_username and image_registry_token "
                "(%yotta create: --registry-username U --registry-token-env VAR)."
            )
    elif any(credentials):
        raise InvalidRequest(
            "Registry credentials go with a private image only: add image_public_type='PRIVATE' "
            "(%yotta create: --private), or leave them out."
        )
    mount = checked.get("persistent_mount_path")
    if checked.get("persistent_volume_in_gb") and not mount:
        raise InvalidRequest(
            "A persistent volume needs persistent_mount_path, such as /workspace (%yotta create: --mount /workspace)."
        )
    if mount and not mount.startswith("/"):
        raise InvalidRequest(
            f"persistent_mount_path is an absolute path such as /workspace, not {printable(mount, 60)}."
        )
    if mount and not checked.get("persistent_volume_in_gb"):
        raise InvalidRequest(
            "persistent_mount_path goes with persistent_volume_in_gb; give its size (--persistent-volume GB)."
        )
