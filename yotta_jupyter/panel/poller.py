"""The thread of a panel that lists the pods repeatedly. It exists only while the panel is visible."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

VISIBILITY_TTL: Final = 3600.0
"""Seconds after which a panel counts as hidden unless a browser has repeated that it is visible.

A browser that crashed cannot report that it is gone, and a kernel that is busy for long receives nothing.
"""


class Poller:
    """Calls a function repeatedly in a daemon thread while the panel is visible.

    Parameters
    ----------
    poll : callable
        Returns the seconds until the next call.
    on_pause : callable, optional
        Called when the calls end for now.
    """

    def __init__(self, poll: Callable[[], float], on_pause: Callable[[], None] = lambda: None) -> None:
        self._poll = poll
        self._on_pause = on_pause
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._visible_until = 0.0
        self._next_at = 0.0
        self._closed = False

    def start(self, delay: float = 0.0) -> None:
        """Start polling before a browser has reported that the panel is visible.

        Parameters
        ----------
        delay : float
            Seconds to the first call.
        """
        self._extend(time.monotonic() + VISIBILITY_TTL, delay)

    def set_visible(self, visible: bool) -> None:
        """Start polling at once if the panel is visible, else stop.

        Parameters
        ----------
        visible : bool
            Whether the panel is visible in any browser.
        """
        self._extend(time.monotonic() + VISIBILITY_TTL if visible else 0.0)

    def request_refresh(self) -> None:
        """Poll now, if the panel is visible."""
        with self._condition:
            self._next_at = 0.0
            self._condition.notify_all()

    def close(self) -> None:
        """Stop for good, and wait for the thread, but not for a request in progress."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _extend(self, visible_until: float, delay: float = 0.0) -> None:
        with self._condition:
            if time.monotonic() >= self._visible_until:
                self._next_at = time.monotonic() + delay if delay else 0.0
            self._visible_until = visible_until
            if visible_until and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="yotta-panel", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def _run(self) -> None:
        interval = 0.0
        while self._wait():
            try:
                interval = self._poll()
            finally:
                with self._condition:
                    # It is 0.0 if a refresh was requested meanwhile.
                    self._next_at = 0.0 if self._next_at == 0.0 else time.monotonic() + interval
        self._on_pause()

    def _wait(self) -> bool:
        """Wait for the time of the next call. Return False if the thread must end."""
        with self._condition:
            while True:
                now = time.monotonic()
                if self._closed or now >= self._visible_until:
                    self._thread = None
                    return False
                if now >= self._next_at:
                    self._next_at = float("inf")
                    return True
                self._condition.wait(min(self._next_at - now, self._visible_until - now, threading.TIMEOUT_MAX))
