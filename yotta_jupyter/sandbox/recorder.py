"""The requests that the sandbox received, recorded for tests."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as the sandbox received it.

    Attributes
    ----------
    method, path : str
        The HTTP method, and the path without the query.
    query : str
        The raw query string, without the question mark.
    endpoint : str
        ``create``, ``list``, ``get``, ``pause``, ``resume`` or ``delete``; empty for an unknown route.
    headers : dict of str to str
        The headers, names in lower case. Not in the repr, because they contain the API key.
    body : bytes
        The raw body. Not in the repr, because it may contain secrets.
    time : float
        ``time.monotonic()`` when the request arrived.
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
        """The query as (name, value) pairs in their original order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body decoded from JSON."""
        return msgspec.json.decode(self.body)
