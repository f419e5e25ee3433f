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
    return next(iter(closest_matches(value, candidates, count=1)), None)


def closest_matches(value: str, candidates: Iterable[str], count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return the candidates that are spelled most like a value, ignoring case, closest first.

    Parameters
    ----------
    value : str
    candidates : iterable of str
    count : int, default 3
        Maximum number.
    cutoff : float, default 0.5
        Minimum similarity, 0 to 1.

    Returns
    -------
    list of str
    """
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    return [by_lower[match] for match in difflib.get_close_matches(value.lower(), by_lower, n=count, cutoff=cutoff)]


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


def is_one_edit_apart(first: str, second: str) -> bool:
    """Return whether two different words differ by one letter: inserted, left out, replaced, or swapped with the next.

    Parameters
    ----------
    first, second : str

    Returns
    -------
    bool
        Case is ignored.
    """
    short, long = sorted((first.lower(), second.lower()), key=len)
    if short == long:
        return False
    start = 0  # Where they begin to differ.
    while start < len(short) and short[start] == long[start]:
        start += 1
    is_insertion = short[start:] == long[start + 1 :]
    is_replacement = short[start + 1 :] == long[start + 1 :]
    is_swap = short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    return is_insertion or is_replacement or is_swap
