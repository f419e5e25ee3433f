"""Handle Ctrl-C by a callback.

`KeyboardInterrupt` could be raised between receiving a message and processing it: the message would be lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class InterruptHandler:
    """Calls a function for each SIGINT while it is active. Does nothing on other threads than the main one.

    Parameters
    ----------
    on_interrupt : callable
        Called in the signal handler, so it must be reentrant.
    """

    def __init__(self, on_interrupt: Callable[[], None]) -> None:
        self._on_interrupt = on_interrupt
        self._previous: Any = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Handle SIGINT within a ``with`` block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._previous = signal.signal(signal.SIGINT, lambda number, frame: self._on_interrupt())
        try:
            yield
        finally:
            # The previous handler is None if it was not set from Python.
            signal.signal(signal.SIGINT, self._previous or signal.SIG_DFL)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let SIGINT raise `KeyboardInterrupt` again, such as while `input` waits for a line."""
        if self._previous is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        current = signal.signal(signal.SIGINT, self._previous)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, current)
