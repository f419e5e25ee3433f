"""Where the API key and address come from: arguments, ``%config``, the environment, ``~/.yotta/config``."""

from __future__ import annotations

import configparser
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from .errors import InvalidRequest
from .overrides import ConfigOverrides, current_overrides
from .sanitize import single_line
from .secret import Secret
from .spelling import did_you_mean

DEFAULT_BASE_URL: Final = "https://api.yottalabs.ai"
DEFAULT_PROFILE: Final = "default"
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
    """Return how to connect. Key and address are each taken from the first source that has them.

    The sources are the arguments, ``%config``, the environment (``YOTTA_API_KEY``, ``YOTTA_BASE_URL``,
    ``YOTTA_PROFILE``), and the profile ``default`` of ``~/.yotta/config``. A profile ranks with the source that names
    it: one named by an argument or by ``%config`` precedes the environment.

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
    key, key_source, address = None, "", None
    for source, values in _sources(api_key, base_url, profile, overrides):
        if key is None and values.get("api_key"):
            key, key_source = values["api_key"], source
        address = address or values.get("base_url")
        if key and address:
            break
    if key is None:
        raise InvalidRequest(
            "There is no API key. Save yours with %yotta login, or set YOTTA_API_KEY where there is no prompt; "
            "without an account, start with %yotta sandbox start"
        )
    timeout = overrides.timeout if timeout is None else timeout
    return Config(validate_api_key(key), address or DEFAULT_BASE_URL, timeout, key_source, ssh_key or overrides.ssh_key)


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


def config_path() -> Path:
    """Return the path of the provider's file of profiles.

    Returns
    -------
    pathlib.Path
        ``~/.yotta/config``.
    """
    return Path.home() / ".yotta" / "config"


def save_profile(profile: str, api_key: Secret, base_url: str) -> Path:
    """Write a profile to ``~/.yotta/config``. Everything else in that file stays unchanged.

    Parameters
    ----------
    profile : str
    api_key : Secret
    base_url : str

    Returns
    -------
    pathlib.Path
        The file. It is replaced atomically and has mode 0600.

    Raises
    ------
    InvalidRequest
        The profile's name is invalid, or the file cannot be read or written.
    """
    from configupdater import ConfigUpdater

    if not profile or profile != profile.strip() or not profile.isprintable() or set("[]") & set(profile):
        raise InvalidRequest("A profile's name is one line without [ and ], such as work.")
    if profile == configparser.DEFAULTSECT:
        raise InvalidRequest(f"{profile} is not a profile: its values apply to all profiles. Use another name.")
    path = config_path().resolve()  # A symbolic link stays one.
    updater = ConfigUpdater()
    try:
        updater.read_string(path.read_text() if path.exists() else "")
        if not updater.has_section(profile):
            if updater.sections():
                updater[updater.sections()[-1]].add_after.space(1)
            updater.add_section(profile)
        updater.set(profile, "api_key", api_key.reveal())
        updater.set(profile, "base_url", base_url)
        _write_atomic(path, str(updater))
    except (OSError, UnicodeError, configparser.Error) as error:
        reason = _redacted_reason(error)
    else:
        return path
    # Raised here, so that no traceback contains the contents of the file.
    raise InvalidRequest(f"The profile could not be saved in {config_path()}: {reason}. Fix the file, then try again.")


def active_profile(overrides: ConfigOverrides) -> str:
    """Return the profile that ``%config`` or the environment names, else ``default``.

    Parameters
    ----------
    overrides : ConfigOverrides

    Returns
    -------
    str
        It may not exist yet.
    """
    return overrides.profile or os.environ.get(PROFILE_ENV) or DEFAULT_PROFILE


def base_url_for(profile: str, overrides: ConfigOverrides) -> str:
    """Return the address for a profile that is about to be written.

    Parameters
    ----------
    profile : str
        It may not exist yet.
    overrides : ConfigOverrides

    Returns
    -------
    str
        From ``%config``, the environment, or the existing profile; else the provider's.
    """
    existing = _read_profile(profile).get("base_url") if profile in profiles() else None
    return overrides.base_url or os.environ.get(BASE_URL_ENV) or existing or DEFAULT_BASE_URL


def profiles() -> list[str]:
    """Return the names of the profiles in ``~/.yotta/config``.

    Returns
    -------
    list of str
        Empty if the file does not exist.

    Raises
    ------
    InvalidRequest
        The file cannot be read.
    """
    return _read().sections()


def _sources(
    api_key: str | None, base_url: str | None, profile: str | None, overrides: ConfigOverrides
) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Yield the name and the values of each source by precedence. The file is only read if it is needed."""
    yield "an argument", {"api_key": api_key, "base_url": base_url}
    if profile:
        yield profile_source(profile), _read_profile(profile)
    yield overrides.source, {"api_key": overrides.api_key, "base_url": overrides.base_url}
    if overrides.profile:
        yield profile_source(overrides.profile), _read_profile(overrides.profile)
    yield API_KEY_ENV, {"api_key": os.environ.get(API_KEY_ENV), "base_url": os.environ.get(BASE_URL_ENV)}
    if env_profile := os.environ.get(PROFILE_ENV):
        yield profile_source(env_profile), _read_profile(env_profile)
    elif DEFAULT_PROFILE in profiles():
        yield profile_source(DEFAULT_PROFILE), _read_profile(DEFAULT_PROFILE)


def _read_profile(name: str) -> Mapping[str, str | None]:
    parser = _read()
    if not parser.has_section(name):
        existing = parser.sections()
        hint = did_you_mean(name, existing) or (
            f" Profiles: {', '.join(map(single_line, existing))}." if existing else ""
        )
        raise InvalidRequest(
            f"There is no profile {single_line(name, 60)!r} in {config_path()}.{hint} "
            f"Create it with: %yotta login --profile {single_line(name, 60)}"
        )
    return {option: parser.get(name, option, fallback=None) for option in ("api_key", "base_url")}


def _read() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with config_path().open() as file:
            parser.read_file(file)
    except FileNotFoundError:
        return parser
    except (OSError, UnicodeError, configparser.Error) as error:
        reason = _redacted_reason(error)
    else:
        return parser
    # Raised here, so that no traceback contains the contents of the file.
    raise InvalidRequest(f"{config_path()} cannot be read: {reason}. Fix it, or set {API_KEY_ENV}.")


def _redacted_reason(error: Exception) -> str:
    """Describe an error of the file of keys without repeating any of its contents."""
    if isinstance(error, OSError):
        return single_line(error.strerror or type(error).__name__)
    line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", [])), None)
    return f"{type(error).__name__}" + (f" in line {line}" if line else "")


def _write_atomic(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp creates the file with mode 0600 in the same folder, so that os.replace is atomic.
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
