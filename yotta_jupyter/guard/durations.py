"""Durations such as ``8h`` and ``30m``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from ..errors import InvalidRequest
from ..sanitize import single_line

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}  # seconds
_COUNT_AND_UNIT: Final = r"(\d{1,12}(?:\.\d{1,6})?)([smhd])"
_PATTERN: Final = re.compile(rf"(?:{_COUNT_AND_UNIT})+")
MAX_DURATION: Final = 366 * 86400.0  # seconds


def parse_duration(value: str | timedelta | float, name: str = "A duration") -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    value : str, timedelta or float
        Numbers with s, m, h or d, such as ``1h30m``; or seconds.
    name : str
        What the duration is, in messages.

    Returns
    -------
    float

    Raises
    ------
    InvalidRequest
        It is not a duration, not positive, or longer than `MAX_DURATION`.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        text = str(value).strip().lower()
        if not _PATTERN.fullmatch(text):
            raise InvalidRequest(
                f"{name} is a number with s, m, h or d, such as 90s, 30m, 8h or 2d, not {single_line(value, 40)!r}."
            )
        seconds = sum(float(count) * _UNITS[unit] for count, unit in re.findall(_COUNT_AND_UNIT, text))
    if not 0 < seconds <= MAX_DURATION:
        raise InvalidRequest(
            f"{name} is more than 0 and at most {format_duration(MAX_DURATION)}, not {single_line(value, 40)}."
        )
    return seconds


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
        Such as ``8h``, ``1h30m`` or ``0s``.
    """
    rest = max(0, round(seconds))
    if rest >= 3600:
        rest = round(rest / 60) * 60  # Seconds are not shown beside hours.
    parts = []
    for unit in "dhms":
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
