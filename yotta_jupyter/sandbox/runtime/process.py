"""The process of one pod, as the sandbox sees it."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from .channel import Channel, Disconnect, Done, Freeze, Message, Started, Thaw

_MODULE: Final = "yotta_jupyter.sandbox.pod"

# Everything else stays out of pods, above all API keys.
_PASSED_ON: Final = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
)


class PodProcess:
    """A child process that runs the code of one pod. It ends by itself when this process ends, however it ends."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # The child must import the same package, also where it is not installed.
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # An interrupt of a notebook's kernel is sent to its process group.
            )
        self._channel = Channel(ours)
        self._started: Started | None = None
        self._request_lock = threading.Lock()
        self._done = threading.Event()

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
        """Send a message and wait until it is carried out.

        It must not be called on the thread that calls `receive`.
        """
        with self._request_lock:
            self._done.clear()
            self.send(message)
            if not self._done.wait(timeout):
                raise TimeoutError(f"the process of the pod did not respond within {timeout:g} s")

    def receive(self) -> bool:
        """Handle the messages that have arrived. Return False if the process has ended."""
        try:
            messages = self._channel.receive()
        except OSError:
            messages = []
        for message in messages:
            if isinstance(message, Started):
                self._started = message
            elif isinstance(message, Done):
                self._done.set()
        return bool(messages)

    def end(self) -> None:
        """Make the process kill all processes of the pod, erase its files and end. Does not wait for it."""
        with contextlib.suppress(OSError):
            self._channel.end()

    def kill(self) -> None:
        """End a process that does not respond."""
        self._process.kill()

    def clean_up(self) -> None:
        """Wait for the end of the process, and remove what it has left behind if it did not end by itself."""
        self._done.set()
        self._channel.close()
        if self._process.wait() and self._started is not None:
            from ..pod.processes import kill_by_home
            from ..pod.storage import remove_tree

            kill_by_home(self._started.home)
            remove_tree(Path(self._started.directory))
