"""Links that sign a browser in to a JupyterLab, without its token.

The output of a cell is saved with the notebook, so that it must not contain a token. A link leads to a server of this
process, which redirects the first request of it, within `LINK_LIFETIME`, to the address with the token. JupyterLab
answers with a cookie, so that later requests of the same browser need no token and get none.
"""

from __future__ import annotations

import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import quote

import msgspec

from ..secret import Secret

LINK_LIFETIME: Final = 600.0
"""Seconds in which a link must be used first."""

_EXPIRED: Final = "This link has expired. Run %yotta open again."
_UNKNOWN: Final = "There is no such link. Run %yotta open again."


class _Link(msgspec.Struct):
    target: str
    token: Secret
    any_host: bool
    expires_at: float
    is_used: bool = False


class SignInServer:
    """A server on 127.0.0.1 that redirects links to servers on pods, each link once with the server's token."""

    def __init__(self) -> None:
        self._links: dict[str, _Link] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="yotta-links", daemon=True
        )
        self._thread.start()

    def add(self, target: str, token: Secret, any_host: bool) -> str:
        """Add a link.

        Parameters
        ----------
        target : str
            The address to redirect to.
        token : Secret
            Added to the target once.
        any_host : bool
            Whether requests come through a proxy, and name its host.

        Returns
        -------
        str
            The path of the link, which cannot be guessed.
        """
        path = secrets.token_urlsafe(32)
        with self._lock:
            self._links[path] = _Link(target, token, any_host, time.monotonic() + LINK_LIFETIME)
        return path

    def resolve(self, path: str, host: str) -> tuple[str | None, str]:
        """Return where a request is redirected to, or None and why not.

        Parameters
        ----------
        path : str
            Of the request, without the first slash.
        host : str
            The ``Host`` header. A page of another site that resolves its own name to 127.0.0.1 has another one.
        """
        with self._lock:
            found = [link for known, link in self._links.items() if secrets.compare_digest(known, path)]
            if not found or not (found[0].any_host or host in self._own_hosts()):
                return None, _UNKNOWN
            (link,) = found
            if link.is_used:
                return link.target, ""
            if time.monotonic() > link.expires_at:
                return None, _EXPIRED
            link.is_used = True
            return f"{link.target}?token={quote(link.token.reveal(), safe='')}", ""

    def close(self) -> None:
        """Stop the server. All links are void."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _own_hosts(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")


def _handler_of(links: SignInServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version = "yotta"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.removeprefix("/")
            location, error = links.resolve(path, self.headers.get("Host", "")) if path.isascii() else (None, _UNKNOWN)
            body = error.encode()
            self.send_response(302 if location else 404)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: the log would contain the links."""

    return Handler
