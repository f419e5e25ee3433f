"""What arrived at the sandbox, kept for tests to look at."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived.

    Attributes
    ----------
    method, path : str
        As sent; the path without the query.
    query : str
        The raw query string, without the question mark.
    endpoint : str
        ``create``, ``list``, ``get``, ``pause``, ``resume``, ``delete``, or empty for an unknown route.
    headers : dict of str to str
        Names in lower case. Holds the API key, so it is not part of the repr.
    body : bytes
        As sent. Not part of the repr: it may hold secrets.
    time : float
        ``time.monotonic()`` at arrival.
    """

    method: str
    path: str
    query: str
    endpoint: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    time: float = field(repr=False)

    @property
    def params(self) -> list[tuple[str, str]]:
        """The query as (name, value) pairs, in the order sent."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body decoded from JSON."""
        return msgspec.json.decode(self.body)
