"""One SSH connection to a pod, established again when it is lost. Runs on the background loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..errors import ConnectionFailed, InvalidPodState, RemoteUnavailable, ServerError, UnexpectedResponse
from ..sanitize import single_line
from ..ssh import STARTING_STATUSES
from .endpoint import Endpoint, Lookup
from .host_keys import HostKeys
from .keys import Keys, load_keys

if TYPE_CHECKING:
    import asyncssh

KEEPALIVE_INTERVAL: Final = 4.0
KEEPALIVE_COUNT: Final = 2
"""A connection without an answer to three keepalive requests in a row is closed, after 12 s."""

CONNECT_TIMEOUT: Final = 10.0
FIRST_PATIENCE: Final = 30.0
"""Seconds during which a first connection is tried."""
PATIENCE: Final = 600.0
"""Seconds during which a lost connection is tried again."""

_KEYS_PER_LOGIN: Final = 5
"""OpenSSH closes a connection after six refused keys."""
_CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
"""The fastest first: AES-GCM is three times as fast as ChaCha20 in asyncssh."""
_HOST_KEY_ALGORITHMS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)

Result = TypeVar("Result")
Notice = Callable[[str], None]


class _PodStarting(Exception):
    """The pod's SSH port is not healthy yet."""


class PodConnection:
    """The SSH connection to a pod.

    Parameters
    ----------
    endpoint : Endpoint
    lookup : callable, optional
        Returns the present endpoint; called after the connection was lost.
    host_keys : HostKeys, optional
    notice : callable, optional
        Called with one line of text about a lost connection or a new host key, on the background thread.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lookup: Lookup | None = None,
        host_keys: HostKeys | None = None,
        notice: Notice | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.user: str | None = None
        self.patience = PATIENCE
        self._lookup = lookup
        self._host_keys = host_keys or HostKeys()
        self._notice = notice or (lambda text: None)
        self._current: asyncssh.SSHClientConnection | None = None
        self._keys: Keys | None = None
        self._closed = False
        self._was_connected = False
        self._lock = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that is not closed. May be read from any thread."""
        return self._current is not None and not self._current.is_closed()

    async def get(self) -> asyncssh.SSHClientConnection:
        """Return the connection; establish it if there is none.

        Raises
        ------
        RemoteUnavailable
            No connection can be established.
        InvalidPodState, PodNotFound, AuthenticationError
            From `lookup`: the pod is paused or gone, or the API refused the key.
        """
        async with self._lock:
            if self._closed:
                raise RemoteUnavailable(f"The connection to pod {self.endpoint.label} was closed.")
            if self._current is None or self._current.is_closed():
                self._current = await self._connect_patiently()
            return self._current

    async def retry(self, action: Callable[[asyncssh.SSHClientConnection], Awaitable[Result]]) -> Result:
        """Run an action on the connection, again on a new connection if the connection is lost.

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
        # A channel may learn of the loss a moment before the connection.
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(connection.wait_closed()), 0.1)
        return connection.is_closed()

    async def add_key(self, path: Path, key: asyncssh.SSHKey) -> None:
        """Use a decrypted key for the connections from now on, before all others.

        Parameters
        ----------
        path : Path
        key : asyncssh.SSHKey
        """
        if self._keys is not None:
            self._keys.unlock(path, key)

    def abort(self) -> None:
        """Drop the present connection without a word to the server."""
        if self._current is not None:
            self._current.abort()

    async def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        if self._current is not None:
            self._current.close()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._current.wait_closed(), 2)
            self._current.abort()
        if self._keys is not None:
            self._keys.close()

    async def _connect_patiently(self) -> asyncssh.SSHClientConnection:
        import asyncssh

        again = self._was_connected
        if again:
            self._notice(f"The connection to pod {self.endpoint.label} was lost; connecting again.")
        deadline = time.monotonic() + (self.patience if again else min(self.patience, FIRST_PATIENCE))
        delay = 0.1
        attempt = 0
        starting = False
        while True:
            attempt += 1
            try:
                if attempt > 1 or again:
                    await self._update_endpoint()
                connection = await self._log_in()
                break
            except (TimeoutError, OSError, asyncssh.Error, _PodStarting) as error:
                if self._closed or time.monotonic() + delay > deadline:
                    raise self._unreachable(error) from None
                if isinstance(error, _PodStarting) and not starting:
                    starting = True
                    self._notice(f"Pod {self.endpoint.label} {error}; waiting for it.")
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            delay = min(delay * 2, 5.0)
        self._was_connected = True
        if again:
            self._notice(f"Connected to pod {self.endpoint.label} again.")
        return connection

    async def _update_endpoint(self) -> None:
        if self._lookup is None:
            return
        try:
            self.endpoint = await asyncio.get_running_loop().run_in_executor(None, self._lookup)
        except InvalidPodState as error:
            if error.ssh_problem != "not ready" or error.pod_status not in STARTING_STATUSES:
                raise
            raise _PodStarting(f"is {error.pod_status} and not reachable yet") from None
        except (ConnectionFailed, ServerError, UnexpectedResponse):
            pass  # The API fails; the pod may be where it was.

    def _unreachable(self, error: BaseException) -> RemoteUnavailable:
        where = f"{self.endpoint.host}:{self.endpoint.port}"
        reason = single_line(getattr(error, "reason", "") or str(error) or "no answer", 120)
        return RemoteUnavailable(
            f"Pod {self.endpoint.label} does not answer by SSH at {where}: {reason}.",
            advice="See whether it is running.",
            pod_id=self.endpoint.pod_id,
        )

    async def _log_in(self) -> asyncssh.SSHClientConnection:
        """Try all users and keys and return a connection."""
        options = await self._options()
        if self._keys is None:
            self._keys = await load_keys(self.endpoint.key_file, _identity_files(options))
        users = tuple(dict.fromkeys([self.user, *self.endpoint.users] if self.user else self.endpoint.users))
        if connection := await self._try_users(options, users, self._keys.usable):
            return connection
        raise self._refused(users)

    async def _options(self) -> asyncssh.SSHClientConnectionOptions:
        import asyncssh

        config = Path("~/.ssh/config").expanduser()
        try:
            options: asyncssh.SSHClientConnectionOptions = await asyncssh.SSHClientConnectionOptions.construct(
                host=self.endpoint.host,
                port=self.endpoint.port,
                config=[str(config)] if config.is_file() else [],
                client_keys=None,
                preferred_auth="publickey",
                agent_forwarding=False,  # Whatever ~/.ssh/config says: a pod is not trusted with the user's keys.
                encryption_algs=list(_CIPHERS),
                compression_algs=["none", "zlib@openssh.com"],
                keepalive_interval=KEEPALIVE_INTERVAL,
                keepalive_count_max=KEEPALIVE_COUNT,
                connect_timeout=CONNECT_TIMEOUT,
                login_timeout=CONNECT_TIMEOUT,
            )
            return options
        except asyncssh.ConfigParseError as error:
            raise RemoteUnavailable(f"~/.ssh/config cannot be read: {single_line(error)}.") from None

    async def _try_users(
        self, options: asyncssh.SSHClientConnectionOptions, users: tuple[str, ...], keys: list[Any]
    ) -> asyncssh.SSHClientConnection | None:
        import asyncssh

        for user in users:
            for start in range(0, len(keys), _KEYS_PER_LOGIN):
                batch = keys[start : start + _KEYS_PER_LOGIN]
                try:
                    connection = await self._open(options, user, batch)
                except asyncssh.PermissionDenied:
                    continue
                except asyncssh.DisconnectError as error:
                    if "too many authentication failures" in str(error).lower():
                        continue
                    raise
                self.user = user
                return connection
        return None

    async def _open(
        self, options: asyncssh.SSHClientConnectionOptions, user: str, keys: list[Any]
    ) -> asyncssh.SSHClientConnection:
        import asyncssh

        pod_id = self.endpoint.pod_id
        pin = self.endpoint.pin_host_key
        pinned, may_change = (self._host_keys.get(pod_id), self._host_keys.may_change(pod_id)) if pin else (None, True)
        received: list[str] = []

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                """Accept the pinned key, or any key on first use and after a resume."""
                received.append(" ".join(key.export_public_key("openssh").decode("ascii").split()[:2]))
                return pinned is None or may_change or received[-1] == pinned

        try:
            connection = await asyncssh.connect(
                self.endpoint.host,
                self.endpoint.port,
                options=options,
                username=user,
                client_keys=keys,
                known_hosts=([], [], []),
                server_host_key_algs=_host_key_algorithms(pinned),
                client_factory=Client,
            )
        except asyncssh.HostKeyNotVerifiable:
            if received and pinned is not None:
                raise self._changed_key() from None
            raise
        if pin and received and (pinned is None or may_change):
            try:
                self._host_keys.pin(pod_id, received[-1])
            except RemoteUnavailable:
                connection.abort()
                raise
            if pinned is not None and received[-1] != pinned:
                self._notice(f"Pod {self.endpoint.label} has a new host key since it was resumed; it is pinned now.")
        # OpenSSH sets TCP_NODELAY only while a session is open: without one, a round trip takes 40 ms more.
        with suppress(asyncssh.ChannelOpenError):
            await connection.create_process("cat", encoding=None)
        return connection

    def _changed_key(self) -> RemoteUnavailable:
        return RemoteUnavailable(
            f"Pod {self.endpoint.label} has another host key than before, so it may be another machine.",
            advice="If you know why it changed, remove the line"
            f" yotta-pod-{self.endpoint.pod_id} from {self._host_keys.path}.",
            pod_id=self.endpoint.pod_id,
        )

    def _refused(self, users: tuple[str, ...]) -> RemoteUnavailable:
        assert self._keys is not None
        label, pod_id = self.endpoint.label, self.endpoint.pod_id
        locked = tuple(single_line(path, 200) for path in self._keys.encrypted)
        needs = f" Not tried, as it needs a passphrase: {', '.join(locked)}." if locked else ""
        if not self._keys.names:
            return RemoteUnavailable(
                f"No SSH key to connect to pod {label} with.{needs}",
                advice="Give a key file, or put one in ~/.yotta/ssh/id_ed25519.",
                pod_id=pod_id,
                locked_keys=locked,
            )
        keys = ", ".join(self._keys.names)
        return RemoteUnavailable(
            f"Pod {label} accepts none of the keys ({keys}) for any of the users ({', '.join(users)}).{needs}",
            advice="Give the key file that the pod was created with.",
            pod_id=pod_id,
            locked_keys=locked,
        )


def _host_key_algorithms(pinned: str | None) -> list[str]:
    """Return the accepted algorithms, that of the pinned key first: a server with several keys then sends that one."""
    algorithm = (pinned or "").partition(" ")[0]
    preferred = ["rsa-sha2-512", "rsa-sha2-256"] if algorithm == "ssh-rsa" else [algorithm]
    return sorted(_HOST_KEY_ALGORITHMS, key=lambda name: name not in preferred)


def _identity_files(options: asyncssh.SSHClientConnectionOptions) -> list[str]:
    files = options.config.get("IdentityFile", [])
    return [str(name) for name in files] if isinstance(files, (list, tuple)) else []
