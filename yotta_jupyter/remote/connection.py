"""One SSH connection to a pod, with reconnects. Runs on the background loop."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..errors import (
    ConnectionFailed,
    InvalidPodState,
    PodUnreachable,
    RemoteUnavailable,
    ServerError,
    UnexpectedResponse,
)
from ..sanitize import single_line
from ..ssh import SSH_PENDING_STATUSES
from .callbacks import OnNotice, OnStatus
from .endpoint import Endpoint, Lookup
from .host_keys import HostKeys
from .login import Login

if TYPE_CHECKING:
    import asyncssh

CONNECT_TIMEOUT: Final = 120.0
"""Seconds for all attempts to connect. A pod that restarts its SSH server needs a minute."""
EXTENDED_TIMEOUT: Final = 600.0
"""Seconds for all attempts to connect while the pod starts, or something on it is unfinished, such as a cell."""
STATUS_DELAY: Final = 2.0
"""Seconds without a connection before the first status."""

_STATUS_INTERVAL: Final = 5.0
"""Seconds between two statuses."""

_FIRST_DELAY: Final = 0.1
_MAX_DELAY: Final = 5.0
"""Seconds between two attempts."""
_CLOSE_TIMEOUT: Final = 2.0
"""Seconds until a connection that does not close is aborted."""
_LOSS_DELAY: Final = 0.1
"""Seconds in which asyncssh closes a connection after an error on one of its channels."""

Result = TypeVar("Result")


class _Caller:
    """A caller that waits for a connection.

    Parameters
    ----------
    timeout : float
        Seconds for the attempts while the pod is not starting.

    Attributes
    ----------
    scope : asyncio.Timeout
        Ends the wait.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._started = asyncio.get_running_loop().time()
        self.scope = asyncio.timeout_at(self._started + timeout)

    def set_starting(self, is_starting: bool) -> None:
        """Set the end of the wait: a pod that is starting is waited for longer, and once it has started, `timeout`.

        Parameters
        ----------
        is_starting : bool
        """
        end = self._started + EXTENDED_TIMEOUT
        if not is_starting:
            end = min(end, asyncio.get_running_loop().time() + self._timeout)
        if not self.scope.expired():
            self.scope.reschedule(end)


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
    on_status : callable, optional
        Called with one line about the attempts to connect, which replaces the line before, on the background thread.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lookup: Lookup | None = None,
        host_keys: HostKeys | None = None,
        on_notice: OnNotice = lambda text: None,
        on_status: OnStatus = lambda text: None,
    ) -> None:
        self.endpoint = endpoint
        self._lookup = lookup
        self._on_notice = on_notice
        self._on_status = on_status
        self._login = Login(host_keys or HostKeys(), on_notice)
        self._current: asyncssh.SSHClientConnection | None = None
        self._was_connected = False
        self._closed = False
        self._connecting: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._callers: list[_Caller] = []  # All that wait for `_connecting`.
        self._failure: Exception | None = None  # Of the last attempt. `InvalidPodState` if the pod is starting.
        self._is_loss_reported = False

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that is not closed. May be read from any thread."""
        return self._current is not None and not self._current.is_closed()

    @property
    def user(self) -> str | None:
        """The user name that the pod accepted; None before the first connection."""
        return self._login.user

    async def get(self, *, after_loss: bool = False) -> asyncssh.SSHClientConnection:
        """Return the connection; connect if there is none.

        Parameters
        ----------
        after_loss : bool, default False
            Whether something on the pod is unfinished because the connection was lost. The loss is then reported, and
            the attempts continue for `EXTENDED_TIMEOUT` instead of `CONNECT_TIMEOUT`, as for a pod that is starting.

        Raises
        ------
        PodUnreachable
            The pod does not answer.
        RemoteUnavailable
            The pod accepts no key, or its host key changed.
        InvalidPodState, PodNotFound, AuthenticationError
            From `lookup`: the pod is paused, gone or still starting, or the API refused the key.
        """
        if self._closed:
            raise self._closed_error()
        if self._current is not None and not self._current.is_closed():
            return self._current
        if after_loss and self._was_connected and not self._is_loss_reported:
            self._is_loss_reported = True
            self._on_notice(f"The connection to pod {self.endpoint.label} was lost; connecting again.")
        return await self._wait_for_connection(EXTENDED_TIMEOUT if after_loss else CONNECT_TIMEOUT)

    async def retry(self, action: Callable[[asyncssh.SSHClientConnection], Awaitable[Result]]) -> Result:
        """Run an action on the connection, again after each reconnect until it completes.

        Parameters
        ----------
        action : callable
            An async function of the connection that may run several times.
        """
        connection = await self.get()
        while True:
            try:
                return await action(connection)
            except Exception as error:
                if not await self.is_caused_by_loss(connection, error):
                    raise
            connection = await self.get(after_loss=True)

    async def is_caused_by_loss(self, connection: asyncssh.SSHClientConnection, error: BaseException) -> bool:
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

    async def _wait_for_connection(self, timeout: float) -> asyncssh.SSHClientConnection:
        """Wait for a connection. All callers share the attempts, which end with the last caller."""
        if self._connecting is None or self._connecting.done():
            self._failure = None
            self._connecting = asyncio.ensure_future(self._connect())
        task = self._connecting
        caller = _Caller(timeout)
        self._callers.append(caller)
        try:
            async with caller.scope:
                if self._is_starting:
                    caller.set_starting(True)
                return await asyncio.shield(task)
        except TimeoutError:
            raise self._timeout_error() from None
        finally:
            self._callers.remove(caller)
            if not self._callers and not task.done():
                task.cancel()
                self._connecting = None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        """Connect, and report attempts that take long."""
        started = time.monotonic()
        reports = asyncio.ensure_future(self._report_attempts(started))
        try:
            self._current = await self._try_until_connected()
        finally:
            reports.cancel()
        self._was_connected = True
        elapsed = time.monotonic() - started
        is_status_reported = elapsed > STATUS_DELAY
        if self._is_loss_reported or is_status_reported:
            again = " again" if self._is_loss_reported else ""
            duration = f" after {elapsed:.0f} s" if is_status_reported else ""
            self._on_notice(f"Connected to pod {self.endpoint.label}{again}{duration}.")
        self._is_loss_reported = False
        return self._current

    async def _try_until_connected(self) -> asyncssh.SSHClientConnection:
        """Connect, with exponential backoff."""
        import asyncssh

        delay = _FIRST_DELAY
        must_look_up = self._was_connected
        reported_starting = False
        while True:
            try:
                if must_look_up:
                    await self._update_endpoint()
                return await self._login.connect(self.endpoint)
            except (TimeoutError, OSError, asyncssh.Error) as error:
                self._set_failure(error)
            except InvalidPodState as error:
                if error.ssh_problem != "not ready" or error.pod_status not in SSH_PENDING_STATUSES:
                    raise
                self._set_failure(error)
                if not reported_starting:
                    reported_starting = True
                    self._on_notice(f"Pod {self.endpoint.label} {self._describe_failure()[0]}; waiting for it.")
            must_look_up = True
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            delay = min(delay * 2, _MAX_DELAY)
            if self._closed:
                raise self._closed_error()

    async def _report_attempts(self, started: float) -> None:
        """Report at intervals why there is no connection and how long the attempts continue."""
        await asyncio.sleep(STATUS_DELAY)
        while self._callers:
            until = time.strftime("%H:%M:%S", time.localtime(time.time() + self._seconds_left()))
            problem, reason = self._describe_failure()
            self._on_status(
                f"Pod {self.endpoint.label} {problem}, {time.monotonic() - started:.0f} s: {reason}; "
                f"trying again until {until}; Ctrl-C ends the wait"
            )
            await asyncio.sleep(_STATUS_INTERVAL)

    async def _update_endpoint(self) -> None:
        """Look the endpoint up. Keep the last one if the API fails."""
        if self._lookup is None:
            return
        with suppress(ConnectionFailed, ServerError, UnexpectedResponse):
            self.endpoint = await asyncio.get_running_loop().run_in_executor(None, self._lookup)

    @property
    def _is_starting(self) -> bool:
        return isinstance(self._failure, InvalidPodState)

    def _set_failure(self, error: Exception) -> None:
        was_starting = self._is_starting
        self._failure = error
        if self._is_starting != was_starting:
            for caller in self._callers:
                caller.set_starting(self._is_starting)

    def _seconds_left(self) -> float:
        """Return for how long all present callers wait. They share one status, so a later end is wrong for some."""
        ends = [end for caller in self._callers if (end := caller.scope.when()) is not None]
        return min(ends) - asyncio.get_running_loop().time()

    def _describe_failure(self) -> tuple[str, str]:
        """Return the problem, which follows the name of the pod, and its reason."""
        if isinstance(self._failure, InvalidPodState):
            return f"is {self._failure.pod_status} and not reachable yet", "waiting for it"
        return "does not answer on its SSH port", _describe_error(self._failure)

    def _timeout_error(self) -> InvalidPodState | PodUnreachable:
        if isinstance(self._failure, InvalidPodState):
            return self._failure  # It says how to wait for the pod.
        endpoint = self.endpoint
        text = f"does not answer by SSH at {endpoint.host}:{endpoint.port}: {_describe_error(self._failure)}"
        return PodUnreachable(f"Pod {endpoint.label} {text}.", pod_id=endpoint.pod_id)

    def _closed_error(self) -> RemoteUnavailable:
        return RemoteUnavailable(f"The connection to pod {self.endpoint.label} was closed.")


def was_connection_lost(process: asyncssh.SSHClientProcess[Any]) -> bool:
    """Return whether the connection was lost before a process on the pod ended: it has neither a status nor a signal.

    Parameters
    ----------
    process : asyncssh.SSHClientProcess
        A closed process.
    """
    return process.exit_status is None and process.exit_signal is None


def _describe_error(error: BaseException | None) -> str:
    """Return the reason of a failed attempt, such as ``connection refused``."""
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return single_line(getattr(error, "reason", "") or str(error or "") or "no answer", 120)
