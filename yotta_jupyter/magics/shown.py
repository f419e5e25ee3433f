"""How results look in a cell."""

from __future__ import annotations


class Text(str):
    """A string that a notebook shows as it is, without quotes and escapes, to be copied."""

    def __repr__(self) -> str:
        return str(self)


def dollars(amount: float | None) -> str:
    """Return an hourly price as text.

    Parameters
    ----------
    amount : float or None
        US dollars an hour.

    Returns
    -------
    str
        Such as ``$0.61 an hour``.
    """
    return "an unknown price" if amount is None else f"${amount:.2f} an hour"
