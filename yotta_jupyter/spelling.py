"""Suggestions for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest_match(value: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is spelled most like a value, ignoring case.

    Parameters
    ----------
    value : str
    candidates : iterable of str

    Returns
    -------
    str or None
        None if no candidate is similar.
    """
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


def did_you_mean(value: str, candidates: Iterable[str]) -> str:
    """Return `` Did you mean X?`` with the closest candidate, or an empty string.

    Parameters
    ----------
    value : str
    candidates : iterable of str

    Returns
    -------
    str
        Starts with a space, to be appended to a sentence.
    """
    match = closest_match(value, candidates)
    return f" Did you mean {match}?" if match else ""
