"""Arrow arrays as bytes: an Arrow IPC stream in LZ4 chunks. Runs on both sides.

The compression of Arrow IPC itself is not used: a small message could grow without a limit when it is read. Each chunk
states its size, which is limited.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import pyarrow as pa

from .errors import CodecError

CHUNK_SIZE = 8 << 20
MAX_SIZE = 8 << 30
"""Bytes of a decompressed stream."""

CHUNK_HEAD = struct.Struct("<II")
"""The compressed and the decompressed size of a chunk. They are equal if the chunk is not compressed."""


def write_stream(arrays: list[Any]) -> bytes:
    """Return Arrow arrays of equal length as bytes."""
    names = [str(number) for number in range(len(arrays))]
    table = pa.Table.from_arrays(arrays, names=names)
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return _compress(buffer.getbuffer())


def read_stream(data: memoryview) -> Any:
    """Return the arrays that `write_stream` was given as a validated `pyarrow.Table`.

    Raises
    ------
    CodecError
        A chunk or a type is not allowed.
    pyarrow.ArrowException
        The stream is invalid.
    """
    with pa.ipc.open_stream(_decompress(data)) as reader:
        for field in reader.schema:
            check_type(field.type)
        table = reader.read_all()
    table.validate(full=True)
    return table


def _compress(data: memoryview) -> bytes:
    parts = []
    for start in range(0, len(data), CHUNK_SIZE):
        chunk = data[start : start + CHUNK_SIZE]
        compressed = pa.compress(chunk, codec="lz4_raw", asbytes=True)
        if len(compressed) > len(chunk) * 0.9:  # Not worth the time to decompress it.
            compressed = bytes(chunk)
        parts += [CHUNK_HEAD.pack(len(compressed), len(chunk)), compressed]
    return b"".join(parts)


def _decompress(data: memoryview) -> Any:
    parts = []
    total = offset = 0
    while offset < len(data):
        compressed_size, size = CHUNK_HEAD.unpack_from(data, offset)
        offset += CHUNK_HEAD.size
        chunk = data[offset : offset + compressed_size]
        offset += compressed_size
        total += size
        if size > CHUNK_SIZE or len(chunk) != compressed_size or total > MAX_SIZE:
            raise CodecError("its chunks are damaged")
        if compressed_size == size:
            parts.append(chunk)
        else:
            parts.append(pa.decompress(chunk, decompressed_size=size, codec="lz4_raw"))
    return pa.py_buffer(b"".join(parts))


def check_type(kind: Any) -> None:
    """Raise `CodecError` for an Arrow type whose values may be larger in memory than in the stream.

    Run-end encoding is such a type: two numbers describe a column of any length.
    """
    types = pa.types
    scalar_checks = (
        types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_temporal,
        types.is_string, types.is_large_string, types.is_binary, types.is_large_binary, types.is_fixed_size_binary,
    )  # fmt: skip
    container_checks = (types.is_dictionary, types.is_list, types.is_large_list, types.is_fixed_size_list)
    if any(check(kind) for check in scalar_checks):
        return
    if any(check(kind) for check in container_checks):
        check_type(kind.value_type)
    elif types.is_map(kind):
        check_type(kind.key_type)
        check_type(kind.item_type)
    elif types.is_struct(kind):
        for number in range(kind.num_fields):
            check_type(kind.field(number).type)
    else:
        raise CodecError(f"it has a column of type {kind}")
