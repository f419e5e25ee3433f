"""How the user's browser reaches a port of the machine on which the kernel runs."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from typing import Final, Protocol

from ..errors import InvalidRequest
from ..sanitize import single_line

_PATH: Final = re.compile(r"/(?:[\w@.~%+-]+/)*")


class Route(Protocol):
    """How a browser reaches local ports.

    Attributes
    ----------
    is_loopback : bool
        Whether the browser connects to 127.0.0.1 itself.
    jupyter_prefix : str
        What the base URL of a Jupyter server behind the route begins with: ``/`` if it may be any server.
    """

    is_loopback: bool
    jupyter_prefix: str

    def url(self, port: int) -> str:
        """Return the address of a local port; it ends in a slash."""

    def jupyter_base_url(self, port: int) -> str:
        """Return the base URL that a Jupyter server behind a local port needs."""

    def redirect_url(self, port: int) -> str:
        """Return the address of the Jupyter server behind a local port, for a redirect from ``url(other port)``."""


class Loopback:
    """The browser runs on this machine."""

    is_loopback = True
    jupyter_prefix = "/"

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/"

    def jupyter_base_url(self, port: int) -> str:
        return "/"

    def redirect_url(self, port: int) -> str:
        return self.url(port)


class JupyterProxy:
    """jupyter-server-proxy in the notebook server, as on JupyterHub and Binder.

    Its ``/proxy/PORT/`` removes the prefix from the path. The pages of JupyterLab contain absolute paths, so that
    JupyterLab needs ``/proxy/absolute/PORT/``, which keeps the path, and that as its base URL.

    Parameters
    ----------
    server_path : str
        The path of the notebook server, such as ``/user/me/``.

    Raises
    ------
    InvalidRequest
        jupyter-server-proxy is not installed.
    """

    is_loopback = False

    def __init__(self, server_path: str) -> None:
        if not _PATH.fullmatch(server_path):
            raise InvalidRequest(f"The notebook server has an unusual path: {single_line(server_path, 60)!r}.")
        if find_spec("jupyter_server_proxy") is None:
            raise InvalidRequest(
                "The browser cannot reach a tunnel here: the notebook server runs on another machine.",
                advice="Run %pip install jupyter-server-proxy, then restart the notebook server.",
            )
        self._server_path = server_path
        self.jupyter_prefix = f"{server_path}proxy/absolute/"

    def url(self, port: int) -> str:
        return f"{self._server_path}proxy/{port}/"

    def jupyter_base_url(self, port: int) -> str:
        return f"{self.jupyter_prefix}{port}/"

    def redirect_url(self, port: int) -> str:
        # The proxy prepends its prefix to an absolute path, and writes it to its log.
        return f"../absolute/{port}/"


class ColabProxy:
    """The port proxy of Google Colab."""

    is_loopback = False
    jupyter_prefix = "/"

    def url(self, port: int) -> str:
        from google.colab import output

        return str(output.eval_js(f"google.colab.kernel.proxyPort({port})")).rstrip("/") + "/"

    def jupyter_base_url(self, port: int) -> str:
        return "/"

    def redirect_url(self, port: int) -> str:
        return self.url(port)


def is_colab() -> bool:
    """Return whether the kernel runs in Google Colab."""
    return "google.colab" in sys.modules


def find_route(server_path: str | None = None) -> Route:
    """Return how the browser reaches this machine.

    Parameters
    ----------
    server_path : str, optional
        The path of a notebook server on another machine than the browser; by default that of JupyterHub, if it
        started this server.

    Returns
    -------
    Route

    Raises
    ------
    InvalidRequest
        The browser cannot reach a port of this machine. The error says what to install.
    """
    if is_colab():
        return ColabProxy()
    server_path = server_path or os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    return JupyterProxy(server_path) if server_path else Loopback()
