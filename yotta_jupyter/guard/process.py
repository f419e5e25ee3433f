"""The enforcer's process: its lock, socket, log and start. Used by the enforcer and by notebooks."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Final, TextIO

from ..errors import InvalidRequest, YottaError
from ..secret import Secret, is_sensitive_name
from .storage import data_folder

START_TIMEOUT: Final = 20.0  # seconds
REPLY_TIMEOUT: Final = 5.0  # seconds
MAX_MESSAGE: Final = 65536  # bytes
_MAX_LOG: Final = 1_000_000  # bytes
_POLL_INTERVAL: Final = 0.05  # seconds
_MAX_SOCKET_PATH: Final = 100  # bytes; the system allows 104 or 108
REPLY: Final = b"ok"


def require_posix() -> None:
    """Raise an error if the enforcer cannot run on this system.

    Raises
    ------
    InvalidRequest
        The system is Windows.
    """
    if os.name != "posix":
        raise InvalidRequest("Guards need Linux or macOS: on this system no process can enforce them.")


def socket_path() -> Path:
    """Return the path of the enforcer's Unix socket."""
    path = data_folder() / "enforcer.sock"
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise YottaError(
            f"The enforcer's socket {path} has too long a path.", advice="Set XDG_DATA_HOME to a shorter folder."
        )
    return path


def log_path() -> Path:
    """Return the path of the enforcer's log."""
    return data_folder() / "guards.log"


@contextmanager
def lock(timeout: float = 0.0) -> Iterator[bool]:
    """Try to take the lock that an enforcer holds while it runs. The system releases it when the process ends.

    Parameters
    ----------
    timeout : float
        Seconds to wait for the lock.

    Yields
    ------
    bool
        Whether it was obtained.
    """
    require_posix()
    folder = data_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / "enforcer.lock", "a") as file:
        yield _acquire(file, timeout)  # Closing the file releases the lock.


def _acquire(file: TextIO, timeout: float) -> bool:
    import fcntl

    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        time.sleep(_POLL_INTERVAL)


def is_running() -> bool:
    """Return whether an enforcer runs."""
    try:
        with lock() as obtained:
            return not obtained
    except OSError:
        return False


def send(message: Secret | None = None) -> bool:
    """Send a message to the enforcer, which then reads the guards again.

    Parameters
    ----------
    message : Secret, optional
        JSON with a key; without it, the enforcer only reads the guards.

    Returns
    -------
    bool
        Whether an enforcer has answered.
    """
    try:
        with Client(str(socket_path()), "AF_UNIX") as connection:
            assert isinstance(connection, Connection)
            connection.send_bytes(b"{}" if message is None else message.reveal().encode())
            return connection.poll(REPLY_TIMEOUT) and bool(connection.recv_bytes(MAX_MESSAGE))
    except (OSError, EOFError):
        return False


def ensure_running(base_url: str, api_key: Secret, ssh_key: str | None) -> bool:
    """Start the enforcer unless it runs, and send it an API key. The key goes through the socket only.

    Parameters
    ----------
    base_url : str
    api_key : Secret
    ssh_key : str or None
        A private key file.

    Returns
    -------
    bool
        Whether this call has started the enforcer.

    Raises
    ------
    YottaError
        It does not start, or does not answer.
    """
    # No variable holds the key as plain text, because a verbose traceback shows variables.
    message = Secret(json.dumps({"base_url": base_url, "ssh_key": ssh_key, "api_key": api_key.reveal()}))
    if send(message):
        return False
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process is None and not is_running():
            process = _spawn()
        if send(message):
            return process is not None
        has_failed = process is not None and process.poll()  # An exit code other than 0.
        if has_failed:
            break
        time.sleep(_POLL_INTERVAL)
    state = "runs but does not answer" if is_running() else "does not start"
    raise YottaError(f"The guards' enforcer {state}.", advice=f"See {log_path()}; no guard is enforced until it runs.")


def _spawn() -> subprocess.Popen[bytes]:
    """Start the enforcer in a session of its own, without secrets in its environment."""
    folder = data_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    package_parent = str(Path(__file__).parents[2])  # The package may not be installed.
    environment = {
        name: value for name, value in os.environ.items() if name == "SSH_AUTH_SOCK" or not is_sensitive_name(name)
    }
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_parent, environment.get("PYTHONPATH")]))
    with open(log_path(), "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "yotta_jupyter.guard"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,  # It outlives the notebook, the kernel and the terminal.
        )


def open_log() -> logging.Logger:
    """Open the enforcer's log, which is limited in size."""
    handler = RotatingFileHandler(log_path(), maxBytes=_MAX_LOG, backupCount=1)
    formatter = logging.Formatter("%(asctime)s UTC  %(message)s", "%Y-%m-%d %H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger("yotta_jupyter.guard")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def read_log(lines: int) -> str:
    """Return the last lines of the enforcer's log; empty if there is none.

    Parameters
    ----------
    lines : int

    Returns
    -------
    str
    """
    try:
        return "\n".join(log_path().read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
