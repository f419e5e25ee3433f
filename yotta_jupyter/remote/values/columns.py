"""Columns of pandas objects as Arrow arrays. Runs on both sides.

A column becomes one or more Arrow arrays and a description in JSON: ``{"how": "dtype", "dtype": "int64"}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .arrow_stream import check_type
from .errors import CodecError, one_line
from .labels import (
    decode_labels,
    decode_scalar,
    describe_string_dtype,
    encode_labels,
    encode_scalar,
    string_dtype,
)


def encode_column(series: Any, label: str, arrays: list[Any]) -> dict[str, Any]:
    """Append the Arrow arrays of a Series to a list and return its description.

    Parameters
    ----------
    series : pandas.Series
    label : str
        Its name in error messages.
    arrays : list of pyarrow.Array

    Raises
    ------
    CodecError
        It cannot be moved as data.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.IntervalDtype):
        left = encode_column(pd.Series(series.array.left), label, arrays)
        right = encode_column(pd.Series(series.array.right), label, arrays)
        return {"how": "interval", "closed": str(dtype.closed), "left": left, "right": right}
    if isinstance(dtype, pd.SparseDtype):
        dense = encode_column(series.sparse.to_dense(), label, arrays)
        return {"how": "sparse", "fill": encode_scalar(dtype.fill_value), "dense": dense}
    if getattr(dtype, "kind", "") == "c":
        numbers = series.to_numpy()
        real = encode_column(pd.Series(numbers.real), label, arrays)
        imag = encode_column(pd.Series(numbers.imag), label, arrays)
        return {"how": "complex", "dtype": str(dtype), "real": real, "imag": imag}
    if str(dtype) == "object":
        return _encode_objects(series, label, arrays)
    array, description = _encode_single(series, label)
    arrays.append(array)
    return description


def decode_column(description: dict[str, Any], arrays: Iterator[Any]) -> Any:
    """Return the Series that `encode_column` was given.

    Parameters
    ----------
    description : dict
    arrays : iterator of pyarrow.ChunkedArray
        Those of this column are taken from it.

    Raises
    ------
    CodecError
        The description or the arrays are invalid.
    """
    how = description["how"]
    if how == "interval":
        left = decode_column(description["left"], arrays)
        right = decode_column(description["right"], arrays)
        return pd.Series(pd.arrays.IntervalArray.from_arrays(left, right, closed=description["closed"]))
    if how == "complex":
        real = decode_column(description["real"], arrays)
        imag = decode_column(description["imag"], arrays)
        return (real + 1j * imag).astype(str(description["dtype"]))
    if how == "sparse":
        dense = decode_column(description["dense"], arrays)
        return dense.astype(pd.SparseDtype(dense.dtype, decode_scalar(description["fill"])))
    return _decode_single(description, next(arrays))


def _encode_single(series: Any, label: str) -> tuple[Any, dict[str, Any]]:
    """Return the Arrow array and the description of a Series that needs only one array."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = encode_labels(dtype.categories)
        description = {"how": "category", "ordered": bool(dtype.ordered), "categories": categories}
        return _to_arrow(series.array.codes, label), description
    if isinstance(dtype, pd.PeriodDtype):
        return _to_arrow(series.array.asi8, label), {"how": "period", "dtype": str(dtype)}
    array = _to_arrow(series, label)
    if isinstance(dtype, pd.ArrowDtype):
        check_type(array.type)
        return array, {"how": "arrow"}
    if isinstance(dtype, pd.StringDtype):
        return array, {"how": "string", "string": describe_string_dtype(dtype)}
    name = str(dtype)
    is_number = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    if not is_number and not name.startswith(("datetime64", "timedelta64")):
        raise CodecError(f"{label} has dtype {name}, which is not moved as data: convert it")
    return array, {"how": "dtype", "dtype": name}


def _to_arrow(values: Any, label: str) -> Any:
    is_float = values.dtype.kind == "f"
    try:
        # `from_pandas` makes NaN a missing value, which would change it in floating-point numbers.
        array = pa.array(values, from_pandas=not is_float)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        raise CodecError(f"{label} is not moved as data: {one_line(error, 120)}") from None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _encode_objects(series: Any, label: str, arrays: list[Any]) -> dict[str, Any]:
    """Encode Python objects: as text if all are text or None, else each one as JSON."""
    values = series.tolist()
    if all(type(value) is str or value is None for value in values):
        try:
            arrays.append(pa.array(values, pa.large_string()))
            return {"how": "text"}
        except (pa.ArrowException, UnicodeError):
            pass  # Text with lone surrogates, which JSON escapes.
    try:
        texts = [json.dumps(encode_scalar(value), separators=(",", ":")) for value in values]
    except (CodecError, RecursionError) as error:
        raise CodecError(f"{label} is not moved: {error}") from None
    arrays.append(pa.array(texts, pa.large_string()))
    return {"how": "json"}


def _decode_single(description: dict[str, Any], array: Any) -> Any:
    how = description["how"]
    if how == "category":
        return _decode_categories(description, array.to_numpy())
    if how == "text":
        return pd.Series(np.array(array.to_pylist(), dtype=object), dtype=object)
    if how == "json":
        values = np.empty(len(array), dtype=object)
        for number, text in enumerate(array.to_pylist()):
            values[number] = decode_scalar(json.loads(text))
        return pd.Series(values, dtype=object)
    if how == "period":
        dtype: Any = pd.PeriodDtype.construct_from_string(str(description["dtype"]))
        return pd.Series(pd.arrays.PeriodArray(array.to_numpy(), dtype=dtype))
    if how == "arrow":
        return pd.Series(pd.arrays.ArrowExtensionArray(array))
    if how == "string":
        return pd.Series(string_dtype(description["string"]).__from_arrow__(array))
    return _decode_dtype(str(description["dtype"]), array)


def _decode_categories(description: dict[str, Any], codes: Any) -> Any:
    categories = decode_labels(description["categories"])
    dtype = pd.CategoricalDtype(categories, bool(description["ordered"]))
    if len(codes) and (codes.min() < -1 or codes.max() >= len(categories)):  # -1 is a missing value.
        raise CodecError("its categories are damaged")
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))


def _decode_dtype(name: str, array: Any) -> Any:
    dtype: Any = pd.api.types.pandas_dtype(name)
    is_nullable = hasattr(dtype, "numpy_dtype") and hasattr(dtype, "__from_arrow__")  # Such as Int64 and boolean.
    if is_nullable:
        return pd.Series(dtype.__from_arrow__(array))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return array.to_pandas().rename(None).astype(dtype)  # `rename` removes the column's name in the stream.
    if getattr(dtype, "kind", "O") not in "biufmM":
        raise CodecError(f"it has a column of dtype {name}")
    values = array.to_numpy()
    return pd.Series(values if values.dtype == dtype else values.astype(dtype))
