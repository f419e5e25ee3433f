"""What ``connect()`` gives: a client that knows where its key comes from, makes DataFrames and learns from listings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from . import settings
from .api import Client, Pod, PodsClient, v1
from .api.address import is_loopback
from .api.collector import collector_paused
from .api.transport import Transport
from .catalog import Catalog

if TYPE_CHECKING:
    import pandas as pd


SANDBOX_SERVER: Final = "YottaSandbox"
"""What the sandbox calls itself in the header ``Server``. The address alone may be a tunnel to the cloud."""


class Known(msgspec.Struct, frozen=True):
    """A pod as a listing showed it last: enough to name it.

    Attributes
    ----------
    id : str
    name : str or None
    status : str
    """

    id: str
    name: str | None
    status: str


class Pods(PodsClient):
    """The pods of an account, also as DataFrames.

    Parameters
    ----------
    transport : Transport
    catalog : Catalog
        Learns from each listing.

    Attributes
    ----------
    known : dict of str to Known
        The pods that were last seen, by id. Looking at it asks nobody.
    latest : tuple of list of Pod and datetime, or None
        What `list` without filters returned last, and when it was asked, in UTC.
    """

    def __init__(self, transport: Transport, catalog: Catalog) -> None:
        super().__init__(transport)
        self._origin = transport.base_url
        self._catalog = catalog
        self.known: dict[str, Known] = {}
        self.latest: tuple[list[Pod], datetime] | None = None

    def list(self, regions: Iterable[str] | str = (), statuses: Iterable[str | int] | str | int = ()) -> list[Pod]:
        asked = datetime.now(UTC)
        pods = super().list(regions, statuses)
        if not regions and not statuses and statuses != 0:
            self.latest = pods, asked
        return pods

    def frame(
        self,
        regions: Iterable[str] | str = (),
        statuses: Iterable[str | int] | str | int = (),
        wide: bool = False,
    ) -> pd.DataFrame:
        """Return the pods as a DataFrame: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions, statuses
            As for `list`.
        wide : bool, default False
            All fields of the API, not just the usual ones.

        Returns
        -------
        pandas.DataFrame
            Index `id`. Columns `name`, `status`, `gpu_type`, `gpu_count`, `region`, `image`, `hourly_cost` (US dollars
            an hour now), `ssh` (a command to copy) and `created_at` (UTC); see `yotta_jupyter.frames.pods_frame`.

        Raises
        ------
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        from .frames import pods_frame

        query = v1.list_query(regions, statuses)
        answer = self._transport.send("GET", v1.LIST, query)
        with collector_paused():
            rows = v1.rows(answer, wide)
            frame = pods_frame(rows, wide)
            if not self._catalog.knows({row.gpu_type for row in rows}):
                rows = v1.rows(answer, wide=True)
        self._noticed(rows, everything=not query)
        return frame

    def _noticed(self, pods: Sequence[Any], everything: bool = False) -> None:
        seen = {pod.id: Known(pod.id, pod.pod_name, pod.status) for pod in pods}
        self.known = seen if everything else {**self.known, **seen}
        self._catalog.learn(pods)

    def _changed(self) -> None:
        with _watching:
            watchers = [call for origin, call in _watchers.values() if origin == self._origin]
        for call in watchers:
            call()


_watching = threading.Lock()
_watchers: dict[object, tuple[str, Callable[[], None]]] = {}


def on_change(base_url: str, call: Callable[[], None]) -> Callable[[], None]:
    """Have a function called after each change that any client in this process asks an API for.

    Parameters
    ----------
    base_url : str
        The API's address, as `Client.base_url` gives it.
    call : callable
        Called on the thread that asked; must return at once.

    Returns
    -------
    callable
        Ends it.
    """
    key = object()
    with _watching:
        _watchers[key] = base_url, call

    def stop() -> None:
        with _watching:
            _watchers.pop(key, None)

    return stop


class Yotta(Client):
    """A client of the Pods API, as `connect` makes it.

    Parameters
    ----------
    found : yotta_jupyter.settings.Settings
        How to connect.

    Attributes
    ----------
    pods : Pods
        The account's pods.
    catalog : Catalog
        GPU types and images, shipped and seen.
    source : str
        Where the key came from.
    """

    pods: Pods

    def __init__(self, found: settings.Settings) -> None:
        super().__init__(found.api_key, found.base_url, found.timeout)
        self.catalog = Catalog()
        self.source = found.source
        self.pods = Pods(self._transport, self.catalog)

    @property
    def is_sandbox(self) -> bool:
        """Whether the last answer came from a sandbox on this machine, where nothing costs money."""
        here = is_loopback(urlsplit(self.base_url).hostname or "")
        return here and self._transport.server == SANDBOX_SERVER


def connect(
    api_key: str | None = None,
    *,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
) -> Yotta:
    """Connect to the Pods API. Nothing is sent yet.

    Key and address are each taken from the first place that has it: the arguments, ``%config``, the environment
    (``YOTTA_API_KEY``, ``YOTTA_BASE_URL``, ``YOTTA_PROFILE``), ``~/.yotta/config``.

    Parameters
    ----------
    api_key : str, optional
        Better left out of a notebook: save it once with ``%yotta login``.
    base_url : str, optional
        The API's address: https, or http for loopback alone.
    profile : str, optional
        A profile of ``~/.yotta/config``.
    timeout : float, optional
        Seconds for a read; 60 by default.

    Returns
    -------
    Yotta

    Raises
    ------
    InvalidRequest
        No key anywhere, or a key, address, profile or timeout that cannot be used.

    Examples
    --------
    >>> yotta = connect()                                # doctest: +SKIP
    >>> yotta.pods.frame(statuses="running")             # doctest: +SKIP
    """
    return Yotta(settings.resolve(api_key, base_url, profile, timeout))
