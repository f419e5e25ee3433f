"""The ledger: a local record of listings, from which costs over time are computed."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from ..api import Event, PodsListed
from ..errors import YottaError
from ..secret import Secret
from .clock import Clock
from .spans import SCHEMA, PodHistory, prune, select_histories, select_last_interruption, write_listing
from .storage import Database, data_folder

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd

COSTS_BY: Final = ("pod", "day", "gpu_type", "region")
"""What costs can be grouped by."""

_MAX_PENDING: Final = 100  # listings
_PRUNE_INTERVAL: Final = 86400.0  # seconds


def account_id(base_url: str, api_key: Secret) -> str:
    """Return a short hash that identifies an account and does not reveal its key.

    Parameters
    ----------
    base_url : str
    api_key : Secret

    Returns
    -------
    str
    """
    return hashlib.sha256(f"{base_url} {api_key.reveal()}".encode()).hexdigest()[:8]


class Ledger:
    """Records the pods of one account and computes what they have cost. Thread-safe.

    Parameters
    ----------
    base_url : str
    api_key : Secret
        Not stored.
    clock : Clock, optional

    Attributes
    ----------
    account : str
        See `account_id`.
    problem : YottaError or None
        Why the last listing could not be recorded.
    """

    def __init__(self, base_url: str, api_key: Secret, clock: Clock | None = None) -> None:
        self._base_url = base_url
        self.account = account_id(base_url, api_key)
        self._clock = clock or Clock(data_folder() / "clock.json")
        self._database = Database(data_folder() / "ledger.db", SCHEMA, version=1, noun="costs")
        self._pending: deque[tuple[float, PodsListed]] = deque(maxlen=_MAX_PENDING)
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._pruned_at = float("-inf")
        self.problem: YottaError | None = None

    def record(self, event: Event) -> None:
        """Record a listing, on a thread that ends when nothing is pending. Returns at once.

        Parameters
        ----------
        event : PodsListed or PodsChanged
        """
        if not isinstance(event, PodsListed):
            return
        with self._lock:
            self._pending.append((self._clock.now(), event))
            if self._worker is None:
                # Not a daemon: the interpreter waits for it, so that the last listing is recorded as well.
                self._worker = threading.Thread(target=self._write_pending, name="yotta-ledger", daemon=False)
                try:
                    self._worker.start()
                except RuntimeError:  # The interpreter is being finalized.
                    self._worker = None

    def flush(self) -> None:
        """Wait until what is pending is recorded."""
        worker = self._worker
        if worker is not None:
            worker.join()

    def costs(self, since: str | timedelta | datetime | None = None, by: str = "pod") -> pd.DataFrame:
        """Return what the pods have cost; see `Client.costs`."""
        from .costs import costs_frame, parse_since

        start = parse_since(since, self._clock.now())
        self.flush()
        if self.problem is not None:
            raise self.problem
        return costs_frame(self.histories(start), start, self._clock.now(), by)

    def histories(self, since: float) -> list[PodHistory]:
        """Return the pods of the account with their spans; see `select_histories`.

        Raises
        ------
        YottaError
            The database cannot be read.
        """
        with self._database.transaction(writes=False) as connection:
            return select_histories(connection, self._base_url, self.account, since)

    def last_interruption(self, pod_id: str) -> int:
        """Return the id of the last span in which a pod was paused or starting; see `select_last_interruption`.

        Raises
        ------
        YottaError
            The database cannot be read.
        """
        with self._database.transaction(writes=False) as connection:
            return select_last_interruption(connection, self._base_url, pod_id)

    def _write_pending(self) -> None:
        while True:
            with self._lock:
                if not self._pending:
                    self._worker = None
                    return
                at, listing = self._pending.popleft()
            try:
                with self._database.transaction() as connection:
                    write_listing(connection, self._base_url, self.account, at, listing)
                    if at - self._pruned_at > _PRUNE_INTERVAL:
                        self._pruned_at = at
                        prune(connection, at)
                self.problem = None
            except YottaError as error:
                self.problem = error
