"""Values as bytes and back, on both sides: in the notebook's process and in the pod's kernel.

A value is sent as data in one of three kinds and never as code: ``json`` for plain values, ``npy`` for arrays without
objects, ``arrow`` for DataFrames and Series. This file is also sent to the pod: it needs only Python 3.9, and NumPy,
pandas and pyarrow for the kinds that use them.
"""

from __future__ import annotations

import base64
import io
import json
import math
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal

if False:  # TYPE_CHECKING, without importing typing.
    from collections.abc import Callable
    from typing import Any

MAX_BYTES = 8 << 30
CHUNK = 8 << 20
TAG = "__yotta__"
FORMAT = 1
_CHUNK_HEAD = struct.Struct("<II")
_NUMPY_KINDS = "biufcmMSUV"


class CodecError(Exception):
    """A value cannot be moved as data, or bytes are not a value. One line of text."""


def encode(value: Any) -> tuple[str, bytes]:
    """Return the kind and the bytes of a value.

    Raises
    ------
    CodecError
        The value, or a part of it, is of a type that is not moved.
    """
    module = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if module == "pandas" and name in ("DataFrame", "Series"):
        return "arrow", _encode_frame(value, name)
    if module == "numpy" and name == "ndarray":
        return "npy", _encode_array(value)
    try:
        return "json", json.dumps(_to_json(value), separators=(",", ":")).encode("utf-8")
    except RecursionError:
        raise CodecError("it contains itself or is nested too deeply") from None


def decode(kind: str, data: bytes) -> Any:
    """Return the value of bytes of a kind.

    Raises
    ------
    CodecError
        The bytes are not a value of that kind.
    ImportError
        A package of that kind is missing.
    """
    decoders: dict[str, Callable[[bytes], Any]] = {"json": _decode_json, "npy": _decode_array, "arrow": _decode_frame}
    if kind not in decoders:
        raise CodecError("it is of an unknown kind")
    try:
        return decoders[kind](data)
    except (CodecError, ImportError):
        raise
    except MemoryError:
        raise CodecError("it does not fit into memory") from None
    except RecursionError:
        raise CodecError("it is nested too deeply") from None
    except Exception as error:
        raise CodecError("it is not valid {} data: {}".format(kind, " ".join(str(error).split())[:200])) from None


def size_in_memory(value: Any) -> int:
    """Return the bytes of a text, an array, a DataFrame or a Series; 0 for other values."""
    if isinstance(value, (str, bytes, bytearray)):
        return len(value)
    if hasattr(value, "memory_usage"):
        usage = value.memory_usage(index=True)
        return int(usage.sum() if hasattr(usage, "sum") else usage)
    return int(getattr(value, "nbytes", 0))


def packages(kind: str) -> list[str]:
    """Return the packages that a kind needs."""
    return {"json": [], "npy": ["numpy"], "arrow": ["pandas", "pyarrow"]}.get(kind, [])


# --- Plain values ----------------------------------------------------------------------------------------------------


def _to_json(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if abs(value) < 1 << 63 else _tag("int", hex(value))
    if kind is float:
        return value if math.isfinite(value) else _tag("float", repr(value))
    if kind is list:
        return [_to_json(entry) for entry in value]
    if kind is dict:
        if all(type(key) is str for key in value) and TAG not in value:
            return {key: _to_json(entry) for key, entry in value.items()}
        return _tag("dict", [[_to_json(key), _to_json(entry)] for key, entry in value.items()])
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return _tag(kind.__name__, encoder(value))
    if kind.__module__ == "numpy":
        return _tag("numpy", [hasattr(value, "shape") and kind.__name__ == "ndarray", _encode_small_array(value)])
    hint = ": give it a name of its own" if kind.__name__ in ("DataFrame", "Series") else ""
    raise CodecError(f"a {kind.__module__}.{kind.__qualname__} is not moved as data{hint}")


def _tag(name: str, value: Any) -> dict[str, Any]:
    return {TAG: name, "value": value}


def _encode_datetime(value: datetime) -> str:
    offset = value.utcoffset()
    zone = getattr(value.tzinfo, "key", None)
    if value.tzinfo is not None and (offset is None or (zone is None and type(value.tzinfo).__name__ != "timezone")):
        raise CodecError(f"a datetime with a time zone of type {type(value.tzinfo).__name__} is not moved as data")
    return value.isoformat() + (f"|{zone}" if zone else "") + ("|fold" if value.fold else "")


def _decode_datetime(text: str) -> datetime:
    moment, *more = text.split("|")
    value = datetime.fromisoformat(moment)
    for entry in more:
        if entry == "fold":
            value = value.replace(fold=1)
        else:
            from zoneinfo import ZoneInfo

            value = value.replace(tzinfo=ZoneInfo(entry))
    return value


def _encode_time(value: time) -> str:
    if value.tzinfo is not None:
        raise CodecError("a time with a time zone is not moved as data")
    return value.isoformat()


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: [_to_json(entry) for entry in value],
    set: lambda value: [_to_json(entry) for entry in value],
    frozenset: lambda value: [_to_json(entry) for entry in value],
    bytes: lambda value: base64.b64encode(value).decode("ascii"),
    bytearray: lambda value: base64.b64encode(value).decode("ascii"),
    complex: lambda value: [repr(value.real), repr(value.imag)],
    datetime: _encode_datetime,
    date: lambda value: value.isoformat(),
    time: _encode_time,
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    Decimal: str,
    range: lambda value: [value.start, value.stop, value.step],
}

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda value: int(value, 16),
    "float": float,
    "dict": lambda value: {_from_json(key): _from_json(entry) for key, entry in value},
    "tuple": lambda value: tuple(_from_json(entry) for entry in value),
    "set": lambda value: {_from_json(entry) for entry in value},
    "frozenset": lambda value: frozenset(_from_json(entry) for entry in value),
    "bytes": lambda value: base64.b64decode(value, validate=True),
    "bytearray": lambda value: bytearray(base64.b64decode(value, validate=True)),
    "complex": lambda value: complex(float(value[0]), float(value[1])),
    "datetime": _decode_datetime,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
    "Decimal": Decimal,
    "range": lambda value: range(*value),
    "numpy": lambda value: _decode_small_array(value[1], value[0]),
}


def _decode_json(data: bytes) -> Any:
    return _from_json(json.loads(data.decode("utf-8", "surrogatepass")))


def _from_json(value: Any) -> Any:
    if type(value) is list:
        return [_from_json(entry) for entry in value]
    if type(value) is not dict:
        return value
    if TAG not in value:
        return {key: _from_json(entry) for key, entry in value.items()}
    return _DECODERS[value[TAG]](value["value"])


# --- Arrays ----------------------------------------------------------------------------------------------------------


def _encode_array(array: Any) -> bytes:
    import numpy as np

    if array.dtype.hasobject:
        raise CodecError("an array of Python objects is not moved as data: convert it to a numeric or text dtype")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _decode_array(data: bytes) -> Any:
    import numpy as np

    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise CodecError(f"its .npy version {version} is not supported")
    if dtype.hasobject:
        raise CodecError("it is an array of Python objects")
    count = 1
    for length in shape:
        count *= int(length)
    if count < 0 or count * dtype.itemsize != len(data) - file.tell():
        raise CodecError("its size does not match its shape")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    array = np.frombuffer(bytearray(memoryview(data)[file.tell() :]), dtype=dtype, count=count)
    return array.reshape(shape[::-1]).transpose() if fortran else array.reshape(shape)


def _encode_small_array(value: Any) -> str:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in _NUMPY_KINDS or type(value).__name__ not in ("ndarray", array.dtype.type.__name__):
        raise CodecError(f"a numpy.{type(value).__name__} is not moved as data")
    return base64.b64encode(_encode_array(array)).decode("ascii")


def _decode_small_array(text: str, is_array: bool) -> Any:
    array = _decode_array(base64.b64decode(text, validate=True))
    return array if is_array else array[()]


# --- DataFrames and Series -------------------------------------------------------------------------------------------

# Arrow IPC without compression, so that what is read is as large as what was sent, in LZ4 chunks of a declared and
# limited size. Columns are named by position; labels, dtypes and nested columns are described beside the table.


def _encode_frame(value: Any, name: str) -> bytes:
    import pandas as pd
    import pyarrow as pa

    if type(value) not in (pd.DataFrame, pd.Series):
        raise CodecError(f"a subclass of pandas.{name} is not moved as data: convert it to a {name}")
    frame = value.to_frame() if name == "Series" else value
    description: dict[str, Any] = {"format": FORMAT, "type": name}
    try:
        description["attrs"] = _to_json(dict(value.attrs))
    except CodecError:
        raise CodecError("its attrs are not moved as data: clear them") from None
    description["name"] = _to_json_label(value.name) if name == "Series" else None
    description["columns"] = _encode_labels(frame.columns) if name == "DataFrame" else None
    arrays: list[Any] = []
    description["index"] = _encode_index(frame.index, arrays)
    description["data"] = [
        _encode_column(frame.iloc[:, number], f"column {frame.columns[number]!r}", arrays)
        for number in range(frame.shape[1])
    ]
    table = pa.Table.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])
    head = json.dumps(description).encode()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _CHUNK_HEAD.pack(len(head), len(frame)) + head + _compress(sink.getbuffer())


def _decode_frame(data: bytes) -> Any:
    import pandas as pd
    import pyarrow as pa

    view = memoryview(data)
    head_size, rows = _CHUNK_HEAD.unpack_from(view)
    start = _CHUNK_HEAD.size
    description = json.loads(bytes(view[start : start + head_size]))
    raw = _decompress(view[start + head_size :])
    with pa.ipc.open_stream(raw) as reader:
        for field in reader.schema:
            _check_type(field.type)
        table = reader.read_all()
    table.validate(full=True)
    if table.num_rows != rows and table.num_columns:
        raise CodecError("its rows are not as many as described")
    columns = iter(table.columns)
    index = _decode_index(description["index"], columns, rows)
    series = [_decode_any(entry, columns) for entry in description["data"]]
    if description["type"] == "Series":
        result: Any = series[0]
        result.index = index
        result.name = _from_json_label(description["name"])
    else:
        result = pd.DataFrame(dict(enumerate(series)), index=pd.RangeIndex(rows), copy=False)
        result.index = index
        result.columns = _decode_labels(description["columns"])
    result.attrs = _from_json(description["attrs"])
    return result


def _compress(view: Any) -> bytes:
    import pyarrow as pa

    parts = []
    for start in range(0, len(view), CHUNK):
        chunk = view[start : start + CHUNK]
        packed = pa.compress(chunk, codec="lz4_raw", asbytes=True)
        if len(packed) > len(chunk) * 0.9:
            packed = bytes(chunk)
        parts += [_CHUNK_HEAD.pack(len(packed), len(chunk)), packed]
    return b"".join(parts)


def _decompress(view: Any) -> Any:
    import pyarrow as pa

    parts = []
    total = offset = 0
    while offset < len(view):
        packed_size, size = _CHUNK_HEAD.unpack_from(view, offset)
        offset += _CHUNK_HEAD.size
        packed = view[offset : offset + packed_size]
        offset += packed_size
        total += size
        if size > CHUNK or len(packed) != packed_size or total > MAX_BYTES:
            raise CodecError("its chunks are damaged")
        if packed_size == size:
            parts.append(packed)
        else:
            parts.append(pa.decompress(packed, decompressed_size=size, codec="lz4_raw"))
    return pa.py_buffer(b"".join(parts))


def _check_type(kind: Any) -> None:
    """Allow the types whose values are as large in memory as in the stream."""
    import pyarrow as pa

    checks = (
        pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal,
        pa.types.is_temporal, pa.types.is_string, pa.types.is_large_string, pa.types.is_binary,
        pa.types.is_large_binary, pa.types.is_fixed_size_binary,
    )  # fmt: skip
    if any(check(kind) for check in checks):
        return
    if (
        pa.types.is_dictionary(kind)
        or pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    ):
        _check_type(kind.value_type)
    elif pa.types.is_map(kind):
        _check_type(kind.key_type)
        _check_type(kind.item_type)
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            _check_type(kind.field(number).type)
    else:
        raise CodecError(f"it has a column of type {kind}")


# Columns: how each is encoded is described by {"how": …, "dtype": …}.


def _encode_column(series: Any, label: str, arrays: list[Any]) -> dict[str, Any]:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = series.array.codes
        arrays.append(_arrow(codes, label))
        return {"how": "category", "ordered": bool(dtype.ordered), "categories": _encode_labels(dtype.categories)}
    if isinstance(dtype, pd.PeriodDtype):
        arrays.append(_arrow(series.array.asi8, label))
        return {"how": "period", "dtype": str(dtype)}
    if isinstance(dtype, pd.IntervalDtype):
        return {
            "how": "interval",
            "closed": str(dtype.closed),
            "left": _encode_column(pd.Series(series.array.left), label, arrays),
            "right": _encode_column(pd.Series(series.array.right), label, arrays),
        }
    if isinstance(dtype, pd.SparseDtype):
        inner = _encode_column(series.sparse.to_dense(), label, arrays)
        return {"how": "sparse", "dtype": str(dtype), "fill": _to_json_label(dtype.fill_value), "dense": inner}
    if str(dtype) == "object":
        return _encode_objects(series, label, arrays)
    if getattr(dtype, "kind", "") == "c":
        return {
            "how": "complex",
            "dtype": str(dtype),
            "real": _encode_column(pd.Series(series.to_numpy().real), label, arrays),
            "imag": _encode_column(pd.Series(series.to_numpy().imag), label, arrays),
        }
    arrays.append(_arrow(series, label))
    if isinstance(dtype, pd.ArrowDtype):
        _check_type(arrays[-1].type)
        return {"how": "arrow"}
    if isinstance(dtype, pd.StringDtype):
        return {"how": "string", "storage": dtype.storage, "nan": dtype.na_value is not pd.NA}
    name = str(dtype)
    known = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    if not known and not name.startswith(("datetime64", "timedelta64")):
        raise CodecError(f"{label} has dtype {name}, which is not moved as data: convert it")
    return {"how": "dtype", "dtype": name}


def _arrow(values: Any, label: str) -> Any:
    import pyarrow as pa

    try:
        array = pa.array(values, from_pandas=not hasattr(values, "dtype") or values.dtype.kind not in "fc")
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CodecError(f"{label} is not moved as data: {reason}") from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array


def _encode_objects(series: Any, label: str, arrays: list[Any]) -> dict[str, Any]:
    """Encode a column of Python objects as text if it is all text, else value by value as JSON."""
    import pyarrow as pa

    values = series.tolist()
    if all(type(value) is str or value is None for value in values):
        try:
            arrays.append(pa.array(values, pa.large_string()))
            return {"how": "text"}
        except (pa.ArrowException, UnicodeError):
            pass
    try:
        texts = [json.dumps(_to_json_label(value), separators=(",", ":")) for value in values]
    except (CodecError, RecursionError) as error:
        raise CodecError(f"{label} is not moved: {error}") from None
    arrays.append(pa.array(texts, pa.large_string()))
    return {"how": "json"}


def _decode_column(entry: dict[str, Any], column: Any) -> Any:
    import numpy as np
    import pandas as pd

    how = entry["how"]
    if how == "category":
        categories = _decode_labels(entry["categories"])
        category = pd.CategoricalDtype(categories, bool(entry["ordered"]))
        codes = column.to_numpy()
        if len(codes) and (codes.min() < -1 or codes.max() >= len(categories)):
            raise CodecError("its categories are damaged")
        return pd.Series(pd.Categorical.from_codes(codes, dtype=category))
    if how == "text":
        return pd.Series(np.array(column.to_pylist(), dtype=object), dtype=object)
    if how == "json":
        values = np.empty(len(column), dtype=object)
        for number, text in enumerate(column.to_pylist()):
            values[number] = _from_json_label(json.loads(text))
        return pd.Series(values, dtype=object)
    if how == "period":
        period = pd.PeriodDtype(str(entry["dtype"]).partition("[")[2].rstrip("]"))
        return pd.Series(pd.arrays.PeriodArray(column.to_numpy(), dtype=period))
    if how == "arrow":
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    if how == "string":
        return pd.Series(_string_dtype(entry).__from_arrow__(column))
    return _decode_dtype(str(entry["dtype"]), column)


def _string_dtype(entry: dict[str, Any]) -> Any:
    """Return the dtype of text that misses values as NaN or as NA; pandas 2.2 knows the latter only."""
    import numpy as np
    import pandas as pd

    make: Any = pd.StringDtype
    storage = "pyarrow" if entry["storage"] == "pyarrow" else "python"
    arguments = (np.nan,) if entry["nan"] else ()
    try:
        return make(storage, *arguments)
    except ImportError:  # pandas was imported before pyarrow was installed.
        return make("python", *arguments)


def _decode_dtype(name: str, column: Any) -> Any:
    import pandas as pd

    dtype = pd.api.types.pandas_dtype(name)
    if hasattr(dtype, "numpy_dtype") and hasattr(dtype, "__from_arrow__"):  # Int64, Float64, boolean.
        return pd.Series(dtype.__from_arrow__(column))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return column.to_pandas().rename(None).astype(dtype)
    if getattr(dtype, "kind", "O") not in "biufmM":
        raise CodecError(f"it has a column of dtype {name}")
    values = column.to_numpy()
    return pd.Series(values if values.dtype == dtype else values.astype(dtype))


# Index and labels


def _encode_index(index: Any, arrays: list[Any]) -> dict[str, Any]:
    import pandas as pd

    names = [_to_json_label(name) for name in index.names]
    if type(index) is pd.RangeIndex:
        return {"how": "range", "names": names, "range": [index.start, index.stop, index.step]}
    if isinstance(index, pd.MultiIndex):
        levels = [pd.Series(index.get_level_values(number)) for number in range(index.nlevels)]
        how = "multi"
    else:
        levels = [pd.Series(index)]
        how = "plain"
    freq = getattr(index, "freqstr", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    entries = [_encode_column(level, "the index", arrays) for level in levels]
    return {"how": how, "names": names, "levels": entries, "freq": freq}


def _decode_index(entry: dict[str, Any], columns: Any, rows: int) -> Any:
    import pandas as pd

    names = [_from_json_label(name) for name in entry["names"]]
    if entry["how"] == "range":
        index: Any = _range_index(entry["range"], names[0])
    else:
        levels = [_decode_any(level, columns) for level in entry["levels"]]
        if entry["how"] == "multi":
            index = pd.MultiIndex.from_arrays([pd.Index(level, dtype=level.dtype) for level in levels], names=names)
        else:
            index = pd.Index(levels[0], dtype=levels[0].dtype, name=names[0])
            if entry.get("freq"):
                index.freq = str(entry["freq"])
    if len(index) != rows:
        raise CodecError("its index does not match its rows")
    return index


def _range_index(limits: list[int], name: Any) -> Any:
    import pandas as pd

    start, stop, step = limits
    return pd.RangeIndex(start, stop, step, name=name)


def _encode_labels(index: Any) -> dict[str, Any]:
    """Encode column labels or categories, which are few, as JSON."""
    import pandas as pd

    dtype = str(index.dtype) if not isinstance(index, pd.MultiIndex) else ""
    names = [_to_json_label(name) for name in index.names]
    if type(index) is pd.RangeIndex:
        return {"range": [index.start, index.stop, index.step], "names": names}
    try:
        values = [_to_json_label(value) for value in index.tolist()]
    except CodecError as error:
        raise CodecError(f"a label is not moved: {error}") from None
    string = None
    if isinstance(getattr(index, "dtype", None), pd.StringDtype):
        string = {"storage": index.dtype.storage, "nan": index.dtype.na_value is not pd.NA}
    freq = getattr(index, "freqstr", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return {"values": values, "dtype": dtype, "names": names, "string": string, "freq": freq}


def _decode_labels(entry: dict[str, Any]) -> Any:
    import numpy as np
    import pandas as pd

    names = [_from_json_label(name) for name in entry["names"]]
    if "range" in entry:
        return _range_index(entry["range"], names[0])
    values = [_from_json_label(value) for value in entry["values"]]
    if not entry["dtype"]:
        return pd.MultiIndex.from_tuples(values, names=names)
    string = entry.get("string")
    if string:
        return pd.Index(values, dtype=_string_dtype(string), name=names[0])
    if entry["dtype"] == "object":
        holder = np.empty(len(values), dtype=object)
        holder[:] = values
        return pd.Index(holder, dtype=object, name=names[0])
    index = pd.Index(values, dtype=str(entry["dtype"]), name=names[0])
    if entry.get("freq"):
        index.freq = str(entry["freq"])
    return index


def _decode_any(entry: dict[str, Any], columns: Any) -> Any:
    """Decode a column that may consist of several Arrow columns."""
    import pandas as pd

    how = entry["how"]
    if how == "interval":
        left, right = _decode_any(entry["left"], columns), _decode_any(entry["right"], columns)
        return pd.Series(pd.arrays.IntervalArray.from_arrays(left, right, closed=entry["closed"]))
    if how == "complex":
        real, imag = _decode_any(entry["real"], columns), _decode_any(entry["imag"], columns)
        return (real + 1j * imag).astype(str(entry["dtype"]))
    if how == "sparse":
        dense = _decode_any(entry["dense"], columns)
        return dense.astype(pd.SparseDtype(dense.dtype, _from_json_label(entry["fill"])))
    return _decode_column(entry, next(columns))


def _to_json_label(value: Any) -> Any:
    """Encode a label or an object of a column: a plain value, or one of pandas' scalars."""
    import pandas as pd

    if value is pd.NaT:
        return _tag("NaT", None)
    if value is pd.NA:
        return _tag("NA", None)
    if type(value) is pd.Timestamp:
        zone = None if value.tz is None else str(value.tz)
        return _tag("Timestamp", [value.value, zone, value.unit])
    if type(value) is pd.Timedelta:
        return _tag("Timedelta", [value.value, value.unit])
    if type(value) is pd.Interval:
        return _tag("Interval", [_to_json_label(value.left), _to_json_label(value.right), value.closed])
    if type(value) is pd.Period:
        return _tag("Period", [value.ordinal, value.freqstr])
    if type(value) is tuple:
        return _tag("labels", [_to_json_label(entry) for entry in value])
    return _to_json(value)


def _from_json_label(value: Any) -> Any:
    import pandas as pd

    if type(value) is not dict or TAG not in value:
        return _from_json(value)
    kind, inner = value[TAG], value["value"]
    if kind == "NaT":
        return pd.NaT
    if kind == "NA":
        return pd.NA
    if kind == "Timestamp":
        moment = pd.Timestamp(inner[0], unit="ns", tz="UTC").as_unit(inner[2])
        return moment.tz_localize(None) if inner[1] is None else moment.tz_convert(inner[1])
    if kind == "Timedelta":
        return pd.Timedelta(inner[0], unit="ns").as_unit(inner[1])
    if kind == "Interval":
        return pd.Interval(_from_json_label(inner[0]), _from_json_label(inner[1]), inner[2])
    if kind == "Period":
        return pd.Period(ordinal=inner[0], freq=str(inner[1]))
    if kind == "labels":
        return tuple(_from_json_label(entry) for entry in inner)
    return _from_json(value)
