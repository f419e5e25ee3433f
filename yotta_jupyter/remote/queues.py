"""A queue from the background loop to a thread, limited in bytes."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

LIMIT: Final = 32 << 20


class BoundedQueue(Generic[Item]):
    """A queue whose producer on the background loop waits while the consumer is behind.

    Create it on any thread; call `put` on the background loop and `get` on the consumer's thread.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The background loop.
    limit : int, optional
        Bytes that may be waiting.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int = LIMIT) -> None:
        self._loop = loop
        self._limit = limit
        self._items: queue.SimpleQueue[tuple[Item, int]] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._has_room = asyncio.Event()
        self._closed = False

    async def put(self, item: Item, size: int = 0) -> None:
        """Add an item; wait while too many bytes are waiting.

        Parameters
        ----------
        item : object
        size : int, default 0
            Bytes.
        """
        with self._lock:
            full = self._waiting > self._limit and not self._closed
            if full:
                self._has_room.clear()
        if full:
            await self._has_room.wait()
        self.put_nowait(item, size)

    def put_nowait(self, item: Item, size: int = 0) -> None:
        """Add an item without waiting. Reentrant if `size` is 0, so that a signal handler may call it."""
        if not self._closed:
            if size:
                with self._lock:
                    self._waiting += size
            self._items.put((item, size))

    def get(self, timeout: float | None = None) -> Item:
        """Remove and return the next item. Ctrl-C interrupts it.

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
                before, self._waiting = self._waiting, self._waiting - size
            if before > self._limit // 2 >= self._waiting or before > self._limit >= self._waiting:
                self._loop.call_soon_threadsafe(self._has_room.set)
        return item

    def close(self) -> None:
        """Discard later items."""
        with self._lock:
            self._closed = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._has_room.set)
