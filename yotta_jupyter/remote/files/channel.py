"""A channel to the pod's side of a copy, over SSH."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ...errors import RemoteUnavailable, YottaError
from ..bundle import bundle
from ..connection import was_connection_lost
from ..framing import Frame, FrameReader, Reader, pack_head
from ..loop import background_loop, submit, wait_for
from ..python import raise_if_python_missing, run_python
from ..queues import BoundedQueue
from .protocol import MARKER, CopyError, FrameChannel

if TYPE_CHECKING:
    import asyncssh

    from ..connection import PodConnection

POD_MODULES: Final = ("protocol", "manifest", "sender", "receiver", "pod")
_BUNDLE: Final = bundle(Path(__file__).parent, POD_MODULES)
_PROGRAM: Final = (
    f"{_BUNDLE.source}\nimport sys\nfrom {_BUNDLE.package}.pod import main\nmain(*sys.argv[1:])\n".encode()
)

_BUFFER_SIZE: Final = 1 << 19
"""Bytes of frames that are sent together."""
_SMALL_FRAME_SIZE: Final = 1 << 16
_READ_SIZE: Final = 1 << 16
_MAX_LOGIN_OUTPUT: Final = 1 << 17
"""Bytes that login scripts may print."""
_FRAME_OVERHEAD: Final = 200
"""Bytes in memory of a frame, besides its body."""


class ConnectionLost(Exception):
    """The SSH connection was lost during a copy."""


class PodChannel(FrameChannel):
    """Starts the pod's side of a copy and exchanges frames with it. Used from the caller's thread.

    Parameters
    ----------
    connection : PodConnection
    ssh : asyncssh.SSHClientConnection
        Its current SSH connection.
    """

    def __init__(self, connection: PodConnection, ssh: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._ssh = ssh
        self._process: Any = None
        self._received: BoundedQueue[Frame | Exception] = BoundedQueue(background_loop())
        self._reading: Future[None] | None = None
        self._writing: Future[None] | None = None
        self._buffer: list[bytes] = []
        self._buffer_size = 0

    def open(self, arguments: Sequence[str], python: str | None) -> None:
        """Start the pod's side.

        Parameters
        ----------
        arguments : sequence of str
            Those of `main` in `pod`.
        python : str or None
            The pod's Python; None to look for it.

        Raises
        ------
        ConnectionLost
        """
        try:
            self._process = wait_for(run_python(self._ssh, _PROGRAM, arguments, python))
        except Exception as error:
            if wait_for(self._connection.is_caused_by_loss(self._ssh, error)):
                raise ConnectionLost from None
            raise
        self._reading = submit(self._read())

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Buffer a frame, and send the buffer when it is full."""
        self._buffer += [pack_head(head, len(body)), body]
        self._buffer_size += len(body) + _FRAME_OVERHEAD
        if self._buffer_size >= _BUFFER_SIZE:
            self.flush()

    def flush(self) -> None:
        """Wait until the previous buffer is sent, then send this buffer in the background."""
        parts, self._buffer, self._buffer_size = self._buffer, [], 0
        try:
            if self._writing is not None:
                self._writing.result()
            self._writing = submit(self._write(parts))
        except (OSError, EOFError):
            self._raise_end_reason()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the head and the body of the next frame.

        Raises
        ------
        ConnectionLost
        CopyError
            The pod reports an error.
        RemoteUnavailable
            The pod violates the protocol, has no Python, or ended the copy.
        """
        item = self._received.get()
        if isinstance(item, Exception):
            raise item
        if item.head.get("type") == "error":
            raise CopyError(str(item.head.get("text")), bool(item.head.get("is_system_failure")), is_remote=True)
        return item.head, item.body

    def close(self) -> None:
        """End the pod's side."""
        if self._reading is not None:
            self._reading.cancel()
        self._received.close()
        if self._process is not None:
            with suppress(OSError):
                background_loop().call_soon_threadsafe(self._process.close)

    def _raise_end_reason(self) -> NoReturn:
        """Skip the received frames, and raise the error that ended the pod's side."""
        while True:
            self.receive()

    async def _write(self, parts: list[bytes]) -> None:
        if sum(map(len, parts)) < len(parts) * _SMALL_FRAME_SIZE:
            parts = [b"".join(parts)]  # Many small frames fit into one packet. Large ones need no copy.
        for data in parts:
            self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def _read(self) -> None:
        """Put frames into the queue until the channel ends, then the reason of the end."""
        import asyncssh

        try:
            frames = FrameReader(await self._skip_login_output(), "The copy on the pod", "Try again.")
            while (frame := await frames.next()) is not None:
                await self._received.put(frame, len(frame.body) + _FRAME_OVERHEAD)
            end: Exception = await self._end_reason()
        except YottaError as error:
            end = error
        except (OSError, EOFError, asyncssh.Error):
            end = await self._end_reason()
        self._received.put_nowait(end)

    async def _end_reason(self) -> Exception:
        """Return why the channel ended."""
        await self._process.wait_closed()
        if was_connection_lost(self._process):
            return ConnectionLost()
        return RemoteUnavailable("The copy ended on the pod without a result.", advice="Try again.")

    async def _skip_login_output(self) -> Reader:
        """Return a reader of what follows `MARKER`, which the pod's side prints first."""
        output = bytearray()
        while MARKER not in output:
            data = await self._process.stdout.read(_READ_SIZE)
            if not data:
                raise_if_python_missing(self._connection, bytes(output))
                raise EOFError
            output += data
            if len(output) > _MAX_LOGIN_OUTPUT:
                raise RemoteUnavailable("The pod printed something else than a file.")
        return _PrefixedReader(bytes(output.partition(MARKER)[2]), self._process.stdout)


class _PrefixedReader:
    """Returns some bytes before those of a reader."""

    def __init__(self, prefix: bytes, reader: asyncio.StreamReader) -> None:
        self._prefix = prefix
        self._reader = reader

    async def read(self, n: int = -1) -> bytes:
        if self._prefix:
            data, self._prefix = self._prefix, b""
            return data
        return await self._reader.read(n)
