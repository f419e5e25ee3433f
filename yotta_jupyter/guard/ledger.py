"""The ledger: a local record of what listings showed, from which costs over time are computed.

Consecutive observations of a pod in one status at one price become one span. The time between two spans was not
observed: it counts neither as running nor as free.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..api import Event, PodsListed
from ..errors import YottaError
from ..models import Pod
from ..secret import Secret
from ..statuses import TERMINAL_STATUSES
from .clock import Clock
from .storage import Database, data_folder

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd

COSTS_BY: Final = ("pod", "day", "gpu_type", "region")
"""What costs can be grouped by."""

ABSENT: Final = ""
"""The status of a pod that a complete listing lacks."""

ABSENCE: Final = 300.0
"""Seconds for which complete listings must lack a pod until it counts as ended. A listing may lag."""

JOINED_GAP: Final = 60.0
"""Two equal observations up to this many seconds apart belong to one span."""

MAX_GAP: Final = 600.0
"""The same for observations between which the API reports no change of the pod."""

MAX_AGE: Final = 400 * 86400.0
MAX_SPANS: Final = 200_000
_MAX_PENDING: Final = 100
_PRUNE_INTERVAL: Final = 86400.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS pods (
    key INTEGER PRIMARY KEY,
    base_url TEXT NOT NULL,
    pod_id TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT,
    gpu_type TEXT,
    region TEXT,
    created_at REAL,
    span INTEGER,
    UNIQUE (base_url, pod_id)
);
CREATE INDEX IF NOT EXISTS pods_of_account ON pods (account);
CREATE TABLE IF NOT EXISTS spans (
    id INTEGER PRIMARY KEY,
    pod INTEGER NOT NULL REFERENCES pods (key),
    status TEXT NOT NULL,
    rate REAL,
    first REAL NOT NULL,
    last REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS spans_of_pod ON spans (pod, last)
"""

_LAST_SPAN: Final = (
    "SELECT pods.key, pods.account, pods.name, pods.created_at, "
    "spans.id, spans.status, spans.rate, spans.first, spans.last "
    "FROM pods JOIN spans ON spans.id = pods.span "
)


class Span(NamedTuple):
    """A time during which a pod was observed in one status at one price.

    Attributes
    ----------
    status : str
    rate : float or None
        US dollars an hour; None if unknown.
    first, last : float
        The first and the last observation, in seconds since 1970.
    """

    status: str
    rate: float | None
    first: float
    last: float


class PodHistory(NamedTuple):
    """What the ledger knows of a pod.

    Attributes
    ----------
    pod_id, name, gpu_type, region : str or None
    created_at : float or None
        Seconds since 1970.
    spans : list of Span
        In order of time.
    """

    pod_id: str
    name: str | None
    gpu_type: str | None
    region: str | None
    created_at: float | None
    spans: list[Span]


def account_id(base_url: str, api_key: Secret) -> str:
    """Return a short name of an account that tells two keys apart and reveals neither.

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
        Accounts are distinguished by a short hash of it. It is not stored.
    clock : Clock, optional

    Attributes
    ----------
    account : str
        The hash.
    problem : YottaError or None
        Why the last observation could not be recorded.
    """

    def __init__(self, base_url: str, api_key: Secret, clock: Clock | None = None) -> None:
        self._base_url = base_url
        self.account = account_id(base_url, api_key)
        self._clock = clock or Clock(data_folder() / "clock.json")
        self._pending: deque[tuple[float, PodsListed]] = deque(maxlen=_MAX_PENDING)
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._pruned_at = float("-inf")
        self.problem: YottaError | None = None

    @property
    def _database(self) -> Database:
        return Database(data_folder() / "ledger.db", _SCHEMA, 1, "costs")

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
                self._worker = threading.Thread(target=self._write_pending, name="yotta-ledger")
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
        """Return the pods of the account with their spans that end after a time.

        Parameters
        ----------
        since : float
            Seconds since 1970.

        Returns
        -------
        list of PodHistory

        Raises
        ------
        YottaError
            The database cannot be read.
        """
        with self._database.transaction() as connection:
            pods = connection.execute(
                "SELECT key, pod_id, name, gpu_type, region, created_at FROM pods WHERE base_url = ? AND account = ?",
                (self._base_url, self.account),
            ).fetchall()
            return [
                PodHistory(
                    pod["pod_id"],
                    pod["name"],
                    pod["gpu_type"],
                    pod["region"],
                    pod["created_at"],
                    [Span(*row) for row in _select_spans(connection, pod["key"], since)],
                )
                for pod in pods
            ]

    def last_interruption(self, pod_id: str) -> int:
        """Return the number of the last span in which a pod was paused or starting; 0 if there is none.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        int
            Higher after each new interruption, whichever process of this user has listed it.

        Raises
        ------
        YottaError
            The database cannot be read.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT max(spans.id) FROM pods JOIN spans ON spans.pod = pods.key "
                "WHERE base_url = ? AND pod_id = ? AND status IN ('PAUSED', 'INITIALIZE')",
                (self._base_url, pod_id),
            ).fetchone()
            return row[0] or 0

    def _write_pending(self) -> None:
        while True:
            with self._lock:
                if not self._pending:
                    self._worker = None
                    return
                at, event = self._pending.popleft()
            try:
                with self._database.transaction() as connection:
                    self._write(connection, at, event)
                self.problem = None
            except YottaError as error:
                self.problem = error

    def _write(self, connection: sqlite3.Connection, at: float, event: PodsListed) -> None:
        listed = {self._write_pod(connection, at, pod) for pod in event.pods}
        if event.complete:
            ended = [*TERMINAL_STATUSES, self.account]
            live = connection.execute(
                f"{_LAST_SPAN} WHERE spans.status NOT IN (?, ?) AND pods.account = ? "
                "AND NOT (spans.status = ? AND spans.last - spans.first >= ?)",
                (*ended, ABSENT, ABSENCE),
            ).fetchall()
            for row in live:
                if row["key"] not in listed:
                    _observe(connection, row, row["key"], Span(ABSENT, None, at, at), None)
        if at - self._pruned_at > _PRUNE_INTERVAL:
            self._pruned_at = at
            _prune(connection, at)

    def _write_pod(self, connection: sqlite3.Connection, at: float, pod: Pod) -> int:
        last = connection.execute(
            f"{_LAST_SPAN} WHERE pods.base_url = ? AND pods.pod_id = ?", (self._base_url, pod.id)
        ).fetchone()
        span = Span(pod.status, pod.hourly_cost, at, at)
        changed_at = None if pod.updated_at is None else pod.updated_at.timestamp()
        created_at = None if pod.created_at is None else pod.created_at.timestamp()
        if last is not None:
            if (last["account"], last["name"], last["created_at"]) != (self.account, pod.name, created_at):
                connection.execute(
                    "UPDATE pods SET account = ?, name = ?, created_at = coalesce(?, created_at) WHERE key = ?",
                    (self.account, pod.name, created_at, last["key"]),
                )
            _observe(connection, last, last["key"], span, changed_at)
            return int(last["key"])
        key = connection.execute(
            "INSERT INTO pods (base_url, pod_id, account, name, gpu_type, region, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._base_url, pod.id, self.account, pod.name, pod.gpu_type, pod.region, created_at),
        ).lastrowid
        assert key is not None
        _insert(connection, key, span)
        return key


def _observe(connection: sqlite3.Connection, last: sqlite3.Row, key: int, span: Span, changed_at: float | None) -> None:
    """Extend the last span of a pod by an observation, or begin a new span."""
    gap = span.first - last["last"]
    if gap <= 0:  # Another process has recorded a later observation.
        return
    # The API gives whole seconds, so that a change within the second of the last observation seems to precede it.
    changed_in_gap = changed_at is not None and last["last"] - 1 < changed_at <= span.first
    if (span.status, span.rate) == (last["status"], last["rate"]):
        if gap <= JOINED_GAP or (gap <= MAX_GAP and not changed_in_gap):
            _extend(connection, last["id"], span.last)
            return
    elif changed_at is not None and changed_in_gap and gap <= MAX_GAP:
        boundary = max(changed_at, last["last"])
        _extend(connection, last["id"], boundary)
        span = span._replace(first=boundary)
    _insert(connection, key, span)


def _extend(connection: sqlite3.Connection, span_id: int, last: float) -> None:
    connection.execute("UPDATE spans SET last = ? WHERE id = ?", (last, span_id))


def _insert(connection: sqlite3.Connection, key: int, span: Span) -> None:
    span_id = connection.execute(
        "INSERT INTO spans (pod, status, rate, first, last) VALUES (?, ?, ?, ?, ?)", (key, *span)
    ).lastrowid
    connection.execute("UPDATE pods SET span = ? WHERE key = ?", (span_id, key))


def _select_spans(connection: sqlite3.Connection, key: int, since: float) -> Iterable[sqlite3.Row]:
    """Return the spans that end after a time, and the one before them."""
    columns = "SELECT status, rate, first, last FROM spans WHERE pod = ? AND last"
    before = connection.execute(f"{columns} <= ? ORDER BY last DESC LIMIT 1", (key, since)).fetchall()
    return before + connection.execute(f"{columns} > ? ORDER BY last", (key, since)).fetchall()


def _prune(connection: sqlite3.Connection, now: float) -> None:
    """Delete spans that are too old or too many, and pods without spans."""
    connection.execute("DELETE FROM spans WHERE last < ?", (now - MAX_AGE,))
    connection.execute(
        "DELETE FROM spans WHERE id <= (SELECT id FROM spans ORDER BY id DESC LIMIT 1 OFFSET ?)", (MAX_SPANS,)
    )
    connection.execute("DELETE FROM pods WHERE span NOT IN (SELECT id FROM spans)")
