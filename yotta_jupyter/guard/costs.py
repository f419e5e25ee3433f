"""Costs over time, computed from the spans of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pandas as pd

from ..columns import TIMESTAMP
from ..errors import InvalidRequest
from ..frame_display import UntruncatedFrame
from ..sanitize import single_line
from ..spelling import did_you_mean
from ..statuses import TERMINAL_STATUSES
from .durations import parse_duration
from .ledger import ABSENCE, ABSENT, COSTS_BY, PodHistory

TOLERANCE: Final = 60.0
"""Seconds of a pod that may be unobserved in a complete account of its costs."""

_DAY: Final = 86400.0
_KINDS: Final = {"PAUSED": "paused", "INITIALIZE": "free", **dict.fromkeys(TERMINAL_STATUSES, "free")}
"""How the hours of a status count; those of any other status count as running."""


class _Segment(NamedTuple):
    """A part of a pod's time: ``running``, ``paused``, ``free`` or ``unobserved``, in seconds since 1970."""

    kind: str
    rate: float | None
    start: float
    end: float


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
        It is not a duration.
    """
    if since is None:
        return 0.0
    if isinstance(since, datetime):
        return (since if since.tzinfo else since.replace(tzinfo=UTC)).timestamp()
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
    rows = []
    for history in histories:
        for segment in _clip(_segments(history, now), since, now):
            for start, end in _days(segment) if by == "day" else [(segment.start, segment.end)]:
                rows.append((history, segment, (end - start) / 3600, start))
    table = pd.DataFrame(
        {
            "id": pd.array([history.pod_id for history, *_ in rows], dtype="string"),
            "name": pd.array([history.name for history, *_ in rows], dtype="string"),
            "gpu_type": pd.array([history.gpu_type for history, *_ in rows], dtype="string"),
            "region": pd.array([history.region for history, *_ in rows], dtype="string"),
            "day": pd.array([_date(start) for *_, start in rows], dtype=TIMESTAMP),
            **{
                f"{kind}_hours": pd.array([hours * (s.kind == kind) for _, s, hours, _ in rows], dtype="float64")
                for kind in ("running", "paused", "unobserved")
            },
            "estimated_cost": pd.array([_cost(s, hours) for _, s, hours, _ in rows], dtype="float64"),
            "unpriced": pd.array(
                [s.kind in ("running", "paused") and s.rate is None for _, s, _, _ in rows], dtype=bool
            ),
        }
    )
    return _group(table, by)


def _group(table: pd.DataFrame, by: str) -> pd.DataFrame:
    key = "id" if by == "pod" else by
    grouped = table.groupby(key, dropna=False, sort=True)
    labels = (
        grouped[["name", "gpu_type", "region"]].first() if by == "pod" else pd.DataFrame(index=grouped.size().index)
    )
    sums = grouped[["running_hours", "paused_hours", "unobserved_hours", "unpriced"]].sum()
    frame = labels.join(sums)
    frame["estimated_cost"] = grouped["estimated_cost"].sum(min_count=1)
    frame["complete"] = (frame["unobserved_hours"] * 3600 <= TOLERANCE) & (frame.pop("unpriced") == 0)
    if by == "day":
        return UntruncatedFrame(frame)
    return UntruncatedFrame(frame.sort_values("estimated_cost", ascending=False, kind="stable"))


def _segments(history: PodHistory, now: float) -> Iterator[_Segment]:
    """Yield all of a pod's time from its creation to its end or the present."""
    known_until = history.created_at
    for index, span in enumerate(history.spans):
        if known_until is not None and known_until < span.first:
            yield _Segment("unobserved", None, known_until, span.first)
        is_last = index == len(history.spans) - 1
        if span.status == ABSENT:
            if is_last and span.last - span.first >= ABSENCE:
                return
            yield _Segment("unobserved", None, span.first, span.last)
        else:
            yield _Segment(_KINDS.get(span.status, "running"), span.rate, span.first, span.last)
        known_until = span.last
        if is_last and span.status in TERMINAL_STATUSES:
            return
    if history.spans and known_until is not None:
        yield _Segment("unobserved", None, known_until, now)


def _clip(segments: Iterator[_Segment], since: float, now: float) -> Iterator[_Segment]:
    for segment in segments:
        start, end = max(segment.start, since), min(segment.end, now)
        if start < end:
            yield segment._replace(start=start, end=end)


def _days(segment: _Segment) -> Iterator[tuple[float, float]]:
    """Yield the parts of a segment in each day in UTC."""
    start = segment.start
    while start < segment.end:
        end = min(segment.end, (start // _DAY + 1) * _DAY)
        yield start, end
        start = end


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at // _DAY * _DAY, UTC)


def _cost(segment: _Segment, hours: float) -> float | None:
    """Return US dollars; None if unknown."""
    if segment.kind == "free":
        return 0.0
    return None if segment.kind == "unobserved" or segment.rate is None else segment.rate * hours
