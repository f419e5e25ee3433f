"""The clock of the sandbox. Sandbox seconds pass ``speed`` times as fast as real seconds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """The time of the sandbox, in sandbox seconds since its start.

    Parameters
    ----------
    speed : float
        The sandbox seconds per real second.
    monotonic : callable
        The source of real seconds.
    offset : float
        The seconds by which the sandbox's time of day is ahead of this machine's.
    """

    def __init__(self, speed: float, monotonic: Callable[[], float] = time.monotonic, offset: float = 0.0) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._start = monotonic()
        self._advanced = 0.0
        self.started = datetime.now(UTC) + timedelta(seconds=offset)

    def now(self) -> float:
        """Return the current time."""
        return (self._monotonic() - self._start) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Move forward by that many sandbox seconds."""
        self._advanced += seconds

    def to_real(self, at: float) -> float:
        """Convert a time to real seconds since the start."""
        return at / self._speed

    def to_datetime(self, at: float) -> datetime:
        """Convert a time to UTC: the start plus the real seconds since then."""
        return self.started + timedelta(seconds=self.to_real(at))
