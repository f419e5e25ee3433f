"""Values as bytes and back. Runs on both sides.

The kinds of bytes are ``json`` for plain values, ``npy`` for NumPy arrays, ``arrow`` for DataFrames and Series.
All of them are data: decoding never runs code of the sender.
"""

from __future__ import annotations

from typing import Any

from .errors import CodecError, one_line
from .plain import decode_json, encode_json

_PACKAGES: dict[str, list[str]] = {"json": [], "npy": ["numpy"], "arrow": ["pandas", "pyarrow"]}


def encode(value: Any) -> tuple[str, bytes]:
    """Return the kind and the bytes of a value.

    Raises
    ------
    CodecError
        The value, or a part of it, is of a type that is not moved.
    ImportError
        A package of the kind is missing.
    """
    package = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if package == "pandas" and name in ("DataFrame", "Series"):
        from .pandas_frames import encode_frame

        return "arrow", encode_frame(value)
    if package == "numpy" and name == "ndarray":
        from .arrays import encode_array

        return "npy", encode_array(value)
    return "json", encode_json(value)


def decode(kind: str, data: bytes) -> Any:
    """Decode bytes of a kind to a value.

    Raises
    ------
    CodecError
        The bytes are not a value of that kind.
    ImportError
        A package of the kind is missing.
    """
    try:
        return _decode(kind, data)
    except (CodecError, ImportError):
        raise
    except MemoryError:
        raise CodecError("it does not fit into memory") from None
    except RecursionError:
        raise CodecError("it is nested too deeply") from None
    except Exception as error:
        raise CodecError(f"it is not valid {kind} data: {one_line(error, 200)}") from None


def _decode(kind: str, data: bytes) -> Any:
    if kind == "json":
        return decode_json(data)
    if kind == "npy":
        from .arrays import decode_array

        return decode_array(data)
    if kind == "arrow":
        from .pandas_frames import decode_frame

        return decode_frame(data)
    raise CodecError("it is of an unknown kind")


def packages(kind: str) -> list[str]:
    """Return the packages that a kind needs."""
    return _PACKAGES.get(kind, [])


def size_in_memory(value: Any) -> int:
    """Return the size in bytes of a text, an array, a DataFrame or a Series; 0 for other values."""
    if isinstance(value, (str, bytes, bytearray)):
        return len(value)
    if hasattr(value, "memory_usage"):  # Of a DataFrame, the bytes of each column.
        usage = value.memory_usage(index=True)
        return int(usage.sum() if hasattr(usage, "sum") else usage)
    return int(getattr(value, "nbytes", 0))
