"""A value that must not be shown."""

from __future__ import annotations

import hmac
import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "••••"

SHORTEST_HIDDEN: Final = 4
"""Letters of the shortest secret that `hide` looks for: a shorter one is in any text by chance."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(
    {"apikey", "auth", "credential", "credentials", "key", "passphrase", "passwd", "password", "secret", "token"}
)


def names_a_secret(name: str) -> bool:
    """Return whether a name is one that people give to secrets, such as ``HF_TOKEN`` or ``jupyterPassword``.

    Parameters
    ----------
    name : str
        The name of an environment variable or of a JSON field.

    Returns
    -------
    bool
    """
    return any(word.lower() in _SECRET_WORDS for word in _WORD.findall(name))


def hide(text: str, secrets: Iterable[Secret]) -> str:
    """Return a text that somebody else wrote with `MASK` in place of secrets: servers repeat what they were sent.

    Parameters
    ----------
    text : str
    secrets : iterable of Secret
        Looked for as they are, and as JSON, HTML and addresses write them.

    Returns
    -------
    str
    """
    values = sorted((secret.reveal() for secret in secrets), key=len, reverse=True)
    for value in values:
        if len(value) >= SHORTEST_HIDDEN:
            for form in _written(value):
                text = text.replace(form, MASK)
    return text


def _written(value: str) -> list[str]:
    """Return the forms in which a text may be repeated, the longest first."""
    as_json = [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]]
    for written in as_json[:]:
        # Some servers escape what HTML would take for markup, and slashes.
        safe = written.translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "&<>"})
        as_json += [safe, written.replace("/", "\\/"), safe.replace("/", "\\/")]
    forms = {value, *as_json, html.escape(value), html.escape(value, quote=False), quote(value), quote_plus(value)}
    return sorted(
        forms | {re.sub(r"\\u[0-9a-f]{4}", lambda m: r"\u" + m[0][2:].upper(), form) for form in forms}, key=len
    )[::-1]


class Secret(str):
    """A secret string that shows ``••••`` wherever a string is shown.

    As text it *is* the mask: ``repr``, ``str``, formatting, JSON, CSV and pickle all give ``••••``. The value itself
    comes from :meth:`reveal` alone.

    Parameters
    ----------
    value : str
        The secret. A `Secret` is taken as it is.

    Examples
    --------
    >>> key = Secret("not-a-real-key")
    >>> f"{key}"
    '••••'
    >>> key.reveal()
    'not-a-real-key'
    """

    __slots__ = ("__value",)
    __value: str

    def __new__(cls, value: str) -> Secret:
        if isinstance(value, Secret):
            return value
        secret = super().__new__(cls, MASK)
        object.__setattr__(secret, "_Secret__value", value)
        return secret

    def reveal(self) -> str:
        """Return the secret itself.

        Returns
        -------
        str
            The value, for use at once. Do not print it in a notebook.
        """
        return self.__value

    def last_four(self) -> str:
        """Return the mask and the last four characters, or the mask alone where that would tell too much.

        Returns
        -------
        str
            Such as ``••••4f2a``.
        """
        return MASK + (self.__value[-4:] if len(self.__value) >= 12 else "")

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
            return hmac.compare_digest(
                *(text.encode("utf-8", "surrogatepass") for text in (self.__value, other.__value))
            )
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
