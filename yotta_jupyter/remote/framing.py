"""Frames of the agent's protocol, read with limits: the pod is not trusted."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, Final, NamedTuple, Protocol

from ..errors import RemoteUnavailable

MAX_HEAD: Final = 1 << 20
MAX_BODY: Final = 256 << 20
MAX_REQUEST: Final = 64 << 20
"""Bytes of a request's body that the agent accepts."""
STALL_TIMEOUT: Final = 30.0
"""Seconds without a byte within a frame."""
MIN_RATE: Final = 20_000
"""Bytes a second that a frame must reach after `STALL_TIMEOUT`."""

_LENGTHS: Final = struct.Struct(">II")
_READ_SIZE: Final = 1 << 18


class Frame(NamedTuple):
    """A frame: a JSON object and bytes."""

    head: dict[str, Any]
    body: bytes


class Reader(Protocol):
    """What is read from: `asyncssh.SSHReader` or `asyncio.StreamReader`."""

    async def read(self, n: int = -1) -> bytes: ...


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a frame as bytes.

    Parameters
    ----------
    head : dict
    body : bytes, optional
    """
    return pack_head(head, len(body)) + body


def pack_head(head: dict[str, Any], body_size: int) -> bytes:
    """Return the beginning of a frame, which the body follows.

    Parameters
    ----------
    head : dict
    body_size : int
        Bytes.
    """
    data = json.dumps(head, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(data), body_size) + data


class FrameReader:
    """Reads frames from a stream and never holds more than one frame and one read.

    Parameters
    ----------
    reader : Reader
    stall_timeout : float, default 30
        Seconds.
    """

    def __init__(self, reader: Reader, stall_timeout: float = STALL_TIMEOUT) -> None:
        self._reader = reader
        self._buffer = bytearray()
        self._stall_timeout = stall_timeout

    async def next(self) -> Frame | None:
        """Return the next frame, or None at the end of the stream.

        Waits without a limit for the first byte of a frame, because a silent cell is normal.

        Raises
        ------
        RemoteUnavailable
            The frame is too large, stalls, or is not a JSON object.
        """
        if len(self._buffer) < _LENGTHS.size and not await self._fill(_LENGTHS.size, idle=not self._buffer):
            return None
        head_size, body_size = _LENGTHS.unpack_from(self._buffer)
        if head_size > MAX_HEAD or body_size > MAX_BODY:
            raise _violation(f"a message of {(head_size + body_size) / 1e6:.0f} MB")
        end = _LENGTHS.size + head_size + body_size
        if len(self._buffer) < end and not await self._fill(end, idle=False):
            return None
        start = _LENGTHS.size + head_size
        try:
            head = json.loads(bytes(self._buffer[_LENGTHS.size : start]))
        except (ValueError, RecursionError):
            raise _violation("a message that is not JSON") from None
        if not isinstance(head, dict):
            raise _violation("a message without fields")
        body = bytes(memoryview(self._buffer)[start:end])
        del self._buffer[:end]
        return Frame(head, body)

    async def _fill(self, size: int, idle: bool) -> bool:
        """Read until the buffer has a size; return False at the end of the stream."""
        if idle:
            data = await self._reader.read(_READ_SIZE)
            if not data:
                return False
            self._buffer += data
        try:
            async with asyncio.timeout(self._stall_timeout + size / MIN_RATE):
                while len(self._buffer) < size:
                    async with asyncio.timeout(self._stall_timeout):
                        data = await self._reader.read(_READ_SIZE)
                    if not data:
                        return False
                    self._buffer += data
        except TimeoutError:
            raise _violation("a message that does not end") from None
        return True


def _violation(what: str) -> RemoteUnavailable:
    return RemoteUnavailable(
        f"The agent on the pod sent {what}.", advice="Restart it: remote.shutdown(), then run again."
    )
