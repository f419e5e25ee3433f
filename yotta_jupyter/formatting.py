"""Amounts, counts and names as short text, the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_VENDOR: Final = re.compile(r"^(NVIDIA|AMD|AWS)_(GeForce_)?")
_VRAM: Final = re.compile(r"(_\d+GB_HBM\d)?_\d+G$")  # _24G, or _80GB_HBM3_80G.
_VERSION: Final = re.compile(r"\d[\w.]*")

_MINUTE: Final = 60  # Seconds.
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def format_amount(amount: float) -> str:
    """Return an amount with two decimals, rounded as ``toFixed(2)`` in JavaScript does: a half rounds up.

    Parameters
    ----------
    amount : float
        Not NaN.

    Returns
    -------
    str
        Such as ``9.13`` for 9.125, which Python alone formats as ``9.12``.
    """
    return str(Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP))


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
    return "an unknown price" if amount is None else f"${format_amount(amount)} an hour"


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
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def join_limited(items: Sequence[str], limit: int) -> str:
    """Return the first items as text, with a count of the others: ``a, b and 3 more``.

    Parameters
    ----------
    items : sequence of str
    limit : int
        Maximum number of items in the text.

    Returns
    -------
    str
    """
    text = ", ".join(items[:limit])
    return f"{text} and {len(items) - limit} more" if len(items) > limit else text


def join_or(items: Sequence[str]) -> str:
    """Return one or more items as alternatives: ``a, b or c``.

    Parameters
    ----------
    items : sequence of str

    Returns
    -------
    str
    """
    *first, last = items
    return f"{', '.join(first)} or {last}" if first else last


def short_gpu_type(gpu_type: str) -> str:
    """Return a GPU type without vendor and VRAM: ``NVIDIA_GeForce_RTX_4090_24G`` is ``RTX 4090``.

    Parameters
    ----------
    gpu_type : str

    Returns
    -------
    str
    """
    return _VRAM.sub("", _VENDOR.sub("", gpu_type)).replace("_", " ")


def short_image(image: str) -> str:
    """Return the name of an image and the version in its tag, such as ``pytorch 2.9.0``.

    Parameters
    ----------
    image : str

    Returns
    -------
    str
    """
    name, _, tag = image.rpartition("/")[2].partition(":")
    version = _VERSION.match(tag)
    return f"{name} {version[0]}" if version else name


def format_age(seconds: float) -> str:
    """Return a duration in one unit, such as ``3 h``. Days start at 48 hours.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
        ``now`` for less than a minute.
    """
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h"
    return f"{seconds // _DAY:.0f} d"


def format_time_left(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``1 h 59 min`` or ``19 s``.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
    """
    rest = max(0, round(seconds))
    parts = []
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def format_bytes(count: float) -> str:
    """Return a number of bytes with its unit, such as ``1.5 MB``.

    Parameters
    ----------
    count : float

    Returns
    -------
    str
        At most 8 characters below 1,000 GB.
    """
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} GB"
