"""Handle Ctrl-C by a callback.

`KeyboardInterrupt` could be raised between receiving a message and processing it: the message would be lost.
"""

from __future__ import annotations

import _thread
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
        self._lock = threading.Lock()
        self._is_paused = False
        self._is_cancelled = False  # Until the SIGINT of `cancel_paused` is handled.

    @contextmanager
    def active(self) -> Iterator[None]:
        """Handle SIGINT within a ``with`` block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._previous = signal.signal(signal.SIGINT, lambda number, frame: self._handle())
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
            self._is_paused = True
            yield
        finally:
            # First, because a `KeyboardInterrupt` here would leave the previous handler in place.
            signal.signal(signal.SIGINT, current)
            with self._lock:
                self._is_paused = False

    def cancel_paused(self) -> None:
        """Raise `KeyboardInterrupt` in a block of `paused`, if there is one now. Called on another thread."""
        with self._lock:
            if self._is_paused:
                self._is_cancelled = True
                _interrupt_main_thread()

    def take_cancelled(self) -> bool:
        """Return whether `cancel_paused` raised the `KeyboardInterrupt`; the next call returns False."""
        was_cancelled, self._is_cancelled = self._is_cancelled, False
        return was_cancelled

    def _handle(self) -> None:
        if not self.take_cancelled():  # The SIGINT of `cancel_paused` can arrive after the block.
            self._on_interrupt()


def _interrupt_main_thread() -> None:
    ident = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and ident is not None:
        signal.pthread_kill(ident, signal.SIGINT)  # Also ends a blocking read.
    else:
        _thread.interrupt_main()
