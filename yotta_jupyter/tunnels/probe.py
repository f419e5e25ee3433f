"""Finds out what answers behind a tunnel."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Final

from ..secret import Secret

_TIMEOUT: Final = 10.0
_MAX_BODY: Final = 1 << 16


def is_jupyter_with_token(port: int, token: Secret) -> bool:
    """Return whether a Jupyter server answers on a local port and accepts a token.

    Parameters
    ----------
    port : int
    token : Secret
        Sent only to what looks like a Jupyter server.
    """
    status, body = _get(port, "/api")
    return status == 200 and _has_version(body) and _get(port, "/api/status", token)[0] == 200


def _get(port: int, path: str, token: Secret | None = None) -> tuple[int, bytes]:
    """Return the status and the beginning of the body; the status is 0 without a response."""
    headers = {} if token is None else {"Authorization": f"token {token.reveal()}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)  # Uses no proxy of the environment.
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(_MAX_BODY)
    except (OSError, HTTPException, ValueError):  # ValueError: a token that no header can contain.
        return 0, b""
    finally:
        connection.close()


def _has_version(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and isinstance(answer.get("version"), str)
