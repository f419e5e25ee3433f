"""Copy files and folders between this machine and a pod, checked, and resumed after a lost connection."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import InvalidRequest, RemoteUnavailable, YottaError
from ..sanitize import single_line
from .framing import FrameReader, pack_head
from .launcher import raise_missing_python, run_python
from .loop import background_loop, submit, wait_for
from .progress import OnProgress, Progress
from .queues import BoundedQueue
from .tree import MARKER, Link, TreeError, receive_tree, send_tree

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_SOURCE: Final = Path(__file__).with_name("tree.py")
_BUFFER: Final = 1 << 19
_BLOCK: Final = 1 << 16
_MAX_NOISE: Final = 1 << 16
_PROGRESS_STEP: Final = 0.1


@dataclass(frozen=True)
class Transferred:
    """What was copied.

    Attributes
    ----------
    path : str
        The file or folder that was written.
    files : int
        Files at the destination, all of them compared by SHA-256.
    bytes : int
        Their size.
    sent : int
        Bytes that were sent in the last attempt: fewer than `bytes` if some were there already.
    unchanged : int
        Files that were the same at the destination already, in the last attempt.
    skipped : list of str
        Paths that were not copied: sockets, devices, pipes, and links to folders elsewhere or to nothing.
    """

    path: str
    files: int
    bytes: int
    sent: int
    unchanged: int = 0
    skipped: list[str] = field(default_factory=list)


class _ConnectionLost(Exception):
    """The channel ended before the transfer did."""


def put(
    connection: PodConnection, local: str | Path, remote: str, python: str | None, on_progress: OnProgress | None
) -> Transferred:
    """Copy a file or folder to the pod; see `Remote.put`."""
    source = os.path.expanduser(local)
    return _transfer(
        connection,
        os.path.basename(os.path.abspath(source)),
        ["receive", remote],
        python,
        lambda link, meter: send_tree(link, source, meter.on_bytes, meter.on_file),
        on_progress,
    )


def get(
    connection: PodConnection, remote: str, local: str | Path, python: str | None, on_progress: OnProgress | None
) -> Transferred:
    """Copy a file or folder from the pod; see `Remote.get`."""
    target = os.path.expanduser(local) or "."
    return _transfer(
        connection,
        remote,
        ["send", remote],
        python,
        lambda link, meter: receive_tree(link, target, meter.on_bytes, meter.on_file),
        on_progress,
    )


def _transfer(
    connection: PodConnection,
    label: str,
    arguments: list[str],
    python: str | None,
    copy: Callable[[Link, _Meter], dict[str, Any]],
    on_progress: OnProgress | None,
) -> Transferred:
    """Run a copy on this thread, again after each lost connection."""
    if "\0" in arguments[1] or not arguments[1]:
        raise InvalidRequest("A path on the pod is empty or contains a null character.")
    progress = Progress(single_line(label, 100))
    meter = _Meter(progress, on_progress)
    while True:
        ssh = wait_for(connection.get())
        link = _ChannelLink(connection, ssh)
        try:
            link.open(arguments, python)
            report = copy(link, meter)
            break
        except _ConnectionLost:
            continue
        except TreeError as error:
            text = single_line(f"The copy failed{' on the pod' if error.is_remote else ''}: {error}.", 500)
            raise (RemoteUnavailable(text) if error.unavailable else InvalidRequest(text)) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RemoteUnavailable("The copy failed: the pod sent something unexpected.") from None
        finally:
            link.close()
    if on_progress is not None:
        on_progress(progress)
    return Transferred(
        str(report.get("path", "")),
        int(report.get("files", 0)),
        int(report.get("bytes", 0)),
        int(report.get("received", 0)),
        int(report.get("unchanged", 0)),
        [single_line(path) for path in report.get("skipped", [])],
    )


class _Meter:
    """Writes the progress of a copy, and calls `on_progress` at most ten times a second."""

    def __init__(self, progress: Progress, on_progress: OnProgress | None) -> None:
        self._progress = progress
        self._on_progress = on_progress
        self._called_at = 0.0

    def on_bytes(self, done: int, total: int) -> None:
        """Note the bytes done and in total."""
        self._progress.done, self._progress.total = done, total
        if self._on_progress is not None and time.monotonic() - self._called_at > _PROGRESS_STEP:
            self._called_at = time.monotonic()
            self._on_progress(self._progress)

    def on_file(self, path: str, number: int, count: int) -> None:
        """Note the file that is copied next."""
        self._progress.file, self._progress.file_number, self._progress.files = path, number, count


class _ChannelLink(Link):
    """Frames on an exec channel, used from the caller's thread."""

    def __init__(self, connection: PodConnection, ssh: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._ssh = ssh
        self._process: Any = None
        self._frames: BoundedQueue[tuple[dict[str, Any], bytes] | BaseException | None] = BoundedQueue(
            background_loop()
        )
        self._reading: Future[None] | None = None
        self._writing: Future[None] | None = None
        self._waiting: list[bytes] = []
        self._size = 0

    def open(self, arguments: list[str], python: str | None) -> None:
        """Start the pod's side."""
        try:
            self._process = wait_for(run_python(self._ssh, _SOURCE.read_bytes(), arguments, python))
        except Exception as error:
            self._raise(error)
        self._reading = submit(self._read())

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame when enough of them wait."""
        self._waiting.append(pack_head(head, len(body)))
        self._waiting.append(body)
        self._size += len(body) + 100
        if self._size >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Send the frames that wait, while the caller prepares the next ones."""
        parts, self._waiting, self._size = self._waiting, [], 0
        try:
            if self._writing is not None:
                self._writing.result()
            self._writing = submit(self._write(parts))
        except (OSError, EOFError):
            # The pod's side ended: it says why, unless the connection was lost.
            while True:
                self.receive()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the next frame."""
        item = self._frames.get()
        if item is None:
            raise _ConnectionLost
        if isinstance(item, BaseException):
            raise item
        head, body = item
        if head.get("type") == "error":
            raise TreeError(str(head.get("text")), bool(head.get("unavailable")), is_remote=True)
        return head, body

    def close(self) -> None:
        """End the pod's side."""
        if self._reading is not None:
            self._reading.cancel()
        self._frames.close()
        if self._process is not None:
            with suppress(OSError):
                background_loop().call_soon_threadsafe(self._process.close)

    def _raise(self, error: Exception) -> None:
        if wait_for(self._connection.is_lost(self._ssh, error)):
            raise _ConnectionLost from None
        raise error

    async def _write(self, parts: list[bytes]) -> None:
        # Small frames are joined, large ones are not copied.
        size = sum(map(len, parts))
        for data in [b"".join(parts)] if size < len(parts) * _BLOCK else parts:
            self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def _read(self) -> None:
        """Read frames until the end of the channel."""
        import asyncssh

        item: BaseException | None = None
        try:
            frames = FrameReader(await self._skip_noise())
            while (frame := await frames.next()) is not None:
                await self._frames.put((frame.head, frame.body), len(frame.body) + 200)
        except YottaError as error:
            item = error
        except (OSError, EOFError, asyncssh.Error):
            pass
        if item is None:
            await self._process.wait_closed()
            if self._process.exit_status is not None or self._process.exit_signal is not None:
                item = RemoteUnavailable("The copy ended on the pod without a result.", advice="Try again.")
        self._frames.put_nowait(item)

    async def _skip_noise(self) -> Any:
        """Return a reader of what follows the marker, after what login scripts print."""
        buffer = bytearray()
        while MARKER not in buffer:
            data = await self._process.stdout.read(1 << 16)
            if not data:
                raise_missing_python(self._connection, bytes(buffer))
                raise EOFError
            buffer += data
            if len(buffer) > _MAX_NOISE + (1 << 16):
                raise RemoteUnavailable("The pod printed something else than a file.")
        return _PushedBack(bytes(buffer.partition(MARKER)[2]), self._process.stdout)


class _PushedBack:
    """A reader that first returns bytes that were read already."""

    def __init__(self, data: bytes, reader: asyncio.StreamReader) -> None:
        self._data = data
        self._reader = reader

    async def read(self, n: int = -1) -> bytes:
        """Return up to `n` bytes."""
        if self._data:
            data, self._data = self._data, b""
            return data
        return await self._reader.read(n)
