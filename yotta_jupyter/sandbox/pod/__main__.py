"""``python -m yotta_jupyter.sandbox.pod FD``: run the code of one pod.

FD is the file descriptor of the socket for messages. The process ends when the stream of this socket ends.
"""

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Final, NoReturn

from ..runtime.channel import Channel, Disconnect, Done, Freeze, Message, Pause, Start, StorageCreated, Thaw
from ..runtime.pod_config import PodConfig
from .environment import write_container_environment, write_shell_files
from .processes import Processes
from .python_env import create_venv
from .ssh_server import PodServer
from .storage import Storage

_STOP_SECONDS: Final = 1.0


class Pod:
    """The server, the processes and the files of a pod.

    An event loop on the main thread serves SSH. A control thread handles the messages of the sandbox, also while the
    event loop is blocked.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._channel = Channel(connection)
        self._loop = asyncio.new_event_loop()
        self._storage = Storage()
        self._channel.send(StorageCreated(str(self._storage.root), str(self._storage.home)))
        self._processes = Processes(self._loop, str(self._storage.home))
        self._server: PodServer | None = None
        self._loop_blocked = threading.Event()
        self._thawed = threading.Event()
        # SIGTERM ends the stream of messages, and so the pod.
        self._loop.add_signal_handler(signal.SIGTERM, connection.shutdown, socket.SHUT_RD)

    def run(self) -> NoReturn:
        """Run until the sandbox ends the pod."""
        threading.Thread(target=self._control, daemon=True).start()
        self._loop.run_forever()
        raise AssertionError("the event loop has ended")

    def _control(self) -> None:
        try:
            self._handle_messages()
        except Exception:
            traceback.print_exc()
        self._end()

    def _handle_messages(self) -> None:
        """Handle messages until the stream or the process of the sandbox ends."""
        parent = _ParentMonitor()
        while parent.wait_for_message(self._channel):
            messages = self._channel.receive()
            if not messages:
                return
            for message in messages:
                self._handle(message)

    def _handle(self, message: Message) -> None:
        """Handle a message. Disconnect, Freeze and Thaw are answered when they are done."""
        match message:
            case Start(config):
                listener = socket.socket(fileno=self._channel.take_descriptor())
                asyncio.run_coroutine_threadsafe(self._start(config, listener), self._loop).result()
            case Pause():
                self._pause()
            case Disconnect():
                if self._server is not None:
                    self._server.disconnect()
                self._channel.send(Done())
            case Freeze():
                self._freeze()
                self._channel.send(Done())
            case Thaw():
                self._thaw()
                self._channel.send(Done())

    async def _start(self, config: PodConfig, listener: socket.socket) -> None:
        self._storage.create_directories()
        os.chdir(self._storage.home)  # Paths in SFTP are relative to it.
        volume = self._storage.volume_directory(config.mount_path)
        if volume is not None:
            volume.mkdir(parents=True, exist_ok=True)
        create_venv(self._storage.venv)
        write_shell_files(config, self._storage)
        write_container_environment(config, self._storage)
        _write_authorized_keys(config, self._storage)
        self._processes.reopen()
        self._server = PodServer(config, self._storage, self._processes)
        await self._server.start(listener)

    def _pause(self) -> None:
        mount_path = self._server.config.mount_path if self._server is not None else None
        self._stop()
        self._storage.erase(mount_path)

    def _end(self) -> NoReturn:
        """Stop everything, remove all files and end the process. If that fails, the sandbox cleans up."""
        status = 1
        try:
            self._stop()
            self._storage.remove()
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _stop(self) -> None:
        """End the server and all processes."""
        server = self._server
        self._server = None
        if server is not None:
            # Scheduled before the thaw, so that the server handles nothing that a client sent during a freeze.
            stopped = asyncio.run_coroutine_threadsafe(server.stop(), self._loop)
            self._thaw()
            with contextlib.suppress(TimeoutError):
                stopped.result(_STOP_SECONDS)
        self._processes.kill_all()
        os.chdir("/")

    def _freeze(self) -> None:
        """Block the event loop until `_thaw`."""
        if not self._loop_blocked.is_set():
            self._thawed.clear()
            self._loop.call_soon_threadsafe(self._wait_for_thaw)
            self._loop_blocked.wait()

    def _wait_for_thaw(self) -> None:
        self._loop_blocked.set()
        self._thawed.wait()
        self._loop_blocked.clear()

    def _thaw(self) -> None:
        self._thawed.set()


class _ParentMonitor:
    """Detect the end of the parent process while waiting for a message.

    The end of the parent does not always end the stream: a child that the parent forked may have the socket open.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        # Readable when the parent has ended. Only Linux has it, elsewhere the parent is polled.
        self._descriptor = os.pidfd_open(self._parent) if hasattr(os, "pidfd_open") else None
        self._poll_seconds = 1.0 if self._descriptor is None else None

    def wait_for_message(self, channel: Channel) -> bool:
        """Wait until the channel is readable. Return False if the parent has ended."""
        descriptors = [channel.fileno()]
        if self._descriptor is not None:
            descriptors.append(self._descriptor)
        while True:
            readable, _, _ = select.select(descriptors, [], [], self._poll_seconds)
            if os.getppid() != self._parent or self._descriptor in readable:
                return False
            if readable:
                return True


def _write_authorized_keys(config: PodConfig, storage: Storage) -> None:
    directory = storage.home / ".ssh"
    directory.mkdir(0o700, exist_ok=True)
    file = directory / "authorized_keys"
    file.write_text("".join(f"{line}\n" for line in config.authorized_keys), encoding="utf-8")
    file.chmod(0o600)


def main() -> None:
    """Run a pod."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    Pod(connection).run()


if __name__ == "__main__":
    main()
