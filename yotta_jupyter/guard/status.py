"""What the panel shows of a guard."""

from __future__ import annotations

import msgspec

from .clock import Clock
from .describe import is_near
from .enforcer_client import EnforcerStatus
from .rules import Guard


class GuardStatus(msgspec.Struct, kw_only=True, frozen=True):
    """When a guard pauses its pod, and whether it is enforced.

    Attributes
    ----------
    rule : str
        Such as ``after 8h, idle 30m``.
    state : str
        See `Guard.state`.
    pauses_at : int or None
        The time of the next limit in seconds since 1970; None if no limit applies now.
    idle_since : int or None
        Since when the pod is idle, in seconds since 1970, if the idle limit is the next one.
    is_near : bool
        Whether the pause must be announced.
    problem : str
        Why the guard is not enforced, such as ``not running``; empty if it is.
    """

    rule: str
    state: str
    pauses_at: int | None
    idle_since: int | None
    is_near: bool
    problem: str


def guard_status(guard: Guard, enforcer: EnforcerStatus, clock: Clock) -> GuardStatus:
    """Return what the panel shows of a guard.

    Parameters
    ----------
    guard : Guard
    enforcer : EnforcerStatus
    clock : Clock

    Returns
    -------
    GuardStatus
    """
    limit = guard.limits[0] if guard.limits else None
    idle_since = guard.idle_since if limit is not None and limit.is_idle else None
    return GuardStatus(
        rule=guard.rule,
        state=guard.state,
        pauses_at=None if limit is None else round(clock.to_wall(limit.at)),
        idle_since=None if idle_since is None else round(clock.to_wall(idle_since)),
        is_near=is_near(guard, clock.now()),
        problem="" if guard.watchdog_started_at is not None else enforcer.problem(guard.account),
    )
