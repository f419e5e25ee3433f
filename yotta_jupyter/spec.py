"""`PodSpec`, and functions that parse and validate its fields before a request is sent."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, SupportsIndex

import msgspec

from .environment import parse_env
from .errors import InvalidRequest
from .formatting import join_or
from .sanitize import single_line
from .secret import Secret
from .spelling import did_you_mean

SSH_PORT: Final = 22
PROTOCOLS: Final = ("SSH", "HTTP", "TCP")
ALLOWED_VALUES: Final = {
    "image_public_type": ("OFFICIAL", "CUSTOM", "PUBLIC", "PRIVATE"),
    "official_image": ("OFFICIAL", "CUSTOM"),
    "cloud_type": ("SECURE", "COMMUNITY"),
    "resource_type": ("GPU", "CPU"),
}
"""The values of fields that have a fixed set of values."""

_MAX_INT_LENGTH: Final = 11
"""Characters of a number given as text. Python refuses to convert a very long one."""

_REQUIRED: Final = {"image": "yottalabsai/pytorch:TAG", "gpu_type": "NVIDIA_L4_24G"}
"""The required fields, with an example of each."""


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
    """What a pod is created from. Validates itself.

    Attributes
    ----------
    image : str
        A Docker image, such as ``yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04``.
    gpu_type : str
        A GPU type of the API, such as ``NVIDIA_L4_24G``.
    gpu_count : int
        A power of two.
    environment_vars : dict of str to Secret
        Environment variables. Also accepts a dict of plain values, or the API's list of ``{"key", "value"}``.
    expose : tuple of PortSpec
        Ports to expose. Also accepts ports, ``(port, protocol)`` pairs, or the API's list of ``{"port", "protocol"}``.
    image_public_type : str or None
        ``OFFICIAL``, ``CUSTOM``, ``PUBLIC`` or ``PRIVATE``. PRIVATE requires `image_registry_username` and
        `image_registry_token`.
    official_image : str or None
        ``OFFICIAL`` or ``CUSTOM``: whether the provider maintains the image.
    container_volume_in_gb, persistent_volume_in_gb, min_single_card_ram_in_gb : int or None
        Gigabytes. A persistent volume requires a `persistent_mount_path`.

    Raises
    ------
    InvalidRequest
        A field is invalid. `InvalidRequest.field` names it.
    """

    # A new field is also an argument of `PodsClient.create`, and has a flag in `CREATE_FLAGS`.
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

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None:  # A caller may pass None for any field.
                value = _defaults()[name]
            if value is None and name in _REQUIRED:
                raise _missing(name)
            if value is not None:
                validate = _VALIDATORS.get(name, _validate_text)
                msgspec.structs.force_setattr(self, name, validate(name, value))
        _validate_registry(self)
        _validate_volume(self)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values of the environment variables, and the registry token if there is one."""
        secrets = tuple(self.environment_vars.values())
        return secrets if self.image_registry_token is None else (*secrets, self.image_registry_token)


def parse_gpu_count(value: object) -> int:
    """Return a number of GPUs.

    Parameters
    ----------
    value : int or str

    Returns
    -------
    int

    Raises
    ------
    InvalidRequest
        It is not a power of two.
    """
    count = _to_int(value)
    if count is None or count < 1 or count.bit_count() > 1:
        raise InvalidRequest(
            f"A GPU count is 1, 2, 4, 8 or another power of two, not {single_line(value, 40)}.", field="gpu_count"
        )
    return count


def parse_port(port: object, protocol: object = None) -> PortSpec:
    """Return a port to expose. The default protocol is SSH for port 22 and HTTP for any other.

    Parameters
    ----------
    port : int or str
        A number, or ``PORT/PROTOCOL``.
    protocol : str, optional
        ``SSH``, ``HTTP`` or ``TCP`` in any case.

    Returns
    -------
    PortSpec

    Raises
    ------
    InvalidRequest
        The port is not 1 to 65535, or the protocol is unknown.
    """
    if protocol is None and isinstance(port, str) and "/" in port:
        port, _, protocol = port.partition("/")
    number = _to_int(port)
    if number is None or not 1 <= number <= 65535:
        raise InvalidRequest(f"A port is a number from 1 to 65535, not {single_line(port, 40)}.", field="expose")
    if protocol is None:
        return PortSpec(number, "SSH" if number == SSH_PORT else "HTTP")
    name = str(protocol).upper()
    if name not in PROTOCOLS:
        raise InvalidRequest(
            f"The protocol of a port is {join_or(PROTOCOLS)}, not {single_line(protocol, 40)}.", field="expose"
        )
    return PortSpec(number, name)


def parse_ports(expose: object) -> tuple[PortSpec, ...]:
    """Return the ports to expose, from any form that `PodSpec` accepts.

    Parameters
    ----------
    expose : iterable of int, str, (int, str), dict or PortSpec, or one of them

    Returns
    -------
    tuple of PortSpec

    Raises
    ------
    InvalidRequest
        A port is invalid, or exposed twice.
    """
    if isinstance(expose, (int, str, Mapping, PortSpec)):
        expose = [expose]
    if not isinstance(expose, Iterable):
        raise InvalidRequest(
            f"expose is a list of ports such as [22, (8888, 'HTTP')], not {single_line(expose, 40)}.", field="expose"
        )
    ports = tuple(_parse_port_entry(entry) for entry in expose)
    numbers = [port.port for port in ports]
    duplicate = next((number for number in numbers if numbers.count(number) > 1), None)
    if duplicate is not None:
        raise InvalidRequest(f"Port {duplicate} is exposed twice; name it once.", field="expose")
    return ports


def _parse_port_entry(entry: object) -> PortSpec:
    if isinstance(entry, PortSpec):
        return parse_port(entry.port, entry.protocol)
    if isinstance(entry, Mapping):
        if set(entry) - {"port", "protocol"} or "port" not in entry:
            raise InvalidRequest(
                "A port of expose is {'port': 22, 'protocol': 'SSH'}, without other keys.", field="expose"
            )
        return parse_port(entry["port"], entry.get("protocol"))
    if isinstance(entry, (tuple, list)):
        if len(entry) != 2:
            raise InvalidRequest("A port of expose is a number, or a pair such as (8888, 'HTTP').", field="expose")
        return parse_port(*entry)
    return parse_port(entry)


def _to_int(value: object) -> int | None:
    """Return an integer given as a number or as decimal digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_INT_LENGTH
        return int(text) if is_number else None
    if isinstance(value, SupportsIndex):  # Also the integers of NumPy, such as those of a DataFrame.
        return operator.index(value)
    return None


def _validate_word(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _missing(name)
    word = value.strip()
    if any(c.isspace() or not c.isprintable() for c in word):
        raise InvalidRequest(f"{name} contains a space or a control character: {single_line(word, 60)!r}.", field=name)
    return word


def _validate_text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _empty(name)
    if not value.isprintable():
        raise InvalidRequest(f"{name} contains a line break or another control character; remove it.", field=name)
    return value


def _validate_command(name: str, value: object) -> str:
    """Return a text that may also contain line feeds and tabs."""
    if not isinstance(value, str) or not value.strip():
        raise _empty(name)
    if not value.replace("\n", " ").replace("\t", " ").isprintable():
        raise InvalidRequest(f"{name} contains a control character; remove it.", field=name)
    return value


def _validate_token(name: str, value: object) -> Secret:
    text = value.reveal() if isinstance(value, Secret) else value
    return Secret(_validate_text(name, text))


def _validate_choice(name: str, value: object) -> str:
    choice = str(value).upper()
    choices = ALLOWED_VALUES[name]
    if choice not in choices:
        suggestion = did_you_mean(choice, choices)
        raise InvalidRequest(
            f"{name} is one of {', '.join(choices)}, not {single_line(value, 40)}.{suggestion}", field=name
        )
    return choice


def _validate_size(name: str, value: object) -> int:
    size = _to_int(value)
    if size is None or size < 0:
        raise InvalidRequest(f"{name} is a whole number of gigabytes, not {single_line(value, 40)}.", field=name)
    return size


_VALIDATORS: Final[dict[str, Callable[[str, object], object]]] = {
    "image": _validate_word,
    "gpu_type": _validate_word,
    "gpu_count": lambda _, value: parse_gpu_count(value),
    "environment_vars": lambda _, value: parse_env(value),
    "expose": lambda _, value: parse_ports(value),
    "image_registry_token": _validate_token,
    "initialization_command": _validate_command,
    "min_single_card_ram_in_gb": _validate_size,
    "container_volume_in_gb": _validate_size,
    "persistent_volume_in_gb": _validate_size,
    **dict.fromkeys(ALLOWED_VALUES, _validate_choice),
}
"""The function that validates a field. It takes the field's name and value and returns the value to use.

The other fields are validated by `_validate_text`.
"""


@cache
def _defaults() -> dict[str, Any]:
    """Return the default of each field by name; None for a required field."""
    defaults = {}
    for field in msgspec.structs.fields(PodSpec):
        if field.default_factory is not msgspec.NODEFAULT:
            defaults[field.name] = field.default_factory()
        elif field.default is not msgspec.NODEFAULT:
            defaults[field.name] = field.default
        else:
            defaults[field.name] = None
    return defaults


def _missing(name: str) -> InvalidRequest:
    return InvalidRequest(f"create requires {name}, such as {_REQUIRED[name]}.", field=name, is_missing=True)


def _empty(name: str) -> InvalidRequest:
    return InvalidRequest(f"{name} is a non-empty string.", field=name)


def _validate_registry(spec: PodSpec) -> None:
    credentials = {name: getattr(spec, name) for name in ("image_registry_username", "image_registry_token")}
    if spec.image_public_type == "PRIVATE":
        missing = next((name for name, value in credentials.items() if not value), None)
        if missing:
            raise InvalidRequest(
                "A private image requires image_registry_username and image_registry_token.",
                field=missing,
                is_missing=True,
            )
    elif any(credentials.values()):
        raise InvalidRequest(
            "Registry credentials require image_public_type='PRIVATE'; add it, or leave the credentials out.",
            field="image_public_type",
            is_missing=True,
        )


def _validate_volume(spec: PodSpec) -> None:
    mount = spec.persistent_mount_path
    if spec.persistent_volume_in_gb and not mount:
        raise InvalidRequest(
            "A persistent volume requires persistent_mount_path, such as /workspace.",
            field="persistent_mount_path",
            is_missing=True,
        )
    if mount and not mount.startswith("/"):
        raise InvalidRequest(
            f"persistent_mount_path is an absolute path such as /workspace, not {single_line(mount, 60)}.",
            field="persistent_mount_path",
        )
    if mount and not spec.persistent_volume_in_gb:
        raise InvalidRequest(
            "persistent_mount_path requires persistent_volume_in_gb; add its size.",
            field="persistent_volume_in_gb",
            is_missing=True,
        )
