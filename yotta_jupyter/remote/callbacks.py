"""The callbacks of a run and their defaults outside a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .outputs import OutputMessage
from .runs import RunInfo

OnOutput = Callable[[OutputMessage], None]
OnInput = Callable[[str, bool], str]
"""Returns a line for ``input()`` on the pod, given the prompt and whether it is a password."""
OnNotice = Callable[[str], None]
"""Called with one line about the connection or the pod."""
OnStatus = Callable[[str], None]
"""Called with one line about a connection that takes long. It replaces the line before."""
OnQueued = Callable[[RunInfo, bool], None]
"""Called if a run has to wait, with a run before it and whether it has the same code."""
OnInterrupt = Callable[[], bool]
"""Called at the first Ctrl-C. Returns whether to interrupt the code on the pod, instead of leaving it running."""


def print_output(message: OutputMessage) -> None:
    """Print an output as text.

    Parameters
    ----------
    message : OutputMessage
    """
    kind, content = message["msg_type"], message["content"]
    if kind == "stream":
        stream = sys.stderr if content.get("name") == "stderr" else sys.stdout
        stream.write(str(content.get("text", "")))
        stream.flush()
    elif kind in ("display_data", "execute_result"):
        data = content.get("data")
        print(data.get("text/plain", "") if isinstance(data, Mapping) else "")


def ask_user(prompt: str, password: bool) -> str:
    """Ask the user on the terminal or in the notebook.

    Parameters
    ----------
    prompt : str
    password : bool
        Whether to hide what is typed.
    """
    import getpass

    return getpass.getpass(prompt) if password else input(prompt)


def print_notice(text: str) -> None:
    """Print a notice to stderr.

    Parameters
    ----------
    text : str
    """
    print(text, file=sys.stderr, flush=True)


def always_interrupt() -> bool:
    """Interrupt the code on the pod: the default of `Remote.run`."""
    return True


def never_interrupt() -> bool:
    """Leave the code on the pod running: the default of `Remote.attach`."""
    return False


@dataclass
class Callbacks:
    """What is called while a run is waited for, on the thread that waits."""

    on_output: OnOutput
    on_input: OnInput
    on_notice: OnNotice
    on_status: OnStatus
    on_queued: OnQueued
    on_interrupt: OnInterrupt
