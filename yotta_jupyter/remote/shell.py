"""Shell commands on a pod."""

from __future__ import annotations

import asyncio
import codecs
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ..errors import RemoteUnavailable, YottaError
from ..sanitize import single_line
from .events import Event
from .interrupts import InterruptHandler
from .queues import BoundedQueue

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

Stream = Literal["stdout", "stderr"]
OnText = Callable[[Stream, str], None]
_PID_MARKER: Final = "yotta-pid:"
# OpenSSH sends no signals for root, so Ctrl-C is a `kill` of the process group, whose id is printed first.
_SCRIPT: Final = (
    'echo yotta-pid:$$; if command -v bash >/dev/null 2>&1; then exec bash -c "$0"; else exec sh -c "$0"; fi'
)
_MAX_NOISE: Final = 1 << 16
_SHOWN_OUTPUT: Final = 200
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
        The output, at most 64 million characters of each.
    truncated : bool
        Whether output is missing in `stdout` or `stderr`.
    """

    args: str
    returncode: int
    stdout: str
    stderr: str
    truncated: bool = False

    def __repr__(self) -> str:
        # Like that of `subprocess.CompletedProcess`, with long text cut off.
        shown = {name: _shorten(getattr(self, name)) for name in ("args", "stdout", "stderr")}
        return "ShellResult(args={args}, returncode={code}, stdout={stdout}, stderr={stderr})".format(
            **shown, code=self.returncode
        )

    def check_returncode(self) -> None:
        """Raise `subprocess.CalledProcessError` if the exit status is not 0."""
        import subprocess

        if self.returncode:
            raise subprocess.CalledProcessError(self.returncode, self.args, self.stdout, self.stderr)


def _shorten(text: str) -> str:
    more = len(text) - _SHOWN_OUTPUT
    return repr(text) if more <= 0 else f"{text[:_SHOWN_OUTPUT]!r} and {more} more characters"


class ShellProcess:
    """A running shell command. Its methods run on the background loop.

    Parameters
    ----------
    connection : PodConnection
    command : str
        Run by bash, or by sh where there is no bash.
    events : BoundedQueue
        Gets an event ``text`` for each piece of output, then ``done`` or ``failed``.
    """

    def __init__(self, connection: PodConnection, command: str, events: BoundedQueue[Event]) -> None:
        self._connection = connection
        self._command = command
        self._events = events
        self._pid: int | None = None
        self._printed_pid = asyncio.Event()

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

    async def _run(self) -> int:
        import asyncssh

        line = f"exec sh -c {shlex.quote(_SCRIPT)} {shlex.quote(self._command)}"

        async def start(connection: asyncssh.SSHClientConnection) -> asyncssh.SSHClientProcess[bytes]:
            return await connection.create_process(line, encoding=None, stdin=asyncssh.DEVNULL)

        process = await self._connection.retry(start)
        await asyncio.gather(self._read("stdout", process.stdout), self._read("stderr", process.stderr))
        self._printed_pid.set()
        await process.wait_closed()
        if process.returncode is None:
            raise RemoteUnavailable(
                f"The connection to pod {self._connection.endpoint.label} was lost while a command ran.",
                advice="The command may still run.",
                pod_id=self._connection.endpoint.pod_id,
            )
        return process.returncode

    async def signal(self, name: str) -> None:
        """Send a signal to the command's process group.

        Parameters
        ----------
        name : str
            Such as ``INT``.
        """
        import asyncssh

        await self._printed_pid.wait()
        if self._pid is not None:
            kill = f"kill -s {name} -- -{self._pid} 2>/dev/null || kill -s {name} {self._pid}"
            with suppress(OSError, asyncssh.Error):
                await (await self._connection.get()).run(kill)

    def _take_pid(self, text: str) -> str | None:
        """Return text without the line with the process group's id; None if the line is not complete yet."""
        before, marker, rest = text.partition(_PID_MARKER)
        number, end, after = rest.partition("\n")
        if marker and end:
            self._pid = int(number) if number.isdecimal() else None
            self._printed_pid.set()
            return before + after
        return None if len(text) < _MAX_NOISE else text

    async def _read(self, name: Stream, stream: Any) -> None:
        import asyncssh

        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        data = b"."
        head: str | None = "" if name == "stdout" else None
        while data:
            try:
                data = await stream.read(65536)
            except (OSError, asyncssh.Error):
                data = b""
            text = decoder.decode(data, final=not data)
            if head is not None:
                head += text
                text = self._take_pid(head) or ""
                head = None if self._pid is not None or text else head
            if text:
                await self._events.put(Event("text", data={"stream": name, "text": text}), len(data) + 100)


def run_shell(
    connection: PodConnection,
    loop: asyncio.AbstractEventLoop,
    events: BoundedQueue[Event],
    command: str,
    on_text: OnText | None,
    on_notice: Callable[[str], None],
) -> ShellResult:
    """Run a command and wait for it on the calling thread.

    Parameters
    ----------
    connection : PodConnection
    loop : asyncio.AbstractEventLoop
        The background loop.
    events : BoundedQueue
    command : str
    on_text, on_notice : callable
        As for `Remote`.
    """
    process = ShellProcess(connection, command, events)
    kept: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
    sizes: dict[Stream, int] = {"stdout": 0, "stderr": 0}
    signals = iter(("INT", "KILL"))
    handler = InterruptHandler(lambda: events.put_nowait(Event("interrupt")))
    future = asyncio.run_coroutine_threadsafe(process.run(), loop)
    try:
        with handler.active():
            while True:
                event = events.get()
                if event.kind == "text":
                    name, text = event.data["stream"], event.data["text"]
                    sizes[name] += len(text)
                    if sizes[name] <= KEPT_OUTPUT:
                        kept[name].append(text)
                    if on_text is not None:
                        on_text(name, text)
                elif event.kind == "notice":
                    on_notice(event.data["detail"])
                elif event.kind == "interrupt":
                    number = next(signals, None)
                    if number is None:
                        raise KeyboardInterrupt
                    asyncio.run_coroutine_threadsafe(process.signal(number), loop)
                elif event.error is not None:
                    raise event.error
                elif event.kind == "done":
                    stdout, stderr = "".join(kept["stdout"]), "".join(kept["stderr"])
                    truncated = max(sizes.values()) > KEPT_OUTPUT
                    return ShellResult(command, event.data["status"], stdout, stderr, truncated)
    finally:
        events.close()
        future.cancel()
