"""The sessions of an SSH connection: commands and shells, with and without a terminal, and SFTP."""

import contextlib
import os
import signal
from functools import partial
from typing import Final

import asyncssh
from asyncssh.channel import SSHChannel, SSHServerChannel
from asyncssh.stream import SSHServerStreamSession

from ..runtime.pod_config import PodConfig
from .environment import session_environment
from .processes import Child, Processes
from .storage import Storage
from .streams import Input, Output
from .terminal import open_terminal, set_size

_SFTP_VERSION: Final = 3

# A shell script that opens the terminal and runs its arguments; `sh -c` passes the first one as $0. The first terminal
# that the leader of a session opens becomes the controlling terminal of the session.
_RUN_IN_TERMINAL: Final = 'exec "$0" "$@" <>"$SSH_TTY" >&0 2>&0'

# The signals that a client can send or receive (RFC 4254 section 6.10).
_SIGNALS: Final = ("ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2")


class _SftpServer(asyncssh.SFTPServer):
    """SFTP with an exit status, without which scp of OpenSSH fails after a complete transfer."""

    def exit(self) -> None:
        """Report success at the end of the session."""
        self.channel.exit(0)


class Session(SSHServerStreamSession[bytes]):
    """A session that runs a process. Its base class serves SFTP."""

    _chan: SSHServerChannel[bytes]

    def __init__(self, config: PodConfig, storage: Storage, processes: Processes) -> None:
        super().__init__(None, _sftp_server, _SFTP_VERSION)
        self._config = config
        self._storage = storage
        self._processes = processes
        self._child: Child | None = None
        self._input: Input | None = None
        self._outputs: list[Output] = []
        self._terminal: int | None = None

    def shell_requested(self) -> bool:
        """Accept a shell."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Accept any command."""
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Accept SFTP only."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Start the process."""
        if self._chan.get_subsystem() is not None:
            super().session_started()
            return
        command = self._chan.get_command()
        shell = _login_shell()
        argv = [shell, "--login"] if command is None else [shell, "-c", command]
        wants_terminal = self._chan.get_terminal_type() is not None
        start = self._start_in_terminal if wants_terminal else self._start_with_pipes
        try:
            self._child = start(argv, self._environment(shell))
        except OSError as error:
            self._chan.write_stderr(f"{error.strerror or error}\n".encode())
            self._chan.exit(255)
            return
        self._child.exited.add_done_callback(lambda _: self._finish())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass on input to the process."""
        if self._input is None:
            super().data_received(data, datatype)
        else:
            self._input.write(data)

    def eof_received(self) -> bool:
        """Close the input of the process, but not its output."""
        if self._input is None:
            return super().eof_received()
        self._input.write_eof()
        return True

    def pause_writing(self) -> None:
        """Read no more output until the client has received some."""
        super().pause_writing()
        for output in self._outputs:
            output.pause()

    def resume_writing(self) -> None:
        """Read output again."""
        super().resume_writing()
        for output in self._outputs:
            output.resume()

    def signal_received(self, signal: str) -> None:
        """Send a signal to the process group."""
        if self._child is not None and signal in _SIGNALS:
            self._processes.signal_group(self._child, _signal_number(signal))

    def break_received(self, msec: int) -> bool:
        """Send SIGINT to the process group."""
        self.signal_received("INT")
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Change the size of the terminal."""
        if self._terminal is not None and self._has_open_output():  # `Output` closes the terminal.
            set_size(self._terminal, (width, height, pixwidth, pixheight))

    def connection_lost(self, exc: Exception | None) -> None:
        """Send SIGHUP to the processes of the session."""
        super().connection_lost(exc)
        if self._input is not None:
            self._input.close()
        for output in self._outputs:
            output.close()
        if self._child is not None and not self._child.exited.done():
            self._processes.hang_up(self._child)

    def _start_with_pipes(self, argv: list[str], environment: dict[str, str]) -> Child:
        child_stdin, stdin = os.pipe()
        stdout, child_stdout = os.pipe()
        stderr, child_stderr = os.pipe()
        try:
            child = self._processes.start(argv, environment, child_stdin, child_stdout, child_stderr)
        except OSError:
            _close(stdin, stdout, stderr)
            raise
        finally:
            _close(child_stdin, child_stdout, child_stderr)
        self._connect_input(stdin)
        self._connect_output(stdout, None)
        self._connect_output(stderr, asyncssh.EXTENDED_DATA_STDERR)
        return child

    def _start_in_terminal(self, argv: list[str], environment: dict[str, str]) -> Child:
        master, slave = open_terminal(self._chan.get_terminal_size(), self._chan.get_terminal_modes())
        environment |= {"TERM": self._chan.get_terminal_type() or "dumb", "SSH_TTY": os.ttyname(slave)}
        try:
            child = self._processes.start(["/bin/sh", "-c", _RUN_IN_TERMINAL, *argv], environment, slave, slave, slave)
        except OSError:
            _close(master)
            raise
        finally:
            _close(slave)
        self._terminal = master
        self._connect_input(os.dup(master))
        self._connect_output(master, None)
        return child

    def _connect_input(self, descriptor: int) -> None:
        self._input = Input(descriptor, self._chan.pause_reading, self._chan.resume_reading)

    def _connect_output(self, descriptor: int, datatype: int | None) -> None:
        self._outputs.append(Output(descriptor, partial(self._send, datatype), self._finish))

    def _send(self, datatype: int | None, data: bytes) -> None:
        """Send output to the client. The datatype is None for stdout."""
        with contextlib.suppress(OSError):  # The client has closed the session.
            self._chan.write(data, datatype)

    def _finish(self) -> None:
        """Report the exit of the process if it has ended and its output is closed.

        As in OpenSSH, the session continues while a background process has the output open.
        """
        if self._child is None or not self._child.exited.done() or self._has_open_output():
            return
        status = self._child.exited.result()
        if status >= 0:
            self._chan.exit(status)
            return
        signal_number = -status
        signal_name = signal.Signals(signal_number).name.removeprefix("SIG")
        if signal_name in _SIGNALS:
            self._chan.exit_with_signal(signal_name)
        else:
            self._chan.exit(128 + signal_number)  # As a shell does.

    def _has_open_output(self) -> bool:
        return not all(output.closed for output in self._outputs)

    def _environment(self, shell: str) -> dict[str, str]:
        client = self._chan.get_extra_info("peername")
        server = self._chan.get_extra_info("sockname")
        return session_environment(
            self._config,
            self._storage,
            shell=shell,
            username=self._chan.get_extra_info("username"),
            requested=self._chan.get_environment(),
            connection=f"{client[0]} {client[1]} {server[0]} {server[1]}",
        )


def _sftp_server(channel: SSHChannel[bytes]) -> asyncssh.SFTPServer:
    assert isinstance(channel, SSHServerChannel)
    return _SftpServer(channel)


def _signal_number(name: str) -> int:
    return signal.Signals[f"SIG{name}"]


def _login_shell() -> str:
    for shell in ("/bin/bash", "/usr/bin/bash"):
        if os.access(shell, os.X_OK):
            return shell
    return "/bin/sh"


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
