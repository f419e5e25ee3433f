"""The answers of the API: the envelope, and what a fault makes of an answer."""

import socket
from collections.abc import Callable

import msgspec
from werkzeug.wrappers import Response

from yotta_jupyter.sandbox.faults import Fault
from yotta_jupyter.sandbox.server import CloseConnection, client_stays

_PAGE = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please try again later</h1></body></html>"


def success(data: bytes) -> Response:
    """Return the envelope of a success around ``data``, which is JSON already."""
    return _json(200, b'{"message":"success","code":10000,"data":' + data + b"}")


def envelope(http_status: int, code: int, message: str) -> Response:
    """Return the envelope of a failure."""
    return _json(http_status, msgspec.json.encode({"message": message, "code": code, "data": None}))


def _json(http_status: int, body: bytes) -> Response:
    return Response(body, http_status, mimetype="application/json")


def faulty(fault: Fault, apply: Callable[[], Response], connection: socket.socket) -> Response:
    """Return what a fault makes of an answer.

    Parameters
    ----------
    fault : Fault
        What goes wrong.
    apply : callable
        Does what was asked and returns the right answer.
    connection : socket
        The client's connection.

    Raises
    ------
    CloseConnection
        Where the client gets no answer.
    """
    kind = fault.kind
    right = apply() if kind in _APPLIED or kind.endswith("-after") else Response()
    match kind.removesuffix("-after").removesuffix("-before"):
        case "lost" | "dropped":
            raise CloseConnection
        case "timeout":
            client_stays(connection, None)
            raise CloseConnection
        case "slow":
            if not client_stays(connection, fault.number):
                raise CloseConnection
            return right
        case "500":
            return envelope(500, 10002, "system error")
        case "html":
            return Response(_PAGE, int(fault.value), mimetype="text/html")
        case "empty":
            return Response(b"", 200, mimetype="application/json")
        case "truncated":
            whole = right.get_data()
            right.set_data(whole[: len(whole) // 2])
            right.headers["Content-Length"] = str(len(whole))
            return right
        case "list":
            return _json(200, b"[]")
        case "code":
            return envelope(200, int(fault.value), f"code {fault.value}")
        case "status":
            return envelope(int(fault.value), int(fault.value), f"status {fault.value}")
        case "bare":
            return Response(b"", int(fault.value), mimetype="text/plain")
        case "429":
            response = envelope(429, 429, "too many requests")
            response.headers["Retry-After"] = fault.value
            return response
        case "redirect":
            response = Response(b"", 302, mimetype="text/plain")
            response.headers["Location"] = fault.value
            return response
    raise AssertionError(f"no answer for the fault {kind}")


_APPLIED = {"lost", "slow", "truncated"}
