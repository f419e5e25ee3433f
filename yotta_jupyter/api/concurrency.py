"""Call a function for several items concurrently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from ..errors import YottaError
from .transport import POOL_SIZE

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_concurrently(func: Callable[[Item], Result], items: Sequence[Item]) -> list[Result | YottaError]:
    """Call a function for each item in up to `POOL_SIZE` threads and return the results in order.

    Parameters
    ----------
    func : callable
        Called with one item.
    items : sequence

    Returns
    -------
    list
        For each item the result of `func`, or the `YottaError` that it raised. Any other exception propagates.
    """

    def catch(item: Item) -> Result | YottaError:
        try:
            return func(item)
        except YottaError as error:
            return error

    if len(items) < 2:
        return [catch(item) for item in items]
    executor = ThreadPoolExecutor(min(POOL_SIZE, len(items)), thread_name_prefix="yotta")
    futures: list[Future[Result | YottaError]] = []
    try:
        with suppress(RuntimeError):  # The interpreter is finalizing and starts no threads.
            for item in items:
                futures.append(executor.submit(catch, item))
        not_submitted = items[len(futures) :]
        return [future.result() for future in futures] + [catch(item) for item in not_submitted]
    finally:
        executor.shutdown(wait=False, cancel_futures=True)  # Ctrl-C must not wait for the slowest response.
