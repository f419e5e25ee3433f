"""The flags of ``%yotta create``, and the line that is equivalent to a spec."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from .launch import DEFAULT_EXPOSE
from .spec import PodSpec

REGISTRY_TOKEN_ENV: Final = "REGISTRY_TOKEN"
"""The environment variable that `to_command` names for a registry token."""

AS_TYPED_FLAG: Final = "--as-typed"
ANOTHER_FLAG: Final = "--another"

CREATE_FLAGS: Final = {
    "gpu_type": "--gpu",
    "gpu_count": "--count",
    "pod_name": "--name",
    "region": "--region",
    "cloud_type": "--cloud",
    "environment_vars": "--env-from",
    "expose": "--expose",
    "initialization_command": "--init",
    "container_volume_in_gb": "--container-volume",
    "persistent_volume_in_gb": "--persistent-volume",
    "persistent_mount_path": "--mount",
    "image_public_type": "--private",
    "image_registry_username": "--registry-username",
    "image_registry_token": "--registry-token-env",
}
"""The flag of ``%yotta create`` for each field of `PodSpec` that has one. The image is positional."""


def to_command(
    spec: PodSpec, token_env: str = REGISTRY_TOKEN_ENV, *, as_typed: bool = False, another: bool = False
) -> str:
    """Return the equivalent ``%yotta create`` line. It takes secrets from the environment.

    Fields without a flag are left out.

    Parameters
    ----------
    spec : PodSpec
        Not completed by `complete_spec`, which adds a password.
    token_env : str
        The environment variable that will hold the registry token.
    as_typed : bool, default False
        Whether names that the catalog does not know are sent unchanged.
    another : bool, default False
        Whether to create a pod although one of that name exists.

    Returns
    -------
    str
    """
    words = ["%yotta create", quote_word(spec.image)]
    for field, flag in CREATE_FLAGS.items():
        for value in _flag_values(spec, field, token_env):
            words += [flag, quote_word(str(value))]
    if spec.image_public_type == "PRIVATE":
        words.append(CREATE_FLAGS["image_public_type"])
    if as_typed:
        words.append(AS_TYPED_FLAG)
    if another:
        words.append(ANOTHER_FLAG)
    return " ".join(words)


def _flag_values(spec: PodSpec, field: str, token_env: str) -> Sequence[object]:
    """Return the values of the flag for a field. The flag is repeated for each value."""
    value = getattr(spec, field)
    if value is None or field == "image_public_type":  # --private has no value.
        return ()
    if field == "environment_vars":
        return tuple(spec.environment_vars)
    if field == "expose":
        ports = tuple(f"{port.port}/{port.protocol}" for port in spec.expose)
        return () if ports == DEFAULT_EXPOSE else ports
    if field == "gpu_count" and value == 1:  # The default.
        return ()
    if field == "image_registry_token":
        return (token_env,)
    return (value,)


def quote_word(text: str) -> str:
    """Quote a text as one word of a ``%yotta`` line. Braces are doubled, because they are expanded within quotes too.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return shlex.quote(text).replace("{", "{{").replace("}", "}}")
