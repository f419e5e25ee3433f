"""Assign and read variables of the pod's kernel. Runs in that kernel, behind the source of ``codec.py``."""

from __future__ import annotations

import base64
import importlib
import importlib.util
import os
import sys
import uuid

if False:  # TYPE_CHECKING, without importing typing.
    from typing import Any

    from .codec import CodecError, decode, encode, packages, size_in_memory

MIME = "application/vnd.yotta.transfer+json"
INLINE = 1 << 17


def receive(entries: list[dict[str, Any]], library: str) -> None:
    """Assign values: each entry has a name, a kind, and its bytes in Base64 or the path of a file."""
    shell = _shell()
    result: dict[str, Any] = {}
    try:
        _use_library(library)
        # All of them before the first import: pandas and pyarrow look for one another and for NumPy only then.
        needed = {package for entry in entries for package in packages(entry["kind"])}
        missing = sorted(package for package in needed if importlib.util.find_spec(package) is None)
        if missing:
            _publish(shell, {"missing": missing})
            return
        values = {}
        for entry in entries:
            result = {"name": entry["name"]}
            if "path" in entry:
                with open(entry["path"], "rb") as file:
                    data = file.read()
            else:
                data = base64.b64decode(entry["inline"])
            values[entry["name"]] = decode(entry["kind"], data)
        shell.user_ns.update(values)
        result = {"ok": True}
    except BaseException as error:
        result.update(_describe(error))
    _publish(shell, result)


def send(names: list[str], folder: str, library: str, limit: int) -> None:
    """Publish values by name: kind, size, and their bytes in Base64 or the path of a new file.

    A value of more than `limit` bytes is refused before it is encoded, which would need the same memory again.
    """
    shell = _shell()
    entries: list[dict[str, Any]] = []
    result: dict[str, Any] = {}
    try:
        _use_library(library)
        for name in names:
            result = {"name": name}
            if name not in shell.user_ns:
                raise NameError("there is no variable of that name")
            size = size_in_memory(shell.user_ns[name])
            if size > limit:
                raise CodecError(f"it has {size / 1e9:.1f} GB, and the limit is {limit / 1e9:.1f} GB")
            kind, data = encode(shell.user_ns[name])
            entry: dict[str, Any] = {"name": name, "kind": kind, "size": len(data)}
            if len(data) <= INLINE:
                entry["inline"] = base64.b64encode(data).decode("ascii")
            else:
                os.makedirs(folder, mode=0o700, exist_ok=True)
                entry["path"] = os.path.join(folder, uuid.uuid4().hex)
                with open(entry["path"], "wb") as file:
                    file.write(data)
            entries.append(entry)
        result = {"ok": True, "entries": entries}
    except BaseException as error:
        for entry in entries:
            if "path" in entry:
                os.unlink(entry["path"])
        result.update(_describe(error))
    _publish(shell, result)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _use_library(library: str) -> None:
    """Find packages that were installed after the start of the kernel."""
    importlib.invalidate_caches()
    if os.path.isdir(library) and library not in sys.path:
        sys.path.append(library)


def _describe(error: BaseException) -> dict[str, Any]:
    if isinstance(error, ImportError) and error.name in ("numpy", "pandas", "pyarrow"):
        return {"missing": [error.name]}
    text = " ".join(str(error).split())[:300]
    if isinstance(error, (CodecError, NameError)):
        return {"error": text, "is_unsupported": isinstance(error, CodecError)}
    return {"error": f"{type(error).__name__}: {text}"}


def _publish(shell: Any, result: dict[str, Any]) -> None:
    shell.display_pub.publish({MIME: result}, {})
