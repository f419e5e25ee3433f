"""Names and values of the environment variables of a new pod."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from .errors import InvalidRequest
from .models import LAUNCH_ID_ENV
from .secret import Secret

_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENV_FORMS: Final = "environment_vars is a dict, or a list of {'key': NAME, 'value': VALUE}."


def parse_env(variables: object) -> dict[str, Secret]:
    """Return environment variables by name, from any form that `PodSpec` accepts.

    Parameters
    ----------
    variables : mapping, or iterable of mapping

    Returns
    -------
    dict of str to Secret

    Raises
    ------
    InvalidRequest
        A name is invalid or given twice, or a value is not text.
    """
    pairs: list[tuple[object, object]]
    if isinstance(variables, Mapping):
        pairs = list(variables.items())
    elif isinstance(variables, Iterable) and not isinstance(variables, str):
        pairs = [_key_and_value(entry) for entry in variables]
    else:
        raise InvalidRequest(_ENV_FORMS, field="environment_vars")
    env: dict[str, Secret] = {}
    for key, value in pairs:
        name = validate_env_name(key)
        if name in env:
            raise InvalidRequest(f"The environment variable {name} is given twice.", field="environment_vars")
        env[name] = _parse_env_value(name, value)
    return env


def validate_env_name(name: object) -> str:
    """Return the name of an environment variable.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        It is not a valid name in a shell, or it is reserved for the launch ID.
    """
    if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
        # The message does not repeat the name: it may be a secret value in the wrong place.
        raise InvalidRequest(
            "The name of an environment variable consists of letters, digits and _, and does not start with a digit.",
            field="environment_vars",
        )
    if name == LAUNCH_ID_ENV:
        raise InvalidRequest(f"{LAUNCH_ID_ENV} is set by each create request; leave it out.", field="environment_vars")
    return name


def _parse_env_value(name: str, value: object) -> Secret:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidRequest(
            f"The value of the environment variable {name} is not text; pass a string.", field="environment_vars"
        )
    secret = value if isinstance(value, Secret) else Secret(str(value))
    try:
        secret.reveal().encode()
    except UnicodeEncodeError:
        raise InvalidRequest(
            f"The value of the environment variable {name} is not valid UTF-8.", field="environment_vars"
        ) from None
    return secret


def _key_and_value(entry: object) -> tuple[object, object]:
    if isinstance(entry, Mapping) and set(entry) == {"key", "value"}:
        return entry["key"], entry["value"]
    raise InvalidRequest(_ENV_FORMS, field="environment_vars")
