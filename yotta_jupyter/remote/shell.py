"""Shell commands on a pod."""

from __future__ import annotations

import asyncio
import codecs
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ..errors import ConnectInterrupted, RemoteUnavailable, YottaError
from ..sanitize import single_line
from .callbacks import OnNotice, OnStatus
from .events import Event
from .interrupts import InterruptHandler
from .queues import BoundedQueue

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

Stream = Literal["stdout", "stderr"]
OnText = Callable[[Stream, str], None]
_PID_MARKER: Final = "yotta-pid:"
# Runs in bash. Exports the variables of process 1 that an SSH session lacks: those of the image and of the pod.
_RUN_WITH_VARIABLES: Final = """\
environ=${YOTTA_CONTAINER_ENVIRON:-/proc/1/environ}
if [ -r "$environ" ]; then
    while IFS= read -r -d "" entry; do
        name=${entry%%=*}
        if [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] && ! declare -p "$name" >/dev/null; then export "$entry"; fi
    done <"$environ"
fi 2>/dev/null
exec bash -c "$0"
"""
# Prints the id of its process group for `kill`, because OpenSSH forwards no signals to processes of root. Then runs the
# command, which `sh -c` passes as $0.
_SCRIPT: Final = (
    f"echo {_PID_MARKER}$$; if command -v bash >/dev/null 2>&1; "
    f'then exec bash -c {shlex.quote(_RUN_WITH_VARIABLES)} "$0"; else exec sh -c "$0"; fi'
)
_MAX_LOGIN_OUTPUT: Final = 1 << 16
"""Characters that login scripts may print before the marker."""
_READ_SIZE: Final = 1 << 16
_EVENT_OVERHEAD: Final = 100
"""Bytes in memory of an event, besides its text."""
_MAX_REPR: Final = 200
"""Characters of each text in the repr of a result."""

KEPT_OUTPUT: Final = 64 * 1024 * 1024
"""Characters of a command's output that its result keeps; all of it is streamed."""


@dataclass(frozen=True, repr=False)
class ShellResult:
    """What a shell command did, like `subprocess.CompletedProcess`.

    Attributes
    ----------
    args : str
        The command.
    returncode : int
        The exit status; negative if a signal ended the command, such as -2 after Ctrl-C.
    stdout, stderr : str
        The output, at most `KEPT_OUTPUT` characters of each.
    truncated : bool
        Whether output is missing in `stdout` or `stderr`.
    """

    args: str
    returncode: int
    stdout: str
    stderr: str
    truncated: bool = False

    def __repr__(self) -> str:
        args, stdout, stderr = _short_repr(self.args), _short_repr(self.stdout), _short_repr(self.stderr)
        return f"ShellResult(args={args}, returncode={self.returncode}, stdout={stdout}, stderr={stderr})"

    def check_returncode(self) -> None:
        """Raise `subprocess.CalledProcessError` if the exit status is not 0."""
        import subprocess

        if self.returncode:
            raise subprocess.CalledProcessError(self.returncode, self.args, self.stdout, self.stderr)


def _short_repr(text: str) -> str:
    more = len(text) - _MAX_REPR
    return repr(text) if more <= 0 else f"{text[:_MAX_REPR]!r} and {more} more characters"


class ShellProcess:
    """A running shell command. Its methods run on the background loop.

    Parameters
    ----------
    connection : PodConnection
    command : str
        Run by bash, or by sh where there is no bash.
    events : BoundedQueue
        Gets an event ``text`` for each piece of output, then ``done`` or ``failed``.

    Attributes
    ----------
    is_started : bool
        Whether the command was sent to the pod, or is being sent. Can be read from any thread.
    """

    def __init__(self, connection: PodConnection, command: str, events: BoundedQueue[Event]) -> None:
        self._connection = connection
        self._command = command
        self._events = events
        self._pid_parser = _PidParser()
        self._is_pid_final = asyncio.Event()
        self.is_started = False

    async def run(self) -> None:
        """Run the command to its end."""
        try:
            status = await self._run()
        except YottaError as error:
            self._events.put_nowait(Event("failed", error=error))
        except Exception as error:
            failure = RemoteUnavailable(f"The command could not be run: {single_line(error)}.")
            self._events.put_nowait(Event("failed", error=failure))
        else:
            await self._events.put(Event("done", data={"status": status}))

    async def signal(self, name: str) -> None:
        """Send a signal to the command's process group.

        Parameters
        ----------
        name : str
            Such as ``INT``.
        """
        import asyncssh

        await self._is_pid_final.wait()
        pid = self._pid_parser.pid
        if pid is not None:
            kill = f"kill -s {name} -- -{pid} 2>/dev/null || kill -s {name} {pid}"
            with suppress(OSError, asyncssh.Error):
                await (await self._connection.get()).run(kill)

    async def _run(self) -> int:
        import asyncssh

        line = f"exec sh -c {shlex.quote(_SCRIPT)} {shlex.quote(self._command)}"

        async def start(connection: asyncssh.SSHClientConnection) -> asyncssh.SSHClientProcess[bytes]:
            self.is_started = True
            return await connection.create_process(line, encoding=None, stdin=asyncssh.DEVNULL)

        process = await self._connection.retry(start)
        await asyncio.gather(self._read("stdout", process.stdout), self._read("stderr", process.stderr))
        self._is_pid_final.set()
        await process.wait_closed()
        if process.returncode is None:
            raise RemoteUnavailable(
                f"The connection to pod {self._connection.endpoint.label} was lost while a command ran.",
                advice="The command may still run.",
                pod_id=self._connection.endpoint.pod_id,
            )
        return process.returncode

    async def _read(self, name: Stream, stream: Any) -> None:
        import asyncssh

        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        is_end = False
        while not is_end:
            try:
                data = await stream.read(_READ_SIZE)
            except (OSError, asyncssh.Error):
                data = b""  # `_run` raises the loss of the connection.
            is_end = not data
            text = decoder.decode(data, final=is_end)
            if name == "stdout" and not self._is_pid_final.is_set():
                text = self._pid_parser.feed(text)
                if self._pid_parser.is_done:
                    self._is_pid_final.set()
            if text:
                await self._events.put(Event("text", data={"stream": name, "text": text}), len(data) + _EVENT_OVERHEAD)


class _PidParser:
    """Removes the line with the process group's id from the beginning of the output.

    Attributes
    ----------
    pid : int or None
    is_done : bool
        Whether all later text is output of the command.
    """

    def __init__(self) -> None:
        self.pid: int | None = None
        self.is_done = False
        self._text = ""

    def feed(self, text: str) -> str:
        """Return the text without the line; empty while the line is not complete."""
        self._text += text
        before, marker, rest = self._text.partition(_PID_MARKER)
        number, newline, after = rest.partition("\n")
        if marker and newline:
            self.is_done = True
            self.pid = int(number) if number.isdecimal() else None
            return before + after
        if len(self._text) < _MAX_LOGIN_OUTPUT:
            return ""
        self.is_done = True
        return self._text


class _KeptText:
    """The text of a stream, up to `KEPT_OUTPUT`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        self._size += len(text)
        if not self.truncated:
            self._parts.append(text)

    @property
    def truncated(self) -> bool:
        return self._size > KEPT_OUTPUT

    def __str__(self) -> str:
        return "".join(self._parts)


def run_shell(
    connection: PodConnection,
    loop: asyncio.AbstractEventLoop,
    events: BoundedQueue[Event],
    command: str,
    on_text: OnText | None,
    on_notice: OnNotice,
    on_status: OnStatus,
) -> ShellResult:
    """Run a command and wait for it on the calling thread.

    Parameters
    ----------
    connection : PodConnection
    loop : asyncio.AbstractEventLoop
        The background loop.
    events : BoundedQueue
        Also gets notices about the connection.
    command : str
    on_text, on_notice, on_status : callable
        As for `Remote`.
    """
    process = ShellProcess(connection, command, events)
    output: dict[Stream, _KeptText] = {"stdout": _KeptText(), "stderr": _KeptText()}
    signals = ["INT", "KILL"]  # For the first and the second Ctrl-C.
    handler = InterruptHandler(lambda: events.put_nowait(Event("interrupt")))
    future = asyncio.run_coroutine_threadsafe(process.run(), loop)
    try:
        with handler.active():
            while True:
                event = events.get()
                match event.kind:
                    case "text":
                        stream, text = event.data["stream"], event.data["text"]
                        output[stream].add(text)
                        if on_text is not None:
                            on_text(stream, text)
                    case "notice":
                        on_notice(event.data["detail"])
                    case "status":
                        on_status(event.data["detail"])
                    case "interrupt":
                        if not process.is_started:
                            raise ConnectInterrupted(connection.endpoint.label)
                        if not signals:
                            raise KeyboardInterrupt
                        asyncio.run_coroutine_threadsafe(process.signal(signals.pop(0)), loop)
                    case "failed":
                        assert event.error is not None
                        raise event.error
                    case "done":
                        stdout, stderr = output["stdout"], output["stderr"]
                        truncated = stdout.truncated or stderr.truncated
                        return ShellResult(command, event.data["status"], str(stdout), str(stderr), truncated)
    finally:
        events.close()
        future.cancel()
