"""Progress of a wait or a transfer as one line, in a notebook, a terminal or a log."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..api.waiter import SSH
from ..formatting import format_bytes
from ..models import Pod
from ..sanitize import single_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..remote.progress import OnProgress, Progress

_ELAPSED: Final = re.compile(r", \d+ s:")
_MAX_PODS: Final = 4
"""Pods that the line describes; the others are counted."""

_QUICK: Final = 0.5
"""Seconds after which the progress of a transfer is shown."""

_RATE_WINDOW: Final = 5.0
"""Seconds over which the rate of a transfer is taken."""

_BAR_WIDTH: Final = 24
"""Characters."""


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
    with _line_writer(shell) as write:
        yield lambda latest: write(_format_progress(target, names, latest, time.monotonic() - started))


@contextmanager
def transfer_progress(shell: InteractiveShell) -> Iterator[OnProgress]:
    """Provide the `on_progress` callback of a `Remote`. Transfers that end at once show no line.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell

    Yields
    ------
    callable
        Called with a `Progress`.
    """
    is_interactive = hasattr(shell, "kernel") or sys.stdout.isatty()  # A log gets only the last line.
    meters: dict[str, _RateMeter] = {}
    shown: set[str] = set()
    with _line_writer(shell) as write:

        def report(progress: Progress) -> None:
            meter = meters.setdefault(progress.label, _RateMeter())
            meter.add(progress.done)
            is_complete = progress.done >= progress.total
            if (meter.elapsed >= _QUICK or progress.label in shown) and (is_interactive or is_complete):
                shown.add(progress.label)
                write(_format_transfer(progress, meter.rate))

        yield report


class _RateMeter:
    """The rate of a transfer over the last seconds, so that bytes that were there already soon stop counting."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def rate(self) -> float:
        """Bytes per second."""
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        return (last - first) / (end - start) if end > start else 0.0

    def add(self, done: int) -> None:
        """Add the number of bytes that are done now."""
        now = time.monotonic()
        self._samples.append((now, done))
        while now - self._samples[0][0] > _RATE_WINDOW:
            self._samples.popleft()


@contextmanager
def _line_writer(shell: InteractiveShell) -> Iterator[Callable[[str], None]]:
    """Provide a function that replaces one line of the output."""
    in_notebook = hasattr(shell, "kernel")
    write_line = _notebook_writer() if in_notebook else _stdout_writer()
    written = False

    def write(text: str) -> None:
        nonlocal written
        written = True
        write_line(text)

    try:
        yield write
    finally:
        # The result or error starts on a new line.
        if written and not in_notebook and sys.stdout.isatty():
            print()


def _format_transfer(progress: Progress, rate: float) -> str:
    """Return the line of a transfer. Its columns keep their width, and the path of the present file is the last one."""
    label = single_line(progress.label, 40)
    if not progress.total:
        return f"{label}: {format_bytes(progress.done)}"
    share = min(progress.done / progress.total, 1.0)
    bar = ("#" * round(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, "-")
    amount = f"{format_bytes(progress.done):>8} of {format_bytes(progress.total)}"
    left = progress.total - progress.done
    time_left = f"{_format_seconds(left / rate)} left" if left and rate else ""
    text = f"{label}: [{bar}] {share:4.0%} {amount} {format_bytes(rate):>8}/s {time_left:>13}"
    if progress.files > 1:
        number = f"{progress.file_number:>{len(str(progress.files))}} of {progress.files}"
        text += f", file {number}{f': {single_line(progress.file, 60)}' if left else ''}"
    return text.rstrip()


def _format_seconds(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24} days"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


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
