"""What a notebook is connected to, from one ``%yotta`` to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import settings
from ..api import InvalidRequest
from ..catalog import Catalog
from ..connection import Yotta

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..sandbox import Sandbox


class Session:
    """The connection and the sandbox of a notebook.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell

    Attributes
    ----------
    sandbox : Sandbox or None
        The one that ``%yotta sandbox start`` started.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.sandbox: Sandbox | None = None
        self.sandbox_options: dict[str, object] = {}
        self._client: Yotta | None = None
        self._found: settings.Settings | None = None

    @property
    def client(self) -> Yotta:
        """The client for what is configured now; a new one where that has changed.

        Raises
        ------
        InvalidRequest
            No key anywhere.
        """
        found = settings.resolve()
        if self._client is None or found != self._found:
            self.disconnect()
            self._client, self._found = Yotta(found), found
        return self._client

    @property
    def catalog(self) -> Catalog:
        """What is known of GPU types and images: what listings taught, or without a connection what is shipped."""
        try:
            return self.client.catalog
        except InvalidRequest:
            return Catalog()

    @property
    def last_client(self) -> Yotta | None:
        """The client of the last command, if there was one. Asks nobody and reads no file."""
        return self._client

    def disconnect(self) -> None:
        """Forget the client and close its connections."""
        if self._client is not None:
            self._client.close()
        self._client = self._found = None

    def close(self) -> None:
        """Stop the sandbox and close the connections."""
        self.disconnect()
        if self.sandbox is not None:
            self.sandbox.stop()
            self.sandbox = None
