"""The thread of a panel that lists the pods repeatedly. It exists only while the panel is visible."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from . import timings


def next_interval(active: bool, failures: int) -> float:
    """Return the seconds until the next refresh.

    Parameters
    ----------
    active : bool
        Whether the status of a pod is about to change.
    failures : int
        Refreshes that have failed in a row. Each one doubles the interval.

    Returns
    -------
    float
    """
    if failures:
        max_factor = timings.MAX_INTERVAL / timings.ACTIVE_INTERVAL
        return timings.ACTIVE_INTERVAL * min(1 << failures, max_factor)
    return timings.ACTIVE_INTERVAL if active else timings.IDLE_INTERVAL


class Poller:
    """Calls a function repeatedly in a daemon thread while the panel is visible.

    Parameters
    ----------
    poll : callable
        The function. Returns the seconds until its next call.
    on_stop : callable, optional
        Called when polling stops, on the polling thread, before polling can start again.
    """

    def __init__(self, poll: Callable[[], float], on_stop: Callable[[], None] = lambda: None) -> None:
        self._poll = poll
        self._on_stop = on_stop
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._visible_until = 0.0
        self._next_at = 0.0
        self._refresh_requested = False
        self._closed = False

    def start(self, delay: float = 0.0) -> None:
        """Start polling before a browser has reported that the panel is visible.

        Parameters
        ----------
        delay : float
            Seconds to the first call.
        """
        self._set_visible_until(time.monotonic() + timings.VISIBILITY_TTL, delay)

    def set_visible(self, visible: bool) -> None:
        """Start polling at once if the panel is visible, else stop.

        Parameters
        ----------
        visible : bool
            Whether the panel is visible in any browser.
        """
        self._set_visible_until(time.monotonic() + timings.VISIBILITY_TTL if visible else 0.0)

    def request_refresh(self) -> None:
        """Poll now, if the panel is visible. Requests during a poll lead to one more poll."""
        with self._condition:
            self._refresh_requested = True
            self._condition.notify_all()

    def begin_close(self) -> None:
        """Stop for good, without waiting for the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def close(self, timeout: float = timings.POLLER_SHUTDOWN_TIMEOUT) -> None:
        """Stop for good.

        Parameters
        ----------
        timeout : float
            Seconds to wait for the thread, which may have a request in progress.
        """
        self.begin_close()
        with self._condition:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, timeout))

    def _set_visible_until(self, visible_until: float, delay: float = 0.0) -> None:
        """Poll until a time of the monotonic clock; 0 stops. `delay` applies only if the panel was hidden."""
        with self._condition:
            now = time.monotonic()
            if now >= self._visible_until:
                self._next_at = now + delay
                self._refresh_requested = False
            self._visible_until = visible_until
            if visible_until and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="yotta-panel", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def _run(self) -> None:
        while True:
            while self._wait():
                interval = self._poll()
                with self._condition:
                    self._next_at = time.monotonic() + interval
            self._on_stop()
            with self._condition:
                # The panel may have become visible meanwhile.
                if self._must_stop():
                    self._thread = None
                    return

    def _wait(self) -> bool:
        """Wait for the time of the next call. Return False if polling must stop."""
        with self._condition:
            while not self._must_stop():
                now = time.monotonic()
                if self._refresh_requested or now >= self._next_at:
                    self._refresh_requested = False
                    return True
                self._condition.wait(min(self._next_at - now, self._visible_until - now))
            return False

    def _must_stop(self) -> bool:
        return self._closed or time.monotonic() >= self._visible_until
