"""Progress of a wait as one line, in a notebook, a terminal or a log."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..api.waiter import SSH
from ..models import Pod
from ..sanitize import single_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ELAPSED: Final = re.compile(r", \d+ s:")
_MAX_PODS: Final = 4
"""Pods that the line describes; the others are counted."""


@contextmanager
def progress_reporter(
    shell: InteractiveShell, target: str, names: Mapping[str, str]
) -> Iterator[Callable[[dict[str, Pod]], None]]:
    """Provide the `progress` callback of `PodsClient.wait_all`.

    A notebook updates one output, a terminal rewrites one line, and a log gets a line for each change.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    target : str
        A status, or ``SSH``.
    names : mapping of str to str
        The names of the pods by id.

    Yields
    ------
    callable
        Called with the latest known pods by id.
    """
    started = time.monotonic()
    in_notebook = hasattr(shell, "kernel")
    write = _notebook_writer() if in_notebook else _stdout_writer()
    written = False

    def report(latest: dict[str, Pod]) -> None:
        nonlocal written
        written = True
        write(_format_progress(target, names, latest, time.monotonic() - started))

    try:
        yield report
    finally:
        # The result or error starts on a new line.
        if written and not in_notebook and sys.stdout.isatty():
            print()


def _format_progress(target: str, names: Mapping[str, str], latest: Mapping[str, Pod], elapsed: float) -> str:
    states = [f"{single_line(name, 40)} {_format_state(latest[id_])}" for id_, name in names.items() if id_ in latest]
    more = f" and {len(states) - _MAX_PODS} more" if len(states) > _MAX_PODS else ""
    done = sum(_is_done(pod, target) for pod in latest.values())
    prefix = f"{done} of {len(names)} {target}" if len(names) > 1 else f"until {target}"
    return f"{prefix}, {elapsed:.0f} s: {', '.join(states[:_MAX_PODS])}{more}"


def _is_done(pod: Pod, target: str) -> bool:
    return pod.ssh_ready if target == SSH else pod.status == target


def _format_state(pod: Pod) -> str:
    if pod.status == "RUNNING" and pod.ssh_port is not None:
        return "RUNNING, SSH ready" if pod.ssh_ready else "RUNNING, SSH not ready"
    return single_line(pod.status, 30)


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
            sys.stdout.write(f"\r\x1b[K{text}")
        elif _without_time(text) != _without_time(last):
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        last = text

    return write


def _without_time(text: str) -> str:
    return _ELAPSED.sub(":", text, count=1)
