"""The process of one pod, controlled from the process of the sandbox."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from .channel import Channel, Disconnect, Done, Freeze, Message, StorageCreated, Thaw

_MODULE: Final = "yotta_jupyter.sandbox.pod"

_SYSTEM_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LOCALE_VARIABLES: Final = ("LANG", "LC_ALL", "LC_CTYPE")
_PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_PIP_VARIABLES: Final = ("PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")

# Pods get no other variables, because these may contain API keys.
_INHERITED_VARIABLES: Final = (
    *_SYSTEM_VARIABLES,
    *_LOCALE_VARIABLES,
    *_PROXY_VARIABLES,
    *_CERTIFICATE_VARIABLES,
    *_PIP_VARIABLES,
)


class PodProcess:
    """A child process that runs the code of one pod. It ends when the process of the sandbox ends or is killed."""

    def __init__(self) -> None:
        parent_socket, child_socket = socket.socketpair()
        environment = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        # The child must import the same package, also where it is not installed.
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        with child_socket:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(child_socket.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[child_socket.fileno()],
                env=environment,
                start_new_session=True,  # Otherwise an interrupt of the notebook's kernel also interrupts the pod.
            )
        self._channel = Channel(parent_socket)
        self._storage: StorageCreated | None = None
        self._request_lock = threading.Lock()
        self._request_done = threading.Event()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the file descriptor that is readable when `receive` should be called."""
        return self._channel.fileno()

    def send(self, message: Message, descriptor: int | None = None) -> None:
        """Send a message. Has no effect if the process has ended."""
        with contextlib.suppress(OSError):
            self._channel.send(message, descriptor)

    def request(self, message: Disconnect | Freeze | Thaw, timeout: float = 10.0) -> None:
        """Send a message and wait until it is done, at most ``timeout`` seconds.

        It must not be called on the thread that calls `receive`.
        """
        with self._request_lock:
            self._request_done.clear()
            self.send(message)
            done = self._request_done.wait(timeout)
            if not done:
                raise TimeoutError(f"the process of the pod did not respond within {timeout:g} s")

    def receive(self) -> bool:
        """Handle the messages that have arrived. Return False if the process has ended."""
        try:
            messages = self._channel.receive()
        except OSError:
            messages = []
        for message in messages:
            if isinstance(message, StorageCreated):
                self._storage = message
            elif isinstance(message, Done):
                self._request_done.set()
        return bool(messages)

    def end(self) -> None:
        """Make the process kill all processes of the pod, erase its files and end. Does not wait for it."""
        with contextlib.suppress(OSError):
            self._channel.end()

    def kill(self) -> None:
        """End a process that does not respond."""
        self._process.kill()

    def clean_up(self) -> None:
        """Wait for the end of the process. If it failed, kill the processes of the pod and remove its files."""
        self._request_done.set()  # A pending request gets no response.
        self._channel.close()
        failed = self._process.wait() != 0
        if failed and self._storage is not None:
            from ..pod.processes import kill_by_home
            from ..pod.storage import remove_tree

            kill_by_home(self._storage.home)
            remove_tree(Path(self._storage.root))
