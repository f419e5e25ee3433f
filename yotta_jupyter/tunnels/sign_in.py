"""Links that sign a browser in to JupyterLab and do not contain its token.

The output of a cell is saved with the notebook, so it must not contain a token. A link leads to a server in this
process instead, which redirects the first request to JupyterLab with the token. JupyterLab then sets a cookie, so later
requests of the same browser are redirected without the token. A cookie of this server shows which browser that is.
"""

from __future__ import annotations

import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from ..secret import Secret

LINK_LIFETIME: Final = 600.0
"""Seconds after which a link that was not used expires."""
COOKIE_LIFETIME: Final = 30 * 24 * 3600
"""Seconds for which a browser may use its link again: as long as the cookie of JupyterLab lasts."""

_EXPIRED: Final = "This link is too old."
_USED: Final = "This link was used already, by another browser or profile."
_UNKNOWN: Final = "There is no such link."


class LinkError(Exception):
    """A link cannot be used. The message is shown in the browser.

    Parameters
    ----------
    reason : str
    pod : str, optional
        The name of the pod, if the link is known.
    """

    def __init__(self, reason: str, pod: str = "") -> None:
        command = f"%yotta open {pod}".rstrip()
        super().__init__(f"{reason} Run {command} again in the notebook.")


class Redirect(NamedTuple):
    """The response to a link.

    Attributes
    ----------
    location : str
    cookie : str
        The ``Set-Cookie`` header of the first response; empty later.
    """

    location: str
    cookie: str


class _Link(msgspec.Struct):
    path: str
    target: str
    token: Secret
    pod: str
    accepts_any_host: bool
    expires_at: float
    cookie: str = ""  # Name and value, as the browser that used the link sends them.

    def use(self) -> Redirect:
        """Return the redirect with the token, and set the cookie."""
        self.cookie = f"yotta-{self.path[:8]}={secrets.token_urlsafe(16)}"
        # The path keeps the cookie from the pod's page on the same host. Behind a proxy, the path is unknown.
        scope = "" if self.accepts_any_host else f"; Path=/{self.path}"
        location = f"{self.target}?token={quote(self.token.reveal(), safe='')}"
        return Redirect(location, f"{self.cookie}{scope}; Max-Age={COOKIE_LIFETIME}; HttpOnly; SameSite=Lax")


class SignInServer:
    """A server on 127.0.0.1 that redirects each link to a server on a pod, with the token the first time."""

    def __init__(self) -> None:
        self._links: dict[str, _Link] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _create_handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="yotta-links", daemon=True
        )
        self._thread.start()

    def add(self, target: str, token: Secret, pod: str, accepts_any_host: bool) -> str:
        """Add a link.

        Parameters
        ----------
        target : str
            The address to redirect to.
        token : Secret
            Added to the target once.
        pod : str
            The name of the pod, for messages.
        accepts_any_host : bool
            Whether requests come through a proxy, so that their ``Host`` is not this server.

        Returns
        -------
        str
            The path of the link, which cannot be guessed.
        """
        path = secrets.token_urlsafe(32)
        with self._lock:
            self._links[path] = _Link(path, target, token, pod, accepts_any_host, time.monotonic() + LINK_LIFETIME)
        return path

    def resolve(self, path: str, host: str, cookies: str) -> Redirect:
        """Return where a request is redirected to.

        Parameters
        ----------
        path : str
            The path of the request, without the first slash.
        host : str
            The ``Host`` header. Unless the link accepts any host, it must be this server's, which prevents DNS
            rebinding by other sites.
        cookies : str
            The ``Cookie`` header.

        Returns
        -------
        Redirect

        Raises
        ------
        LinkError
            The link is unknown, has expired, or was used by another browser.
        """
        with self._lock:
            link = self._find(path)
            if link is None:
                raise LinkError(_UNKNOWN)
            if not link.accepts_any_host and host not in self._own_hosts():
                raise LinkError(_UNKNOWN)
            if link.cookie:
                if link.cookie not in cookies.split("; "):
                    raise LinkError(_USED, link.pod)
                return Redirect(link.target, cookie="")
            if time.monotonic() > link.expires_at:
                raise LinkError(_EXPIRED, link.pod)
            return link.use()

    def close(self) -> None:
        """Stop the server. Its links no longer work."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _find(self, path: str) -> _Link | None:
        if not path.isascii():  # `compare_digest` would raise.
            return None
        # Takes the same time for each path, so that a path cannot be guessed by the time of the response.
        matches = [link for known, link in self._links.items() if secrets.compare_digest(known, path)]
        return matches[0] if matches else None

    def _own_hosts(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")


def _create_handler(server: SignInServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version = "yotta"
        sys_version = ""

        def do_GET(self) -> None:
            try:
                host, cookies = self.headers.get("Host", ""), self.headers.get("Cookie", "")
                redirect = server.resolve(self.path.removeprefix("/"), host, cookies)
            except LinkError as error:
                self.send_response(404)
                body = str(error).encode()
            else:
                self.send_response(302)
                self.send_header("Location", redirect.location)
                if redirect.cookie:
                    self.send_header("Set-Cookie", redirect.cookie)
                body = b""
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: the log would contain the links."""

    return Handler
