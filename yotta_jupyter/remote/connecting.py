"""Wait on the caller's thread for a connection, and report the attempts."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from ..errors import ConnectInterrupted
from .callbacks import OnNotice, OnStatus
from .events import Event
from .loop import submit
from .queues import EventQueues

Result = TypeVar("Result")


def wait_for_connection(
    coroutine: Coroutine[Any, Any, Result],
    queues: EventQueues,
    label: str,
    on_notice: OnNotice,
    on_status: OnStatus,
) -> Result:
    """Run a coroutine that connects on the background loop. Report notices and statuses on this thread meanwhile.

    Parameters
    ----------
    coroutine : coroutine
    queues : EventQueues
        For the notices and statuses of the connection.
    label : str
        The pod's name in messages.
    on_notice, on_status : callable
        As for `Remote`.

    Returns
    -------
    object
        What the coroutine returned.

    Raises
    ------
    ConnectInterrupted
        Ctrl-C was pressed.
    """
    events = queues.create()
    future = submit(coroutine)
    future.add_done_callback(lambda _: events.put_nowait(Event("done")))
    try:
        while (event := events.get()).kind != "done":
            report = on_status if event.kind == "status" else on_notice
            report(event.data["detail"])
        return future.result()
    except KeyboardInterrupt:
        raise ConnectInterrupted(label) from None
    finally:
        future.cancel()
        queues.close(events)
