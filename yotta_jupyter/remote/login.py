"""Log in to a pod by SSH: user names, private keys and the host key. Runs on the background loop."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from .callbacks import OnNotice
from .endpoint import Endpoint
from .host_keys import HostKeys, line_alias
from .keys import Keys, PrivateKey, load_keys

if TYPE_CHECKING:
    import asyncssh

KEEPALIVE_INTERVAL: Final = 4.0
KEEPALIVE_COUNT: Final = 2
"""asyncssh closes a connection after (count + 1) x interval = 12 s without a reply."""

_ATTEMPT_TIMEOUT: Final = 10.0
"""Seconds for the TCP connection, and again for the login."""
_KEYS_PER_ATTEMPT: Final = 5
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
_KEY_TYPES: Final = {"rsa-sha2-512": "ssh-rsa", "rsa-sha2-256": "ssh-rsa"}
"""The key type where it differs from the name of the algorithm."""


class Login:
    """Logs in to one pod.

    Parameters
    ----------
    host_keys : HostKeys
    on_notice : callable
        Called with one line about a new host key.

    Attributes
    ----------
    user : str or None
        The user name that was accepted, which is tried first from then on.
    """

    def __init__(self, host_keys: HostKeys, on_notice: OnNotice) -> None:
        self.user: str | None = None
        self._host_keys = host_keys
        self._on_notice = on_notice
        self._keys: Keys | None = None

    async def connect(self, endpoint: Endpoint) -> asyncssh.SSHClientConnection:
        """Return a connection with the first user name and key that the pod accepts.

        Parameters
        ----------
        endpoint : Endpoint

        Raises
        ------
        RemoteUnavailable
            No key is accepted, or the host key is not the pinned one.
        OSError, asyncssh.Error
            The pod cannot be reached.
        """
        options = await _connection_options(endpoint)
        if self._keys is None:
            self._keys = await load_keys(endpoint.key_file, _identity_files(options))
        users = list(endpoint.users)
        if self.user is not None:
            users = [self.user, *(user for user in users if user != self.user)]
        for user in users:
            for start in range(0, len(self._keys.usable), _KEYS_PER_ATTEMPT):
                keys = self._keys.usable[start : start + _KEYS_PER_ATTEMPT]
                connection = await self._try(endpoint, options, user, keys)
                if connection is not None:
                    self.user = user
                    return connection
        raise _refused(endpoint, users, self._keys)

    def add_key(self, path: Path, key: asyncssh.SSHKey) -> None:
        """Try a decrypted key before all others from now on.

        Parameters
        ----------
        path : Path
        key : asyncssh.SSHKey
        """
        if self._keys is not None:
            self._keys.unlock(path, key)

    def close(self) -> None:
        """Disconnect from the SSH agent."""
        if self._keys is not None:
            self._keys.close()

    async def _try(
        self, endpoint: Endpoint, options: asyncssh.SSHClientConnectionOptions, user: str, keys: list[PrivateKey]
    ) -> asyncssh.SSHClientConnection | None:
        """Return a connection, or None if the pod refuses the user or the keys."""
        import asyncssh

        try:
            return await self._open(endpoint, options, user, keys)
        except asyncssh.PermissionDenied:
            return None
        except asyncssh.DisconnectError as error:
            if "too many authentication failures" in str(error).lower():
                return None
            raise

    async def _open(
        self, endpoint: Endpoint, options: asyncssh.SSHClientConnectionOptions, user: str, keys: list[PrivateKey]
    ) -> asyncssh.SSHClientConnection:
        import asyncssh

        pinned = self._host_keys.get(endpoint.pod_id) if endpoint.pin_host_key else None
        is_required = pinned is not None and not self._host_keys.is_change_expected(endpoint.pod_id)
        check = _HostKeyCheck(pinned if is_required else None)
        try:
            connection = await asyncssh.connect(
                endpoint.host,
                endpoint.port,
                options=options,
                username=user,
                client_keys=[key.key for key in keys],
                known_hosts=([], [], []),  # So that `check` decides.
                server_host_key_algs=_host_key_algorithms(pinned),
                client_factory=check.create_client,
            )
        except asyncssh.HostKeyNotVerifiable:
            if check.received is None:  # The host key is that of a jump host.
                raise
            raise _changed_host_key(endpoint, self._host_keys.path) from None
        try:
            if endpoint.pin_host_key and not is_required and check.received is not None:
                self._pin(endpoint, pinned, check.received)
            # `cat` keeps a session open: only then OpenSSH sets TCP_NODELAY, which saves 40 ms a round trip.
            with suppress(asyncssh.ChannelOpenError):
                await connection.create_process("cat", encoding=None)
        except BaseException:  # Also if the attempt is cancelled.
            connection.abort()
            raise
        return connection

    def _pin(self, endpoint: Endpoint, previous: str | None, key: str) -> None:
        self._host_keys.pin(endpoint.pod_id, key)
        if previous is not None and previous != key:
            self._on_notice(f"Pod {endpoint.label} has a new host key since it was resumed; it is pinned now.")


class _HostKeyCheck:
    """Accepts one host key, or any if `required` is None. `received` is the key of the server."""

    def __init__(self, required: str | None) -> None:
        self._required = required
        self.received: str | None = None

    def create_client(self) -> asyncssh.SSHClient:
        """Return the object that asyncssh calls."""
        import asyncssh

        accepts = self._accepts

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                return accepts(key)

        return Client()

    def _accepts(self, key: asyncssh.SSHKey) -> bool:
        algorithm, base64 = key.export_public_key("openssh").decode("ascii").split()[:2]
        self.received = f"{algorithm} {base64}"
        return self._required is None or self._required == self.received


async def _connection_options(endpoint: Endpoint) -> asyncssh.SSHClientConnectionOptions:
    import asyncssh

    config = Path("~/.ssh/config").expanduser()
    try:
        options: asyncssh.SSHClientConnectionOptions = await asyncssh.SSHClientConnectionOptions.construct(
            host=endpoint.host,
            port=endpoint.port,
            config=[str(config)] if config.is_file() else [],
            client_keys=None,
            preferred_auth="publickey",
            agent_forwarding=False,  # Even if ~/.ssh/config says yes: a pod is not trusted with the user's keys.
            encryption_algs=list(_CIPHERS),
            compression_algs=["none", "zlib@openssh.com"],
            keepalive_interval=KEEPALIVE_INTERVAL,
            keepalive_count_max=KEEPALIVE_COUNT,
            connect_timeout=_ATTEMPT_TIMEOUT,
            login_timeout=_ATTEMPT_TIMEOUT,
        )
        return options
    except asyncssh.ConfigParseError as error:
        raise RemoteUnavailable(f"~/.ssh/config cannot be read: {single_line(error)}.") from None


def _identity_files(options: asyncssh.SSHClientConnectionOptions) -> list[str]:
    files = options.config.get("IdentityFile", [])
    return [str(name) for name in files] if isinstance(files, (list, tuple)) else []


def _host_key_algorithms(pinned: str | None) -> list[str]:
    """Return the accepted algorithms, first that of the pinned key: a server with several keys then sends that one."""
    if pinned is None:
        return list(_HOST_KEY_ALGORITHMS)
    key_type = pinned.split()[0]
    preferred = [name for name in _HOST_KEY_ALGORITHMS if _KEY_TYPES.get(name, name) == key_type]
    return preferred + [name for name in _HOST_KEY_ALGORITHMS if name not in preferred]


def _changed_host_key(endpoint: Endpoint, known_hosts: Path) -> RemoteUnavailable:
    return RemoteUnavailable(
        f"Pod {endpoint.label} has another host key than before, so it may be another machine.",
        advice=f"If you know why it changed, remove the line {line_alias(endpoint.pod_id)} from {known_hosts}.",
        pod_id=endpoint.pod_id,
    )


def _refused(endpoint: Endpoint, users: list[str], keys: Keys) -> RemoteUnavailable:
    locked = tuple(single_line(path, 200) for path in keys.encrypted)
    not_tried = f" Not tried, as it needs a passphrase: {', '.join(locked)}." if locked else ""
    if keys.usable:
        names = ", ".join(key.name for key in keys.usable)
        text = f"Pod {endpoint.label} accepts none of the keys ({names}) for any of the users ({', '.join(users)})."
        advice = "Give the key file that the pod was created with."
    else:
        text = f"No SSH key to connect to pod {endpoint.label} with."
        advice = "Give a key file, or put one in ~/.yotta/ssh/id_ed25519."
    return RemoteUnavailable(text + not_tried, advice=advice, pod_id=endpoint.pod_id, locked_keys=locked)
