"""Host keys pinned by pod id, in a file of our own in the format of ``known_hosts``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line

_CHANGE_EXPECTED: Final = "may-change-once"
"""The comment in the line of a pod that was resumed: its host key may be new."""


class HostKeys:
    """The pinned host keys: one line ``yotta-pod-ID ALGORITHM BASE64`` per pod, with a comment after a resume.

    Parameters
    ----------
    path : Path, optional
        By default ``~/.yotta/ssh/known_hosts``. The file has mode 0600 and is replaced atomically.

    Raises
    ------
    RemoteUnavailable
        From all methods: the file cannot be read or written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path("~/.yotta/ssh/known_hosts").expanduser()

    def get(self, pod_id: str) -> str | None:
        """Return the pinned key of a pod.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        str or None
            ``ALGORITHM BASE64``, or None if no key is pinned.
        """
        line = self._read().get(line_alias(pod_id))
        return _without_comment(line) if line else None

    def is_change_expected(self, pod_id: str) -> bool:
        """Return whether the next connection is allowed another key, because the pod was resumed.

        Parameters
        ----------
        pod_id : str
        """
        return self._read().get(line_alias(pod_id), "").endswith(f" {_CHANGE_EXPECTED}")

    def expect_change(self, pod_id: str) -> None:
        """Let the next connection, of any process, replace the key of a pod, if one is pinned.

        Parameters
        ----------
        pod_id : str
        """
        key = self.get(pod_id)
        if key is not None:
            self._set_line(pod_id, f"{key} {_CHANGE_EXPECTED}")

    def pin(self, pod_id: str, key: str) -> None:
        """Pin a key, in place of an earlier one.

        Parameters
        ----------
        pod_id : str
        key : str
            ``ALGORITHM BASE64``.
        """
        self._set_line(pod_id, _without_comment(key))

    def _set_line(self, pod_id: str, line: str) -> None:
        with self._convert_errors(), self._lock_file():
            self._write({**self._read(), line_alias(pod_id): line})

    def _read(self) -> dict[str, str]:
        """Return the lines of the file by alias, without the alias."""
        with self._convert_errors():
            try:
                lines = self.path.read_text("utf-8", errors="replace").splitlines()
            except FileNotFoundError:
                return {}
        lines_by_alias = {}
        for line in lines:
            alias, _, rest = line.partition(" ")
            if rest:
                lines_by_alias[alias] = rest.strip()
        return lines_by_alias

    def _write(self, lines: dict[str, str]) -> None:
        text = "".join(f"{alias} {rest}\n" for alias, rest in lines.items())
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".known_hosts-")  # Mode 0600.
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise

    @contextmanager
    def _convert_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RemoteUnavailable(
                f"The file of SSH host keys, {single_line(self.path, 200)}, cannot be used:"
                f" {single_line(error.strerror or error)}.",
                advice="Make it readable and writable.",
            ) from None

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        """Keep other processes from writing. On Windows, one of two keys pinned at the same time may be lost."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path.parent / ".known_hosts.lock").open("w") as lock:
            if os.name == "posix":
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _without_comment(line: str) -> str:
    """Return ``ALGORITHM BASE64``."""
    return " ".join(line.split()[:2])


def line_alias(pod_id: str) -> str:
    """Return the first word in the line of a pod."""
    return f"yotta-pod-{pod_id}"
