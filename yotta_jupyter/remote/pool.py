"""The connections of a client, which the magics and the panel share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .remote import Remote


class RemotePool:
    """One `Remote` per pod, kept until the pool is closed. Thread-safe.

    Parameters
    ----------
    create : callable
        Returns a new `Remote` for the id of a pod.
    """

    def __init__(self, create: Callable[[str], Remote]) -> None:
        self._create = create
        self._remotes: dict[str, Remote] = {}
        self._lock = threading.Lock()

    def get(self, pod_id: str) -> Remote:
        """Return the `Remote` of a pod; a new one is not connected yet.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        YottaError
            As raised by `create`.
        """
        if (existing := self.find(pod_id)) is not None:
            return existing
        created = self._create(pod_id)  # Without the lock: it may wait for the API.
        with self._lock:
            return self._remotes.setdefault(pod_id, created)

    def find(self, pod_id: str) -> Remote | None:
        """Return the `Remote` of a pod, or None if there is none yet.

        Parameters
        ----------
        pod_id : str
        """
        with self._lock:
            return self._remotes.get(pod_id)

    def running_title(self, pod_id: str) -> str | None:
        """Return `Remote.running_title` of a pod; None if there is no `Remote`.

        Parameters
        ----------
        pod_id : str
        """
        remote = self.find(pod_id)
        return None if remote is None else remote.running_title

    def close(self) -> None:
        """Close all connections and their forwards. What runs on the pods continues."""
        with self._lock:
            remotes, self._remotes = self._remotes, {}
        for remote in remotes.values():
            remote.close()
