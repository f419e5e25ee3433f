"""An HTTP server for a WSGI application: a thread that accepts connections, and one thread per connection."""

import contextlib
import io
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_HOST = "127.0.0.1"
_MAX_BODY_BYTES = 16 * 2**20
_POLL_INTERVAL = 0.1  # Seconds between two checks of the accepting thread for a stop.


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # The default buffer size, so that headers and body are sent together.
    server: "_Server"

    def version_string(self) -> str:
        return "YottaSandbox"

    def run_wsgi(self) -> None:
        """Handle a request and keep the connection open. Werkzeug's own method always closes it."""
        environ = self.make_environ()
        try:
            body = self._read_body(environ)
        except (OSError, ValueError):
            self.send_error(400)
            return
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        try:
            body_iterator, status, headers = run_wsgi_app(self.server.app, environ)
            code, _, reason = status.partition(" ")
            self.send_response(int(code), reason)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.writelines(body_iterator)
        except ConnectionError:
            self.close_connection = True

    def _read_body(self, environ: "WSGIEnvironment") -> bytes:
        if environ.get("wsgi.input_terminated"):  # The body is chunked; this stream decodes it.
            body: bytes = environ["wsgi.input"].read()
            return body
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _MAX_BODY_BYTES:
            raise ValueError("body too large")
        return self.rfile.read(length)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.server.verbose:
            # The headers are not written, because they contain the API key.
            escaped_line = self.requestline.encode("unicode_escape").decode()
            print(f"{escaped_line} {int(code)}", file=sys.stderr, flush=True)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing else to stderr."""


class _Server(ThreadedWSGIServer):
    def __init__(self, app: "WSGIApplication", listener: socket.socket, verbose: bool) -> None:
        super().__init__(_HOST, 0, app, _Handler, fd=listener.fileno())  # With fd it ignores the port.
        self.verbose = verbose
        self._connections: dict[threading.Thread, socket.socket] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="yotta-sandbox-connection",
            daemon=True,
        )
        thread.start()
        self._connections = {thread: sock for thread, sock in self._connections.items() if thread.is_alive()}
        self._connections[thread] = request

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client may disconnect at any time. Other exceptions are bugs and printed with a traceback.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Close all connections and wait until their threads have ended. Call it when `serve_forever` has ended."""
        for thread, sock in self._connections.items():
            with contextlib.suppress(OSError):  # The connection may be closed already.
                sock.shutdown(socket.SHUT_RDWR)
            thread.join()


class ServerThread:
    """Serve an application on a loopback port from a thread.

    The application may raise ConnectionError, also while it yields the body, to close the connection.

    Parameters
    ----------
    app : WSGI application
        The application.
    port : int
        The port; 0 for a free one.
    verbose : bool
        Write one line per request to stderr.

    Raises
    ------
    OSError
        If the port is in use.
    """

    def __init__(self, app: "WSGIApplication", port: int = 0, *, verbose: bool = False) -> None:
        # Bound here, because werkzeug exits the process if it cannot bind the port. It duplicates the socket.
        with socket.socket() as listener:
            if os.name == "posix":
                # Otherwise a port is unavailable for a minute after its last connection.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, port))
            listener.listen(128)
            self._server = _Server(app, listener, verbose)
        self.port = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_INTERVAL,), name="yotta-sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, close all connections, and wait until no thread is left."""
        with contextlib.suppress(OSError):
            # On Linux this wakes the accepting thread. Elsewhere it ends after the poll interval.
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
