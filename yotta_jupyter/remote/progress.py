"""The progress of a transfer, which runs on the background loop and is reported on the caller's thread."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .loop import submit, wait_for

Result = TypeVar("Result")
_INTERVAL: Final = 0.1
"""Seconds between two reports."""


@dataclass
class Progress:
    """How far a transfer is.

    Attributes
    ----------
    label : str
        What is transferred, such as the path of a file.
    done, total : int
        Bytes; the total is 0 while it is unknown. In a resumed transfer, what had arrived before counts as done.
    file : str
        The path of the current file within a folder.
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
"""Called about ten times a second and at the end, on the caller's thread."""


def wait_with_progress(
    coroutine: Coroutine[Any, Any, Result], progress: Progress, on_progress: OnProgress | None
) -> Result:
    """Run a coroutine on the background loop, as `wait_for` does, and report its progress.

    Parameters
    ----------
    coroutine : coroutine
        Updates `progress`.
    progress : Progress
    on_progress : callable or None

    Returns
    -------
    object
        What the coroutine returned.
    """
    if on_progress is None:
        return wait_for(coroutine)
    future = submit(coroutine)
    try:
        while concurrent.futures.wait([future], _INTERVAL).not_done:
            on_progress(progress)
        result = future.result()
    except BaseException:
        future.cancel()
        raise
    on_progress(progress)
    return result
