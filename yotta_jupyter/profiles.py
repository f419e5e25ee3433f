"""The profiles in ``~/.yotta/config``, a file that the provider's other tools also use."""

from __future__ import annotations

import configparser
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import InvalidRequest
from .sanitize import single_line
from .secret import Secret
from .spelling import did_you_mean

DEFAULT_PROFILE: Final = "default"


def config_path() -> Path:
    """Return the path of the file of profiles.

    Returns
    -------
    pathlib.Path
        ``~/.yotta/config``.
    """
    return Path.home() / ".yotta" / "config"


def profile_names() -> list[str]:
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
    return _read_file().sections()


def read_profile(name: str) -> Mapping[str, str | None]:
    """Return the key and the address of a profile.

    Parameters
    ----------
    name : str

    Returns
    -------
    mapping of str to str or None
        ``api_key`` and ``base_url``; None if the profile has none.

    Raises
    ------
    InvalidRequest
        There is no such profile, or the file cannot be read.
    """
    parser = _read_file()
    if not parser.has_section(name):
        shown_name = single_line(name, 60)
        raise InvalidRequest(
            f"There is no profile {shown_name!r} in {config_path()}.{_suggest_profile(name, parser.sections())} "
            f"Create it with: %yotta login --profile {shown_name}"
        )
    return {option: parser.get(name, option, fallback=None) for option in ("api_key", "base_url")}


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
    path = config_path().resolve()  # os.replace would replace a symbolic link, not the file that it names.
    updater = ConfigUpdater()
    try:
        updater.read_string(path.read_text() if path.exists() else "")
        if not updater.has_section(profile):
            if updater.sections():
                updater[updater.sections()[-1]].add_after.space(1)  # An empty line.
            updater.add_section(profile)
        updater.set(profile, "api_key", api_key.reveal())
        updater.set(profile, "base_url", base_url)
        _write_atomic(path, str(updater))
    except (OSError, UnicodeError, configparser.Error) as error:
        reason = _redacted_reason(error)
    else:
        return path
    # Raised outside of `except`: the traceback of a parser's error contains lines of the file, and so keys.
    raise InvalidRequest(f"The profile could not be saved in {config_path()}: {reason}. Fix the file, then try again.")


def _suggest_profile(name: str, existing: list[str]) -> str:
    if not existing:
        return ""
    return did_you_mean(name, existing) or f" Profiles: {', '.join(map(single_line, existing))}."


def _read_file() -> configparser.ConfigParser:
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
    # Raised outside of `except`, as in `save_profile`.
    raise InvalidRequest(f"{config_path()} cannot be read: {reason}. Fix it, or set YOTTA_API_KEY.")


def _redacted_reason(error: Exception) -> str:
    """Describe an error of the file without any of its contents."""
    if isinstance(error, OSError):
        return single_line(error.strerror or type(error).__name__)
    line = _line_number(error)
    return type(error).__name__ if line is None else f"{type(error).__name__} in line {line}"


def _line_number(error: Exception) -> int | None:
    """Return the line of a parser's error, if known. Most `configparser.ParsingError` have a list of lines."""
    if isinstance(error, configparser.ParsingError) and getattr(error, "errors", None):
        return error.errors[0][0]
    line: int | None = getattr(error, "lineno", None)
    return line


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
