"""Routes from the user's browser to local ports, which are ports of the machine on which the kernel runs."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from typing import Final, Protocol

from ..errors import InvalidRequest
from ..sanitize import single_line

_SERVER_PATH: Final = re.compile(r"/(?:[\w@.~%+-]+/)*")


class Route(Protocol):
    """How a browser reaches local ports.

    Attributes
    ----------
    is_loopback : bool
        Whether the browser runs on this machine and connects to 127.0.0.1.
    needs_base_url : bool
        Whether a Jupyter server must be started with `jupyter_base_url`, because the route changes paths.
    base_url_prefix : str
        The beginning of `jupyter_base_url` for any port.
    """

    is_loopback: bool
    needs_base_url: bool
    base_url_prefix: str

    def url(self, port: int) -> str:
        """Return the address of a local port. It ends in a slash."""

    def jupyter_base_url(self, port: int) -> str:
        """Return the base URL with which a Jupyter server at a local port works."""

    def redirect_url(self, port: int) -> str:
        """Return the ``Location`` with which another local port redirects to a Jupyter server at this port."""


class Loopback:
    """The browser runs on this machine."""

    is_loopback = True
    needs_base_url = False
    base_url_prefix = "/"

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/"

    def jupyter_base_url(self, port: int) -> str:
        return "/"

    def redirect_url(self, port: int) -> str:
        return self.url(port)


class JupyterProxy:
    """jupyter-server-proxy in the notebook server, as on JupyterHub and Binder.

    Requests to ``proxy/PORT/`` are forwarded without this prefix. The pages of JupyterLab contain absolute paths, so
    JupyterLab needs ``proxy/absolute/PORT/``, which is forwarded with the full path, and has it as its base URL.

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
    needs_base_url = True

    def __init__(self, server_path: str) -> None:
        if not _SERVER_PATH.fullmatch(server_path):
            raise InvalidRequest(f"The notebook server has an unusual path: {single_line(server_path, 60)!r}.")
        if find_spec("jupyter_server_proxy") is None:
            raise InvalidRequest(
                "The browser cannot reach a tunnel here: the notebook server runs on another machine.",
                advice="Run %pip install jupyter-server-proxy, then restart the notebook server.",
            )
        self._server_path = server_path
        self.base_url_prefix = f"{server_path}proxy/absolute/"

    def url(self, port: int) -> str:
        return f"{self._server_path}proxy/{port}/"

    def jupyter_base_url(self, port: int) -> str:
        return f"{self.base_url_prefix}{port}/"

    def redirect_url(self, port: int) -> str:
        # The proxy changes the path of an absolute address, and logs the address with its token.
        return f"../absolute/{port}/"


class ColabProxy:
    """The port proxy of Google Colab."""

    is_loopback = False
    needs_base_url = False
    base_url_prefix = "/"

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
    """Return the route from the browser to this machine.

    Parameters
    ----------
    server_path : str, optional
        The path of the notebook server, if the browser runs on another machine. By default the path that JupyterHub
        has set.

    Returns
    -------
    Route

    Raises
    ------
    InvalidRequest
        The browser cannot reach this machine. The error says what to install.
    """
    if is_colab():
        return ColabProxy()
    server_path = server_path or os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    return JupyterProxy(server_path) if server_path else Loopback()
