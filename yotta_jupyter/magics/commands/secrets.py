"""Secrets of ``%yotta create``: read from environment variables, never written in the line."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from typing import Final

from ...environment import validate_env_name
from ...errors import InvalidRequest
from ...sanitize import single_line
from ...secret import Secret, is_sensitive_name

_MIN_LENGTH: Final = 8
"""Shorter values are not searched for in the line, because they may occur in it by chance."""


def reject_inline_secrets(arguments: Namespace) -> None:
    """Raise if an argument contains the value of a secret environment variable.

    Parameters
    ----------
    arguments : Namespace

    Raises
    ------
    InvalidRequest
        The line contains a secret, which would be shown and sent as plain text.
    """
    texts = list(_argument_texts(arguments))
    for name, value in os.environ.items():
        if len(value) < _MIN_LENGTH or not is_sensitive_name(name):
            continue
        if any(value in text for text in texts):
            raise InvalidRequest(
                f"This line contains the value of {single_line(name, 60)}, which would be shown and sent as text. "
                f"Use --env-from {single_line(name, 60)}, and read that variable in the pod's command."
            )


def _argument_texts(arguments: Namespace) -> Iterator[str]:
    for value in vars(arguments).values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value


def read_secret(name: str) -> Secret:
    """Return the value of an environment variable.

    Parameters
    ----------
    name : str

    Returns
    -------
    Secret

    Raises
    ------
    InvalidRequest
        The variable is not set or empty, or the name is of the form ``NAME=VALUE``.
    """
    if "=" in name:
        raise InvalidRequest(
            "A secret's value must not be written into a line. Name only the variable, as in --env-from NAME."
        )
    value = os.environ.get(name)
    if not value:
        raise InvalidRequest(
            f"There is no environment variable {single_line(name, 60)} here. Set it first: "
            f"import os, getpass; os.environ[{single_line(name, 60)!r}] = getpass.getpass()"
        )
    return Secret(value)


def parse_plain_env(pair: str) -> tuple[str, str]:
    """Return name and value of an environment variable whose value is written in the line.

    Parameters
    ----------
    pair : str
        ``NAME=VALUE``.

    Returns
    -------
    tuple of str

    Raises
    ------
    InvalidRequest
        There is no value, or the name is invalid or that of a secret.
    """
    name, equals, value = pair.partition("=")
    if not equals:
        raise InvalidRequest(
            "--env takes NAME=VALUE. For a variable of this notebook's environment, use --env-from NAME"
        )
    if is_sensitive_name(validate_env_name(name)):
        raise InvalidRequest(
            f"{name} looks like a secret, and this line stays in the notebook. Put the value into the environment "
            f'(import os, getpass; os.environ["{name}"] = getpass.getpass()), then: --env-from {name}'
        )
    return name, value
