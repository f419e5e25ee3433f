"""The DataFrame of guards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from ..frame_display import GuardsFrame
from ..pod_columns import TIMESTAMP
from .clock import Clock
from .rules import Guard

if TYPE_CHECKING:
    from .enforcer_client import EnforcerStatus


def guards_frame(guards: Sequence[Guard], enforcer: EnforcerStatus, clock: Clock) -> pd.DataFrame:
    """Return guards as a DataFrame; see `Guards.frame`.

    Parameters
    ----------
    guards : sequence of Guard
    enforcer : EnforcerStatus
    clock : Clock

    Returns
    -------
    pandas.DataFrame
    """
    now = clock.now()
    pauses_at = [guard.limits[0].at if guard.limits else None for guard in guards]

    def times(values: Sequence[float | None]) -> pd.DatetimeIndex:
        wall = [None if at is None else datetime.fromtimestamp(round(clock.to_wall(at)), UTC) for at in values]
        return pd.DatetimeIndex(wall, dtype=TIMESTAMP)

    def texts(values: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
        return pd.array(list(values), dtype="string")

    columns = {
        "name": texts([guard.name for guard in guards]),
        "rule": texts([guard.rule for guard in guards]),
        "state": texts(["pausing, not confirmed" if guard.state == "pausing" else guard.state for guard in guards]),
        "left": pd.to_timedelta([None if at is None else max(0.0, at - now) for at in pauses_at], unit="s"),
        "pauses_at": times(pauses_at),
        "reason": texts([_format_reason(guard) for guard in guards]),
        "idle_since": times([guard.idle_since for guard in guards]),
        "idle": texts([guard.idle_note or None for guard in guards]),
        "enforcer": texts([_format_enforcer(guard, enforcer) for guard in guards]),
        "last_check": times([guard.checked_at for guard in guards]),
        "last_error": texts([guard.error or None for guard in guards]),
    }
    index = pd.Index(texts([guard.pod_id for guard in guards]), name="id")
    return GuardsFrame(columns, index=index)


def _format_reason(guard: Guard) -> str | None:
    """Return the reason of the next pause, or that of the last one."""
    if guard.limits:
        return guard.limits[0].reason
    return guard.reason or None


def _format_enforcer(guard: Guard, enforcer: EnforcerStatus) -> str:
    where = f"local (pid {enforcer.pid}): " if enforcer.pid else "local: "
    on_pod = "; on the pod" if guard.watchdog_started_at is not None else ""
    problem = enforcer.problem(guard.account)
    state = f"NOT enforced, {problem}" if problem else enforcer.state
    return f"{where}{state}{on_pod}"
