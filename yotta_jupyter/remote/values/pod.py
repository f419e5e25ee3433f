"""Assign and read variables of the pod's kernel. Runs in that kernel.

A result is published as an output of its own MIME type. It has ``ok``, or ``missing`` packages, or the ``name`` of a
variable and its ``error``, with ``is_unsupported`` if no value of its type can be moved. An entry is a value: its name,
its kind, and its bytes as Base64 text (``inline``) or in a file (``path``).
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import os
import sys
import uuid
from typing import Any

from .codec import decode, encode, packages, size_in_memory
from .errors import CodecError, one_line

MIME = "application/vnd.yotta.transfer+json"
INSTALLABLE = ("numpy", "pandas", "pyarrow")
"""Packages that may be installed on the pod for a transfer."""
MAX_INLINE_SIZE = 1 << 17
"""Bytes of a value that needs no file."""


def assign_variables(entries: list[dict[str, Any]], library: str) -> None:
    """Assign values to variables: all of them or none.

    Parameters
    ----------
    entries : list of dict
    library : str
        A folder of packages that the agent installed.
    """
    result: dict[str, Any] = {}
    try:
        _add_library(library)
        # No import before all packages are there: pandas looks for pyarrow once, when it is imported.
        missing = _missing_packages(entries)
        if missing:
            result = {"missing": missing}
        else:
            values = {}
            for entry in entries:
                result = {"name": entry["name"]}  # For an error of this value.
                values[entry["name"]] = decode(entry["kind"], _read(entry))
            _shell().user_ns.update(values)
            result = {"ok": True}
    except BaseException as error:
        result.update(_describe(error))
    _publish(result)


def publish_variables(names: list[str], folder: str, library: str, max_bytes: int) -> None:
    """Publish the entries of variables.

    Parameters
    ----------
    names : list of str
    folder : str
        Where the files of large values are written.
    library : str
        A folder of packages that the agent installed.
    max_bytes : int
        Larger values are refused, because encoding one needs as much memory again.
    """
    entries: list[dict[str, Any]] = []
    result: dict[str, Any] = {}
    try:
        _add_library(library)
        variables = _shell().user_ns
        for name in names:
            result = {"name": name}  # For an error of this value.
            if name not in variables:
                raise NameError("there is no variable of that name")
            size = size_in_memory(variables[name])
            if size > max_bytes:
                raise CodecError(f"it has {size / 1e9:.1f} GB, and the limit is {max_bytes / 1e9:.1f} GB")
            entries.append(_encode_entry(name, variables[name], folder))
        result = {"ok": True, "entries": entries}
    except BaseException as error:
        for entry in entries:
            if "path" in entry:
                os.unlink(entry["path"])
        result.update(_describe(error))
    _publish(result)


def _missing_packages(entries: list[dict[str, Any]]) -> list[str]:
    needed = {package for entry in entries for package in packages(entry["kind"])}
    return sorted(package for package in needed if importlib.util.find_spec(package) is None)


def _read(entry: dict[str, Any]) -> bytes:
    if "inline" in entry:
        return base64.b64decode(entry["inline"])
    with open(entry["path"], "rb") as file:
        return file.read()


def _encode_entry(name: str, value: Any, folder: str) -> dict[str, Any]:
    kind, data = encode(value)
    entry: dict[str, Any] = {"name": name, "kind": kind, "size": len(data)}
    if len(data) <= MAX_INLINE_SIZE:
        entry["inline"] = base64.b64encode(data).decode("ascii")
        return entry
    os.makedirs(folder, mode=0o700, exist_ok=True)
    entry["path"] = os.path.join(folder, uuid.uuid4().hex)
    with open(entry["path"], "wb") as file:
        file.write(data)
    return entry


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _add_library(library: str) -> None:
    """Make packages importable that were installed after the start of the kernel."""
    importlib.invalidate_caches()
    if os.path.isdir(library) and library not in sys.path:
        sys.path.append(library)


def _describe(error: BaseException) -> dict[str, Any]:
    if isinstance(error, ImportError) and error.name in INSTALLABLE:
        return {"missing": [error.name]}
    text = one_line(error, 300)
    if isinstance(error, CodecError):
        return {"error": text, "is_unsupported": True}
    if isinstance(error, NameError):
        return {"error": text}
    return {"error": f"{type(error).__name__}: {text}"}


def _publish(result: dict[str, Any]) -> None:
    _shell().display_pub.publish({MIME: result}, {})
