"""The client and the sandbox of a shell, kept from one ``%yotta`` to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..catalog import Catalog
from ..client import Client
from ..config import Config, resolve_config
from ..errors import InvalidRequest
from ..overrides import ConfigOverrides
from .connector import Connector
from .remote_paths import RemoteFolders

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..models import Pod
    from ..sandbox import Sandbox


class Session:
    """What the commands of one shell share.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    overrides : callable, optional
        Returns the settings made in this shell; no settings by default.

    Attributes
    ----------
    sandbox : Sandbox or None
        Started by ``%yotta sandbox start``.
    sandbox_options : dict
        The options with which the sandbox was started.
    pause_warned_ids : set of str
        Ids of the pods for which a note has said what a pause may erase.
    copy_warned_ids : set of str
        Ids of the pods for which a note has said that a pause may erase what was copied there.
    connector : Connector
        Connects commands to pods, and holds the pod chosen by ``%yotta use``.
    remote_folders : RemoteFolders
        The names in folders of pods, for Tab.
    """

    def __init__(self, shell: InteractiveShell, overrides: Callable[[], ConfigOverrides] = ConfigOverrides) -> None:
        self.shell = shell
        self.overrides = overrides
        self.sandbox: Sandbox | None = None
        self.sandbox_options: dict[str, object] = {}
        self.pause_warned_ids: set[str] = set()
        self.copy_warned_ids: set[str] = set()
        self.connector = Connector(self)
        self.remote_folders = RemoteFolders()
        self._client: Client | None = None
        self._config: Config | None = None

    @property
    def client(self) -> Client:
        """The client for the present configuration, a new one if the configuration has changed.

        Raises
        ------
        InvalidRequest
            There is no API key, or the configuration is invalid.
        """
        config = resolve_config(overrides=self.overrides())
        if self._client is None or config != self._config:
            self.reset()
            self._client, self._config = Client(config), config
        return self._client

    @property
    def cached_client(self) -> Client | None:
        """The client of the previous command, or None. Reads no configuration and sends no request."""
        return self._client

    @property
    def known_pods(self) -> list[Pod]:
        """The pods of the client as last known. Sends no request."""
        return list(self._client.pods.cached.values()) if self._client is not None else []

    @property
    def catalog(self) -> Catalog:
        """The client's catalog; without a valid configuration, the catalog in this package."""
        try:
            return self.client.catalog
        except InvalidRequest:
            return Catalog()

    def reset(self) -> None:
        """Close the client and its connections to pods. The next command creates a new client."""
        if self._client is not None:
            self._client.close()
        self._client = self._config = None

    def close(self) -> None:
        """Close the connections to pods, close the client and stop the sandbox."""
        self.reset()
        if self.sandbox is not None:
            self.sandbox.stop()
            self.sandbox = None
