"""A TCP proxy on loopback, in a process of its own, that delays, freezes and kills connections."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time
from queue import SimpleQueue
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER that makes ``close`` send a reset."""


class Proxy:
    """A running proxy to a port. A context manager.

    Parameters
    ----------
    port : int
        The target on 127.0.0.1.
    delay : float, default 0.0
        Seconds that are added to each direction.

    Attributes
    ----------
    port : int
        Where the proxy listens on 127.0.0.1.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        command = [sys.executable, "-m", __name__, str(port), str(delay)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._read_line())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def freeze(self) -> None:
        """Forward nothing more, also of new connections, and leave all connections open."""
        self._run("freeze")

    def kill(self) -> None:
        """Reset all connections, frozen ones too, and forward new ones."""
        self._run("kill")

    def _run(self, command: str) -> None:
        """Send a command and wait until it has been run."""
        assert self._process.stdin is not None
        print(command, file=self._process.stdin, flush=True)
        self._read_line()

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class _Server:
    """The proxy: for each direction of a connection, a thread that receives and a thread that sends after the delay."""

    def __init__(self, target: int, delay: float) -> None:
        self._target = target
        self._delay = delay
        self._is_forwarding = threading.Event()
        self._is_forwarding.set()
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            self._sockets.add(client)
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def freeze(self) -> None:
        self._is_forwarding.clear()

    def kill(self) -> None:
        for connection in list(self._sockets):
            self._close(connection)
        self._is_forwarding.set()

    def _close(self, connection: socket.socket) -> None:
        self._sockets.discard(connection)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.shutdown(socket.SHUT_RD)  # Ends a blocking `recv` of another thread.
        connection.close()

    def _connect(self, client: socket.socket) -> None:
        self._is_forwarding.wait()
        if client.fileno() < 0:  # `kill` closed it.
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
            for connection in (client, server):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self._close(client)
            return
        self._sockets.add(server)
        for source, target in ((client, server), (server, client)):
            blocks: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            threading.Thread(target=self._receive, args=(source, blocks), daemon=True).start()
            threading.Thread(target=self._send, args=(target, blocks), daemon=True).start()

    def _receive(self, source: socket.socket, blocks: SimpleQueue[tuple[float, bytes]]) -> None:
        is_end = False
        while not is_end:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            is_end = not data
            self._is_forwarding.wait()
            blocks.put((time.monotonic() + self._delay, data))

    def _send(self, target: socket.socket, blocks: SimpleQueue[tuple[float, bytes]]) -> None:
        while True:
            due, data = blocks.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                self._close(target)
                return


def main() -> None:
    """Print the port and serve. Run each command that is read from stdin, then print its name."""
    server = _Server(int(sys.argv[1]), float(sys.argv[2]))
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    commands = {"freeze": server.freeze, "kill": server.kill}
    for line in sys.stdin:
        name = line.strip()
        commands[name]()
        print(name, flush=True)


if __name__ == "__main__":
    main()
