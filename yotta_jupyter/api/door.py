"""What comes in at the door: text of a server that could move a terminal's cursor or pass for other text.

Line breaks and tabs stay, as commands have them; what shows a text on one line sees to these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from .secret import Secret

# Control characters (of them tab and line feed stay), those that turn the reading direction,
# and those that take no room or end a line unseen.
_ACTIVE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

# The same, or a little more, in JSON, by the byte they start with: one byte is found many times as fast as a pattern.
_ACTIVE_IN_JSON: Final = {
    b"\\": re.compile(rb"\\(?:[bfr]|u(?:00[0189]|007f|061c|20[026]|feff))", re.IGNORECASE),
    b"\x7f": re.compile(b"\x7f"),
    b"\xc2": re.compile(b"\xc2[\x80-\x9f]"),
    b"\xd8": re.compile(b"\xd8\x9c"),
    b"\xe2": re.compile(b"\xe2(?:\x80[\x8b\x8e\x8f\xa8-\xae]|\x81[\xa0-\xa9])"),
    b"\xef": re.compile(b"\xef\xbb\xbf"),
}


def may_be_active(body: bytes) -> bool:
    """Return whether JSON may hold such text. Most does not, and this is found out at once.

    Parameters
    ----------
    body : bytes
        JSON in UTF-8, in which a control character can only be an escape.

    Returns
    -------
    bool
    """
    return any(first in body and pattern.search(body) for first, pattern in _ACTIVE_IN_JSON.items())


def made_passive(structs: Iterable[msgspec.Struct]) -> None:
    """Replace active characters in all texts of structs, and of structs in their lists, by escapes such as ``\\x1b``.

    Parameters
    ----------
    structs : iterable of msgspec.Struct
        Changed in place. Secrets are left alone: they are not shown.
    """
    for struct in structs:
        for name in struct.__struct_fields__:
            value = getattr(struct, name)
            passive = _passive(value)
            if passive is not value:
                setattr(struct, name, passive)


def _passive(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Secret):
        return _ACTIVE.sub(_escaped, value) if _ACTIVE.search(value) else value
    if isinstance(value, msgspec.Struct):
        made_passive([value])
    elif isinstance(value, list):
        value[:] = map(_passive, value)
    elif isinstance(value, dict):
        return {_passive(key): _passive(entry) for key, entry in value.items()}
    return value


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
