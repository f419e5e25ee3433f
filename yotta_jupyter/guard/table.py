"""The DataFrame of guards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from ..columns import TIMESTAMP
from ..frame_display import UntruncatedFrame
from .clock import Clock
from .rules import Guard

if TYPE_CHECKING:
    from .enforcement import Enforcement


def guards_frame(guards: Sequence[Guard], enforcement: Enforcement, clock: Clock) -> pd.DataFrame:
    """Return guards as a DataFrame; see `Guards.frame`.

    Parameters
    ----------
    guards : sequence of Guard
    enforcement : Enforcement
    clock : Clock

    Returns
    -------
    pandas.DataFrame
    """
    now = clock.now()
    nearest = [guard.limits[0] if guard.limits else None for guard in guards]

    def times(values: Sequence[float | None]) -> pd.DatetimeIndex:
        wall = [None if at is None else datetime.fromtimestamp(clock.to_wall(at), UTC) for at in values]
        return pd.DatetimeIndex(wall, dtype=TIMESTAMP)

    def texts(values: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
        return pd.array(list(values), dtype="string")

    columns = {
        "name": texts([guard.name for guard in guards]),
        "rule": texts([guard.rule for guard in guards]),
        "state": texts(["pausing, not confirmed" if guard.state == "pausing" else guard.state for guard in guards]),
        "left": pd.to_timedelta([None if limit is None else max(0.0, limit.at - now) for limit in nearest], unit="s"),
        "pauses_at": times([None if limit is None else limit.at for limit in nearest]),
        "reason": texts(
            [
                guard.reason or None if limit is None else limit.reason
                for guard, limit in zip(guards, nearest, strict=True)
            ]
        ),
        "idle_since": times([guard.idle_since for guard in guards]),
        "idle": texts([guard.idle_note or None for guard in guards]),
        "enforcer": texts([_describe(guard, enforcement) for guard in guards]),
        "last_check": times([guard.checked_at for guard in guards]),
        "last_error": texts([guard.error or None for guard in guards]),
    }
    index = pd.Index(texts([guard.pod_id for guard in guards]), name="id")
    return UntruncatedFrame(columns, index=index)


def _describe(guard: Guard, enforcement: Enforcement) -> str:
    where = f"local (pid {enforcement.pid}): " if enforcement.pid else "local: "
    on_pod = "; on the pod" if guard.on_pod is not None else ""
    problem = enforcement.problem(guard.account)
    return where + (f"NOT enforced, {problem}" if problem else enforcement.state) + on_pod
