"""Host keys pinned by pod id, in a file of our own in the format of ``known_hosts``."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HostKeys:
    """The pinned host keys: one line ``yotta-pod-ID ALGORITHM BASE64`` for each pod.

    Parameters
    ----------
    path : Path, optional
        By default ``~/.yotta/ssh/known_hosts``. The file has mode 0600 and is replaced atomically.
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
        return self._read().get(_alias(pod_id))

    def pin(self, pod_id: str, key: str) -> None:
        """Pin a key, in place of an earlier one.

        Parameters
        ----------
        pod_id : str
        key : str
            ``ALGORITHM BASE64``.
        """
        with self._locked():
            keys = self._read()
            keys[_alias(pod_id)] = " ".join(key.split()[:2])
            self._write(keys)

    def remove(self, pod_id: str) -> None:
        """Forget the key of a pod.

        Parameters
        ----------
        pod_id : str
        """
        with self._locked():
            keys = self._read()
            if keys.pop(_alias(pod_id), None):
                self._write(keys)

    def _read(self) -> dict[str, str]:
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
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path.parent / ".known_hosts.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _alias(pod_id: str) -> str:
    return f"yotta-pod-{pod_id}"
