"""Messages between the sandbox and the process of a pod, over a Unix socket that can carry a file descriptor."""

import os
import socket
from collections import deque
from typing import TypeAlias

import msgspec


class Boot(msgspec.Struct, tag=True, kw_only=True):
    """Start the SSH server on the listening socket that comes with the message.

    Attributes
    ----------
    pod_id, pod_name : str
        The pod.
    environment : dict of str to str
        The environment variables of SSH sessions, besides the usual ones.
    authorized_keys : list of str
        Lines in the format of ``authorized_keys``.
    account_key_file : str or None
        A file with more of these lines, read at each login. It need not exist.
    volume : str or None
        The mount path of the persistent volume, such as ``/workspace``; None if the pod has no volume.
    """

    pod_id: str
    pod_name: str
    environment: dict[str, str]
    authorized_keys: list[str]
    account_key_file: str | None
    volume: str | None


class Halt(msgspec.Struct, tag=True):
    """Stop the SSH server, kill all processes and erase all files outside the persistent volume."""


class Disconnect(msgspec.Struct, tag=True):
    """Cut all SSH connections."""


class Freeze(msgspec.Struct, tag=True):
    """Stop reading from and writing to all SSH connections."""


class Thaw(msgspec.Struct, tag=True):
    """End a freeze."""


class Started(msgspec.Struct, tag=True):
    """The process of the pod has made this directory for all files of the pod, and this home directory in it."""

    directory: str
    home: str


class Done(msgspec.Struct, tag=True):
    """The last ``Disconnect``, ``Freeze`` or ``Thaw`` is carried out."""


Message: TypeAlias = Boot | Halt | Disconnect | Freeze | Thaw | Started | Done

_decoder = msgspec.json.Decoder(Message)


class Channel:
    """One end of a socket pair. The end of the other process is the end of the stream."""

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
        sent = 0
        if descriptor is not None:
            sent = socket.send_fds(self._socket, [data], [descriptor])
        self._socket.sendall(data[sent:])

    def receive(self) -> list[Message]:
        """Wait for messages and return them. The list is empty at the end of the stream.

        Returns
        -------
        list of message
            All messages that have arrived completely, at least one before the end of the stream.
        """
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 65536, 1)
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
                self._descriptors.append(descriptor)
            if not data:
                return []
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            if lines:
                return [_decoder.decode(line) for line in lines]

    def take_descriptor(self) -> int:
        """Return the oldest file descriptor that was received and not taken."""
        return self._descriptors.popleft()

    def end(self) -> None:
        """End the stream to the other process."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
