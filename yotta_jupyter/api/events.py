"""Events of a `PodsClient`, and the callbacks that receive them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from ..models import Pod


class PodsListed(msgspec.Struct, frozen=True):
    """Published after a response with pods.

    Attributes
    ----------
    pods : list of Pod
    complete : bool
        Whether these are all pods of the account.
    """

    pods: list[Pod]
    complete: bool


class PodsChanged(msgspec.Struct, frozen=True):
    """Published after a request that may have changed pods."""


Event = PodsListed | PodsChanged
EventCallback = Callable[[Event], None]


class Subscribers:
    """The callbacks of one client. Thread-safe."""

    def __init__(self) -> None:
        # A callback may be subscribed twice, so it is not its own key.
        self._callbacks: dict[object, EventCallback] = {}
        self._lock = threading.Lock()

    def add(self, callback: EventCallback) -> Callable[[], None]:
        """Add a callback.

        Parameters
        ----------
        callback : callable

        Returns
        -------
        callable
            Removes the callback.
        """
        key = object()
        with self._lock:
            self._callbacks[key] = callback

        def remove() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return remove

    def publish(self, event: Event) -> None:
        """Call all callbacks on the calling thread.

        Parameters
        ----------
        event : PodsListed or PodsChanged
        """
        with self._lock:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:  # Without the lock: a callback may unsubscribe.
            callback(event)
