"""Plain Python values and NumPy scalars as JSON. Runs on both sides.

A value that JSON cannot express becomes an object with a tag: ``{"__yotta__": "tuple", "value": [1, 2]}``.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from .errors import CodecError

TAG = "__yotta__"
_MAX_JSON_INT = 1 << 63


def encode_json(value: Any) -> bytes:
    """Return a plain value as bytes.

    Raises
    ------
    CodecError
        The value contains something else.
    """
    try:
        return json.dumps(to_json(value), separators=(",", ":")).encode("ascii")
    except RecursionError:
        raise CodecError("it contains itself or is nested too deeply") from None


def decode_json(data: bytes) -> Any:
    """Return the value that `encode_json` was given."""
    return from_json(json.loads(data.decode("utf-8")))


def tagged(tag: str, value: Any) -> dict[str, Any]:
    """Return the JSON of a value with a tag."""
    return {TAG: tag, "value": value}


def to_json(value: Any) -> Any:
    """Return a plain value as an object for `json.dumps`.

    Raises
    ------
    CodecError
        The value contains something else.
    """
    # Subclasses are refused, because they would arrive as their base class.
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if abs(value) < _MAX_JSON_INT else tagged("int", hex(value))
    if kind is float:
        return value if math.isfinite(value) else tagged("float", repr(value))
    if kind is list:
        return _entries_to_json(value)
    if kind is dict:
        return _dict_to_json(value)
    if kind in _ENCODERS:
        return tagged(kind.__name__, _ENCODERS[kind](value))
    if kind.__module__ == "numpy":
        from .arrays import encode_as_text

        return tagged("array" if kind.__name__ == "ndarray" else "NumPy scalar", encode_as_text(value))
    # A DataFrame is moved as the value of a variable, but not within a list or dict.
    advice = ": give it a name of its own" if kind.__name__ in ("DataFrame", "Series") else ""
    raise CodecError(f"a {kind.__module__}.{kind.__qualname__} is not moved as data{advice}")


def from_json(value: Any) -> Any:
    """Return the value that `to_json` was given."""
    if type(value) is list:
        return _entries_from_json(value)
    if type(value) is not dict:
        return value
    if TAG in value:
        return _DECODERS[value[TAG]](value["value"])
    return {key: from_json(entry) for key, entry in value.items()}


def _entries_to_json(values: Any) -> list[Any]:
    return [to_json(value) for value in values]


def _entries_from_json(values: list[Any]) -> list[Any]:
    return [from_json(value) for value in values]


def _dict_to_json(value: dict[Any, Any]) -> dict[str, Any]:
    has_json_keys = all(type(key) is str for key in value)
    if has_json_keys and TAG not in value:
        return {key: to_json(entry) for key, entry in value.items()}
    return tagged("dict", [[to_json(key), to_json(entry)] for key, entry in value.items()])


def _encode_bytes(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode("ascii")


def _decode_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _encode_datetime(value: datetime) -> list[Any]:
    zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    if zone is None and not (value.tzinfo is None or isinstance(value.tzinfo, timezone)):
        raise CodecError(f"a datetime with a time zone of type {type(value.tzinfo).__name__} is not moved as data")
    return [value.isoformat(), zone, value.fold]


def _decode_datetime(parts: list[Any]) -> datetime:
    text, zone, fold = parts
    value = datetime.fromisoformat(text).replace(fold=fold)
    return value if zone is None else value.replace(tzinfo=ZoneInfo(zone))


def _encode_time(value: time) -> str:
    if value.tzinfo is not None:
        raise CodecError("a time with a time zone is not moved as data")
    return value.isoformat()


def _decode_array(text: str) -> Any:
    from .arrays import decode_text

    return decode_text(text)


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    tuple: _entries_to_json,
    set: _entries_to_json,
    frozenset: _entries_to_json,
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    complex: lambda value: [repr(value.real), repr(value.imag)],
    datetime: _encode_datetime,
    date: date.isoformat,
    time: _encode_time,
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    Decimal: str,
    range: lambda value: [value.start, value.stop, value.step],
}
"""Encoders by type. The tag is the name of the type."""

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "dict": lambda pairs: {from_json(key): from_json(entry) for key, entry in pairs},
    "tuple": lambda values: tuple(_entries_from_json(values)),
    "set": lambda values: set(_entries_from_json(values)),
    "frozenset": lambda values: frozenset(_entries_from_json(values)),
    "bytes": _decode_bytes,
    "bytearray": lambda text: bytearray(_decode_bytes(text)),
    "complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "datetime": _decode_datetime,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda parts: timedelta(*parts),
    "Decimal": Decimal,
    "range": lambda limits: range(*limits),
    "array": _decode_array,
    "NumPy scalar": lambda text: _decode_array(text)[()],
}
"""Decoders by tag."""
