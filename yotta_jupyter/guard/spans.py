"""The spans of the ledger, in its database.

A span is a time during which a pod was observed in one status at one price. Equal observations that are close together
extend the last span of the pod. The time between two spans was not observed.
"""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from ..api import PodsListed
from ..models import Pod
from ..statuses import TERMINAL_STATUSES
from .clock import API_TIME_RESOLUTION

ABSENT: Final = ""
"""The status of a span in which complete listings lacked the pod."""

MIN_ABSENCE: Final = 300.0
"""Seconds for which complete listings must lack a pod until it counts as ended. A listing may lag."""

MAX_JOINED_GAP: Final = 60.0
"""Seconds between two equal observations up to which they are one span."""

MAX_UPDATED_AT_GAP: Final = 600.0
"""Seconds between two observations. Within them, `Pod.updated_at` is taken for the time of the only change."""

MAX_AGE: Final = 400 * 86400.0  # seconds
MAX_SPANS: Final = 200_000

# `spans.pod` is a key of `pods`; `pods.span` is the id of the pod's last span. Ids of spans rise with time.
SCHEMA: Final = """
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

_SELECT_LAST_SPAN: Final = (
    "SELECT pods.key, pods.account, pods.name, pods.created_at, "
    "spans.id, spans.status, spans.rate, spans.first, spans.last "
    "FROM pods JOIN spans ON spans.id = pods.span "
)


class Span(NamedTuple):
    """A span of a pod.

    Attributes
    ----------
    status : str
    rate : float or None
        `Pod.hourly_cost`: US dollars an hour in this status; None if unknown.
    first, last : float
        The first and the last observation, in seconds since 1970.
    """

    status: str
    rate: float | None
    first: float
    last: float


class PodHistory(NamedTuple):
    """A pod in the ledger.

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


def write_listing(connection: sqlite3.Connection, base_url: str, account: str, at: float, listing: PodsListed) -> None:
    """Record the pods of a listing.

    Parameters
    ----------
    connection : sqlite3.Connection
    base_url, account : str
    at : float
        The time of the listing, in seconds since 1970.
    listing : PodsListed
    """
    listed_keys = {_write_pod(connection, base_url, account, at, pod) for pod in listing.pods}
    if not listing.complete:
        return
    for last_span in _select_live(connection, account):
        if last_span["key"] not in listed_keys:
            _observe(connection, last_span, Span(ABSENT, None, at, at), changed_at=None)


def select_histories(connection: sqlite3.Connection, base_url: str, account: str, since: float) -> list[PodHistory]:
    """Return the pods of an account with their spans that end after a time, and the last span before.

    Parameters
    ----------
    connection : sqlite3.Connection
    base_url, account : str
    since : float
        Seconds since 1970.

    Returns
    -------
    list of PodHistory
    """
    pods = connection.execute(
        "SELECT key, pod_id, name, gpu_type, region, created_at FROM pods WHERE base_url = ? AND account = ?",
        (base_url, account),
    ).fetchall()
    return [
        PodHistory(
            pod_id=pod["pod_id"],
            name=pod["name"],
            gpu_type=pod["gpu_type"],
            region=pod["region"],
            created_at=pod["created_at"],
            spans=_select_spans(connection, pod["key"], since),
        )
        for pod in pods
    ]


def select_last_interruption(connection: sqlite3.Connection, base_url: str, pod_id: str) -> int:
    """Return the id of the last span in which a pod was paused or starting; 0 if there is none.

    Parameters
    ----------
    connection : sqlite3.Connection
    base_url, pod_id : str

    Returns
    -------
    int
    """
    row = connection.execute(
        "SELECT max(spans.id) FROM pods JOIN spans ON spans.pod = pods.key "
        "WHERE base_url = ? AND pod_id = ? AND status IN ('PAUSED', 'INITIALIZE')",
        (base_url, pod_id),
    ).fetchone()
    return row[0] or 0


def prune(connection: sqlite3.Connection, now: float) -> None:
    """Delete spans that are too old or too many, and pods without spans.

    Parameters
    ----------
    connection : sqlite3.Connection
    now : float
        Seconds since 1970.
    """
    connection.execute("DELETE FROM spans WHERE last < ?", (now - MAX_AGE,))
    connection.execute(
        "DELETE FROM spans WHERE id <= (SELECT id FROM spans ORDER BY id DESC LIMIT 1 OFFSET ?)", (MAX_SPANS,)
    )
    connection.execute("DELETE FROM pods WHERE span NOT IN (SELECT id FROM spans)")


def _write_pod(connection: sqlite3.Connection, base_url: str, account: str, at: float, pod: Pod) -> int:
    """Record an observation of a pod; return the pod's key."""
    span = Span(pod.status, pod.hourly_cost, at, at)
    created_at = None if pod.created_at is None else pod.created_at.timestamp()
    last_span = connection.execute(
        f"{_SELECT_LAST_SPAN} WHERE pods.base_url = ? AND pods.pod_id = ?", (base_url, pod.id)
    ).fetchone()
    if last_span is None:
        return _insert_pod(connection, base_url, account, pod, created_at, span)
    key = int(last_span["key"])
    if (last_span["account"], last_span["name"], last_span["created_at"]) != (account, pod.name, created_at):
        connection.execute(
            "UPDATE pods SET account = ?, name = ?, created_at = coalesce(?, created_at) WHERE key = ?",
            (account, pod.name, created_at, key),
        )
    changed_at = None if pod.updated_at is None else pod.updated_at.timestamp()
    _observe(connection, last_span, span, changed_at)
    return key


def _insert_pod(
    connection: sqlite3.Connection, base_url: str, account: str, pod: Pod, created_at: float | None, span: Span
) -> int:
    key = connection.execute(
        "INSERT INTO pods (base_url, pod_id, account, name, gpu_type, region, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (base_url, pod.id, account, pod.name, pod.gpu_type, pod.region, created_at),
    ).lastrowid
    assert key is not None
    _insert_span(connection, key, span)
    return key


def _observe(connection: sqlite3.Connection, last_span: sqlite3.Row, observed: Span, changed_at: float | None) -> None:
    """Extend the last span of a pod by an observation, or begin a new span.

    Parameters
    ----------
    connection : sqlite3.Connection
    last_span : sqlite3.Row
        As selected by `_SELECT_LAST_SPAN`.
    observed : Span
        Begins and ends at the observation.
    changed_at : float or None
        When the pod last changed according to the API.
    """
    gap = observed.first - last_span["last"]
    if gap <= 0:  # Another process has recorded a later observation.
        return
    earliest_change = last_span["last"] - API_TIME_RESOLUTION
    change = changed_at if changed_at is not None and earliest_change < changed_at <= observed.first else None
    is_equal = (observed.status, observed.rate) == (last_span["status"], last_span["rate"])
    if is_equal:
        is_joined = gap <= MAX_JOINED_GAP or (gap <= MAX_UPDATED_AT_GAP and change is None)
        if is_joined:
            _extend(connection, last_span["id"], observed.last)
            return
    elif change is not None and gap <= MAX_UPDATED_AT_GAP:
        boundary = max(change, last_span["last"])
        _extend(connection, last_span["id"], boundary)
        observed = observed._replace(first=boundary)
    _insert_span(connection, last_span["key"], observed)


def _extend(connection: sqlite3.Connection, span_id: int, last: float) -> None:
    connection.execute("UPDATE spans SET last = ? WHERE id = ?", (last, span_id))


def _insert_span(connection: sqlite3.Connection, key: int, span: Span) -> None:
    span_id = connection.execute(
        "INSERT INTO spans (pod, status, rate, first, last) VALUES (?, ?, ?, ?, ?)", (key, *span)
    ).lastrowid
    connection.execute("UPDATE pods SET span = ? WHERE key = ?", (span_id, key))


def _select_live(connection: sqlite3.Connection, account: str) -> list[sqlite3.Row]:
    """Return the last spans of the pods that have not ended. Only one base URL has this account, see `account_id`."""
    return connection.execute(
        f"{_SELECT_LAST_SPAN} WHERE pods.account = ? AND spans.status NOT IN (?, ?) "
        "AND NOT (spans.status = ? AND spans.last - spans.first >= ?)",
        (account, *TERMINAL_STATUSES, ABSENT, MIN_ABSENCE),
    ).fetchall()


def _select_spans(connection: sqlite3.Connection, key: int, since: float) -> list[Span]:
    """Return the spans of a pod that end after a time, and the last one before."""
    select = "SELECT status, rate, first, last FROM spans WHERE pod = ?"
    before = connection.execute(f"{select} AND last <= ? ORDER BY last DESC LIMIT 1", (key, since)).fetchall()
    after = connection.execute(f"{select} AND last > ? ORDER BY last", (key, since)).fetchall()
    return [Span(*row) for row in before + after]
