"""Secret values: a string type that never shows its value, and redaction of secrets in other text."""

from __future__ import annotations

import hmac
import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "••••"

MIN_REDACT_LENGTH: Final = 4
"""Shorter secrets are not redacted: they occur in any text by chance."""

_MIN_LENGTH_TO_SHOW_END: Final = 12
"""`Secret.masked` shows nothing of a shorter secret."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""A word of a name in UPPER_CASE, snake_case or camelCase."""

_SENSITIVE_WORDS: Final = frozenset(
    {"apikey", "auth", "credential", "credentials", "key", "passphrase", "passwd", "password", "secret", "token"}
)

_JSON_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")
_JSON_HTML_ESCAPES: Final = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})


def is_sensitive_name(name: str) -> bool:
    """Return whether a name suggests a secret, such as ``HF_TOKEN`` or ``jupyterPassword``, but not ``PUBLIC_KEY``.

    Parameters
    ----------
    name : str
        The name of an environment variable or of a JSON field.

    Returns
    -------
    bool
    """
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _SENSITIVE_WORDS) and "public" not in words


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Replace secrets in a text by `MASK`. Servers may repeat in an error what was sent to them.

    Parameters
    ----------
    text : str
    secrets : iterable of Secret
        Also found in their JSON, HTML and URL encodings.

    Returns
    -------
    str
    """
    values = sorted((secret.reveal() for secret in secrets), key=len, reverse=True)
    for value in values:
        if len(value) >= MIN_REDACT_LENGTH:
            for encoded in _encodings(value):
                text = text.replace(encoded, MASK)
    return text


def _encodings(value: str) -> list[str]:
    """Return the encodings in which a server may repeat a text, longest first."""
    encodings = {value, html.escape(value), html.escape(value, quote=False), quote(value), quote_plus(value)}
    encodings |= _json_encodings(value)
    return sorted(encodings, key=len, reverse=True)


def _json_encodings(value: str) -> set[str]:
    encodings = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    # Some servers also escape HTML metacharacters and slashes, or write the hexadecimal digits in upper case.
    encodings |= {encoded.translate(_JSON_HTML_ESCAPES) for encoded in encodings}
    encodings |= {encoded.replace("/", "\\/") for encoded in encodings}
    encodings |= {_JSON_ESCAPE.sub(lambda match: f"\\u{match[1].upper()}", encoded) for encoded in encodings}
    return encodings


class Secret(str):
    """A string that shows ``••••`` instead of its value.

    ``repr``, ``str``, formatting, JSON, CSV and pickle all give ``••••``. Only `reveal` returns the value.

    Parameters
    ----------
    value : str
        The secret. A `Secret` is returned unchanged.

    Examples
    --------
    >>> key = Secret("not-a-real-key")
    >>> f"{key}"
    '••••'
    >>> key.reveal()
    'not-a-real-key'
    """

    # The string itself is the mask. The value is an attribute, which C code such as that of json does not read.
    __slots__ = ("__value",)
    __value: str

    def __new__(cls, value: str) -> Secret:
        if isinstance(value, Secret):
            return value
        secret = super().__new__(cls, MASK)
        object.__setattr__(secret, "_Secret__value", value)
        return secret

    def reveal(self) -> str:
        """Return the secret value.

        Returns
        -------
        str
            Do not print it in a notebook.
        """
        return self.__value

    def masked(self) -> str:
        """Return the mask and the last four characters, or only the mask if the value is short.

        Returns
        -------
        str
            Such as ``••••4f2a``.
        """
        if len(self.__value) < _MIN_LENGTH_TO_SHOW_END:
            return MASK
        return MASK + self.__value[-4:]

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            return hmac.compare_digest(_to_bytes(self.__value), _to_bytes(other.__value))
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:
        return hash(("Secret", self.__value))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[type[Secret], tuple[str]]:
        return Secret, (MASK,)


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
