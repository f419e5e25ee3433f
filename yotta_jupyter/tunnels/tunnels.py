"""The open tunnels of a client, which the magics and the panel share."""

from __future__ import annotations

import html
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..errors import InvalidRequest, RemoteUnavailable
from ..launch import JUPYTER_PORT
from ..models import Pod
from ..passwords import JUPYTER_PASSWORD_ENV
from ..sanitize import single_line
from ..secret import Secret
from .probe import jupyter_accepts
from .routes import Route
from .sign_in import SignInServer

if TYPE_CHECKING:
    from ..remote import Forward, Remote
    from ..remote.jupyter import JupyterServer
    from ..remote.pool import RemotePool


class PodLink(msgspec.Struct, frozen=True):
    """A link to a server on a pod. It contains no secret, and works until the tunnel is closed.

    Attributes
    ----------
    url : str
        For the browser. With jupyter-server-proxy, a path on the notebook server, without a host.
    title : str
        Such as ``JupyterLab of train``.
    port : int
        On the pod.
    local_port : int
        On this machine's 127.0.0.1.
    note : str
        One line for the user; empty if there is nothing to say.
    signs_in : bool
        Whether `url` leads to a server that signs in, at another local port, and redirects to `local_port`.
    """

    url: str
    title: str
    port: int
    local_port: int
    note: str = ""
    signs_in: bool = False

    def __repr__(self) -> str:
        return f"{self.title}: {self.url}"

    def _repr_html_(self) -> str:
        title, url = html.escape(self.title), html.escape(self.url)
        return f'<a href="{url}" target="_blank" rel="noopener noreferrer">{title}</a>'


class _TunnelKey(NamedTuple):
    pod_id: str
    port: int  # On the pod.
    local_port: int


class Tunnels:
    """The tunnels to pods, each a `Forward`. Thread-safe.

    Parameters
    ----------
    remotes : RemotePool
    """

    def __init__(self, remotes: RemotePool) -> None:
        self._remotes = remotes
        self._tunnels: dict[_TunnelKey, Forward] = {}
        self._sign_in: SignInServer | None = None
        self._lock = threading.Lock()

    def open(self, pod: Pod, route: Route, port: int | None = None, *, local_port: int = 0) -> PodLink:
        """Return a link to a port of a pod, or to its JupyterLab. Opens a tunnel if there is none.

        Parameters
        ----------
        pod : Pod
        route : Route
            How the browser reaches this machine.
        port : int, optional
            On the pod. By default that of JupyterLab, which is started on the pod unless the JupyterLab on port 8888
            accepts the pod's Jupyter password.
        local_port : int, default 0
            On this machine; 0 chooses a free one.

        Returns
        -------
        PodLink

        Raises
        ------
        InvalidRequest
            The local port is in use.
        RemoteUnavailable
            The pod cannot be reached, nothing listens on its port, or it has no JupyterLab.
        """
        remote = self._remotes.get(pod.id)
        remote.connect()
        if port is None:
            return self._open_jupyter(pod, remote, route, local_port)
        tunnel = self._open_tunnel(remote, port, local_port)
        link = self._link_with_password(pod, tunnel, route)
        if link is not None:
            return link
        return PodLink(route.url(tunnel.local_port), f"Port {port} of {_name(pod)}", port, tunnel.local_port)

    def close(self, pod_id: str | None = None, port: int | None = None) -> int:
        """Close tunnels. What runs on the pods continues.

        Parameters
        ----------
        pod_id : str, optional
            Only those to this pod.
        port : int, optional
            Only those to this port.

        Returns
        -------
        int
            How many were closed.
        """
        with self._lock:
            keys = list(self._tunnels)
            if pod_id is not None:
                keys = [key for key in keys if key.pod_id == pod_id]
            if port is not None:
                keys = [key for key in keys if key.port == port]
            tunnels = [self._tunnels.pop(key) for key in keys]
            sign_in = None
            if not self._tunnels:
                sign_in, self._sign_in = self._sign_in, None
        for tunnel in tunnels:
            tunnel.close()
        if sign_in is not None:
            sign_in.close()
        return len(tunnels)

    def _open_jupyter(self, pod: Pod, remote: Remote, route: Route, local_port: int) -> PodLink:
        link = self._open_existing_jupyter(pod, remote, route, local_port)
        if link is None:
            link = self._open_started_jupyter(pod, remote, route, local_port)
        if link is not None:
            return link
        detail = "" if route.needs_base_url else f", and none on port {JUPYTER_PORT} accepts its password"
        raise RemoteUnavailable(
            f"Pod {_name(pod)} has no JupyterLab to open: none is installed{detail}.",
            advice="Install it there (pip install jupyterlab), or open a port by number.",
            pod_id=pod.id,
        )

    def _open_existing_jupyter(self, pod: Pod, remote: Remote, route: Route, local_port: int) -> PodLink | None:
        """Return a link to the JupyterLab on `JUPYTER_PORT` of a pod, or None if there is none that can be opened."""
        if route.needs_base_url:
            return None  # Its base URL is ``/``.
        was_open = self._find(pod.id, JUPYTER_PORT, local_port) is not None
        try:
            tunnel = self._open_tunnel(remote, JUPYTER_PORT, local_port)
        except RemoteUnavailable:
            if not remote.is_connected:
                raise
            return None  # Nothing listens there.
        link = self._link_with_password(pod, tunnel, route)
        if link is None and not was_open:
            self._close_tunnel(pod.id, tunnel)  # It was opened for the check alone.
        return link

    def _open_started_jupyter(self, pod: Pod, remote: Remote, route: Route, local_port: int) -> PodLink | None:
        """Return a link to a JupyterLab that this package starts on the pod, or None if none is installed."""
        if not route.needs_base_url:
            return self._link_to_started(pod, remote, remote.start_jupyter(), route, local_port)
        # The base URL contains the local port, so the port is chosen first. A server for another port is used only if
        # the user chose no local port.
        reuse_prefix = route.jupyter_base_url(local_port) if local_port else route.base_url_prefix
        local_port = local_port or _free_port()
        base_url = route.jupyter_base_url(local_port)
        server = remote.start_jupyter(base_url, reuse_prefix)
        if server is not None and server.base_url != base_url:
            # The server was started for an earlier link. It works only with the local port of that link.
            try:
                return self._link_to_started(pod, remote, server, route, _port_of(server.base_url))
            except InvalidRequest:  # That port is in use.
                server = remote.start_jupyter(base_url, reuse_prefix="")  # Use no other server.
        return self._link_to_started(pod, remote, server, route, local_port)

    def _link_to_started(
        self, pod: Pod, remote: Remote, server: JupyterServer | None, route: Route, local_port: int
    ) -> PodLink | None:
        if server is None:
            return None
        tunnel = self._open_tunnel(remote, server.port, local_port)
        note = f"This JupyterLab was started on {_name(pod)} for the link. It ends after a day without use."
        return self._link_with_token(pod, tunnel, route, server.token, note)

    def _link_with_password(self, pod: Pod, tunnel: Forward, route: Route) -> PodLink | None:
        """Return a link that signs in with the pod's Jupyter password, or None if no Jupyter server accepts it.

        The official images use the password as the token.
        """
        password = pod.environment.get(JUPYTER_PASSWORD_ENV)
        if not password or route.needs_base_url or not jupyter_accepts(tunnel.local_port, password):
            return None
        return self._link_with_token(pod, tunnel, route, password)

    def _link_with_token(self, pod: Pod, tunnel: Forward, route: Route, token: Secret, note: str = "") -> PodLink:
        """Return a link to the server that adds the token, so that the link does not contain it."""
        with self._lock:
            if self._sign_in is None:
                self._sign_in = SignInServer()
            sign_in = self._sign_in
        target = f"{route.redirect_url(tunnel.local_port)}lab"
        path = sign_in.add(target, token, _name(pod), accepts_any_host=not route.is_loopback)
        title = f"JupyterLab of {_name(pod)}"
        return PodLink(route.url(sign_in.port) + path, title, tunnel.port, tunnel.local_port, note, signs_in=True)

    def _open_tunnel(self, remote: Remote, port: int, local_port: int) -> Forward:
        """Return the tunnel to a port of a pod, after a check that something listens there.

        The open tunnel is used again, unless another local port is requested.
        """
        existing = self._find(remote.pod_id, port, local_port)
        if existing is not None:
            existing.check()
            return existing
        tunnel = remote.forward(port, local_port)
        try:
            tunnel.check()
        except BaseException:
            tunnel.close()
            raise
        with self._lock:
            existing = self._find_locked(remote.pod_id, port, local_port)
            if existing is None:
                self._tunnels[_TunnelKey(remote.pod_id, port, tunnel.local_port)] = tunnel
                return tunnel
        tunnel.close()  # Another thread has opened one.
        return existing

    def _find(self, pod_id: str, port: int, local_port: int) -> Forward | None:
        """Return the open tunnel to a port of a pod at a local port, where 0 means any."""
        with self._lock:
            return self._find_locked(pod_id, port, local_port)

    def _find_locked(self, pod_id: str, port: int, local_port: int) -> Forward | None:
        for key, tunnel in self._tunnels.items():
            if key[:2] == (pod_id, port) and local_port in (0, key.local_port):
                return tunnel
        return None

    def _close_tunnel(self, pod_id: str, tunnel: Forward) -> None:
        with self._lock:
            self._tunnels.pop(_TunnelKey(pod_id, tunnel.port, tunnel.local_port), None)
        tunnel.close()


def _name(pod: Pod) -> str:
    return single_line(pod.name or pod.id, 60)


def _port_of(base_url: str) -> int:
    """Return the port of a base URL such as ``/user/me/proxy/absolute/40123/``."""
    return int(base_url.rstrip("/").rpartition("/")[2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
