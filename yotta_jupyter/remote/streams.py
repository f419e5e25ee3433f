"""Move bytes between memory and files on the pod, by ``cat`` over an exec channel. Runs on the background loop."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from .progress import Progress

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

BLOCK: Final = 1 << 18
_MAX_ERROR: Final = 2000


async def upload(connection: PodConnection, path: str, data: bytes, progress: Progress) -> None:
    """Write bytes to a new file; resume after a lost connection.

    Parameters
    ----------
    connection : PodConnection
    path : str
        Absolute, and new.
    data : bytes
    progress : Progress
        `done` is increased.

    Raises
    ------
    RemoteUnavailable
        The file cannot be written, such as when the disk is full.
    """
    base = progress.done
    quoted = shlex.quote(path)

    async def attempt(ssh: asyncssh.SSHClientConnection) -> None:
        offset = 0
        size = await ssh.run(
            f"umask 077; mkdir -p {shlex.quote(path.rpartition('/')[0])} && touch {quoted} && wc -c < {quoted}"
        )
        if size.exit_status == 0 and str(size.stdout).strip().isdecimal():
            offset = min(int(str(size.stdout)), len(data))
        process = await ssh.create_process(f"cat >> {quoted}", encoding=None)
        view = memoryview(data)
        while offset < len(data):
            process.stdin.write(bytes(view[offset : offset + BLOCK]))
            await process.stdin.drain()
            offset = min(offset + BLOCK, len(data))
            progress.done = base + offset
        process.stdin.write_eof()
        await _end(process, f"Writing {single_line(path)} on the pod failed")

    await connection.retry(attempt)


async def download(connection: PodConnection, path: str, size: int, progress: Progress) -> bytearray:
    """Return the bytes of a file; resume after a lost connection.

    Parameters
    ----------
    connection : PodConnection
    path : str
        Absolute.
    size : int
        The size of the file.
    progress : Progress
        `done` is increased.

    Raises
    ------
    RemoteUnavailable
        The file has another size.
    """
    base = progress.done
    received = bytearray()

    async def attempt(ssh: asyncssh.SSHClientConnection) -> None:
        process = await ssh.create_process(f"tail -c +{len(received) + 1} {shlex.quote(path)}", encoding=None)
        while data := await process.stdout.read(BLOCK):
            received.extend(data)
            progress.done = base + len(received)
            if len(received) > size:
                process.close()
                raise RemoteUnavailable("The pod sent more than it announced.")
        await _end(process, f"Reading {single_line(path)} on the pod failed")

    await connection.retry(attempt)
    if len(received) != size:
        raise RemoteUnavailable("The pod sent less than it announced.")
    return received


async def remove(connection: PodConnection, paths: list[str]) -> None:
    """Delete files.

    Parameters
    ----------
    connection : PodConnection
    paths : list of str
    """
    if paths:
        await connection.retry(lambda ssh: ssh.run(f"rm -f {shlex.join(paths)}"))


async def _end(process: Any, what: str) -> None:
    """Wait for the end of a process and raise unless it succeeded."""
    error = bytearray()
    while len(error) < _MAX_ERROR and (data := await process.stderr.read(_MAX_ERROR)):
        error += data
    await process.wait_closed()
    if process.exit_status is None and process.exit_signal is None:
        raise ConnectionResetError("the connection was lost")
    if process.exit_status != 0:
        reason = single_line(error.decode("utf-8", "replace").strip().rpartition(": ")[2] or "it was ended", 200)
        raise RemoteUnavailable(f"{what}: {reason}.")
