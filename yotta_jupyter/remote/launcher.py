"""Start the agent on a pod and connect to it. Runs on the background loop."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from .callbacks import OnNotice

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_LOADER: Final = (
    "import sys; f = sys.stdin.buffer; s = f.read(int(f.readline())); "
    'exec(compile(s, "program", "exec"), {"__name__": "__main__", "SOURCE": s})'
)
_PREFIX: Final = "yotta-agent:"
_MAX_LINE: Final = 65536

# Runs the first Python of at least version 3.9. The image's own environment, which an SSH session lacks, is that of
# process 1; a login shell may know others. YOTTA_PYTHON overrides all of them.
_SCRIPT: Final = """
old=
try() {
    [ -n "$1" ] && p=$(command -v "$1" 2>/dev/null) && [ -n "$p" ] || return 0
    "$p" -c "import sys; sys.exit(sys.version_info < (3, 9))" </dev/null >/dev/null 2>&1 ||
        { old=$p; return 0; }
    exec "$p" -c @LOADER@ @ARGUMENTS@
}
chosen=@PYTHON@
chosen=${chosen:-$YOTTA_PYTHON}
if [ -n "$chosen" ]; then
    try "$chosen"
else
    image=$(tr "\\0" "\\n" 2>/dev/null </proc/1/environ | sed -n "s/^PATH=//p")
    in_container=$KUBERNETES_SERVICE_HOST
    if [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then in_container=yes; fi
    if [ -n "$image" ] && [ -n "$in_container" ]; then
        try "$(PATH=$image; command -v python3 2>/dev/null)"
    fi
    try python3
    try python
    try "$(bash -lc "command -v python3" 2>/dev/null </dev/null | tail -n 1)"
fi
reason=none
if [ -n "$old" ]; then reason=old; fi
echo "yotta-agent:{\\"error\\": \\"$reason\\"}"
"""


def python_command(arguments: Sequence[str], python: str | None = None) -> str:
    """Return a shell command that runs a program read from stdin with the pod's Python.

    Parameters
    ----------
    arguments : sequence of str
        ``sys.argv[1:]`` of the program.
    python : str, optional
        The pod's Python; by default it is looked for.

    Returns
    -------
    str
        For any login shell. It prints an error line of the agent's form if there is no Python of at least version 3.9.
    """
    script = (
        _SCRIPT.replace("@LOADER@", shlex.quote(_LOADER))
        .replace("@ARGUMENTS@", shlex.join(arguments))
        .replace("@PYTHON@", shlex.quote(python or ""))
    )
    return f"exec sh -c {shlex.quote(script)}"


class AgentLauncher:
    """Starts the agent and opens channels to it.

    Parameters
    ----------
    connection : PodConnection
    install : bool, default True
        Whether missing packages may be installed on the pod.
    python : str, optional
        The pod's Python.
    on_notice : callable, optional
        Called with one line of text.

    Attributes
    ----------
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
        self._connection = connection
        self.install_allowed = install
        self._python = python
        self._on_notice = on_notice
        self._path: str | None = None
        self.folder = ""
        self._executable = ""
        self._relayed = False

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
        import asyncssh

        if self._path is not None and not self._relayed:
            try:
                return await connection.open_unix_connection(self._path)
            except asyncssh.ChannelOpenError:
                if connection.is_closed():
                    raise
        self._path = await self._start(connection)
        if not self._relayed:
            try:
                return await connection.open_unix_connection(self._path)
            except asyncssh.ChannelOpenError:
                if connection.is_closed():
                    raise
                self._relayed = True  # The server forwards no Unix sockets.
        words = [self._executable, f"{self.folder}/agent.py", "relay", self._path]
        process = await connection.create_process(f"exec {shlex.join(words)}", encoding=None)
        return process.stdout, process.stdin

    async def ready(self) -> str:
        """Return the agent's folder on the pod; the agent is started if it does not run."""
        if not self.folder:
            self._path = await self._connection.retry(self._start)
        return self.folder

    async def install(self, connection: asyncssh.SSHClientConnection, packages: Sequence[str]) -> None:
        """Install those of some packages that are missing on the pod.

        Parameters
        ----------
        connection : asyncssh.SSHClientConnection
        packages : sequence of str

        Raises
        ------
        RemoteUnavailable
            A package is missing and cannot be installed.
        """
        await self._call(connection, ["install", *packages])

    async def _start(self, connection: asyncssh.SSHClientConnection) -> str:
        ready = await self._call(connection, ["start"])
        self.folder, self._executable = str(ready.get("folder", "")), str(ready.get("executable", ""))
        return str(ready["ready"])

    async def _call(self, connection: asyncssh.SSHClientConnection, arguments: list[str]) -> dict[str, Any]:
        """Run a command of the agent's file and return its last message."""
        if not self.install_allowed:
            arguments = [*arguments, "--no-install"]
        source = Path(__file__).with_name("agent.py").read_bytes()
        process = await run_python(connection, source, arguments, self._python)
        process.stdin.write_eof()
        buffer = bytearray()
        while data := await process.stdout.read(_MAX_LINE):
            buffer += data
            while (end := buffer.find(b"\n")) >= 0:
                message = _parse_line(bytes(buffer[:end]))
                del buffer[: end + 1]
                if "ready" in message:
                    process.close()
                    return message
                if "error" in message:
                    process.close()
                    raise _unavailable(self._connection, message)
                if message.get("notice") == "install":
                    self._on_notice(f"Installing {single_line(message.get('detail'), 80)} on the pod with pip.")
            if len(buffer) > _MAX_LINE:
                del buffer[:-1]  # What a login script prints.
        await process.wait_closed()
        if process.exit_status is None and process.exit_signal is None:
            raise ConnectionResetError("the connection was lost while the agent was started")
        raise _unavailable(self._connection, {"error": "failed", "detail": f"exit status {process.exit_status}"})


async def run_python(
    connection: asyncssh.SSHClientConnection, source: bytes, arguments: Sequence[str], python: str | None = None
) -> asyncssh.SSHClientProcess[bytes]:
    """Start a program on the pod; what is written to its stdin afterwards is the program's own input.

    Parameters
    ----------
    connection : asyncssh.SSHClientConnection
    source : bytes
        The text of the program.
    arguments, python
        As for `python_command`.
    """
    process = await connection.create_process(python_command(arguments, python), encoding=None)
    process.stdin.write(b"%d\n" % len(source) + source)
    return process


def raise_missing_python(connection: PodConnection, output: bytes) -> None:
    """Raise `RemoteUnavailable` if the output of `run_python` says that there is no Python.

    Parameters
    ----------
    connection : PodConnection
    output : bytes
    """
    for line in output.splitlines():
        message = _parse_line(line)
        if "error" in message:
            raise _unavailable(connection, message)


def _unavailable(connection: PodConnection, message: dict[str, Any]) -> RemoteUnavailable:
    label = connection.endpoint.label
    detail = single_line(message.get("detail") or "", 300).rstrip(".")
    text, advice = {
        "none": (f"Pod {label} has no Python, which cells, data and files need.", "Shell commands still work."),
        "old": (f"Pod {label} has no Python of version 3.9 or later.", "Shell commands still work."),
        "missing": (f"Pod {label} lacks {detail}, and installing is not allowed.", f"Run there: pip install {detail}"),
        "no_pip": (f"Pod {label} lacks {detail}, and its Python has no pip.", f"Install {detail} there."),
        "pip": (f"Installing a package on pod {label} failed: {detail}.", "Install it there by hand."),
    }.get(str(message.get("error")), (f"The agent cannot be started on pod {label}: {detail}.", ""))
    return RemoteUnavailable(text, advice=advice, pod_id=connection.endpoint.pod_id)


def _parse_line(line: bytes) -> dict[str, Any]:
    text = line.decode("utf-8", "replace").strip()
    if not text.startswith(_PREFIX):
        return {}
    try:
        message = json.loads(text[len(_PREFIX) :])
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
