"""Amounts and counts as text, the same in every message."""

from __future__ import annotations


def format_rate(amount: float | None) -> str:
    """Return an hourly rate as text.

    Parameters
    ----------
    amount : float or None
        US dollars an hour; None if unknown.

    Returns
    -------
    str
        Such as ``$0.61 an hour``.
    """
    return "an unknown price" if amount is None else f"${amount:.2f} an hour"


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun, such as ``1 pod`` or ``2 pods``.

    Parameters
    ----------
    count : int
    noun : str
        In the singular.

    Returns
    -------
    str
    """
    return f"{count} {noun}{'s' * (count != 1)}"
