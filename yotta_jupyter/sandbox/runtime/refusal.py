"""An SSH server that does nothing but refuse a connection, with a reason that SSH clients show."""

import asyncio
import contextlib
import struct

_VERSION = b"SSH-2.0-YottaSandbox\r\n"
_SSH_MSG_DISCONNECT = 1  # RFC 4253 section 11.1
_SSH_DISCONNECT_TOO_MANY_CONNECTIONS = 12
_BLOCK_SIZE = 8
_LINGER_SECONDS = 2.0


def disconnect_message(reason: str) -> bytes:
    """Return all bytes that the server sends: its version and an unencrypted SSH_MSG_DISCONNECT."""
    text = reason.encode()
    payload = struct.pack(">BII", _SSH_MSG_DISCONNECT, _SSH_DISCONNECT_TOO_MANY_CONNECTIONS, len(text))
    payload += text + struct.pack(">I", 0)  # An empty language tag.
    # At least four bytes of padding, up to a multiple of the block size (RFC 4253 section 6).
    padding = _BLOCK_SIZE - (5 + len(payload)) % _BLOCK_SIZE
    if padding < 4:
        padding += _BLOCK_SIZE
    packet = struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)
    return _VERSION + packet


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reason: str) -> None:
    """Refuse a connection and close it."""
    with contextlib.suppress(OSError, TimeoutError):
        writer.write(disconnect_message(reason))
        writer.write_eof()
        # Closing a socket with unread data resets the connection, and the client may not show the reason.
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(65536):
                pass
    writer.close()
