"""The one thread of a panel: it refreshes while somebody looks, and is not there while nobody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

LEASE: Final = 3600.0
"""Seconds for which a panel is refreshed after a front end said that it is seen; it says so again and again.

A browser that crashed says nothing, and neither does one whose kernel is busy for long.
"""


class Refresher:
    """Calls a function again and again in a daemon thread, while the panel is seen.

    Parameters
    ----------
    refresh : callable
        Returns the seconds after which it shall be called again.
    stopped : callable
        Called when it will not be called again for now.
    """

    def __init__(self, refresh: Callable[[], float], stopped: Callable[[], None] = lambda: None) -> None:
        self._refresh = refresh
        self._stopped = stopped
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._seen_until = 0.0
        self._due = 0.0
        self._closed = False

    def displayed(self, after: float = 0.0) -> None:
        """Refresh from now on, though no front end has said yet that it shows the panel.

        Parameters
        ----------
        after : float
            Seconds to the first refresh.
        """
        self._seen(time.monotonic() + LEASE, after)

    def seen(self, seen: bool) -> None:
        """Start where the panel is seen, at once; stop where it is not.

        Parameters
        ----------
        seen : bool
            Whether any front end shows the panel.
        """
        self._seen(time.monotonic() + LEASE if seen else 0.0)

    def wake(self) -> None:
        """Refresh now, where the panel is seen."""
        with self._changed:
            self._due = 0.0
            self._changed.notify_all()

    def close(self) -> None:
        """Stop for good, and wait until the thread has ended, unless it is in the middle of a request."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _seen(self, until: float, after: float = 0.0) -> None:
        with self._changed:
            if time.monotonic() >= self._seen_until:
                self._due = time.monotonic() + after if after else 0.0
            self._seen_until = until
            if until and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="yotta-panel", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        pause = 0.0
        while self._next():
            try:
                pause = self._refresh()
            finally:
                with self._changed:
                    # A wake during the refresh has set it to now.
                    self._due = 0.0 if self._due == 0.0 else time.monotonic() + pause
        self._stopped()

    def _next(self) -> bool:
        """Wait until a refresh is due and return True, or return False where there is to be none."""
        with self._changed:
            while True:
                now = time.monotonic()
                if self._closed or now >= self._seen_until:
                    self._thread = None
                    return False
                if now >= self._due:
                    self._due = float("inf")
                    return True
                self._changed.wait(min(self._due - now, self._seen_until - now, threading.TIMEOUT_MAX))
