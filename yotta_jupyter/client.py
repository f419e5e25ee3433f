"""A client for one account, and `connect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .api import Event, PodsClient, PodsListed, V1Backend
from .api.transport import Transport
from .catalog import Catalog
from .config import Config, resolve_config, validate_api_key
from .errors import InvalidRequest
from .guard.ledger import Ledger
from .keys import DEFAULT_KEY, load_public_key
from .launch import complete_spec
from .remote.pool import RemotePool
from .sanitize import single_line
from .tunnels import Tunnels
from .urls import is_loopback, normalize_base_url

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd

    from .guard.guards import Guards

SANDBOX_SERVER: Final = "YottaSandbox"
"""The ``Server`` header of the sandbox. A loopback address alone proves nothing: it can be a tunnel to the cloud."""


class Client:
    """A client for one account, created by `connect`. Thread-safe; also a context manager.

    Parameters
    ----------
    config : yotta_jupyter.config.Config

    Attributes
    ----------
    pods : PodsClient
        The pods of the account.
    catalog : Catalog
        Known GPU types, images and regions. Updated by each listing.
    base_url : str
    api_key : Secret
    timeout : float or None
        Seconds for a complete response.
    key_source : str
        Where the key was found.
    ssh_key : str
        The private SSH key file whose public key each new pod gets.
    remotes : RemotePool
        The SSH connections to pods.
    tunnels : Tunnels
        The open tunnels to ports of pods.
    ledger : Ledger
        The local record of what listings showed.

    Raises
    ------
    InvalidRequest
        The key, address or timeout is invalid.
    """

    def __init__(self, config: Config) -> None:
        self.api_key = validate_api_key(config.api_key)
        self.base_url = normalize_base_url(config.base_url)
        self.timeout = _validate_timeout(config.timeout)
        self.key_source = config.key_source
        self.catalog = Catalog()
        self._transport = Transport(self.base_url, self.api_key, self.timeout)
        self.ssh_key = config.ssh_key or DEFAULT_KEY
        self.pods = PodsClient(
            V1Backend(self._transport),
            # Without a chosen key, `load_public_key` creates `DEFAULT_KEY` if it does not exist.
            complete_spec=lambda spec: complete_spec(spec, lambda: load_public_key(config.ssh_key)),
            ssh_key=self.ssh_key,
        )
        self.remotes = RemotePool(self.pods.remote)
        self.tunnels = Tunnels(self.remotes)
        self.pods.subscribe(self._update_catalog)
        self.ledger = Ledger(self.base_url, self.api_key)
        self.pods.subscribe(self.ledger.record)

    @property
    def guards(self) -> Guards:
        """The guards, which pause pods after a time, at a cost, or when they are idle."""
        from .guard.guards import Guards  # Not available on Windows.

        return Guards(
            self.pods,
            self.ledger,
            base_url=self.base_url,
            api_key=self.api_key,
            ssh_key=self.ssh_key,
            is_sandbox=lambda: self.is_sandbox,  # A function, because each response may change it.
        )

    @property
    def is_sandbox(self) -> bool:
        """Whether the last response came from a sandbox on this machine, where nothing costs money."""
        is_local = is_loopback(urlsplit(self.base_url).hostname or "")
        return is_local and self._transport.server == SANDBOX_SERVER

    def costs(self, since: str | timedelta | datetime | None = None, by: str = "pod") -> pd.DataFrame:
        """Return an estimate of what the pods have cost, from what the listings on this machine showed. Sends nothing.

        The time between two listings counts as observed if both show the same pod, unchanged, and they are at most
        ten minutes apart. Unobserved time counts neither as running nor as free.

        Parameters
        ----------
        since : str, timedelta or datetime, optional
            The start of the report, or how long ago it is, such as ``7d``; by default the first listing.
        by : str, default "pod"
            ``pod``, ``day`` (UTC), ``gpu_type`` or ``region``.

        Returns
        -------
        pandas.DataFrame
            Index `id`, `day`, `gpu_type` or `region`. By pod also `name`, `gpu_type` and `region`; then
            `running_hours`, `paused_hours`, `unobserved_hours`, `estimated_cost` (US dollars for the observed hours,
            NaN if no price is known) and `complete` (all hours were observed at a known price).

        Raises
        ------
        InvalidRequest
            `since` or `by` is invalid.
        YottaError
            The ledger cannot be read or written.
        """
        return self.ledger.costs(since, by)

    def close(self) -> None:
        """Close tunnels, connections to pods, and idle connections to the API. The client remains usable."""
        self.tunnels.close()
        self.remotes.close()
        self._transport.close()

    def _update_catalog(self, event: Event) -> None:
        if isinstance(event, PodsListed):
            self.catalog.update(event.pods)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url} {self.api_key.masked()}>"


def connect(
    api_key: str | None = None,
    *,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float | None = None,
    ssh_key: str | None = None,
) -> Client:
    """Connect to the Pods API. Sends nothing yet.

    Key and address are each taken from the first source that has them: the arguments, ``%config``, the environment
    (``YOTTA_API_KEY``, ``YOTTA_BASE_URL``, ``YOTTA_PROFILE``), ``~/.yotta/config``.

    Parameters
    ----------
    api_key : str, optional
        Better not written in a notebook: save it once with ``%yotta login``.
    base_url : str, optional
        The address of the API: https, or http only for loopback.
    profile : str, optional
        A profile of ``~/.yotta/config``.
    timeout : float, optional
        Seconds for a complete response; 60 by default.
    ssh_key : str, optional
        The private SSH key file whose public key each new pod gets; ``~/.yotta/ssh/id_ed25519`` by default.

    Returns
    -------
    Client

    Raises
    ------
    InvalidRequest
        There is no key, or the key, address, profile or timeout is invalid.

    Examples
    --------
    >>> yotta = connect()                                # doctest: +SKIP
    >>> yotta.pods.frame(statuses="running")             # doctest: +SKIP
    """
    return Client(resolve_config(api_key, base_url, profile, timeout, ssh_key=ssh_key))


def _validate_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= 3600:
        raise InvalidRequest(
            f"A timeout is a number of seconds above 0 and up to 3600, not {single_line(timeout, 40)}."
        )
    return float(timeout)
