"""Messages between the sandbox and the process of a pod, over a Unix socket that can carry a file descriptor."""

import os
import socket
from collections import deque
from typing import TypeAlias

import msgspec

from .pod_config import PodConfig


class Start(msgspec.Struct, tag=True):
    """Start the SSH server on the listening socket that comes with the message."""

    config: PodConfig


class Pause(msgspec.Struct, tag=True):
    """Stop the SSH server, kill all processes and erase all files outside the persistent volume."""


class Disconnect(msgspec.Struct, tag=True):
    """Cut all SSH connections."""


class Freeze(msgspec.Struct, tag=True):
    """Stop reading from and writing to all SSH connections."""


class Thaw(msgspec.Struct, tag=True):
    """End a freeze."""


class StorageCreated(msgspec.Struct, tag=True):
    """The first message of the process: the directory with all files of the pod, and the home directory in it."""

    root: str
    home: str


class Done(msgspec.Struct, tag=True):
    """The response to ``Disconnect``, ``Freeze`` and ``Thaw``."""


Message: TypeAlias = Start | Pause | Disconnect | Freeze | Thaw | StorageCreated | Done

_decoder = msgspec.json.Decoder(Message)


class Channel:
    """One end of a socket pair. The stream ends when the other process ends or calls `end`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self._descriptors: deque[int] = deque()

    def fileno(self) -> int:
        """Return the file descriptor of the socket."""
        return self._socket.fileno()

    def send(self, message: Message, descriptor: int | None = None) -> None:
        """Send a message, with a duplicate of a file descriptor if one is given."""
        data = msgspec.json.encode(message) + b"\n"
        if descriptor is not None:
            sent_bytes = socket.send_fds(self._socket, [data], [descriptor])
            data = data[sent_bytes:]
        self._socket.sendall(data)

    def receive(self) -> list[Message]:
        """Wait for a message and return all that have arrived; an empty list at the end of the stream."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 65536, 1)
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
                self._descriptors.append(descriptor)
            if not data:
                return []
            *complete_lines, self._buffer = (self._buffer + data).split(b"\n")
            if complete_lines:
                return [_decoder.decode(line) for line in complete_lines]

    def take_descriptor(self) -> int:
        """Return the file descriptor of the oldest message whose descriptor was not taken yet."""
        return self._descriptors.popleft()

    def end(self) -> None:
        """End the stream for the other process."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
