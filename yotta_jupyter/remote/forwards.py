"""Local ports that lead to ports of a pod."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from ..errors import InvalidRequest, RemoteUnavailable, YottaError
from .loop import wait_for

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_READ_SIZE: Final = 1 << 16
"""Bytes."""


class Forward:
    """A local TCP port on 127.0.0.1 that leads to a port on the pod's 127.0.0.1. A context manager.

    When the SSH connection is lost, the TCP connections through the port end. Later ones use a new SSH connection.

    Parameters
    ----------
    connection : PodConnection
    port : int
        On the pod.
    local_port : int, default 0
        On this machine; 0 chooses a free one.
    on_close : callable, optional
        Called with this object when it is closed.

    Attributes
    ----------
    port, local_port : int
    """

    def __init__(
        self,
        connection: PodConnection,
        port: int,
        local_port: int = 0,
        on_close: Callable[[Forward], None] | None = None,
    ) -> None:
        if not 0 < port < 65536 or not 0 <= local_port < 65536:
            raise InvalidRequest("A port is a number from 1 to 65535.")
        self.port = port
        self.local_port = local_port
        self._connection = connection
        self._on_close = on_close
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        wait_for(self._listen())

    @property
    def url(self) -> str:
        """The address for a browser on this machine, such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.local_port}"

    def __repr__(self) -> str:
        return f"<Forward 127.0.0.1:{self.local_port} to port {self.port} of the pod>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """Check that a connection through this port can be made.

        Raises
        ------
        RemoteUnavailable
            Nothing listens on the pod's port, or the SSH server allows no forwards.
        """
        wait_for(self._check())

    def close(self) -> None:
        """Close the local port and its connections. May be called again."""
        wait_for(self._close())
        if self._on_close is not None:
            self._on_close(self)

    async def _listen(self) -> None:
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.local_port)
        except OSError as error:
            reason = "is in use" if self.local_port else "cannot be opened"
            raise InvalidRequest(f"The local port {self.local_port} {reason}: {error.strerror}.") from None
        self.local_port = self._server.sockets[0].getsockname()[1]

    async def _check(self) -> None:
        import asyncssh

        try:
            _, writer = await self._open_channel()
        except asyncssh.ChannelOpenError as error:
            label, pod_id = self._connection.endpoint.label, self._connection.endpoint.pod_id
            if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
                raise RemoteUnavailable(f"The SSH server of pod {label} allows no tunnels.", pod_id=pod_id) from None
            raise RemoteUnavailable(
                f"Nothing listens on port {self.port} of pod {label}.",
                advice="Start the server there first; if it has just been started, try again in a moment.",
                pod_id=pod_id,
            ) from None
        writer.close()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # `close` cancels this task. Python 3.11 would log the `CancelledError` of a connection handler.
            with suppress(OSError, EOFError, YottaError, asyncio.CancelledError):
                await self._relay(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import asyncssh

        with suppress(asyncssh.Error):  # `check` explains it to the user.
            remote_reader, remote_writer = await self._open_channel()
            try:
                await asyncio.gather(_copy(reader, remote_writer), _copy(remote_reader, writer))
            finally:
                remote_writer.close()

    async def _open_channel(self) -> tuple[Any, Any]:
        async def open_connection(ssh: asyncssh.SSHClientConnection) -> tuple[Any, Any]:
            return await ssh.open_connection("127.0.0.1", self.port)

        return await self._connection.retry(open_connection)


async def _copy(reader: Any, writer: Any) -> None:
    """Copy bytes until the end of the input, then end the output."""
    while data := await reader.read(_READ_SIZE):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
