"""The event loop in a background thread that all SSH connections share."""

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
    """Return the running event loop of the background thread; the first call starts the thread.

    Returns
    -------
    asyncio.AbstractEventLoop
        After a fork the child process gets a loop of its own.
    """
    global _loop, _owner_pid
    with _lock:
        if _loop is None or _owner_pid != os.getpid():
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(_report)
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


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that no caller handles, unless it is the loss of a connection that no caller uses any more."""
    import asyncssh

    if not isinstance(context.get("exception"), (asyncssh.Error, OSError, EOFError)):
        loop.default_exception_handler(context)
