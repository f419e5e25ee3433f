"""Input from the user: confirmation and secrets."""

from __future__ import annotations

import getpass
from collections.abc import Callable

from ..errors import InvalidRequest


def confirm(question: str, no_input_error: str) -> bool:
    """Ask a question and return whether the answer is yes. Ctrl-C is a no.

    Parameters
    ----------
    question : str
        Without the possible answers.
    no_input_error : str
        The message of the error if input is not possible.

    Returns
    -------
    bool

    Raises
    ------
    InvalidRequest
        Input is not possible.
    """
    try:
        reply = _read(lambda: input(f"{question} [y/N] "))
    except KeyboardInterrupt:
        print()
        return False
    if reply is None:
        raise InvalidRequest(no_input_error)
    return reply.strip().lower() in ("y", "yes")


def prompt_secret(prompt: str) -> str | None:
    """Ask for a secret without showing it.

    Parameters
    ----------
    prompt : str

    Returns
    -------
    str or None
        None if input is not possible.

    Raises
    ------
    KeyboardInterrupt
        The user pressed Ctrl-C.
    """
    return _read(lambda: getpass.getpass(prompt))


def _read(read: Callable[[], str]) -> str | None:
    from IPython.core.error import StdinNotImplementedError

    try:
        return read()
    except (StdinNotImplementedError, EOFError):
        return None
