"""``python -m yotta_jupyter.sandbox.pod FD``: run the code of one pod, until the stream of the socket FD ends."""

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

from ..runtime.channel import Boot, Channel, Disconnect, Done, Freeze, Halt, Message, Started, Thaw
from .environment import write_shell_files
from .processes import Processes
from .python_env import create_venv
from .ssh_server import PodServer
from .storage import Storage

_STOP_SECONDS: Final = 1.0


class Pod:
    """The pod: an event loop on the main thread for SSH, and a thread that obeys the sandbox even if the loop hangs."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._channel = Channel(connection)
        self._loop = asyncio.new_event_loop()
        self._storage = Storage()
        self._channel.send(Started(str(self._storage.root), str(self._storage.home)))
        self._processes = Processes(self._loop, str(self._storage.home))
        self._server: PodServer | None = None
        self._frozen = threading.Event()
        self._thawed = threading.Event()
        self._loop.add_signal_handler(signal.SIGTERM, self._connection.shutdown, socket.SHUT_RD)

    def run(self) -> NoReturn:
        """Obey the sandbox until it ends the pod."""
        threading.Thread(target=self._control, daemon=True).start()
        self._loop.run_forever()
        raise AssertionError("the event loop has ended")

    def _control(self) -> None:
        try:
            self._obey()
        except Exception:
            traceback.print_exc()
        self._end()

    def _obey(self) -> None:
        """Carry out messages until the sandbox or its process ends."""
        parent = _ParentWatch()
        while parent.wait(self._channel):
            messages = self._channel.receive()
            if not messages:
                return
            for message in messages:
                self._handle(message)

    def _handle(self, message: Message) -> None:
        match message:
            case Boot():
                listener = socket.socket(fileno=self._channel.take_descriptor())
                asyncio.run_coroutine_threadsafe(self._boot(message, listener), self._loop).result()
            case Halt():
                self._halt()
            case Disconnect():
                if self._server is not None:
                    self._server.disconnect()
                self._channel.send(Done())
            case Freeze():
                if not self._frozen.is_set():
                    self._thawed.clear()
                    self._loop.call_soon_threadsafe(self._hang)
                    self._frozen.wait()
                self._channel.send(Done())
            case Thaw():
                self._thaw()
                self._channel.send(Done())

    async def _boot(self, boot: Boot, listener: socket.socket) -> None:
        self._storage.create_directories()
        os.chdir(self._storage.home)  # Paths in SFTP are relative to it.
        volume = self._storage.mount_path(boot.volume)
        if volume is not None:
            volume.mkdir(parents=True, exist_ok=True)
        create_venv(self._storage.venv)
        write_shell_files(boot, self._storage)
        _write_authorized_keys(boot, self._storage)
        self._processes.reopen()
        self._server = PodServer(boot, self._storage, self._processes)
        await self._server.start(listener)

    def _halt(self) -> None:
        volume = self._server.boot.volume if self._server is not None else None
        self._stop()
        self._storage.erase(volume)

    def _end(self) -> NoReturn:
        status = 1  # The sandbox cleans up after a process that fails.
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
        server, self._server = self._server, None
        if server is not None:
            stopped = asyncio.run_coroutine_threadsafe(server.stop(), self._loop)
            self._thaw()  # After the request to stop, so that nothing is handled that a client has sent meanwhile.
            with contextlib.suppress(TimeoutError):
                stopped.result(_STOP_SECONDS)
        self._processes.kill_all()
        os.chdir("/")

    def _hang(self) -> None:
        """Block the event loop until `_thaw`."""
        self._frozen.set()
        self._thawed.wait()
        self._frozen.clear()

    def _thaw(self) -> None:
        self._thawed.set()


class _ParentWatch:
    """Wait for messages, but not longer than the parent lives.

    The end of the parent does not end the stream if a process that the parent has forked still has the socket open.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._descriptor = os.pidfd_open(self._parent) if hasattr(os, "pidfd_open") else None

    def wait(self, channel: Channel) -> bool:
        """Wait until the channel is readable. Return False if the parent has ended."""
        watched = [channel.fileno(), *([] if self._descriptor is None else [self._descriptor])]
        while True:
            readable, _, _ = select.select(watched, [], [], 1.0 if self._descriptor is None else None)
            if os.getppid() != self._parent or self._descriptor in readable:
                return False
            if readable:
                return True


def _write_authorized_keys(boot: Boot, storage: Storage) -> None:
    directory = storage.home / ".ssh"
    directory.mkdir(0o700, exist_ok=True)
    file = directory / "authorized_keys"
    file.write_text("".join(f"{line}\n" for line in boot.authorized_keys), encoding="utf-8")
    file.chmod(0o600)


def main() -> None:
    """Run a pod."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    Pod(connection).run()


if __name__ == "__main__":
    main()
