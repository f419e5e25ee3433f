"""A line of the output that is replaced: in a notebook, in a terminal, or in a log."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ELAPSED: Final = re.compile(r", \d+ s:")
"""The time in a text such as ``until RUNNING, 12 s: train PAUSED``."""


@contextmanager
def status_line(shell: InteractiveShell) -> Iterator[Callable[[str], None]]:
    """Provide a function that replaces the text of one line.

    A notebook updates one output, a terminal rewrites one line, and a log gets a line for each change.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell

    Yields
    ------
    callable
        Called with the text.
    """
    in_notebook = hasattr(shell, "kernel")
    replace = _notebook_writer() if in_notebook else _stdout_writer()
    is_empty = True

    def write(text: str) -> None:
        nonlocal is_empty
        is_empty = False
        replace(text)

    try:
        yield write
    finally:
        # The next output starts on a new line.
        if not is_empty and not in_notebook and sys.stdout.isatty():
            print()


def _notebook_writer() -> Callable[[str], None]:
    from IPython.display import DisplayHandle, display

    handle: DisplayHandle | None = None

    def write(text: str) -> None:
        nonlocal handle
        bundle = {"text/plain": text}
        if handle is None:
            handle = display(bundle, raw=True, display_id=True)
        else:
            handle.update(bundle, raw=True)

    return write


def _stdout_writer() -> Callable[[str], None]:
    last = ""

    def write(text: str) -> None:
        nonlocal last
        if sys.stdout.isatty():
            # A line that wraps could not be replaced.
            columns = shutil.get_terminal_size().columns
            sys.stdout.write(f"\r\x1b[K{text[: columns - 1]}")
        elif _without_time(text) != _without_time(last):
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        last = text

    return write


def _without_time(text: str) -> str:
    return _ELAPSED.sub(":", text, count=1)
