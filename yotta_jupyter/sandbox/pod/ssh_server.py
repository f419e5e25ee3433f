"""The SSH server of a pod."""

import contextlib
import socket
from pathlib import Path
from typing import Final

import asyncssh

from ..runtime.pod_config import PodConfig
from .processes import Processes
from .session import Session
from .storage import Storage

USERS: Final = ("root", "ubuntu", "user")
"""The users that can log in. All of them are the user of this machine that runs the sandbox."""

_HOST_KEY_ALGORITHM: Final = "ssh-ed25519"


class PodServer:
    """An SSH server with a host key of its own, which accepts public keys only.

    Parameters
    ----------
    config : PodConfig
        The configuration of the pod.
    storage : Storage
        The files of the pod.
    processes : Processes
        The processes of the pod.
    """

    def __init__(self, config: PodConfig, storage: Storage, processes: Processes) -> None:
        self.config = config
        self.storage = storage
        self.processes = processes
        self.sockets: dict[asyncssh.SSHServerConnection, socket.socket] = {}
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self, listener: socket.socket) -> None:
        """Accept connections on a listening socket."""
        self._acceptor = await asyncssh.listen(
            sock=listener,
            config=None,
            server_factory=lambda: _ConnectionHandler(self),
            server_host_keys=[asyncssh.generate_private_key(_HOST_KEY_ALGORITHM)],
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
        )

    async def stop(self) -> None:
        """Stop accepting connections and close all of them."""
        if self._acceptor is not None:
            self._acceptor.close()
        self.disconnect()

    def disconnect(self) -> None:
        """Cut all connections. May be called on any thread, also while the loop of the server is blocked."""
        for sock in list(self.sockets.values()):
            with contextlib.suppress(OSError):  # The client may have disconnected already.
                sock.shutdown(socket.SHUT_RDWR)

    def authorized_keys(self) -> asyncssh.SSHAuthorizedKeys | None:
        """Return the keys that can log in at this time, or None if there is no valid key."""
        files = [self.storage.home / ".ssh" / "authorized_keys"]
        if self.config.account_key_file is not None:
            files.append(Path(self.config.account_key_file))
        contents = []
        for file in files:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                contents.append(file.read_text(encoding="utf-8"))
        try:
            return asyncssh.import_authorized_keys("\n".join(contents))
        except ValueError:
            return None


class _ConnectionHandler(asyncssh.SSHServer):
    """Decide what the client of one connection may do."""

    def __init__(self, server: PodServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.sockets[conn] = conn.get_extra_info("socket")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.sockets.pop(self._connection, None)

    def begin_auth(self, username: str) -> bool:
        keys = self._server.authorized_keys() if username in USERS else None
        if keys is not None and self._connection is not None:
            self._connection.set_authorized_keys(keys)
        return True  # Authentication is required. Without keys it fails.

    def public_key_auth_supported(self) -> bool:
        return True

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return Session(self._server.config, self._server.storage, self._server.processes)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return True

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True

    def unix_server_requested(self, listen_path: str) -> bool:
        return True
