"""The background loop: an asyncio event loop on a thread, which all SSH connections share."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_owner_pid = 0


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the background loop; the first call in a process starts its thread."""
    global _loop, _owner_pid
    with _lock:
        if _loop is None or _owner_pid != os.getpid():  # A forked process has no thread yet.
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(_log_unless_lost_connection)
            threading.Thread(target=loop.run_forever, name="yotta-remote", daemon=True).start()
            _loop, _owner_pid = loop, os.getpid()
        return _loop


def submit(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Start a coroutine on the background loop.

    Parameters
    ----------
    coroutine : coroutine

    Returns
    -------
    concurrent.futures.Future
    """
    return asyncio.run_coroutine_threadsafe(coroutine, background_loop())


def wait_for(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the background loop and return its result. Ctrl-C cancels the coroutine.

    Parameters
    ----------
    coroutine : coroutine

    Returns
    -------
    object
        What the coroutine returned.
    """
    future = submit(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _log_unless_lost_connection(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an exception that no caller receives, unless it is the loss of an unused connection."""
    import asyncssh

    if not isinstance(context.get("exception"), (asyncssh.Error, OSError, EOFError)):
        loop.default_exception_handler(context)
