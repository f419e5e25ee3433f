"""The words in names of GPU types, such as ``L4``, ``4090`` or ``H100 80GB``."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_VRAM: Final = re.compile(r"(\d+)gb?")

_MIN_MODEL_DIGITS: Final = 4
"""Digits of a number that is a model, such as 4090. A number with fewer digits is a VRAM size, such as 80 or 192."""


def tokenize(name: str) -> set[str]:
    """Return the lower-case words of a name: ``NVIDIA_L4_24G`` contains ``l4``, ``NVIDIA_L40S_48G`` does not.

    Parameters
    ----------
    name : str

    Returns
    -------
    set of str
        VRAM sizes are without units: ``80GB`` and ``80G`` are ``80``.
    """
    words = (word.lower() for word in _WORD.findall(name))
    return {_VRAM.sub(r"\1", word) if _VRAM.fullmatch(word) else word for word in words} - {"gb", "g"}


@cache
def search_tokens(*names: str) -> set[str]:
    """Return the words by which a GPU type with these names is found, and adjacent words as one: ``rtx4090``.

    Parameters
    ----------
    *names : str

    Returns
    -------
    set of str
    """
    tokens = set()
    for name in names:
        words = [word.lower() for word in _WORD.findall(name)]
        tokens |= tokenize(name) | {first + second for first, second in pairwise(words)}
    return tokens


def model_words(name: str) -> list[str]:
    """Return the words of a name that are a model, such as ``H100`` or ``4090``.

    Parameters
    ----------
    name : str

    Returns
    -------
    list of str
    """
    return [word for word in _WORD.findall(name) if _is_model(word)]


def _is_model(word: str) -> bool:
    """Return whether a word has a digit and is not a VRAM size: ``h100`` and ``4090``, but not ``80gb`` or ``80``."""
    if word.isdigit():
        return len(word) >= _MIN_MODEL_DIGITS
    if _VRAM.fullmatch(word.lower()):
        return False
    return len(word) > 1 and any(c.isdigit() for c in word)
