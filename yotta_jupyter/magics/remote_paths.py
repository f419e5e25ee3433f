"""Paths on pods: ``POD:PATH``, and the folders that were listed."""

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
"""Names of one folder that are kept."""

_DRIVE: Final = re.compile(r"[A-Za-z]:\\")


class RemotePath(NamedTuple):
    """A path on a pod.

    Attributes
    ----------
    pod : str or None
        An id, the beginning of one, or a name; None means the pod chosen by ``%yotta use``.
    path : str
        Relative to the home.
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
    if not colon or "/" in pod or _DRIVE.match(text):
        return None
    return RemotePath(pod or None, path or ".")


class RemoteFolders:
    """The names in the folders of pods, as of their last listing. Tab completes them without a connection."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], list[str]] = {}

    def cached_names(self, pod_id: str, folder: str) -> list[str]:
        """Return the names in a folder as of its last listing, without a request.

        Parameters
        ----------
        pod_id : str
        folder : str
            A path on the pod, relative to the home.

        Returns
        -------
        list of str
            Names of folders end with a slash. Empty if the folder was not listed.
        """
        return self._names.get((pod_id, _normalize(folder)), [])

    def list_names(self, remote: Remote, folder: str) -> list[str] | None:
        """List a folder on the pod.

        Parameters
        ----------
        remote : Remote
        folder : str
            A path on the pod, relative to the home.

        Returns
        -------
        list of str or None
            As for `cached_names`; None if the path is not a folder.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached.
        """
        folder = _normalize(folder)
        word = shlex.quote(folder)
        result = remote.shell(f"[ -d {word} ] || exit 1; ls -1Ap -- {word} | head -n {_MAX_NAMES}")
        if result.returncode == -signal.SIGINT:
            raise KeyboardInterrupt
        if result.returncode:
            self._names.pop((remote.pod_id, folder), None)
            return None
        names = self._names[remote.pod_id, folder] = result.stdout.splitlines()
        return names

    def refresh(self, remote: Remote, path: str) -> None:
        """List a path and the folder that contains it, so that Tab completes them. Failures are ignored.

        Parameters
        ----------
        remote : Remote
        path : str
            A path on the pod, relative to the home.
        """
        with suppress(YottaError):
            self.list_names(remote, path)
            self.list_names(remote, posixpath.dirname(_normalize(path)))

    def refresh_listed(self, remote: Remote, command: str) -> None:
        """List the folder that a command such as ``ls -l data`` has shown. Failures are ignored.

        Parameters
        ----------
        remote : Remote
        command : str
            A shell command.
        """
        with suppress(YottaError, ValueError):
            name, *words = shlex.split(command) or [""]
            folders = [word for word in words if not word.startswith("-")]
            if name == "ls" and len(folders) <= 1:
                self.list_names(remote, *folders or ["."])


def _normalize(path: str) -> str:
    """Return a path relative to the home in one form."""
    if path == "~" or path.startswith("~/"):
        path = path[2:]
    return posixpath.normpath(path or ".")
