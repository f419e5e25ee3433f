"""Where the key and the address come from: arguments, ``%config``, the environment, ``~/.yotta/config``."""

from __future__ import annotations

import configparser
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from . import configured
from .api import DEFAULT_BASE_URL, InvalidRequest, Secret
from .api.client import checked_key
from .api.text import did_you_mean, printable
from .configured import Configured

API_KEY: Final = "YOTTA_API_KEY"
BASE_URL: Final = "YOTTA_BASE_URL"
PROFILE: Final = "YOTTA_PROFILE"
DEFAULT_PROFILE: Final = "default"


class Settings(msgspec.Struct, frozen=True):
    """How to connect, and where that was found.

    Attributes
    ----------
    api_key : Secret
    base_url : str
    timeout : float or None
        Seconds for a read; None for the client's own.
    source : str
        Where the key came from, such as ``YOTTA_API_KEY`` or ``profile work``.
    """

    api_key: Secret
    base_url: str
    timeout: float | None
    source: str


def config_path() -> Path:
    """Return the path of the provider's file of profiles.

    Returns
    -------
    pathlib.Path
        ``~/.yotta/config``.
    """
    return Path.home() / ".yotta" / "config"


def resolve(
    api_key: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
) -> Settings:
    """Return how to connect. Each of key and address is taken from the first place that has it.

    The places are: the arguments, ``%config``, the environment (``YOTTA_API_KEY``, ``YOTTA_BASE_URL``,
    ``YOTTA_PROFILE``), the profile ``default`` of ``~/.yotta/config``. A profile stands where it was named: one
    named as an argument or in ``%config`` goes before the environment.

    Parameters
    ----------
    api_key, base_url, profile : str, optional
    timeout : float, optional
        Seconds for a read.

    Returns
    -------
    Settings

    Raises
    ------
    InvalidRequest
        No key anywhere, no such profile, or a file of profiles that cannot be read.
    """
    key, source, address = None, "", None
    notebook = configured.now()
    for place, found in _places(api_key, base_url, profile, notebook):
        if key is None and found.get("api_key"):
            key, source = found["api_key"], place
        address = address or found.get("base_url")
        if key and address:
            break
    if key is None:
        raise InvalidRequest(
            "There is no API key. Save yours with %yotta login, or set YOTTA_API_KEY where nobody can type; "
            "try everything without an account with %yotta sandbox start"
        )
    return Settings(
        checked_key(key), address or DEFAULT_BASE_URL, notebook.timeout if timeout is None else timeout, source
    )


def save_profile(profile: str, api_key: Secret, base_url: str) -> Path:
    """Write a profile into ``~/.yotta/config``, and keep what else is there, to the letter.

    Parameters
    ----------
    profile : str
    api_key : Secret
    base_url : str

    Returns
    -------
    pathlib.Path
        The file: written at once or not at all, mode 0600.

    Raises
    ------
    InvalidRequest
        The profile's name cannot be a section's, or the file there cannot be read or written.
    """
    from configupdater import ConfigUpdater

    if not profile or profile != profile.strip() or not profile.isprintable() or set("[]") & set(profile):
        raise InvalidRequest("A profile's name is one line without [ and ], such as work.")
    if profile == configparser.DEFAULTSECT:
        raise InvalidRequest(f"{profile} is not a profile: what stands there counts for all of them. Use another name.")
    path = config_path().resolve()  # A link, as people with dotfiles have, stays one.
    updater = ConfigUpdater()
    try:
        updater.read_string(path.read_text() if path.exists() else "")
        if not updater.has_section(profile):
            if updater.sections():
                updater[updater.sections()[-1]].add_after.space(1)
            updater.add_section(profile)
        updater.set(profile, "api_key", api_key.reveal())
        updater.set(profile, "base_url", base_url)
        _write_privately(path, str(updater))
    except (OSError, UnicodeError, configparser.Error) as error:
        problem = _without_contents(error)
    else:
        return path
    raise InvalidRequest(
        f"The profile could not be saved in {config_path()}: {problem}. Mend the file, then try again."
    )


def active_profile() -> str:
    """Return the profile that this notebook or the environment names, else ``default``.

    Returns
    -------
    str
        It need not be there yet.
    """
    return configured.now().profile or os.environ.get(PROFILE) or DEFAULT_PROFILE


def address_of(profile: str) -> str | None:
    """Return the address for a profile that is about to be written, from the first place that has one.

    Parameters
    ----------
    profile : str
        It need not be there yet.

    Returns
    -------
    str or None
        Of ``%config``, the environment, or the profile as it is; None where none of them names one.
    """
    known = _profile(profile).get("base_url") if profile in profiles() else None
    return configured.now().base_url or os.environ.get(BASE_URL) or known


def profiles() -> list[str]:
    """Return the names of the profiles in ``~/.yotta/config``.

    Returns
    -------
    list of str
        Empty where there is no such file.

    Raises
    ------
    InvalidRequest
        The file cannot be read.
    """
    return _read().sections()


def _places(
    api_key: str | None, base_url: str | None, profile: str | None, notebook: Configured
) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Yield each place with what it says, the first ones going before the later. The file is read when it is needed."""
    yield "an argument", {"api_key": api_key, "base_url": base_url}
    if profile:
        yield f"profile {profile}", _profile(profile)
    yield notebook.place, {"api_key": notebook.api_key, "base_url": notebook.base_url}
    if notebook.profile:
        yield f"profile {notebook.profile}", _profile(notebook.profile)
    yield API_KEY, {"api_key": os.environ.get(API_KEY), "base_url": os.environ.get(BASE_URL)}
    if named := os.environ.get(PROFILE):
        yield f"profile {named}", _profile(named)
    elif DEFAULT_PROFILE in profiles():
        yield f"profile {DEFAULT_PROFILE}", _profile(DEFAULT_PROFILE)


def _profile(name: str) -> Mapping[str, str | None]:
    config = _read()
    if not config.has_section(name):
        known = config.sections()
        hint = did_you_mean(name, known) or (f" There are: {', '.join(map(printable, known))}." if known else "")
        raise InvalidRequest(
            f"There is no profile {printable(name, 60)!r} in {config_path()}.{hint} "
            f"Make it with: %yotta login --profile {printable(name, 60)}"
        )
    return {option: config.get(name, option, fallback=None) for option in ("api_key", "base_url")}


def _read() -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    try:
        with config_path().open() as file:
            config.read_file(file)
    except FileNotFoundError:
        return config
    except (OSError, UnicodeError, configparser.Error) as error:
        problem = _without_contents(error)
    else:
        return config
    raise InvalidRequest(f"{config_path()} cannot be read: {problem}. Mend it, or give the key by {API_KEY}.")


def _without_contents(error: Exception) -> str:
    """Say what is wrong with the file of keys without repeating a line of it."""
    if isinstance(error, OSError):
        return printable(error.strerror or type(error).__name__)
    line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", [])), None)
    return f"{type(error).__name__}" + (f" in line {line}" if line else "")


def _write_privately(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600, in the same folder, so that the replacement is one step.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
