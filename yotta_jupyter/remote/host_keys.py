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

_MAY_CHANGE: Final = "may-change-once"
"""The comment of a key whose pod was resumed."""


class HostKeys:
    """The pinned host keys: one line ``yotta-pod-ID ALGORITHM BASE64`` for each pod, with a comment after a resume.

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
        line = self._read().get(_alias(pod_id))
        return _key(line) if line else None

    def may_change(self, pod_id: str) -> bool:
        """Return whether the next connection may have another key: the pod was resumed since it was pinned.

        Parameters
        ----------
        pod_id : str
        """
        return self._read().get(_alias(pod_id), "").endswith(f" {_MAY_CHANGE}")

    def expect_change(self, pod_id: str) -> None:
        """Let the next connection replace the key of a pod, because the pod was resumed.

        Kept in the file, so that it holds in other processes and after a restart of the notebook's kernel.

        Parameters
        ----------
        pod_id : str
            Without a pinned key nothing is written.
        """
        key = self.get(pod_id)
        if key is not None:
            self._put(pod_id, f"{key} {_MAY_CHANGE}")

    def pin(self, pod_id: str, key: str) -> None:
        """Pin a key, in place of an earlier one.

        Parameters
        ----------
        pod_id : str
        key : str
            ``ALGORITHM BASE64``.
        """
        self._put(pod_id, _key(key))

    def _put(self, pod_id: str, line: str) -> None:
        with self._reporting_errors(), self._locked():
            self._write({**self._read(), _alias(pod_id): line})

    def _read(self) -> dict[str, str]:
        with self._reporting_errors():
            try:
                lines = self.path.read_text("utf-8", errors="replace").splitlines()
            except FileNotFoundError:
                return {}
        return {alias: key.strip() for alias, _, key in (line.partition(" ") for line in lines) if key}

    def _write(self, keys: dict[str, str]) -> None:
        text = "".join(f"{alias} {key}\n" for alias, key in keys.items())
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".known_hosts-")  # Mode 0600.
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RemoteUnavailable(
                f"The file of SSH host keys, {single_line(self.path, 200)}, cannot be used:"
                f" {single_line(error.strerror or error)}.",
                advice="Make it readable and writable.",
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path.parent / ".known_hosts.lock").open("w") as lock:
            if os.name == "posix":  # Without a lock, one of two keys that are pinned at once may be lost.
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _key(line: str) -> str:
    """Return the key without a comment."""
    return " ".join(line.split()[:2])


def _alias(pod_id: str) -> str:
    return f"yotta-pod-{pod_id}"
