"""Costs over time, computed from the spans of the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

import pandas as pd

from ..errors import InvalidRequest
from ..frame_display import ReadableFrame
from ..pod_columns import TIMESTAMP
from ..sanitize import single_line
from ..spelling import did_you_mean
from ..statuses import TERMINAL_STATUSES
from .durations import parse_duration
from .ledger import COSTS_BY
from .spans import ABSENT, MIN_ABSENCE, PodHistory

MAX_UNOBSERVED: Final = 60.0
"""The unobserved seconds in a row of the report up to which its cost is complete."""

_DAY: Final = 86400.0

Kind = Literal["running", "paused", "free", "unobserved"]

_KINDS: Final[dict[str, Kind]] = {"PAUSED": "paused", "INITIALIZE": "free", **dict.fromkeys(TERMINAL_STATUSES, "free")}
"""The kind of time by status; any other status counts as running."""


class _Segment(NamedTuple):
    """A part of a pod's time, in seconds since 1970, and its price in US dollars an hour."""

    kind: Kind
    rate: float | None
    start: float
    end: float


class _Row(NamedTuple):
    """The hours and the costs of a pod in one segment, or in one day of a segment."""

    id: str
    name: str | None
    gpu_type: str | None
    region: str | None
    day: datetime
    running_hours: float
    paused_hours: float
    unobserved_hours: float
    estimated_cost: float
    is_unpriced: bool


_DTYPES: Final = {
    **dict.fromkeys(("id", "name", "gpu_type", "region"), "string"),
    "day": TIMESTAMP,
    **dict.fromkeys(("running_hours", "paused_hours", "unobserved_hours", "estimated_cost"), "float64"),
    "is_unpriced": "bool",
}


def parse_since(since: str | timedelta | datetime | None, now: float) -> float:
    """Return the start of a report in seconds since 1970.

    Parameters
    ----------
    since : str, timedelta, datetime or None
        How long ago, such as ``7d``; or a time, UTC if it has no time zone; None for everything.
    now : float

    Returns
    -------
    float

    Raises
    ------
    InvalidRequest
        `since` is not a duration.
    """
    if since is None:
        return 0.0
    if isinstance(since, datetime):
        if since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return since.timestamp()
    return now - parse_duration(since, "The start of a report")


def costs_frame(histories: Sequence[PodHistory], since: float, now: float, by: str) -> pd.DataFrame:
    """Return costs as a DataFrame; see `Client.costs`.

    Parameters
    ----------
    histories : sequence of PodHistory
    since, now : float
        Start and end in seconds since 1970.
    by : str
        One of `COSTS_BY`.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InvalidRequest
        `by` is unknown.
    """
    if by not in COSTS_BY:
        raise InvalidRequest(
            f"Costs are by {', '.join(COSTS_BY)}, not {single_line(by, 40)!r}.{did_you_mean(by, COSTS_BY)}"
        )
    rows: list[_Row] = []
    for history in histories:
        for segment in _clip(_segments(history, now), since, now):
            parts = _split_by_day(segment) if by == "day" else [segment]
            rows += [_row(history, part) for part in parts]
    return _group(pd.DataFrame(rows, columns=list(_Row._fields)).astype(_DTYPES), by)


def _row(history: PodHistory, segment: _Segment) -> _Row:
    kind, rate = segment.kind, segment.rate
    hours = (segment.end - segment.start) / 3600
    is_priced = kind in ("running", "paused")
    cost = 0.0 if kind == "free" else math.nan
    if is_priced and rate is not None:
        cost = rate * hours
    return _Row(
        id=history.pod_id,
        name=history.name,
        gpu_type=history.gpu_type,
        region=history.region,
        day=datetime.fromtimestamp(segment.start // _DAY * _DAY, UTC),
        running_hours=hours if kind == "running" else 0.0,
        paused_hours=hours if kind == "paused" else 0.0,
        unobserved_hours=hours if kind == "unobserved" else 0.0,
        estimated_cost=cost,
        is_unpriced=is_priced and rate is None,
    )


def _group(table: pd.DataFrame, by: str) -> pd.DataFrame:
    grouped = table.groupby("id" if by == "pod" else by, dropna=False, sort=True)
    frame = grouped[["running_hours", "paused_hours", "unobserved_hours"]].sum()
    if by == "pod":
        frame = grouped[["name", "gpu_type", "region"]].first().join(frame)
    frame["estimated_cost"] = grouped["estimated_cost"].sum(min_count=1)  # NaN only if no cost is known.
    is_observed = frame["unobserved_hours"] * 3600 <= MAX_UNOBSERVED
    frame["complete"] = is_observed & ~grouped["is_unpriced"].any()
    if by == "day":
        return ReadableFrame(frame)
    return ReadableFrame(frame.sort_values("estimated_cost", ascending=False, kind="stable"))


def _segments(history: PodHistory, now: float) -> Iterator[_Segment]:
    """Yield all of a pod's time from its creation to its end or the present."""
    known_until = history.created_at
    for index, span in enumerate(history.spans):
        is_last = index == len(history.spans) - 1
        if known_until is not None and known_until < span.first:
            yield _Segment("unobserved", None, known_until, span.first)
        if span.status == ABSENT:
            has_ended = is_last and span.last - span.first >= MIN_ABSENCE
            if has_ended:
                return
            yield _Segment("unobserved", None, span.first, span.last)
        else:
            yield _Segment(_KINDS.get(span.status, "running"), span.rate, span.first, span.last)
        if is_last and span.status in TERMINAL_STATUSES:
            return
        known_until = span.last
    if history.spans and known_until is not None:
        yield _Segment("unobserved", None, known_until, now)


def _clip(segments: Iterator[_Segment], since: float, now: float) -> Iterator[_Segment]:
    """Yield the parts of segments between two times."""
    for segment in segments:
        start, end = max(segment.start, since), min(segment.end, now)
        if start < end:
            yield segment._replace(start=start, end=end)


def _split_by_day(segment: _Segment) -> Iterator[_Segment]:
    """Yield the parts of a segment in each day in UTC."""
    start = segment.start
    while start < segment.end:
        midnight = (start // _DAY + 1) * _DAY
        end = min(segment.end, midnight)
        yield segment._replace(start=start, end=end)
        start = end
