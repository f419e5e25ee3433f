"""NumPy arrays in the .npy format. Runs on both sides."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np

from .errors import CodecError

_DTYPE_KINDS = "biufcmMSUV"
"""The `numpy.dtype.kind` of all dtypes without Python objects."""


def encode_array(array: Any) -> bytes:
    """Return an array as bytes.

    Raises
    ------
    CodecError
        It contains Python objects.
    """
    if array.dtype.hasobject:
        raise CodecError("an array of Python objects is not moved as data: convert it to a numeric or text dtype")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def decode_array(data: bytes) -> Any:
    """Return the array that `encode_array` was given, writable.

    Raises
    ------
    CodecError
        The bytes are not an array without Python objects.
    """
    # `numpy.load` would allocate the size that the header states before it finds that bytes are missing.
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise CodecError(f"its .npy version {version} is not supported")
    if dtype.hasobject:
        raise CodecError("it is an array of Python objects")
    content = memoryview(data)[file.tell() :]
    count = math.prod(shape)
    if count < 0 or count * dtype.itemsize != len(content):
        raise CodecError("its size does not match its shape")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    array = np.frombuffer(bytearray(content), dtype=dtype, count=count)
    return array.reshape(shape, order="F" if is_fortran else "C")


def encode_as_text(value: Any) -> str:
    """Return an array or a NumPy scalar as Base64 text.

    Raises
    ------
    CodecError
        It contains Python objects, or is of a subclass.
    """
    array = np.asarray(value)
    name = type(value).__name__
    is_subclass = name not in ("ndarray", array.dtype.type.__name__)
    if is_subclass or array.dtype.kind not in _DTYPE_KINDS:
        raise CodecError(f"a numpy.{name} is not moved as data")
    return base64.b64encode(encode_array(array)).decode("ascii")


def decode_text(text: str) -> Any:
    """Return the array that `encode_as_text` was given; for a scalar, an array without dimensions."""
    return decode_array(base64.b64decode(text, validate=True))
