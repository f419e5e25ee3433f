"""Labels of pandas objects as JSON. Runs on both sides.

A label is the name of a row, column, category or index: a plain value or a scalar of pandas.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .errors import CodecError
from .plain import TAG, from_json, tagged, to_json


def encode_scalar(value: Any) -> Any:
    """Return a label or a value as an object for `json.dumps`.

    Raises
    ------
    CodecError
        It is neither a plain value nor a scalar of pandas.
    """
    if value is pd.NaT:
        return tagged("NaT", None)
    if value is pd.NA:
        return tagged("NA", None)
    kind = type(value)
    if kind is pd.Timestamp:
        zone = None if value.tz is None else str(value.tz)
        return tagged("Timestamp", [value.value, zone, value.unit])
    if kind is pd.Timedelta:
        return tagged("Timedelta", [value.value, value.unit])
    if kind is pd.Interval:
        return tagged("Interval", [encode_scalar(value.left), encode_scalar(value.right), value.closed])
    if kind is pd.Period:
        return tagged("Period", [value.ordinal, value.freqstr])
    if kind is tuple:  # Not the tag of a plain tuple, which has no scalars of pandas.
        return tagged("labels", [encode_scalar(entry) for entry in value])
    return to_json(value)


def decode_scalar(value: Any) -> Any:
    """Return what `encode_scalar` was given."""
    tag = value.get(TAG) if type(value) is dict else None
    if tag == "NaT":
        return pd.NaT
    if tag == "NA":
        return pd.NA
    if tag == "Timestamp":
        nanoseconds, zone, unit = value["value"]
        moment = pd.Timestamp(nanoseconds, unit="ns", tz="UTC").as_unit(unit)
        return moment.tz_localize(None) if zone is None else moment.tz_convert(zone)
    if tag == "Timedelta":
        nanoseconds, unit = value["value"]
        return pd.Timedelta(nanoseconds, unit="ns").as_unit(unit)
    if tag == "Interval":
        left, right, closed = value["value"]
        return pd.Interval(decode_scalar(left), decode_scalar(right), closed)
    if tag == "Period":
        ordinal, freq = value["value"]
        return pd.Period(ordinal=ordinal, freq=str(freq))
    if tag == "labels":
        return tuple(decode_scalar(entry) for entry in value["value"])
    return from_json(value)


def encode_labels(index: Any) -> dict[str, Any]:
    """Return the labels of columns or categories, a `pandas.Index`, as an object for `json.dumps`.

    Raises
    ------
    CodecError
        One of them cannot be encoded.
    """
    description: dict[str, Any] = {"names": [encode_scalar(name) for name in index.names]}
    if type(index) is pd.RangeIndex:
        return {**description, "how": "range", "range": encode_range(index)}
    try:
        description["values"] = [encode_scalar(value) for value in index.tolist()]
    except CodecError as error:
        raise CodecError(f"a label is not moved: {error}") from None
    if isinstance(index, pd.MultiIndex):
        return {**description, "how": "multi"}
    if isinstance(index.dtype, pd.StringDtype):
        return {**description, "how": "string", "string": describe_string_dtype(index.dtype)}
    return {**description, "how": "values", "dtype": str(index.dtype), "freq": frequency(index)}


def decode_labels(description: dict[str, Any]) -> Any:
    """Return the index that `encode_labels` was given."""
    names = [decode_scalar(name) for name in description["names"]]
    how = description["how"]
    if how == "range":
        return decode_range(description["range"], names[0])
    values = [decode_scalar(value) for value in description["values"]]
    if how == "multi":
        return pd.MultiIndex.from_tuples(values, names=names)
    if how == "string":
        return pd.Index(values, dtype=string_dtype(description["string"]), name=names[0])
    if description["dtype"] == "object":
        # From a list, pandas would make a MultiIndex of tuples.
        objects = np.empty(len(values), dtype=object)
        objects[:] = values
        return pd.Index(objects, dtype=object, name=names[0])
    index = pd.Index(values, dtype=str(description["dtype"]), name=names[0])
    return set_frequency(index, description["freq"])


def encode_range(index: Any) -> list[int]:
    """Return a `pandas.RangeIndex` as JSON."""
    return [index.start, index.stop, index.step]


def decode_range(limits: list[int], name: Any) -> Any:
    """Return the index that `encode_range` was given, with a name."""
    start, stop, step = limits
    return pd.RangeIndex(start, stop, step, name=name)


def frequency(index: Any) -> str | None:
    """Return the frequency of an index of times, such as ``D``; None for other indexes."""
    return index.freqstr if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None


def set_frequency(index: Any, freq: str | None) -> Any:
    """Set what `frequency` returned, and return the index."""
    if freq is not None:
        index.freq = str(freq)
    return index


def describe_string_dtype(dtype: Any) -> dict[str, Any]:
    """Return a `pandas.StringDtype` as JSON."""
    return {"storage": dtype.storage, "uses_nan": dtype.na_value is not pd.NA}


def string_dtype(description: dict[str, Any]) -> Any:
    """Return the dtype that `describe_string_dtype` was given."""
    make: Any = pd.StringDtype
    # pandas 2.2 has no argument for the missing value, which is always NA there.
    arguments = [np.nan] if description["uses_nan"] else []
    if description["storage"] == "pyarrow":
        try:
            return make("pyarrow", *arguments)
        except ImportError:  # pandas was imported before pyarrow was installed.
            pass
    return make("python", *arguments)
