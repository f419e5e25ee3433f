"""Text that came from elsewhere, made fit to show."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def printable(text: object, limit: int = 200) -> str:
    """Return `text` on one line, with control characters escaped, at most `limit` characters long.

    A server's text may hold line breaks, terminal escape sequences or characters that turn the reading direction.

    Parameters
    ----------
    text : object
        Anything; ``str()`` of it is shown.
    limit : int, default 200
        The length in characters beyond which the text is cut, with ``…`` at the end.

    Returns
    -------
    str
    """
    shown = str(text)[: limit * 4].strip()
    shown = " ".join(shown.split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that is spelled most like `word`, ignoring case, or None where none is near.

    Parameters
    ----------
    word : str
        What was typed.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str or None
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean X?`` with the nearest of `known`, or an empty string.

    Parameters
    ----------
    word : str
        What was typed.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        Starts with a space, to be put behind a sentence.
    """
    match = nearest(word, known)
    return f" Did you mean {match}?" if match else ""
