"""What a launch consists of: default ports, the Jupyter password, the public key, the equal ``%yotta create`` line."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from .catalog import Catalog
from .errors import InvalidRequest
from .keys import PUBLIC_KEY_ENV
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

MIN_PASSWORD_LENGTH: Final = 12
PUBLISHED_PASSWORDS: Final = frozenset({"ubuntu", "your_password"})
"""Passwords that the provider's images and documents publish. Anyone may try them."""

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


def complete_spec(spec: PodSpec, load_public_key: Callable[[], str]) -> PodSpec:
    """Return the spec with what every pod needs: a strong Jupyter password and our public key.

    Parameters
    ----------
    spec : PodSpec
    load_public_key : callable
        Returns the public key. Called only if SSH is exposed and the spec has no ``PUBLIC_KEY`` of its own.

    Returns
    -------
    PodSpec

    Raises
    ------
    InvalidRequest
        The Jupyter password of the spec is weak, or there is no usable key.
    """
    variables = dict(spec.environment_vars)
    if exposes_jupyter(spec):
        password = variables.setdefault(JUPYTER_PASSWORD_ENV, Secret(secrets.token_hex(_PASSWORD_BYTES)))
        _validate_password(password.reveal())
    if any(port.protocol == "SSH" for port in spec.expose) and PUBLIC_KEY_ENV not in variables:
        variables[PUBLIC_KEY_ENV] = Secret(load_public_key())
    return msgspec.structs.replace(spec, environment_vars=variables)


def exposes_jupyter(spec: PodSpec) -> bool:
    """Return whether a pod exposes the port of Jupyter.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    bool
    """
    return any(port.port == JUPYTER_PORT for port in spec.expose)


def _validate_password(password: str) -> None:
    """Refuse a password that can be guessed: the official images use it as the token of a root JupyterLab."""
    if password in PUBLISHED_PASSWORDS:
        reason = "is published with the provider's images"
    elif len(password.strip()) < MIN_PASSWORD_LENGTH or len(set(password)) < MIN_PASSWORD_LENGTH // 2:
        reason = f"can be guessed: use {MIN_PASSWORD_LENGTH} or more different characters"
    else:
        return
    raise InvalidRequest(
        f"{JUPYTER_PASSWORD_ENV} {reason}. Leave it out to get a random one.", field="environment_vars"
    )


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
