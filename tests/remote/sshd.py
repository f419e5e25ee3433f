"""A real OpenSSH server on loopback that stands for a pod."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import asyncssh
import psutil

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv {environment}
{extra}
"""


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.01)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Sshd:
    """An OpenSSH server with a host key, an account key and a home of its own.

    Parameters
    ----------
    folder : Path
        An empty folder.
    environment : mapping, optional
        Environment variables of the sessions.
    extra : str, optional
        More lines of the configuration.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, extra: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.user = getpass.getuser()
        self.home = folder / "home"
        self.home.mkdir()
        (folder / "tmp").mkdir()
        self.key_file = folder / "id_ed25519"
        self._extra = extra
        self._environment = {
            "HOME": str(self.home),
            "TMPDIR": str(folder / "tmp"),
            "YOTTA_PYTHON": sys.executable,
            "YOTTA_CONTAINER_ENVIRON": str(folder / "environ"),
            "IPYTHONDIR": str(self.home / ".ipython"),
        } | dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.new_host_key()
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(self.key_file)
        self.key_file.chmod(0o600)
        key.write_public_key(folder / "authorized_keys")

    def new_host_key(self) -> None:
        """Replace the host key; the server uses it after a start."""
        path = self.folder / "host_key"
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
        path.chmod(0o600)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        environment = " ".join(f'"{name}={value}"' for name, value in self._environment.items())
        config = self.folder / "sshd_config"
        config.write_text(
            _CONFIG.format(port=self.port, folder=self.folder, environment=environment, extra=self._extra)
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        log = (self.folder / "sshd.log").open("ab")
        self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        wait_until(self._accepts)

    def _accepts(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def sessions(self) -> list[psutil.Process]:
        """Return the processes that serve the connections."""
        if self._process is None:
            return []
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if child.name().startswith("sshd"):
                        found.append(child)
        return found

    def signal_sessions(self, number: signal.Signals) -> None:
        """Send a signal to the processes of all connections."""
        for process in self.sessions():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def drop(self) -> None:
        """Kill all connections. The server accepts new ones."""
        self.signal_sessions(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server and all connections."""
        if self._process is not None:
            sessions = self.sessions()
            self._process.terminate()
            self._process.wait()
            for process in sessions:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process = None

    def processes(self) -> list[psutil.Process]:
        """Return all processes that were started in sessions of this server: those with its home."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("HOME") == str(self.home):
                    found.append(process)
        return found

    def kill_processes(self) -> None:
        """Kill all processes that were started in sessions, as when a pod ends."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@contextlib.contextmanager
def run_sshd(folder: Path, environment: Mapping[str, str] | None = None, extra: str = "") -> Iterator[Sshd]:
    """Run a server; at the end stop it and kill all processes of its sessions."""
    server = Sshd(folder, environment, extra)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.kill_processes()
