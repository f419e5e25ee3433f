"""Where the API key and address come from: arguments, ``%config``, the environment, ``~/.yotta/config``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from .errors import InvalidRequest
from .overrides import ConfigOverrides, current_overrides
from .profiles import DEFAULT_PROFILE, profile_names, read_profile
from .secret import Secret

DEFAULT_BASE_URL: Final = "https://api.yottalabs.ai"
API_KEY_ENV: Final = "YOTTA_API_KEY"
BASE_URL_ENV: Final = "YOTTA_BASE_URL"
PROFILE_ENV: Final = "YOTTA_PROFILE"


class Config(msgspec.Struct, frozen=True):
    """How to connect to the API.

    Attributes
    ----------
    api_key : Secret
    base_url : str
    timeout : float or None
        Seconds for a complete response; None for the default.
    key_source : str
        Where the key was found, such as ``YOTTA_API_KEY`` or ``profile work``.
    ssh_key : str or None
        The private SSH key file; None for the package's own.
    """

    api_key: Secret
    base_url: str
    timeout: float | None
    key_source: str
    ssh_key: str | None = None


def resolve_config(
    api_key: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
    *,
    ssh_key: str | None = None,
    overrides: ConfigOverrides | None = None,
) -> Config:
    """Return how to connect, from the sources of `yotta_jupyter.connect`.

    A profile comes directly after the source that names it, so a profile of ``%config`` precedes the environment. If
    none is named, the profile ``default`` comes last.

    Parameters
    ----------
    api_key, base_url, profile : str, optional
    timeout : float, optional
        Seconds for a complete response.
    ssh_key : str, optional
        The private SSH key file.
    overrides : ConfigOverrides, optional
        The settings of an IPython shell; by default those of the current one.

    Returns
    -------
    Config

    Raises
    ------
    InvalidRequest
        There is no key or no such profile, or the file of profiles cannot be read.
    """
    overrides = current_overrides() if overrides is None else overrides
    key: str | None = None
    key_source = ""
    address: str | None = None
    for source, values in _sources(api_key, base_url, profile, overrides):
        if key is None and values.get("api_key"):
            key, key_source = values["api_key"], source
        address = address or values.get("base_url")
        if key and address:
            break  # The other sources are not read.
    if key is None:
        raise InvalidRequest(
            "There is no API key. Save yours with %yotta login, or set YOTTA_API_KEY where there is no prompt; "
            "without an account, start with %yotta sandbox start"
        )
    return Config(
        api_key=validate_api_key(key),
        base_url=address or DEFAULT_BASE_URL,
        timeout=overrides.timeout if timeout is None else timeout,
        key_source=key_source,
        ssh_key=ssh_key or overrides.ssh_key,
    )


def validate_api_key(api_key: str) -> Secret:
    """Return an API key that is valid in an HTTP header.

    Parameters
    ----------
    api_key : str

    Returns
    -------
    Secret

    Raises
    ------
    InvalidRequest
        It is empty, or contains a line break, a space or a non-ASCII character.
    """
    key = api_key.reveal() if isinstance(api_key, Secret) else api_key
    if not isinstance(key, str) or not key:
        raise InvalidRequest("The API key is empty. Get one in the console under Settings → Access Keys: %yotta login")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidRequest("The API key contains a line break, a space or a special character; copy it again, alone.")
    return Secret(key)


def profile_source(profile: str) -> str:
    """Return the `Config.key_source` of a key that is from a profile.

    Parameters
    ----------
    profile : str

    Returns
    -------
    str
    """
    return f"profile {profile}"


def active_profile(overrides: ConfigOverrides) -> str:
    """Return the profile that ``%config`` or the environment names, else ``default``.

    Parameters
    ----------
    overrides : ConfigOverrides

    Returns
    -------
    str
        There may be no such profile yet.
    """
    return overrides.profile or os.environ.get(PROFILE_ENV) or DEFAULT_PROFILE


def base_url_for(profile: str, overrides: ConfigOverrides) -> str:
    """Return the address to save with a profile.

    Parameters
    ----------
    profile : str
        A new or an existing one.
    overrides : ConfigOverrides

    Returns
    -------
    str
        From ``%config``, the environment, or the existing profile; else the provider's.
    """
    saved = read_profile(profile)["base_url"] if profile in profile_names() else None
    return overrides.base_url or os.environ.get(BASE_URL_ENV) or saved or DEFAULT_BASE_URL


def _sources(
    api_key: str | None, base_url: str | None, profile: str | None, overrides: ConfigOverrides
) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Yield the `Config.key_source` and the values of each source, highest precedence first."""
    yield "an argument", {"api_key": api_key, "base_url": base_url}
    if profile:
        yield profile_source(profile), read_profile(profile)
    yield overrides.source, {"api_key": overrides.api_key, "base_url": overrides.base_url}
    if overrides.profile:
        yield profile_source(overrides.profile), read_profile(overrides.profile)
    yield API_KEY_ENV, {"api_key": os.environ.get(API_KEY_ENV), "base_url": os.environ.get(BASE_URL_ENV)}
    if env_profile := os.environ.get(PROFILE_ENV):
        yield profile_source(env_profile), read_profile(env_profile)
    elif DEFAULT_PROFILE in profile_names():
        yield profile_source(DEFAULT_PROFILE), read_profile(DEFAULT_PROFILE)
