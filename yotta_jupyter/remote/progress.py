"""Progress of a transfer, written on the background loop and shown on the caller's thread."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .loop import submit

Result = TypeVar("Result")
_INTERVAL: Final = 0.1


@dataclass
class Progress:
    """How far a transfer is.

    Attributes
    ----------
    label : str
        What is moved, such as the path of a file.
    done, total : int
        Bytes; the total is 0 while it is unknown. After a break, what had arrived counts as done.
    file : str
        The path of the present file within a folder.
    file_number, files : int
        The number of that file, from 1, and the number of files.
    """

    label: str = ""
    done: int = 0
    total: int = 0
    file: str = ""
    file_number: int = 0
    files: int = 0


OnProgress = Callable[[Progress], None]
"""Called about ten times a second and at the end, on the thread that waits."""


def wait_with_progress(
    coroutine: Coroutine[Any, Any, Result], progress: Progress, on_progress: OnProgress | None
) -> Result:
    """Run a coroutine on the background loop and report its progress on this thread. Ctrl-C cancels it.

    Parameters
    ----------
    coroutine : coroutine
        Updates `progress`.
    progress : Progress
    on_progress : callable, optional

    Returns
    -------
    object
        What the coroutine returned.
    """
    future = submit(coroutine)
    try:
        while True:
            try:
                result = future.result(None if on_progress is None else _INTERVAL)
                break
            except concurrent.futures.TimeoutError:
                if future.done():
                    raise
                if on_progress is not None:
                    on_progress(progress)
    except BaseException:
        future.cancel()
        raise
    if on_progress is not None:
        on_progress(progress)
    return result
