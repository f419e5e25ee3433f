"""Validation of request bodies and parameters."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .statuses import STATUSES, normalize_status

_NonEmpty = Annotated[str, Meta(min_length=1)]
_Gigabytes = Annotated[int, Meta(ge=0)]


class InvalidParameters(ValueError):
    """A request breaks the contract. The message starts with the field at fault."""


class EnvironmentVar(msgspec.Struct):
    """An environment variable in a create request."""

    key: _NonEmpty
    value: str


class ExposePort(msgspec.Struct):
    """An exposed port in a create request."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    protocol: Literal["SSH", "HTTP", "TCP"]


class CreateBody(msgspec.Struct, rename="camel", kw_only=True):
    """The body of a create request. Unknown fields are ignored."""

    image: _NonEmpty
    gpu_type: _NonEmpty
    gpu_count: Annotated[int, Meta(ge=1)]
    environment_vars: list[EnvironmentVar] | None = None
    expose: list[ExposePort] | None = None
    image_public_type: Literal["OFFICIAL", "CUSTOM", "PUBLIC", "PRIVATE"] | None = None
    image_registry_username: str | None = None
    image_registry_token: str | None = None
    initialization_command: str | None = None
    pod_name: str | None = None
    region: str | None = None
    cloud_type: Literal["SECURE", "COMMUNITY"] | None = None
    official_image: Literal["OFFICIAL", "CUSTOM"] | None = None
    resource_type: Literal["GPU", "CPU"] | None = None
    min_single_card_ram_in_gb: _Gigabytes | None = None
    container_volume_in_gb: _Gigabytes | None = None
    persistent_volume_in_gb: _Gigabytes | None = None
    persistent_mount_path: str | None = None


def validate_create(body: bytes) -> CreateBody:
    """Decode and validate the body of a create request.

    Raises
    ------
    InvalidParameters
        If the body is not valid JSON or a field is invalid.
    """
    try:
        create = msgspec.json.decode(body, type=CreateBody)
    except msgspec.ValidationError as error:
        raise InvalidParameters(_field_error(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidParameters("the body is not valid JSON") from None
    is_power_of_two = create.gpu_count.bit_count() == 1
    if not is_power_of_two:
        raise InvalidParameters("gpuCount: must be a power of two (1, 2, 4, 8)")
    if create.image_public_type == "PRIVATE":
        if not create.image_registry_username:
            raise InvalidParameters("imageRegistryUsername: required if imagePublicType is PRIVATE")
        if not create.image_registry_token:
            raise InvalidParameters("imageRegistryToken: required if imagePublicType is PRIVATE")
    if create.persistent_volume_in_gb and not create.persistent_mount_path:
        raise InvalidParameters("persistentMountPath: required if persistentVolumeInGb is more than 0")
    return create


def validate_status(value: str) -> str:
    """Return the name of a status from ``statusList``.

    Raises
    ------
    InvalidParameters
        If the status is unknown.
    """
    status = normalize_status(value)
    if status not in STATUSES:
        raise InvalidParameters(
            f"statusList: unknown status {value!r}; use 0 to {len(STATUSES) - 1} or {', '.join(STATUSES)}"
        )
    return status


def _field_error(message: str) -> str:
    """Move the path of the field from the end of a msgspec error to its start.

    An error ends with the path, such as "Expected `int`, got `str` - at `$.expose[0].port`".
    """
    reason, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    missing = re.fullmatch(r"Object missing required field `(.+)`", reason)
    if missing is not None:
        return f"{field}.{missing[1]}: required".lstrip(".")
    return f"{field or 'body'}: {reason}"
