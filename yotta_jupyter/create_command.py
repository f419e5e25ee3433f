"""The flags of ``%yotta create``, and the line that is equivalent to a spec."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
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
"""The flag of ``%yotta create`` for each field of `PodSpec` that has one. `image` is positional."""


def to_command(
    spec: PodSpec, token_env: str = REGISTRY_TOKEN_ENV, *, as_typed: bool = False, another: bool = False
) -> str:
    """Return the equivalent ``%yotta create`` line. It takes secrets from the environment.

    Fields without a flag are left out.

    Parameters
    ----------
    spec : PodSpec
        Not yet completed: otherwise the line would contain the generated password.
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
    ports = tuple(f"{port.port}/{port.protocol}" for port in spec.expose)
    # The values of a flag where they are not simply the value of the field. The flag is repeated for each of them.
    flag_values: dict[str, Iterable[object]] = {
        "environment_vars": spec.environment_vars,
        "expose": () if ports == DEFAULT_EXPOSE else ports,
        "gpu_count": () if spec.gpu_count == 1 else (spec.gpu_count,),
        "image_public_type": (),
        "image_registry_token": (token_env,) if spec.image_registry_token else (),
    }
    words = ["%yotta create", quote_word(spec.image)]
    for field, flag in CREATE_FLAGS.items():
        value = getattr(spec, field)
        for entry in flag_values.get(field, () if value is None else (value,)):
            words += [flag, quote_word(str(entry))]
    if spec.image_public_type == "PRIVATE":
        words.append(CREATE_FLAGS["image_public_type"])
    if as_typed:
        words.append(AS_TYPED_FLAG)
    if another:
        words.append(ANOTHER_FLAG)
    return " ".join(words)


def quote_word(text: str) -> str:
    """Quote a text so that a ``%yotta`` line contains it as one word, without expansion.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return shlex.quote(text).replace("{", "{{").replace("}", "}}")
