"""Checks what answers at a local port."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Final

from ..secret import Secret

_TIMEOUT_SECONDS: Final = 10.0
_MAX_BODY_BYTES: Final = 1 << 16


def jupyter_accepts(port: int, token: Secret) -> bool:
    """Return whether a Jupyter server answers at a local port and accepts a token.

    Parameters
    ----------
    port : int
    token : Secret
        Sent only to a server that answers ``/api`` as Jupyter does.

    Returns
    -------
    bool
    """
    status, body = _get(port, "/api")
    if status != 200 or not _is_version(body):
        return False
    status, _ = _get(port, "/api/status", token)
    return status == 200


def _get(port: int, path: str, token: Secret | None = None) -> tuple[int, bytes]:
    """Return the status and the beginning of the body. The status is 0 if there is no response."""
    headers = {} if token is None else {"Authorization": f"token {token.reveal()}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)  # Ignores HTTP_PROXY.
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(_MAX_BODY_BYTES)
    except (OSError, HTTPException, ValueError):  # ValueError: the token has characters that a header cannot have.
        return 0, b""
    finally:
        connection.close()


def _is_version(body: bytes) -> bool:
    """Return whether a body is like ``{"version": "2.17.0"}``."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("version"), str)
