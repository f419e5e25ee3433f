"""What a launch consists of: default ports, Jupyter password, public key, the equivalent ``%yotta create`` line."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from .catalog import Catalog
from .errors import InvalidRequest
from .keys import PUBLIC_KEY_ENV
from .sanitize import single_line
from .secret import Secret
from .spec import PodSpec

DEFAULT_EXPOSE: Final = ("22/SSH", "8888/HTTP")
"""The ports that ``%yotta create`` and the panel expose by default."""

GPU_COUNTS: Final = (1, 2, 4, 8)
"""The GPU counts that are offered. The API accepts any power of two."""

SSH_PORT: Final = 22
JUPYTER_PORT: Final = 8888
JUPYTER_PASSWORD_ENV: Final = "JUPYTER_PASSWORD"
REGISTRY_TOKEN_ENV: Final = "REGISTRY_TOKEN"
"""The environment variable that `to_command` names for a registry token."""

MIN_PASSWORD_LENGTH: Final = 12
PUBLISHED_PASSWORDS: Final = frozenset({"ubuntu", "your_password"})
"""Passwords that the provider's images and documents publish. Anyone may try them."""

_PASSWORD_BYTES: Final = 16

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
        Before `complete_spec`. The line must not name generated values: it generates its own when it runs.
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
    overrides: dict[str, Iterable[object]] = {
        "environment_vars": spec.environment_vars,
        "expose": () if ports == DEFAULT_EXPOSE else ports,
        "gpu_count": () if spec.gpu_count == 1 else (spec.gpu_count,),
        "image_public_type": (),
        "image_registry_token": (token_env,) if spec.image_registry_token else (),
    }
    words = ["%yotta create", quote_word(spec.image)]
    for field, flag in CREATE_FLAGS.items():
        value = getattr(spec, field)
        for entry in overrides.get(field, () if value is None else (value,)):
            words += [flag, quote_word(str(entry))]
    if spec.image_public_type == "PRIVATE":
        words.append(CREATE_FLAGS["image_public_type"])
    words += [flag for flag, is_set in ((AS_TYPED_FLAG, as_typed), (ANOTHER_FLAG, another)) if is_set]
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
    if exposes_ssh(spec) and PUBLIC_KEY_ENV not in variables:
        variables[PUBLIC_KEY_ENV] = Secret(load_public_key())
    return msgspec.structs.replace(spec, environment_vars=variables)


def exposes_ssh(spec: PodSpec) -> bool:
    """Return whether a pod exposes a port for SSH.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    bool
    """
    return any(port.protocol == "SSH" or port.port == SSH_PORT for port in spec.expose)


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
    if password.strip().lower() in PUBLISHED_PASSWORDS:
        reason = "is published with the provider's images"
    elif len(password.strip()) < MIN_PASSWORD_LENGTH:
        reason = f"can be guessed: it has fewer than {MIN_PASSWORD_LENGTH} characters"
    elif len(set(password)) < MIN_PASSWORD_LENGTH // 2 or password in (password * 2)[1:-1]:
        reason = "can be guessed: it repeats the same characters"
    else:
        return
    raise InvalidRequest(
        f"{JUPYTER_PASSWORD_ENV} {reason}. Leave it out to get a random one.", field="environment_vars"
    )


class Estimate(NamedTuple):
    """An estimate of what a pod costs while it runs.

    Attributes
    ----------
    rate : float or None
        US dollars an hour; None if no price is known.
    basis : str
        What the rate is based on and what it leaves out, or why it is unknown.
    """

    rate: float | None
    basis: str


def estimate(spec: PodSpec, catalog: Catalog) -> Estimate:
    """Return an estimate of what a pod costs while it runs, by the prices of the latest listed pod of its GPU type.

    Parameters
    ----------
    spec : PodSpec
    catalog : Catalog

    Returns
    -------
    Estimate
        A pod in the region of the spec is preferred. Volumes are included if their sizes and prices are known.
    """
    prices = catalog.prices(spec.gpu_type, spec.region)
    if prices.single_card is None:
        return Estimate(None, "the API has no price list, and no listed pod has this GPU type")
    rate = prices.single_card * spec.gpu_count
    volumes = (
        ("container volume", spec.container_volume_in_gb, prices.container_volume),
        ("persistent volume", spec.persistent_volume_in_gb or 0, prices.persistent_volume),
    )
    excluded = [name for name, size, price in volumes if size is None or (size and price is None)]
    rate += sum((size or 0) * (price or 0.0) for _, size, price in volumes)
    region = f" in {single_line(prices.region, 40)}" if prices.region else ""
    extra = f"; the {' and the '.join(excluded)} cost{'s' * (len(excluded) == 1)} extra" if excluded else ""
    return Estimate(rate, f"by a listed pod{region}{extra}")


def estimate_rate(spec: PodSpec, catalog: Catalog) -> float | None:
    """Return the rate of `estimate`.

    Parameters
    ----------
    spec : PodSpec
    catalog : Catalog

    Returns
    -------
    float or None
        US dollars an hour; None if no price is known.
    """
    return estimate(spec, catalog).rate
