"""Start the agent (``agent.py``) on a pod and open channels to it. Runs on the background loop."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..sanitize import single_line
from .callbacks import OnNotice
from .connection import was_connection_lost
from .python import parse_message, run_python, to_error

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_AGENT: Final = Path(__file__).with_name("agent.py")
_MAX_LINE: Final = 1 << 16


class AgentLauncher:
    """Starts the agent and opens channels to it.

    Parameters
    ----------
    connection : PodConnection
    install : bool, default True
        Whether missing packages may be installed on the pod.
    python : str, optional
        The pod's Python; by default it is looked for.
    on_notice : callable, optional
        Called with one line of text.

    Attributes
    ----------
    install_allowed : bool
    folder : str
        The agent's folder on the pod; empty before the first start.
    """

    def __init__(
        self,
        connection: PodConnection,
        *,
        install: bool = True,
        python: str | None = None,
        on_notice: OnNotice = lambda text: None,
    ) -> None:
        self.install_allowed = install
        self.folder = ""
        self._connection = connection
        self._requested_python = python
        self._on_notice = on_notice
        self._socket_path: str | None = None
        self._found_python = ""
        self._needs_relay = False  # The SSH server forwards no Unix sockets.

    async def open(self, connection: asyncssh.SSHClientConnection) -> tuple[Any, Any]:
        """Return a reader and a writer connected to the agent, which is started if it does not run.

        Parameters
        ----------
        connection : asyncssh.SSHClientConnection

        Raises
        ------
        RemoteUnavailable
            The agent cannot be started.
        """
        if self._socket_path is not None and not self._needs_relay:
            channel = await _open_socket(connection, self._socket_path)
            if channel is not None:
                return channel
        self._socket_path = await self._start(connection)
        if not self._needs_relay:
            channel = await _open_socket(connection, self._socket_path)
            if channel is not None:
                return channel
            self._needs_relay = True
        command = [self._found_python, f"{self.folder}/agent.py", "relay", self._socket_path]
        process = await connection.create_process(f"exec {shlex.join(command)}", encoding=None)
        return process.stdout, process.stdin

    async def ensure_started(self) -> str:
        """Start the agent if this launcher has not started it; return its folder on the pod."""
        if not self.folder:
            self._socket_path = await self._connection.retry(self._start)
        return self.folder

    async def require(self, connection: asyncssh.SSHClientConnection, packages: Sequence[str]) -> None:
        """Install the packages that the pod lacks.

        Parameters
        ----------
        connection : asyncssh.SSHClientConnection
        packages : sequence of str

        Raises
        ------
        RemoteUnavailable
            A package is missing and cannot be installed.
        """
        await self._run_agent_command(connection, ["require", *packages])

    async def _start(self, connection: asyncssh.SSHClientConnection) -> str:
        """Start the agent unless it runs; return the path of its socket."""
        message = await self._run_agent_command(connection, ["start"])
        self.folder = str(message.get("folder", ""))
        self._found_python = str(message.get("executable", ""))
        return str(message.get("socket", ""))

    async def _run_agent_command(
        self, connection: asyncssh.SSHClientConnection, arguments: list[str]
    ) -> dict[str, Any]:
        """Run a command of ``agent.py`` on the pod; return its ``ready`` message."""
        if not self.install_allowed:
            arguments = [*arguments, "--no-install"]
        process = await run_python(connection, _AGENT.read_bytes(), arguments, self._requested_python)
        process.stdin.write_eof()
        async for message in _read_messages(process):
            if "ready" in message:
                process.close()
                return message
            if "error" in message:
                process.close()
                raise to_error(self._connection, message)
            if message.get("notice") == "install":
                self._on_notice(f"Installing {single_line(message.get('detail'), 80)} on the pod with pip.")
        await process.wait_closed()
        if was_connection_lost(process):
            raise ConnectionResetError("the connection was lost while the agent was started")
        raise to_error(self._connection, {"error": "failed", "detail": f"exit status {process.exit_status}"})


async def _open_socket(connection: asyncssh.SSHClientConnection, path: str) -> tuple[Any, Any] | None:
    """Return a reader and a writer of a Unix socket on the pod, or None if it cannot be opened."""
    import asyncssh

    try:
        return await connection.open_unix_connection(path)
    except asyncssh.ChannelOpenError:
        if connection.is_closed():
            raise
        return None


async def _read_messages(process: asyncssh.SSHClientProcess[bytes]) -> AsyncIterator[dict[str, Any]]:
    """Yield the messages in the output of a process, which may contain the output of login scripts, too."""
    buffer = bytearray()
    while data := await process.stdout.read(_MAX_LINE):
        buffer += data
        *lines, rest = buffer.split(b"\n")
        for line in lines:
            yield parse_message(bytes(line))
        if len(rest) > _MAX_LINE:
            rest = rest[-1:]  # Keep one byte, so that the end of a line that is too long is not read as a message.
        buffer = rest
