"""What a launch consists of: default ports, the Jupyter password, and the equal ``%yotta create`` line."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterable
from typing import Final

import msgspec

from .catalog import Catalog
from .models import TERMINAL_STATUSES, Pod
from .secret import Secret
from .spec import PodSpec

DEFAULT_EXPOSE: Final = ("22/SSH", "8888/HTTP")
"""The ports that ``%yotta create`` and the panel expose by default."""

GPU_COUNTS: Final = (1, 2, 4, 8)
"""The GPU counts that are offered. The API accepts any power of two."""

JUPYTER_PORT: Final = 8888
JUPYTER_PASSWORD_ENV: Final = "JUPYTER_PASSWORD"
REGISTRY_TOKEN_ENV: Final = "REGISTRY_TOKEN"
"""The environment variable that `to_command` names for a registry token."""

_PASSWORD_BYTES: Final = 16

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


def to_command(spec: PodSpec, token_env: str = REGISTRY_TOKEN_ENV) -> str:
    """Return the ``%yotta create`` line that requests the same pod. It takes secrets from the environment.

    Parameters
    ----------
    spec : PodSpec
    token_env : str
        The environment variable that will hold the registry token.

    Returns
    -------
    str
    """
    ports = tuple(f"{port.port}/{port.protocol}" for port in spec.expose)
    values: dict[str, Iterable[object]] = {
        "environment_vars": spec.environment_vars,
        "expose": () if ports == DEFAULT_EXPOSE else ports,
        "gpu_count": () if spec.gpu_count == 1 else (spec.gpu_count,),
        "image_public_type": (),
        "image_registry_token": (token_env,) if spec.image_registry_token else (),
    }
    words = ["%yotta create", quote_word(spec.image)]
    for field, flag in CREATE_FLAGS.items():
        value = getattr(spec, field)
        for entry in values.get(field, () if value is None else (value,)):
            words += [flag, quote_word(str(entry))]
    if spec.image_public_type == "PRIVATE":
        words.append(CREATE_FLAGS["image_public_type"])
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


def needs_jupyter_password(spec: PodSpec) -> bool:
    """Return whether a pod would expose Jupyter without a password of its own.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    bool
    """
    exposes_jupyter = any(port.port == JUPYTER_PORT for port in spec.expose)
    return exposes_jupyter and JUPYTER_PASSWORD_ENV not in spec.environment_vars


def with_jupyter_password(spec: PodSpec) -> PodSpec:
    """Return the spec with a random Jupyter password of 128 bits if it needs one.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    PodSpec
    """
    if not needs_jupyter_password(spec):
        return spec
    variables = {**spec.environment_vars, JUPYTER_PASSWORD_ENV: Secret(secrets.token_hex(_PASSWORD_BYTES))}
    return msgspec.structs.replace(spec, environment_vars=variables)


def find_by_name(pods: Iterable[Pod], name: str | None) -> Pod | None:
    """Return a pod with a name that has not ended.

    Parameters
    ----------
    pods : iterable of Pod
    name : str or None

    Returns
    -------
    Pod or None
    """
    return next((pod for pod in pods if name and pod.name == name and pod.status not in TERMINAL_STATUSES), None)


def estimate_rate(spec: PodSpec, catalog: Catalog) -> float | None:
    """Return an estimate of what the GPUs of a pod cost while it runs.

    Parameters
    ----------
    spec : PodSpec
    catalog : Catalog

    Returns
    -------
    float or None
        US dollars an hour without volumes, by the price of a listed pod; None if no price is known.
    """
    price = catalog.price(spec.gpu_type)
    return None if price is None else price * spec.gpu_count
