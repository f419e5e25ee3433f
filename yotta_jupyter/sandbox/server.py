"""The HTTP server: a thread that accepts, a thread a connection, and an end that leaves neither."""

import contextlib
import io
import os
import socket
import socketserver
import sys
import threading
import time
from selectors import EVENT_READ, DefaultSelector
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_HOST = "127.0.0.1"
_MOST_BODY = 16 * 2**20


class CloseConnection(Exception):
    """Raised by the application to close the connection without an answer."""


def client_stays(connection: socket.socket, seconds: float | None) -> bool:
    """Wait that long (for ever where None), and return whether the client is still there.

    The end of the server looks like a client that left, so this never delays it.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    with DefaultSelector() as selector:
        selector.register(connection, EVENT_READ)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return True
            if selector.select(left):
                try:
                    if not connection.recv(1, socket.MSG_PEEK):
                        return False
                except OSError:
                    return False
                # The client sent its next request already: look again, but not all the time.
                time.sleep(0.02)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Headers and body leave together.
    server: "_Server"

    @property
    def server_version(self) -> str:  # type: ignore[override]
        return "YottaSandbox"

    def version_string(self) -> str:
        return self.server_version

    def run_wsgi(self) -> None:
        """Answer one request. Werkzeug's own closes every connection; this one keeps it."""
        try:
            body = self._body()
        except (OSError, ValueError):
            self.send_error(400)
            self.close_connection = True
            return
        environ = self.make_environ()
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [(status, headers)]

        try:
            answer = b"".join(self.server.app(environ, start_response))
        except CloseConnection:
            self.close_connection = True
            return
        status, headers = started[0]
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
            # Less than was promised: only the end of the connection tells the client.
            if name.lower() == "content-length" and int(value) > len(answer) and self.command != "HEAD":
                self.close_connection = True
        self.end_headers()
        self.wfile.write(answer)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return DechunkedInput(cast(IO[bytes], self.rfile)).readall() or b""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _MOST_BODY:
            raise ValueError("body too large")
        return self.rfile.read(length)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.server.verbose:
            # The first line without control characters; never the headers, which hold the key.
            line = self.requestline.encode("unicode_escape").decode()
            print(f"{line} {int(code)}", file=sys.stderr, flush=True)

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class _Server(ThreadedWSGIServer):
    timeout = 0  # handle_request() is called where a connection waits, and shall not wait for one that went away.

    def __init__(self, app: "WSGIApplication", listener: socket.socket, verbose: bool) -> None:
        # Given a socket, because werkzeug ends the process where it cannot bind one.
        super().__init__(_HOST, listener.getsockname()[1], app, _Handler, fd=listener.fileno())
        self.verbose = verbose
        self._open: dict[threading.Thread, socket.socket] = {}
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._converse, args=(request, client_address), name="yotta-sandbox-connection", daemon=True
        )
        with self._open_lock:
            self._open[thread] = request
        thread.start()

    def _converse(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that left is not worth a traceback; anything else is a mistake of ours.
        if not isinstance(sys.exception(), OSError):
            socketserver.BaseServer.handle_error(self, request, client_address)

    def hang_up(self) -> None:
        """Close every connection and wait for their threads."""
        with self._open_lock:
            still_open = list(self._open.items())
        for thread, connection in still_open:
            # It may have closed itself meanwhile.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if thread is not threading.current_thread():
                thread.join()


class ServerThread:
    """A server of one application on a loopback port, in a thread of its own.

    Parameters
    ----------
    app : WSGI application
        What is served.
    port : int
        The port; 0 takes a free one.
    verbose : bool
        Write a line a request to stderr.

    Raises
    ------
    OSError
        If the port is taken.
    """

    def __init__(self, app: "WSGIApplication", port: int = 0, *, verbose: bool = False) -> None:
        with socket.socket() as listener:
            if os.name == "posix":
                # Else a port cannot be had again for a minute after its last connection.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, port))
            listener.listen(128)
            self._server = _Server(app, listener, verbose)
        self.port = int(self._server.port)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="yotta-sandbox", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        """Accept until woken. Unlike ``serve_forever`` this never polls: it costs nothing idle and ends at once."""
        with DefaultSelector() as selector:
            selector.register(self._server, EVENT_READ)
            selector.register(self._woken, EVENT_READ)
            while all(key.fileobj is not self._woken for key, _ in selector.select()):
                self._server.handle_request()

    def stop(self) -> None:
        """Stop accepting, close every connection, and wait until no thread is left."""
        self._wake.close()
        self._thread.join()
        self._woken.close()
        self._server.server_close()
        self._server.hang_up()
