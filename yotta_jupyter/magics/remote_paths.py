"""Paths on pods: parses ``POD:PATH``, and lists folders and remembers their names for Tab."""

from __future__ import annotations

import posixpath
import re
import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import YottaError

if TYPE_CHECKING:
    from ..remote import Remote

_MAX_NAMES: Final = 10_000
"""Names of one folder that are remembered."""

_WINDOWS_DRIVE: Final = re.compile(r"[A-Za-z]:\\")


class RemotePath(NamedTuple):
    """A path on a pod.

    Attributes
    ----------
    pod : str or None
        An id, the beginning of one, or a name; None means the pod chosen by ``%yotta use``.
    path : str
        Absolute, or relative to the home directory on the pod.
    """

    pod: str | None
    path: str


def split_remote_path(text: str) -> RemotePath | None:
    """Split ``POD:PATH``.

    Parameters
    ----------
    text : str

    Returns
    -------
    RemotePath or None
        None for a local path: one without a colon, with a slash before its first colon, or with a drive letter.
    """
    pod, colon, path = text.partition(":")
    if not colon or "/" in pod or _WINDOWS_DRIVE.match(text):
        return None
    return RemotePath(pod or None, path or ".")


class RemoteFolders:
    """The folders of pods: their names as of the last listing, which Tab completes without a connection.

    Paths are absolute, or relative to the home directory on the pod.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], list[str]] = {}

    def cached_names(self, pod_id: str, folder: str) -> list[str]:
        """Return the names in a folder as of its last listing, without a request.

        Parameters
        ----------
        pod_id : str
        folder : str

        Returns
        -------
        list of str
            Names of folders end with a slash. Empty if the folder was not listed.
        """
        return self._names.get((pod_id, normalize_path(folder)), [])

    def list_names(self, remote: Remote, folder: str) -> list[str] | None:
        """List a folder on the pod, and remember its names.

        Parameters
        ----------
        remote : Remote
        folder : str

        Returns
        -------
        list of str or None
            As for `cached_names`; None if the path is not a folder.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached.
        """
        folder = normalize_path(folder)
        quoted = shlex.quote(folder)
        result = remote.shell(f"[ -d {quoted} ] || exit 1; ls -1Ap -- {quoted} | head -n {_MAX_NAMES}")
        if result.returncode == -signal.SIGINT:
            raise KeyboardInterrupt
        if result.returncode:
            self._names.pop((remote.pod_id, folder), None)
            return None
        names = self._names[remote.pod_id, folder] = result.stdout.splitlines()
        return names

    def refresh(self, remote: Remote, path: str) -> None:
        """List a path and its parent folder again, for Tab. Failures are ignored.

        Parameters
        ----------
        remote : Remote
        path : str
        """
        with suppress(YottaError):
            self.list_names(remote, path)
            self.list_names(remote, posixpath.dirname(normalize_path(path)))

    def refresh_after_ls(self, remote: Remote, command: str) -> None:
        """List the folder that a command such as ``ls -l data`` has shown, for Tab. Failures are ignored.

        Parameters
        ----------
        remote : Remote
        command : str
            A shell command.
        """
        with suppress(YottaError, ValueError):
            words = shlex.split(command)
            if not words or words[0] != "ls":
                return
            folders = [word for word in words[1:] if not word.startswith("-")]
            if len(folders) <= 1:
                self.list_names(remote, folders[0] if folders else ".")


def normalize_path(path: str) -> str:
    """Return a path without ``~``, ``.`` and double slashes, so that equal paths are equal texts.

    Parameters
    ----------
    path : str
        A path on a pod; a relative one is in the home directory.

    Returns
    -------
    str
    """
    if path == "~" or path.startswith("~/"):
        path = path[2:]
    return posixpath.normpath(path or ".")
