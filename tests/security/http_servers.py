"""Servers whose responses a test writes byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

Handler = Callable[[BaseHTTPRequestHandler, bytes], None]
Requests = list[dict[str, str]]


@contextmanager
def serve(handle: Handler, requests: Requests | None = None, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 and yield the address.

    Parameters
    ----------
    handle : callable
        Called with the request handler and the body of each request; writes the response.
    requests : list, optional
        Receives the path and the headers of each request.
    tls : ssl.SSLContext, optional
        Serve over TLS.
    """

    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            self.close_connection = True
            if requests is not None:
                requests.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with contextlib.suppress(OSError):  # The client may disconnect before the end of the response.
                handle(self, body)

        do_GET = do_POST = do_DELETE = do_CONNECT = _handle

        def log_message(self, format: str, *args: Any) -> None:
            """Write no log."""

    class Server(socketserver.ThreadingTCPServer):
        block_on_close = True
        allow_reuse_address = True
        request_queue_size = 64

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, client = super().get_request()
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            return connection, client

        def handle_error(self, request: Any, client_address: Any) -> None:
            assert isinstance(sys.exception(), OSError)

    with Server(("127.0.0.1", 0), RequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def respond(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Send a complete response. Underscores in names of headers become hyphens."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def serve_echo() -> contextlib.AbstractContextManager[str]:
    """Serve responses that repeat the key and the body of the request in each part that a client may show."""

    def echo(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        text = f"{handler.headers.get('x-api-key')} {body.decode()}"
        responses = {
            "/echo/": (400, json.dumps({"code": 10001, "message": text, "data": None})),
            "/echo-html/": (502, f"<html>{text}"),
            "/echo-code/": (200, json.dumps({"code": 12001, "message": text[-150:], "data": text})),
            "/echo-redirect/": (302, ""),
            "/echo-created/": (200, json.dumps({"code": 10000, "message": text, "data": [text]})),
        }
        first_part = handler.path.split("/")[1]
        status, content = responses.get(f"/{first_part}/", (200, text))
        location = "https://example.org/?" + text.encode("ascii", "replace").decode()
        respond(handler, status, content.encode(), Location=location)

    return serve(echo)
