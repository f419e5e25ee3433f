"""Questions before something that cannot be undone."""

from __future__ import annotations

from ..errors import InvalidRequest


def confirm(question: str, unanswered: str) -> bool:
    """Ask a question and return whether the answer is yes. Ctrl-C is a no.

    Parameters
    ----------
    question : str
        Without the possible answers.
    unanswered : str
        The error where input is not possible.

    Returns
    -------
    bool

    Raises
    ------
    InvalidRequest
        Input is not possible.
    """
    from IPython.core.error import StdinNotImplementedError

    try:
        reply = input(f"{question} [y/N] ")
    except (StdinNotImplementedError, EOFError):
        reply = None
    except KeyboardInterrupt:
        print()
        return False
    if reply is None:
        raise InvalidRequest(unanswered)
    return reply.strip().lower() in ("y", "yes")
