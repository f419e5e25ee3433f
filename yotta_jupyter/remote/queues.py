"""Queues from the background loop to the threads that wait for it."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Final, Generic, TypeVar

from .events import Event

Item = TypeVar("Item")

MAX_BYTES: Final = 32 << 20
"""The default limit of a queue."""


class BoundedQueue(Generic[Item]):
    """A queue that makes its producer wait while it holds too many bytes.

    It can be created on any thread. `put` runs on the background loop, `get` on the consumer's thread.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The background loop.
    max_bytes : int, optional
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_bytes: int = MAX_BYTES) -> None:
        self._loop = loop
        self._max_bytes = max_bytes
        self._items: queue.SimpleQueue[tuple[Item, int]] = queue.SimpleQueue()
        self._bytes = 0
        self._lock = threading.Lock()
        self._not_full = asyncio.Event()
        self._closed = False

    async def put(self, item: Item, size: int = 0) -> None:
        """Add an item; wait first while the queue is full.

        Parameters
        ----------
        item : object
        size : int, default 0
            Bytes that are counted for the item.
        """
        with self._lock:
            must_wait = self._bytes > self._max_bytes and not self._closed
            if must_wait:
                self._not_full.clear()
        if must_wait:
            await self._not_full.wait()
        self.put_nowait(item, size)

    def put_nowait(self, item: Item, size: int = 0) -> None:
        """Add an item even if the queue is full. Without `size` it takes no lock, so that a signal handler can call it.

        Parameters
        ----------
        item, size
            As for `put`.
        """
        if self._closed:
            return
        if size:
            with self._lock:
                self._bytes += size
        self._items.put((item, size))

    def get(self, timeout: float | None = None) -> Item:
        """Wait for the next item and remove it. Ctrl-C interrupts it.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        queue.Empty
            No item arrived in time.
        """
        item, size = self._items.get(timeout=timeout)
        if size:
            with self._lock:
                was_full = self._bytes > self._max_bytes
                self._bytes -= size
                is_full = self._bytes > self._max_bytes
            if was_full and not is_full:
                self._loop.call_soon_threadsafe(self._not_full.set)
        return item

    def close(self) -> None:
        """Ignore later items and let a waiting producer continue."""
        with self._lock:
            self._closed = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._not_full.set)


class EventQueues:
    """The event queues of all threads that wait for a pod. Thread-safe.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The background loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: set[BoundedQueue[Event]] = set()
        self._lock = threading.Lock()

    def create(self) -> BoundedQueue[Event]:
        """Return a new queue, which receives the notices until it is closed."""
        events: BoundedQueue[Event] = BoundedQueue(self._loop)
        with self._lock:
            self._queues.add(events)
        return events

    def close(self, events: BoundedQueue[Event]) -> None:
        """Close a queue.

        Parameters
        ----------
        events : BoundedQueue
        """
        with self._lock:
            self._queues.discard(events)
        events.close()

    def send_notice(self, text: str) -> None:
        """Put a notice into every queue.

        Parameters
        ----------
        text : str
        """
        self._send(Event("notice", data={"detail": text}))

    def send_status(self, text: str) -> None:
        """Put a status of the connection into every queue.

        Parameters
        ----------
        text : str
        """
        self._send(Event("status", data={"detail": text}))

    def _send(self, event: Event) -> None:
        with self._lock:
            queues = list(self._queues)
        for events in queues:
            events.put_nowait(event)
