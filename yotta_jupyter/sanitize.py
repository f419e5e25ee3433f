"""Make text from a server safe to show: one line, no terminal escapes, no bidirectional overrides."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from .secret import Secret

# Control characters except tab and line feed, bidirectional controls, zero-width characters and line separators.
_CONTROL_CHARS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)

# The same characters in JSON, where those below U+0020 occur only as escapes. Other escapes match too.
_CONTROL_CHARS_IN_JSON: Final = re.compile(
    rb"\\[bfru]|\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0-\xa9]|\xef\xbb\xbf"
)


def single_line(value: object, limit: int = 200) -> str:
    """Return a value as one line of printable text.

    Parameters
    ----------
    value : object
        Converted with ``str()``.
    limit : int, default 200
        Maximum length in characters; longer text is truncated and ends with ``…``.

    Returns
    -------
    str
        Runs of whitespace become one space; other unprintable characters become escapes such as ``\\x1b``.
    """
    text = " ".join(str(value)[: limit * 4].split())  # The slice limits the work for a very long text.
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _escape(c) for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def may_contain_control_chars(body: bytes) -> bool:
    """Return whether a JSON document may contain characters that `escape_control_chars` replaces.

    Parameters
    ----------
    body : bytes
        JSON in UTF-8.

    Returns
    -------
    bool
        False for nearly every listing, which then needs no further work.
    """
    if body.isascii() and b"\\" not in body and b"\x7f" not in body:  # Much faster than the pattern.
        return False
    return _CONTROL_CHARS_IN_JSON.search(body) is not None


def escape_control_chars(value: Any) -> Any:
    """Replace control characters by escapes such as ``\\x1b`` in all texts of a value.

    Tabs and line feeds stay, because commands contain them. Secrets stay, because they are never shown.

    Parameters
    ----------
    value : object
        A text, list, dict or msgspec struct. Structs and lists are changed in place.

    Returns
    -------
    object
        The same list or struct, or a new text or dict.
    """
    if isinstance(value, str) and not isinstance(value, Secret):
        return _CONTROL_CHARS.sub(lambda match: _escape(match[0]), value)
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            setattr(value, name, escape_control_chars(getattr(value, name)))
    elif isinstance(value, list):
        value[:] = map(escape_control_chars, value)
    elif isinstance(value, dict):
        return {escape_control_chars(key): escape_control_chars(entry) for key, entry in value.items()}
    return value


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
