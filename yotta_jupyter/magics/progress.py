"""The progress of waits and transfers, shown as one line."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..api.waiter import SSH
from ..formatting import format_bytes, join_limited
from ..models import Pod
from ..sanitize import single_line
from .status_line import status_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..remote.progress import OnProgress, Progress

_MAX_PODS: Final = 4
"""Pods that the line describes; the others are counted."""

_SHOW_DELAY: Final = 0.5
"""Seconds after which the progress of a transfer is shown."""

_RATE_WINDOW: Final = 5.0
"""Seconds over which the rate of a transfer is averaged."""

_BAR_WIDTH: Final = 24
"""Characters."""


@contextmanager
def wait_progress(
    shell: InteractiveShell, target: str, names: Mapping[str, str]
) -> Iterator[Callable[[dict[str, Pod]], None]]:
    """Provide the `progress` callback of `PodsClient.wait_all`.

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
        Called with the pods by id, as last read.
    """
    started = time.monotonic()
    with status_line(shell) as write:
        yield lambda latest: write(_format_wait(target, names, latest, time.monotonic() - started))


@contextmanager
def transfer_progress(shell: InteractiveShell) -> Iterator[OnProgress]:
    """Provide the `on_progress` callback of a `Remote`. Short transfers show no line.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell

    Yields
    ------
    callable
        Called with a `Progress`.
    """
    is_log_file = not hasattr(shell, "kernel") and not sys.stdout.isatty()
    rates: dict[str, _Rate] = {}
    shown_labels: set[str] = set()
    with status_line(shell) as write:

        def report(progress: Progress) -> None:
            rate = rates.setdefault(progress.label, _Rate())
            rate.add(progress.done)
            is_complete = progress.done >= progress.total
            if is_log_file and not is_complete:
                return  # A file keeps every line, so it gets only the last one.
            if progress.label in shown_labels or rate.elapsed >= _SHOW_DELAY:
                shown_labels.add(progress.label)
                write(_format_transfer(progress, rate.bytes_per_second))

        yield report


class _Rate:
    """The rate of a transfer over `_RATE_WINDOW`. Before, it includes the bytes that a resumed transfer skips."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def bytes_per_second(self) -> float:
        first_time, first_bytes = self._samples[0]
        last_time, last_bytes = self._samples[-1]
        if last_time <= first_time:
            return 0.0
        return (last_bytes - first_bytes) / (last_time - first_time)

    def add(self, done: int) -> None:
        """Add the number of bytes that are transferred by now."""
        now = time.monotonic()
        self._samples.append((now, done))
        while now - self._samples[0][0] > _RATE_WINDOW:
            self._samples.popleft()


def _format_transfer(progress: Progress, bytes_per_second: float) -> str:
    """Return the progress of a transfer, in columns of a fixed width, so that they do not jump."""
    label = single_line(progress.label, 40)
    if not progress.total:
        return f"{label}: {format_bytes(progress.done)}"
    share = min(progress.done / progress.total, 1.0)
    bar = ("#" * round(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, "-")
    amount = f"{format_bytes(progress.done):>8} of {format_bytes(progress.total)}"
    left = progress.total - progress.done
    time_left = f"{_format_seconds(left / bytes_per_second)} left" if left and bytes_per_second else ""
    text = f"{label}: [{bar}] {share:4.0%} {amount} {format_bytes(bytes_per_second):>8}/s {time_left:>13}"
    if progress.files > 1:
        width = len(str(progress.files))
        text += f", file {progress.file_number:>{width}} of {progress.files}"
        if left:
            text += f": {single_line(progress.file, 60)}"
    return text.rstrip()


def _format_seconds(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours // 24} days"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _format_wait(target: str, names: Mapping[str, str], latest: Mapping[str, Pod], elapsed: float) -> str:
    states = [f"{single_line(name, 40)} {_format_state(latest[id_])}" for id_, name in names.items() if id_ in latest]
    done = sum(_is_done(pod, target) for pod in latest.values())
    prefix = f"{done} of {len(names)} {target}" if len(names) > 1 else f"until {target}"
    return f"{prefix}, {elapsed:.0f} s: {join_limited(states, _MAX_PODS)}"


def _is_done(pod: Pod, target: str) -> bool:
    return pod.ssh_ready if target == SSH else pod.status == target


def _format_state(pod: Pod) -> str:
    if pod.status == "RUNNING" and pod.ssh_port is not None:
        return "RUNNING, SSH ready" if pod.ssh_ready else "RUNNING, SSH not ready"
    return single_line(pod.status, 30)
