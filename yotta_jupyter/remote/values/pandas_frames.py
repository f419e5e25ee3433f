"""DataFrames and Series as bytes. Runs on both sides.

The bytes are the size of a description, the description in JSON (labels, dtypes, the index), and an `arrow_stream` of
the columns. The first columns of the stream are those of the index.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import pandas as pd

from .arrow_stream import read_stream, write_stream
from .columns import decode_column, encode_column
from .errors import CodecError
from .labels import (
    decode_labels,
    decode_range,
    decode_scalar,
    encode_labels,
    encode_range,
    encode_scalar,
    frequency,
    set_frequency,
)
from .plain import from_json, to_json

DESCRIPTION_SIZE = struct.Struct("<I")


def encode_frame(value: Any) -> bytes:
    """Return a DataFrame or a Series as bytes.

    Raises
    ------
    CodecError
        It is of a subclass, or a part of it cannot be moved as data.
    """
    name = type(value).__name__
    if type(value) not in (pd.DataFrame, pd.Series):
        raise CodecError(f"a subclass of pandas.{name} is not moved as data: convert it to a {name}")
    is_series = type(value) is pd.Series
    frame = value.to_frame() if is_series else value
    description: dict[str, Any] = {"type": name, "rows": len(frame)}
    try:
        description["attrs"] = to_json(dict(value.attrs))
    except CodecError:
        raise CodecError("its attrs are not moved as data: clear them") from None
    if is_series:
        description["name"] = encode_scalar(value.name)
    else:
        description["labels"] = encode_labels(frame.columns)
    arrays: list[Any] = []
    description["index"] = _encode_index(frame.index, arrays)
    description["columns"] = [
        encode_column(frame.iloc[:, number], f"column {label!r}", arrays) for number, label in enumerate(frame.columns)
    ]
    head = json.dumps(description).encode()
    return DESCRIPTION_SIZE.pack(len(head)) + head + write_stream(arrays)


def decode_frame(data: bytes) -> Any:
    """Return the DataFrame or Series that `encode_frame` was given.

    Raises
    ------
    CodecError
        The bytes are damaged. `codec.decode` converts all other exceptions, such as those of pyarrow.
    """
    view = memoryview(data)
    (head_size,) = DESCRIPTION_SIZE.unpack_from(view)
    end = DESCRIPTION_SIZE.size + head_size
    description = json.loads(bytes(view[DESCRIPTION_SIZE.size : end]))
    table = read_stream(view[end:])
    rows = description["rows"]
    if table.num_columns and table.num_rows != rows:
        raise CodecError("its rows are not as many as described")
    arrays = iter(table.columns)
    index = _decode_index(description["index"], arrays, rows)
    columns = [decode_column(column, arrays) for column in description["columns"]]
    if description["type"] == "Series":
        result: Any = columns[0]
        result.name = decode_scalar(description["name"])
    else:
        # A dict cannot have the labels as keys: one of them may occur twice.
        result = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(rows), copy=False)
        result.columns = decode_labels(description["labels"])
    result.index = index
    result.attrs = from_json(description["attrs"])
    return result


def _encode_index(index: Any, arrays: list[Any]) -> dict[str, Any]:
    """Append the Arrow arrays of an index to a list and return its description."""
    description: dict[str, Any] = {"names": [encode_scalar(name) for name in index.names]}
    if type(index) is pd.RangeIndex:
        return {**description, "how": "range", "range": encode_range(index)}
    if isinstance(index, pd.MultiIndex):
        levels = [pd.Series(index.get_level_values(number)) for number in range(index.nlevels)]
        how = "multi"
    else:
        levels = [pd.Series(index)]
        how = "plain"
    columns = [encode_column(level, "the index", arrays) for level in levels]
    return {**description, "how": how, "levels": columns, "freq": frequency(index)}


def _decode_index(description: dict[str, Any], arrays: Iterator[Any], rows: int) -> Any:
    names = [decode_scalar(name) for name in description["names"]]
    if description["how"] == "range":
        index: Any = decode_range(description["range"], names[0])
    else:
        levels = [decode_column(level, arrays) for level in description["levels"]]
        if description["how"] == "multi":
            index = pd.MultiIndex.from_arrays([pd.Index(level, dtype=level.dtype) for level in levels], names=names)
        else:
            index = pd.Index(levels[0], dtype=levels[0].dtype, name=names[0])
            index = set_frequency(index, description["freq"])
    if len(index) != rows:
        raise CodecError("its index does not match its rows")
    return index
