"""Guards as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from .clock import Clock
from .durations import format_duration
from .rules import Guard

ANNOUNCEMENT: Final = 600.0
"""Seconds before a pause at which notes begin to announce it."""

EXTENSION: Final = 3600.0
"""Seconds by which an announcement offers to extend the limits of a guard."""


def format_time(at: float, clock: Clock) -> str:
    """Return a time as text.

    Parameters
    ----------
    at : float
        Seconds of `clock`.
    clock : Clock

    Returns
    -------
    str
        Such as ``2026-03-01 14:05 UTC``.
    """
    return f"{datetime.fromtimestamp(clock.to_wall(at), UTC):%Y-%m-%d %H:%M} UTC"


def describe_limits(guard: Guard, clock: Clock) -> str:
    """Return when a guard pauses its pod.

    Parameters
    ----------
    guard : Guard
    clock : Clock

    Returns
    -------
    str
        Such as ``paused in 8h, at 2026-03-01 22:05 UTC (after 8h)``.
    """
    if not guard.limits:
        start = "" if guard.state == "active" else ", counted from its next start"
        return f"paused {guard.rule}{start}"
    limit = guard.limits[0]  # The earliest.
    left = format_duration(limit.at - clock.now())
    sooner = ""
    if guard.idle is not None and guard.idle_since is None:  # The idle limit is not among the limits yet.
        sooner = f", or sooner when idle for {format_duration(guard.idle)}"
    return f"paused in {left}, at {format_time(limit.at, clock)} ({limit.reason}){sooner}"


def is_near(guard: Guard, now: float) -> bool:
    """Return whether a pause is so near that it is announced.

    Parameters
    ----------
    guard : Guard
    now : float

    Returns
    -------
    bool
    """
    limits = guard.limits
    return bool(limits) and limits[0].at - now <= ANNOUNCEMENT


def describe_upcoming(guard: Guard, now: float, extend_command: str) -> str:
    """Return a note about a pause that is near or not confirmed; empty if there is none.

    Parameters
    ----------
    guard : Guard
    now : float
    extend_command : str
        The command that puts off the pause.

    Returns
    -------
    str
    """
    if guard.state == "pausing":
        detail = f": {guard.error}" if guard.error else ""
        return f"{guard.label} is being paused ({guard.reason}), which is not confirmed yet{detail}"
    if not is_near(guard, now):
        return ""
    limit = guard.limits[0]
    left = format_duration(limit.at - now)
    return f"{guard.label} is paused in {left} ({limit.reason}). To put it off: {extend_command}"
