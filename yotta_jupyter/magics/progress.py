"""One line that tells how a wait is going, in a notebook or in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..api import Pod
from ..api.text import printable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@contextmanager
def wait_progress(
    shell: InteractiveShell, target: str, names: Mapping[str, str]
) -> Iterator[Callable[[dict[str, Pod]], None]]:
    """Give a function that shows how far pods are, to be given to `PodsClient.wait`; at the end, end its line.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        A notebook's line is replaced in place; a terminal's is written over; a log gets a line a change.
    target : str
        What is waited for.
    names : mapping of str to str
        The pods' names by id.

    Yields
    ------
    callable
    """
    started = time.monotonic()
    show = _notebook_line() if hasattr(shell, "kernel") else _terminal_line()

    begun = False

    def progress(seen: dict[str, Pod]) -> None:
        nonlocal begun
        begun = True
        states = [f"{printable(names[pod_id], 40)} {_state(seen[pod_id])}" for pod_id in names if pod_id in seen]
        more = f" and {len(states) - 4} more" if len(states) > 4 else ""
        there = sum(_there(pod, target) for pod in seen.values())
        lead = f"{there} of {len(names)} {target}" if len(names) > 1 else f"until {target}"
        show(f"{lead}, {time.monotonic() - started:.0f} s: {', '.join(states[:4])}{more}")

    try:
        yield progress
    finally:
        # What comes next, an error too, begins a line of its own.
        if begun and not hasattr(shell, "kernel") and sys.stdout.isatty():
            print()


def _there(pod: Pod, target: str) -> bool:
    return pod.ssh_ready if target == "SSH" else pod.status == target


def _state(pod: Pod) -> str:
    if pod.status == "RUNNING" and pod.ssh_port is not None:
        return "RUNNING, SSH ready" if pod.ssh_ready else "RUNNING, SSH not ready"
    return printable(pod.status, 30)


def _notebook_line() -> Callable[[str], None]:
    from IPython.display import DisplayHandle, display

    handle: list[DisplayHandle] = []

    def show(text: str) -> None:
        bundle = {"text/plain": text}
        if handle:
            handle[0].update(bundle, raw=True)
        elif (new := display(bundle, raw=True, display_id=True)) is not None:
            handle.append(new)

    return show


def _terminal_line() -> Callable[[str], None]:
    shown = ""

    def show(text: str) -> None:
        nonlocal shown
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\x1b[K{text}")
        elif text.partition(": ")[2] != shown.partition(": ")[2]:
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        shown = text

    return show
