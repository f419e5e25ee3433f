"""One SSH connection to a pod, with reconnects. Runs on the background loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ..errors import ConnectionFailed, InvalidPodState, RemoteUnavailable, ServerError, UnexpectedResponse
from ..sanitize import single_line
from ..ssh import STARTING_STATUSES
from .callbacks import OnNotice
from .endpoint import Endpoint, Lookup
from .host_keys import HostKeys
from .login import Login

if TYPE_CHECKING:
    import asyncssh

CONNECT_TIMEOUT: Final = 30.0
"""Seconds for all attempts of a first connection."""
RECONNECT_TIMEOUT: Final = 600.0
"""Seconds for all attempts after a lost connection."""

_FIRST_DELAY: Final = 0.1
_MAX_DELAY: Final = 5.0
"""Seconds between attempts."""
_CLOSE_TIMEOUT: Final = 2.0
_LOSS_DELAY: Final = 0.1
"""Seconds in which asyncssh closes a connection after an error on one of its channels."""

Result = TypeVar("Result")


class _PodStarting(Exception):
    """The pod's SSH port is not healthy yet."""


class PodConnection:
    """The SSH connection to a pod.

    Parameters
    ----------
    endpoint : Endpoint
    lookup : callable, optional
        Returns the present endpoint; called before each attempt but the first.
    host_keys : HostKeys, optional
    on_notice : callable, optional
        Called with one line about a lost connection or a new host key, on the background thread.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lookup: Lookup | None = None,
        host_keys: HostKeys | None = None,
        on_notice: OnNotice = lambda text: None,
    ) -> None:
        self.endpoint = endpoint
        self._lookup = lookup
        self._on_notice = on_notice
        self._login = Login(host_keys or HostKeys(), on_notice)
        self._current: asyncssh.SSHClientConnection | None = None
        self._was_connected = False
        self._closed = False
        self._lock = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that is not closed. May be read from any thread."""
        return self._current is not None and not self._current.is_closed()

    @property
    def user(self) -> str | None:
        """The user name that the pod accepted; None before the first connection."""
        return self._login.user

    async def get(self) -> asyncssh.SSHClientConnection:
        """Return the connection; connect if there is none.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached.
        InvalidPodState, PodNotFound, AuthenticationError
            From `lookup`: the pod is paused or gone, or the API refused the key.
        """
        async with self._lock:
            if self._closed:
                raise RemoteUnavailable(f"The connection to pod {self.endpoint.label} was closed.")
            if self._current is None or self._current.is_closed():
                self._current = await self._connect()
            return self._current

    async def retry(self, action: Callable[[asyncssh.SSHClientConnection], Awaitable[Result]]) -> Result:
        """Run an action on the connection, again after each reconnect until it completes.

        Parameters
        ----------
        action : callable
            An async function of the connection that may run several times.
        """
        while True:
            connection = await self.get()
            try:
                return await action(connection)
            except Exception as error:
                if not await self.is_lost(connection, error):
                    raise

    async def is_lost(self, connection: asyncssh.SSHClientConnection, error: BaseException) -> bool:
        """Return whether an error was caused by the loss of a connection.

        Parameters
        ----------
        connection : asyncssh.SSHClientConnection
            The connection on which the error occurred.
        error : BaseException
        """
        import asyncssh

        if self._closed or not isinstance(error, (asyncssh.Error, OSError, EOFError, asyncio.TimeoutError)):
            return False
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(connection.wait_closed()), _LOSS_DELAY)
        return connection.is_closed()

    async def add_key(self, path: Path, key: asyncssh.SSHKey) -> None:
        """Try a decrypted key before all others from now on.

        Parameters
        ----------
        path : Path
        key : asyncssh.SSHKey
        """
        self._login.add_key(path, key)

    async def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        if self._current is not None:
            self._current.close()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._current.wait_closed(), _CLOSE_TIMEOUT)
            self._current.abort()
        self._login.close()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        """Connect for the first time, or again, and report the latter."""
        if not self._was_connected:
            connection = await self._try_until(time.monotonic() + CONNECT_TIMEOUT)
            self._was_connected = True
            return connection
        self._on_notice(f"The connection to pod {self.endpoint.label} was lost; connecting again.")
        connection = await self._try_until(time.monotonic() + RECONNECT_TIMEOUT)
        self._on_notice(f"Connected to pod {self.endpoint.label} again.")
        return connection

    async def _try_until(self, deadline: float) -> asyncssh.SSHClientConnection:
        """Connect, with exponential backoff until a deadline."""
        import asyncssh

        delay = _FIRST_DELAY
        must_look_up = self._was_connected
        reported_starting = False
        while True:
            try:
                if must_look_up:
                    await self._update_endpoint()
                return await self._login.connect(self.endpoint)
            except (TimeoutError, OSError, asyncssh.Error, _PodStarting) as error:
                if self._closed or time.monotonic() + delay > deadline:
                    raise self._unreachable(error) from None
                if isinstance(error, _PodStarting) and not reported_starting:
                    reported_starting = True
                    self._on_notice(f"Pod {self.endpoint.label} {error}; waiting for it.")
            must_look_up = True
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            delay = min(delay * 2, _MAX_DELAY)

    async def _update_endpoint(self) -> None:
        """Look the endpoint up. Keep the last one if the API fails."""
        if self._lookup is None:
            return
        try:
            self.endpoint = await asyncio.get_running_loop().run_in_executor(None, self._lookup)
        except InvalidPodState as error:
            if error.ssh_problem != "not ready" or error.pod_status not in STARTING_STATUSES:
                raise
            raise _PodStarting(f"is {error.pod_status} and not reachable yet") from None
        except (ConnectionFailed, ServerError, UnexpectedResponse):
            pass

    def _unreachable(self, error: BaseException) -> RemoteUnavailable:
        address = f"{self.endpoint.host}:{self.endpoint.port}"
        reason = single_line(getattr(error, "reason", "") or str(error) or "no answer", 120)
        return RemoteUnavailable(
            f"Pod {self.endpoint.label} does not answer by SSH at {address}: {reason}.",
            advice="See whether it is running.",
            pod_id=self.endpoint.pod_id,
        )
