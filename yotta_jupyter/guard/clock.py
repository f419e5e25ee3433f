"""A clock that continues while the machine sleeps and ignores changes of the wall clock."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

API_TIME_RESOLUTION: Final = 1.0  # seconds; the API rounds times down to whole seconds

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock:
    """Seconds since 1970, equal in all processes of this machine even if the wall clock is changed.

    The offset between the wall clock and the time since the boot is measured once per boot and kept in a file.
    Without a boot id this is the wall clock.

    Parameters
    ----------
    path : Path
        The file. If it cannot be written, each process measures the offset.
    wall, since_boot : callable
        The wall clock in seconds since 1970, and the seconds since the boot, including sleep.
    boot_id : callable
        Returns the boot id; empty if the system has none.
    """

    def __init__(
        self,
        path: Path,
        *,
        wall: Callable[[], float] = time.time,
        since_boot: Callable[[], float] | None = None,
        boot_id: Callable[[], str] | None = None,
    ) -> None:
        self._path = path
        self._wall = wall
        self._since_boot = since_boot or _seconds_since_boot
        self._boot_id = boot_id or _read_boot_id
        self._offset: float | None = None

    def now(self) -> float:
        """Return the present time in seconds since 1970."""
        if self._offset is None:
            boot_id = self._boot_id()
            if not boot_id:
                return self._wall()
            self._offset = self._load_offset(boot_id)
        return self._since_boot() + self._offset

    def to_wall(self, at: float) -> float:
        """Return a time of this clock as time of the wall clock.

        Parameters
        ----------
        at : float

        Returns
        -------
        float
            Seconds since 1970.
        """
        return at + self._wall() - self.now()

    def _load_offset(self, boot_id: str) -> float:
        """Return the stored offset of this boot; measure and store it if there is none."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(self._path.read_text())
            if stored["boot_id"] == boot_id:
                return float(stored["offset"])
        offset = self._wall() - self._since_boot()
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps({"boot_id": boot_id, "offset": offset}))
            temporary.replace(self._path)
        return offset


def _seconds_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # Exists on Linux, as the boot id does.


def _read_boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
