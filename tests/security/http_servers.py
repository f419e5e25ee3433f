"""Servers that mean no good: what they answer is said byte by byte."""

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

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def server(
    answer: Answer, seen: list[dict[str, str]] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve that answer to every request, and give the address.

    Parameters
    ----------
    answer : callable
        Called with the handler and the request's body; writes what it likes.
    seen : list, optional
        Gets the path and the headers of each request.
    tls : ssl.SSLContext, optional
        Speak TLS with it.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            self.close_connection = True
            if seen is not None:
                seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with contextlib.suppress(OSError):  # The client has had enough.
                answer(self, body)

        do_GET = do_POST = do_DELETE = do_CONNECT = _any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(socketserver.ThreadingTCPServer):
        block_on_close = True
        allow_reuse_address = True
        request_queue_size = 64

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, client = super().get_request()
            return (tls.wrap_socket(connection, server_side=True) if tls else connection), client

        def handle_error(self, request: Any, client_address: Any) -> None:
            assert isinstance(sys.exception(), OSError)

    with Server(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_address[1]}"
        finally:
            serving.shutdown()
            thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer as servers do."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def echo() -> Any:
    """Serve back what was sent, headers and body, in every place in which a client may show it."""

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        text = f"{handler.headers.get('x-api-key')} {body.decode()}"
        forms = {
            "/echo": (400, json.dumps({"code": 10001, "message": text, "data": None})),
            "/echo-html": (502, f"<html>{text}"),
            "/echo-code": (200, json.dumps({"code": 12001, "message": text[-150:], "data": text})),
            "/echo-redirect": (302, ""),
            "/echo-created": (200, json.dumps({"code": 10000, "message": text, "data": [text]})),
        }
        status, shown = forms.get(handler.path, (200, text))
        say(
            handler, status, shown.encode(), Location="https://example.org/?" + text.encode("ascii", "replace").decode()
        )

    return server(answer)
