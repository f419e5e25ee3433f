"""Frames of the agent and of copies, read with limits because the pod is not trusted.

A frame is the lengths of head and body (two 32-bit big-endian integers), the head (a JSON object), and the body.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, Final, NamedTuple, Protocol

from ..errors import RemoteUnavailable

# As in agent.py, which is sent alone and imports nothing of this package.
MAX_HEAD: Final = 1 << 20
MAX_BODY: Final = 256 << 20
"""Bytes of a received frame."""
MAX_REQUEST: Final = 64 << 20
"""Bytes of a body that the agent accepts."""
STALL_TIMEOUT: Final = 30.0
"""Seconds without a byte in the middle of a frame."""
MIN_RATE: Final = 20_000
"""Bytes a second. A slower frame is refused, but not before `STALL_TIMEOUT`."""

_LENGTHS: Final = struct.Struct(">II")
_READ_SIZE: Final = 1 << 18


class Frame(NamedTuple):
    """A received frame."""

    head: dict[str, Any]
    body: bytes


class Reader(Protocol):
    """A stream, such as `asyncssh.SSHReader` or `asyncio.StreamReader`."""

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
    """Return a frame without its body.

    Parameters
    ----------
    head : dict
    body_size : int
        Bytes.
    """
    data = json.dumps(head, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(data), body_size) + data


class FrameReader:
    """Reads frames from a stream.

    Parameters
    ----------
    reader : Reader
    sender, advice : str
        For errors: what sends the frames, and what the user can do.
    stall_timeout : float, default 30
        See `STALL_TIMEOUT`.
    """

    def __init__(self, reader: Reader, sender: str, advice: str, stall_timeout: float = STALL_TIMEOUT) -> None:
        self._reader = reader
        self._sender = sender
        self._advice = advice
        self._buffer = bytearray()
        self._stall_timeout = stall_timeout

    async def next(self) -> Frame | None:
        """Return the next frame, or None at the end of the stream.

        Waits without a timeout for the first byte of a frame, because a cell may print nothing for hours.

        Raises
        ------
        RemoteUnavailable
            The frame is too large, does not arrive in time, or has no JSON object as its head.
        """
        if not self._buffer and not await self._read():
            return None
        if not await self._read_until(_LENGTHS.size):
            return None
        head_size, body_size = _LENGTHS.unpack_from(self._buffer)
        if head_size > MAX_HEAD or body_size > MAX_BODY:
            raise self._violation(f"a message of {(head_size + body_size) / 1e6:.0f} MB")
        body_start = _LENGTHS.size + head_size
        end = body_start + body_size
        if not await self._read_until(end):
            return None
        try:
            head = json.loads(bytes(self._buffer[_LENGTHS.size : body_start]))
        except (ValueError, RecursionError):
            raise self._violation("a message that is not JSON") from None
        if not isinstance(head, dict):
            raise self._violation("a message without fields")
        body = bytes(memoryview(self._buffer)[body_start:end])
        del self._buffer[:end]
        return Frame(head, body)

    async def _read_until(self, size: int) -> bool:
        """Read until the buffer has a size; return False at the end of the stream."""
        try:
            async with asyncio.timeout(self._stall_timeout + size / MIN_RATE):
                while len(self._buffer) < size:
                    async with asyncio.timeout(self._stall_timeout):
                        if not await self._read():
                            return False
        except TimeoutError:
            raise self._violation("a message that does not end") from None
        return True

    async def _read(self) -> bool:
        """Add data to the buffer; return False at the end of the stream."""
        data = await self._reader.read(_READ_SIZE)
        self._buffer += data
        return bool(data)

    def _violation(self, received: str) -> RemoteUnavailable:
        return RemoteUnavailable(f"{self._sender} sent {received}.", advice=self._advice)
