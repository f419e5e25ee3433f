"""The pod's side of a copy: a program that sends or receives frames on stdin and stdout."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from typing import Any

from .protocol import FRAME_HEAD, MARKER, CopyError, CopyListener, FrameChannel, to_json
from .receiver import receive
from .sender import send

_F_SETPIPE_SZ = 1031  # Of Linux; `fcntl` has it since Python 3.10.
_PIPE_SIZE = 1 << 20


class _StdioChannel(FrameChannel):
    """Frames on stdin and stdout."""

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.buffer, sys.stdout.buffer
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # A larger pipe needs fewer switches between processes.
                fcntl.fcntl(stream.fileno(), _F_SETPIPE_SZ, _PIPE_SIZE)

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        data = to_json(head)
        self._out.write(FRAME_HEAD.pack(len(data), len(body)) + data)
        self._out.write(body)

    def flush(self) -> None:
        self._out.flush()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        head_size, body_size = FRAME_HEAD.unpack(self._read(FRAME_HEAD.size))
        head = json.loads(self._read(head_size))
        body = self._read(body_size)
        if head.get("type") == "error":
            raise CopyError(str(head.get("text")))
        return head, body

    def _read(self, size: int) -> bytes:
        data = self._in.read(size)
        if len(data) < size:
            sys.exit(1)  # The connection was lost. A part of a file stays for the next attempt.
        return data


def main(command: str, path: str) -> None:
    """Send or receive a file or a folder, and exit.

    Parameters
    ----------
    command : {"send", "receive"}
    path : str
        Relative to the home.
    """
    sys.stdout.buffer.write(MARKER)
    sys.stdout.buffer.flush()
    channel = _StdioChannel()
    path = os.path.join(os.path.expanduser("~"), os.path.expanduser(path))
    try:
        if command == "send":
            send(channel, path, CopyListener())
        else:
            receive(channel, path, CopyListener())
    except (CopyError, OSError) as error:
        is_system_failure = error.is_system_failure if isinstance(error, CopyError) else True
        channel.send({"type": "error", "text": str(error), "is_system_failure": is_system_failure})
        channel.flush()
        sys.exit(1)
