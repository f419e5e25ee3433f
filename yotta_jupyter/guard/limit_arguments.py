"""The limits of a guard, as users write them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final, NamedTuple

from ..errors import InvalidRequest
from ..formatting import format_amount
from ..sanitize import single_line
from .durations import parse_duration

MAX_BUDGET: Final = 1e6  # US dollars


class Limits(NamedTuple):
    """The limits of a guard; None for a limit that it does not have.

    Attributes
    ----------
    after, idle : float or None
        Seconds.
    budget : float or None
        US dollars.
    """

    after: float | None
    budget: float | None
    idle: float | None


def parse_limits(
    after: str | timedelta | float | None = None,
    budget: float | str | None = None,
    idle: str | timedelta | float | None = None,
) -> Limits:
    """Return the limits of a guard.

    Parameters
    ----------
    after, idle : str, timedelta, float or None
        Such as ``8h``, or seconds.
    budget : float, str or None
        US dollars.

    Returns
    -------
    Limits

    Raises
    ------
    InvalidRequest
        A limit is invalid, or there is none.
    """
    if after is None and budget is None and idle is None:
        raise InvalidRequest("A guard needs a limit: after, budget or idle.")
    return Limits(
        after=None if after is None else parse_duration(after, "The time after which a guard pauses a pod"),
        budget=None if budget is None else _parse_budget(budget),
        idle=None if idle is None else parse_duration(idle, "The idle time of a guard"),
    )


def _parse_budget(value: float | str) -> float:
    try:
        budget = float(value)
    except ValueError:
        budget = math.nan  # Fails the comparison below.
    if not 0 < budget <= MAX_BUDGET:
        raise InvalidRequest(
            f"A budget is US dollars, more than 0 and at most {format_amount(MAX_BUDGET)}, "
            f"not {single_line(value, 40)!r}."
        )
    return budget
