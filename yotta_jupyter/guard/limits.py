"""The limits of a guard, as users write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ..errors import InvalidRequest
from ..formatting import format_amount
from ..sanitize import single_line
from .durations import parse_duration

MAX_BUDGET: Final = 1e6


def parse_limits(
    after: str | timedelta | float | None, budget: float | str | None, idle: str | timedelta | float | None
) -> tuple[float | None, float | None, float | None]:
    """Return the limits of a guard in seconds, US dollars and seconds.

    Parameters
    ----------
    after, idle : str, timedelta, float or None
    budget : float, str or None

    Returns
    -------
    tuple

    Raises
    ------
    InvalidRequest
        A limit is invalid, or there is none.
    """
    if after is None and budget is None and idle is None:
        raise InvalidRequest("A guard needs a limit: after, budget or idle.")
    return (
        None if after is None else parse_duration(after, "The time after which a guard pauses a pod"),
        None if budget is None else _parse_budget(budget),
        None if idle is None else parse_duration(idle, "The idle time of a guard"),
    )


def _parse_budget(value: float | str) -> float:
    try:
        budget = float(value)
    except ValueError:
        budget = -1.0
    if not 0 < budget <= MAX_BUDGET:
        raise InvalidRequest(
            f"A budget is US dollars, more than 0 and at most {format_amount(MAX_BUDGET)}, "
            f"not {single_line(value, 40)!r}."
        )
    return budget
