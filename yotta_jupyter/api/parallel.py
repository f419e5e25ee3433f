"""The same call for several pods, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from .errors import YottaError
from .transport import CONNECTIONS

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result | YottaError]:
    """Call a function once for each item, at most 32 at a time, and return the results in order.

    Parameters
    ----------
    call : callable
        Called with one item; may be called from another thread.
    items : sequence

    Returns
    -------
    list
        For each item what `call` returned, or the `YottaError` that it raised. Any other exception is raised.
    """

    def caught(item: Item) -> Result | YottaError:
        try:
            return call(item)
        except YottaError as error:
            return error

    if len(items) < 2:
        return [caught(item) for item in items]
    executor = ThreadPoolExecutor(min(CONNECTIONS, len(items)), thread_name_prefix="yotta")
    futures: list[Future[Result | YottaError]] = []
    try:
        # An interpreter that is ending starts no more threads; what is asked then is done one by one.
        with suppress(RuntimeError):
            for item in items:
                futures.append(executor.submit(caught, item))
        return [*(future.result() for future in futures), *map(caught, items[len(futures) :])]
    finally:
        # Whoever interrupts does not want to wait for the slowest answer; what is on its way ends by itself.
        executor.shutdown(wait=False, cancel_futures=True)
