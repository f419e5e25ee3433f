"""WSGI middleware that injects faults."""

import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from .faults import FAULT_KINDS, Fault, Faults
from .gateway import ENDPOINT
from .handlers import LAG, NEW_POD_FAILS
from .responses import SYSTEM_ERROR, failure, json_response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HTML = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please try again later</h1></body></html>"


class FaultMiddleware:
    """Inject the active faults into requests to an application.

    It raises ConnectionAbortedError to close the connection without a complete response.
    """

    def __init__(self, app: "WSGIApplication", faults: Faults) -> None:
        self._app = app
        self._faults = faults

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request."""
        plan = self._faults.plan(environ[ENDPOINT])
        environ[LAG] = plan.lag
        environ[NEW_POD_FAILS] = plan.new_pod_fails
        if plan.fault is None:
            return self._app(environ, start_response)
        takes_effect = FAULT_KINDS[plan.fault.kind].takes_effect
        response = Response.from_app(self._app, environ) if takes_effect else Response()
        return _apply_fault(plan.fault, response, environ["werkzeug.socket"])(environ, start_response)


def _apply_fault(fault: Fault, response: Response, connection: socket.socket) -> Response:
    """Return the faulty response, or raise ConnectionAbortedError.

    ``response`` is the correct response; it is empty if the request takes no effect.
    """
    match fault.kind:
        case "lost" | "dropped":
            raise ConnectionAbortedError
        case "timeout" | "timeout-after":
            _wait_for_disconnect(connection)
            raise ConnectionAbortedError
        case "slow":
            if _wait_for_disconnect(connection, fault.seconds):
                raise ConnectionAbortedError
            return response
        case "500-before" | "500-after":
            return failure(500, SYSTEM_ERROR, "system error")
        case "html" | "html-after":
            return Response(_HTML, int(fault.value), mimetype="text/html")
        case "empty" | "empty-after":
            return json_response(200, b"")
        case "truncated":
            body = response.get_data()
            response.response = _abort_after(body[: len(body) // 2])
            response.content_length = len(body)  # As if the body were complete.
            return response
        case "list" | "list-after":
            return json_response(200, b"[]")
        case "code":
            return failure(200, int(fault.value), f"code {fault.value}")
        case "status":
            return failure(int(fault.value), int(fault.value), f"status {fault.value}")
        case "bare":
            return Response(b"", int(fault.value), mimetype="text/plain")
        case "429":
            response = failure(429, 429, "too many requests")
            response.headers["Retry-After"] = fault.value
            return response
        case "redirect":
            return Response(b"", 302, {"Location": fault.value}, mimetype="text/plain")
    raise AssertionError(f"fault {fault.kind} has no response")


def _abort_after(data: bytes) -> Iterator[bytes]:
    yield data
    raise ConnectionAbortedError


def _wait_for_disconnect(connection: socket.socket, seconds: float | None = None) -> bool:
    """Wait until the client disconnects or the server stops. Return False after a timeout in seconds."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except (TimeoutError, BlockingIOError):  # BlockingIOError is the timeout of 0 seconds.
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(None)
