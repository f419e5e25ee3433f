"""Write, read and delete files on the pod with shell commands. Runs on the background loop."""

from __future__ import annotations

import shlex
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from .connection import was_connection_lost
from .progress import Progress

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_BLOCK: Final = 1 << 18
_MAX_STDERR: Final = 2000


async def upload(connection: PodConnection, path: str, data: bytes, progress: Progress) -> None:
    """Write bytes to a new file; resume after a lost connection.

    Parameters
    ----------
    connection : PodConnection
    path : str
        An absolute path. The file must not exist yet.
    data : bytes
    progress : Progress
        The size of `data` is added to `done`.

    Raises
    ------
    RemoteUnavailable
        The file cannot be written, such as when the disk is full.
    """
    done_before = progress.done
    file, folder = shlex.quote(path), shlex.quote(path.rpartition("/")[0])

    async def attempt(ssh: asyncssh.SSHClientConnection) -> None:
        offset = 0
        size = await ssh.run(f"umask 077; mkdir -p {folder} && touch {file} && wc -c < {file}")
        if size.exit_status == 0 and str(size.stdout).strip().isdecimal():
            offset = min(int(str(size.stdout)), len(data))
        view = memoryview(data)
        with closing(await ssh.create_process(f"cat >> {file}", encoding=None)) as process:
            while offset < len(data):
                process.stdin.write(bytes(view[offset : offset + _BLOCK]))
                await process.stdin.drain()
                offset = min(offset + _BLOCK, len(data))
                progress.done = done_before + offset
            process.stdin.write_eof()
            await _require_success(process, f"Writing {single_line(path)} on the pod failed")

    await connection.retry(attempt)


async def download(connection: PodConnection, path: str, size: int, progress: Progress) -> bytearray:
    """Return the bytes of a file; resume after a lost connection.

    Parameters
    ----------
    connection : PodConnection
    path : str
        An absolute path.
    size : int
        The size of the file in bytes.
    progress : Progress
        The size is added to `done`.

    Raises
    ------
    RemoteUnavailable
        The file has another size.
    """
    done_before = progress.done
    received = bytearray()

    async def attempt(ssh: asyncssh.SSHClientConnection) -> None:
        # `tail -c +N` begins with byte N, counted from 1.
        command = f"tail -c +{len(received) + 1} {shlex.quote(path)}"
        with closing(await ssh.create_process(command, encoding=None)) as process:
            while data := await process.stdout.read(_BLOCK):
                received.extend(data)
                progress.done = done_before + len(received)
                if len(received) > size:
                    raise RemoteUnavailable("The pod sent more than it announced.")
            await _require_success(process, f"Reading {single_line(path)} on the pod failed")

    await connection.retry(attempt)
    if len(received) != size:
        raise RemoteUnavailable("The pod sent less than it announced.")
    return received


async def remove(connection: PodConnection, paths: list[str]) -> None:
    """Delete files and folders.

    Parameters
    ----------
    connection : PodConnection
    paths : list of str
    """
    if paths:
        await connection.retry(lambda ssh: ssh.run(f"rm -rf {shlex.join(paths)}"))


async def _require_success(process: Any, failure: str) -> None:
    """Wait for the end of a process; raise `RemoteUnavailable` with the text `failure` unless it succeeded."""
    stderr = bytearray()
    while len(stderr) < _MAX_STDERR and (data := await process.stderr.read(_MAX_STDERR)):
        stderr += data
    await process.wait_closed()
    if was_connection_lost(process):
        raise ConnectionResetError("the connection was lost")
    if process.exit_status != 0:
        reason = stderr.decode("utf-8", "replace").strip().rpartition(": ")[2]  # Such as "No space left on device".
        raise RemoteUnavailable(f"{failure}: {single_line(reason or 'the command was killed', 200)}.")
