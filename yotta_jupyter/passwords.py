"""The password of Jupyter on a pod. The official images use it as the token of a JupyterLab that runs as root."""

from __future__ import annotations

import secrets
from typing import Final

from .errors import InvalidRequest
from .secret import Secret

JUPYTER_PASSWORD_ENV: Final = "JUPYTER_PASSWORD"

PUBLISHED_LOGIN: Final = ("ubuntu", "ubuntu")
"""The user and the password for SSH in the build files of the official pytorch image."""

_PUBLISHED_PASSWORDS: Final = frozenset({PUBLISHED_LOGIN[1], "your_password"})
"""Passwords that the provider's images and documents publish. Anyone can try them."""

_MIN_LENGTH: Final = 12
_MIN_DISTINCT_CHARACTERS: Final = 6
_RANDOM_BYTES: Final = 16


def generate_password() -> Secret:
    """Return a random password.

    Returns
    -------
    Secret
    """
    return Secret(secrets.token_hex(_RANDOM_BYTES))


def validate_password(password: Secret) -> None:
    """Check that a password cannot be guessed.

    Parameters
    ----------
    password : Secret

    Raises
    ------
    InvalidRequest
        It is published, too short, or repeats the same characters.
    """
    weakness = _weakness(password.reveal())
    if weakness:
        raise InvalidRequest(
            f"{JUPYTER_PASSWORD_ENV} {weakness}. Leave it out to get a random one.", field="environment_vars"
        )


def _weakness(password: str) -> str | None:
    if password.strip().lower() in _PUBLISHED_PASSWORDS:
        return "is published with the provider's images"
    if len(password.strip()) < _MIN_LENGTH:
        return f"can be guessed: it has fewer than {_MIN_LENGTH} characters"
    if len(set(password)) < _MIN_DISTINCT_CHARACTERS or _is_repetition(password):
        return "can be guessed: it repeats the same characters"
    return None


def _is_repetition(text: str) -> bool:
    """Return whether a text is a shorter one repeated, such as ``abcabc``.

    Only then does the doubled text contain the text at a position other than the start and the middle.
    """
    return text in (text * 2)[1:-1]
