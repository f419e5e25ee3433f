"""The SSH server of a pod."""

import contextlib
import socket
from typing import Final

import asyncssh

from ..runtime.channel import Boot
from .processes import Processes
from .session import Session
from .storage import Storage

USERS: Final = ("root", "ubuntu", "user")
"""The users that can log in. All of them are the user of this machine that runs the sandbox."""

_HOST_KEY: Final = "ssh-ed25519"


class PodServer:
    """An SSH server with a host key of its own, which accepts public keys only.

    Parameters
    ----------
    boot : Boot
        The pod.
    storage : Storage
        The files of the pod.
    processes : Processes
        The processes of the pod.
    """

    def __init__(self, boot: Boot, storage: Storage, processes: Processes) -> None:
        self.boot = boot
        self.storage = storage
        self.processes = processes
        self.sockets: dict[asyncssh.SSHServerConnection, socket.socket] = {}
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self, listener: socket.socket) -> None:
        """Accept connections on a listening socket."""
        self._acceptor = await asyncssh.listen(
            sock=listener,
            config=None,
            server_factory=lambda: _Login(self),
            server_host_keys=[asyncssh.generate_private_key(_HOST_KEY)],
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
        for connected in list(self.sockets.values()):
            with contextlib.suppress(OSError):  # The client may have disconnected already.
                connected.shutdown(socket.SHUT_RDWR)

    def authorized_keys(self) -> asyncssh.SSHAuthorizedKeys | None:
        """Return the keys that can log in at this time, or None if there are none."""
        lines = []
        files = [str(self.storage.home / ".ssh" / "authorized_keys"), self.boot.account_key_file]
        for file in files:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if file is not None:
                    with open(file, encoding="utf-8") as stream:
                        lines += stream.readlines()
        try:
            return asyncssh.import_authorized_keys("\n".join(lines))
        except ValueError:
            return None


class _Login(asyncssh.SSHServer):
    """The decisions about one connection."""

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
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return Session(self._server.boot, self._server.storage, self._server.processes)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return True

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True

    def unix_server_requested(self, listen_path: str) -> bool:
        return True
