"""The sessions of an SSH connection: commands and shells, with and without a terminal, and SFTP."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Any, Final

import asyncssh
from asyncssh.misc import BreakReceived, SignalReceived, TerminalSizeChanged

from ..runtime.channel import Boot
from .environment import session_environment
from .processes import Child, Processes
from .storage import Storage
from .terminal import open_terminal, set_size

_SFTP_VERSION: Final = 3

# A session leader gets the terminal that it opens first as its controlling terminal.
_OPEN_TERMINAL: Final = 'exec "$0" "$@" <>"$SSH_TTY" >&0 2>&0'

# The signals of RFC 4254 section 6.10; an exit by another one is reported as a shell does.
_SIGNALS: Final = ("ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2")


class Session(asyncssh.SSHServerProcess[bytes]):
    """A session that runs a process or serves SFTP."""

    def __init__(self, boot: Boot, storage: Storage, processes: Processes) -> None:
        super().__init__(_run, _sftp_server, _SFTP_VERSION, False)
        self._boot = boot
        self._storage = storage
        self._processes = processes
        self._child: Child | None = None
        self._terminal: int | None = None

    def subsystem_requested(self, subsystem: str) -> bool:
        """Accept SFTP only."""
        return subsystem == "sftp"

    def exception_received(self, exc: Exception) -> None:
        """Pass on a signal to the process group, and a new size to the terminal."""
        if self._child is None or self._child.exited.done():
            return
        if isinstance(exc, TerminalSizeChanged):
            if self._terminal is not None:
                set_size(self._terminal, exc.term_size)
        elif isinstance(exc, BreakReceived):
            self._processes.signal_group(self._child, signal.SIGINT)
        elif isinstance(exc, SignalReceived) and exc.signal in _SIGNALS:
            self._processes.signal_group(self._child, signal.Signals[f"SIG{exc.signal}"])

    async def run(self) -> None:
        """Run the command or shell and report how it ends."""
        try:
            self._child = await self._start()
        except OSError as error:
            self.stderr.write(f"{error.strerror or error}\n".encode())
            self.exit(255)
            return
        closed = asyncio.ensure_future(self.channel.wait_closed())
        ends: list[asyncio.Future[Any]] = [closed, self._child.exited]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if self._child.exited.done():
            # As in OpenSSH, the session goes on while a background process has its output open.
            await self._drain()
            self._report(self._child.exited.result())
        else:
            self._processes.hang_up(self._child)
        await closed
        await self.wait_closed()

    async def _start(self) -> Child:
        shell = _login_shell()
        argv = [shell, "-c", self.command] if self.command is not None else [shell, "--login"]
        if self.term_type is None:
            return await self._start_with_pipes(argv)
        return await self._start_in_terminal(argv)

    async def _start_with_pipes(self, argv: list[str]) -> Child:
        (stdin, write_stdin), (read_stdout, stdout), (read_stderr, stderr) = (os.pipe() for _ in range(3))
        try:
            child = self._processes.start(argv, self._environment(), stdin, stdout, stderr)
        except OSError:
            _close(write_stdin, read_stdout, read_stderr)
            raise
        finally:
            _close(stdin, stdout, stderr)
        # An end of one output stream must not end the other one.
        await self.redirect(write_stdin, read_stdout, read_stderr, send_eof=False)
        return child

    async def _start_in_terminal(self, argv: list[str]) -> Child:
        master, slave = open_terminal(self.term_size, self.term_modes)
        environment = self._environment() | {"TERM": self.term_type or "dumb", "SSH_TTY": os.ttyname(slave)}
        try:
            child = self._processes.start(["/bin/sh", "-c", _OPEN_TERMINAL, *argv], environment, slave, slave, slave)
        except OSError:
            _close(master)
            raise
        finally:
            _close(slave)
        self._terminal = master
        await self.redirect(os.dup(master), master, send_eof=False)
        return child

    async def _drain(self) -> None:
        with contextlib.suppress(OSError, asyncssh.Error):
            await self.stdout.drain()
            await self.stderr.drain()

    def _report(self, status: int) -> None:
        if status >= 0:
            self.exit(status)
            return
        name = signal.Signals(-status).name.removeprefix("SIG")
        if name in _SIGNALS:
            self.exit_with_signal(name)
        else:
            self.exit(128 - status)

    def _environment(self) -> dict[str, str]:
        client, server = self.get_extra_info("peername"), self.get_extra_info("sockname")
        requested: Mapping[str, str] = self.env
        return session_environment(
            self._boot,
            self._storage,
            shell=_login_shell(),
            username=self.get_extra_info("username"),
            requested=requested,
            connection=f"{client[0]} {client[1]} {server[0]} {server[1]}",
        )


async def _run(process: asyncssh.SSHServerProcess[bytes]) -> None:
    assert isinstance(process, Session)
    await process.run()


def _sftp_server(channel: asyncssh.SSHChannel[bytes]) -> asyncssh.SFTPServer:
    assert isinstance(channel, asyncssh.SSHServerChannel)
    return asyncssh.SFTPServer(channel)


def _login_shell() -> str:
    return next((shell for shell in ("/bin/bash", "/usr/bin/bash") if os.access(shell, os.X_OK)), "/bin/sh")


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
