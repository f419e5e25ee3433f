"""What a create request must look like."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_Volume = Annotated[int, Meta(ge=0)]


class InvalidBody(ValueError):
    """A request body that breaks the contract; the message names the field."""


class EnvironmentVar(msgspec.Struct):
    """One environment variable of a create request."""

    key: _Text
    value: str


class ExposePort(msgspec.Struct):
    """One port of a create request."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    protocol: Literal["SSH", "HTTP", "TCP"]


class CreateBody(msgspec.Struct, rename="camel", kw_only=True):
    """The body of a create request. Fields that are not named here are ignored."""

    image: _Text
    gpu_type: _Text
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
    min_single_card_ram_in_gb: _Volume | None = None
    container_volume_in_gb: _Volume | None = None
    persistent_volume_in_gb: _Volume | None = None
    persistent_mount_path: str | None = None


def check_create(body: bytes) -> CreateBody:
    """Decode and check the body of a create request.

    Raises
    ------
    InvalidBody
        With a message that names the field at fault.
    """
    try:
        create = msgspec.json.decode(body, type=CreateBody)
    except msgspec.ValidationError as error:
        raise InvalidBody(_named(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidBody("the body is not valid JSON") from None
    if create.gpu_count & (create.gpu_count - 1):
        raise InvalidBody("gpuCount: must be a power of two (1, 2, 4, 8)")
    if create.image_public_type == "PRIVATE":
        if not create.image_registry_username:
            raise InvalidBody("imageRegistryUsername: required where imagePublicType is PRIVATE")
        if not create.image_registry_token:
            raise InvalidBody("imageRegistryToken: required where imagePublicType is PRIVATE")
    if create.persistent_volume_in_gb and not create.persistent_mount_path:
        raise InvalidBody("persistentMountPath: required where persistentVolumeInGb is more than 0")
    return create


def _named(message: str) -> str:
    """Put the name of the field first: msgspec has it last, as a path."""
    what, _, path = message.partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    if missing := re.fullmatch(r"Object missing required field `(.+)`", what):
        return f"{where}.{missing[1]}: required".lstrip(".")
    return f"{where or 'body'}: {what}"
