"""The defaults of a launch, and what every spec is completed with: a Jupyter password and the user's public key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from .keys import PUBLIC_KEY_ENV
from .passwords import JUPYTER_PASSWORD_ENV, generate_password, validate_password
from .secret import Secret
from .spec import SSH_PORT, PodSpec

JUPYTER_PORT: Final = 8888

DEFAULT_EXPOSE: Final = (f"{SSH_PORT}/SSH", f"{JUPYTER_PORT}/HTTP")
"""The ports that ``%yotta create`` and the panel expose by default."""

GPU_COUNTS: Final = (1, 2, 4, 8)
"""The GPU counts that are offered. The API accepts any power of two."""


def complete_spec(spec: PodSpec, load_public_key: Callable[[], str]) -> PodSpec:
    """Return the spec with a strong Jupyter password and the user's public key, each if its port is exposed.

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
    validate_jupyter_password(spec)
    variables = dict(spec.environment_vars)
    if exposes_jupyter(spec):
        variables.setdefault(JUPYTER_PASSWORD_ENV, generate_password())
    if exposes_ssh(spec) and PUBLIC_KEY_ENV not in variables:
        variables[PUBLIC_KEY_ENV] = Secret(load_public_key())
    return msgspec.structs.replace(spec, environment_vars=variables)


def validate_jupyter_password(spec: PodSpec) -> None:
    """Check the Jupyter password of a spec that exposes Jupyter and has one.

    Parameters
    ----------
    spec : PodSpec

    Raises
    ------
    InvalidRequest
        The password can be guessed.
    """
    password = spec.environment_vars.get(JUPYTER_PASSWORD_ENV)
    if password is not None and exposes_jupyter(spec):
        validate_password(password)


def exposes_ssh(spec: PodSpec) -> bool:
    """Return whether a pod exposes a port for SSH.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    bool
    """
    # The official images run an SSH server on port 22, so that 22/TCP and even 22/HTTP may give access to it.
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
