"""Records of pods that are not of the contract's form, read as far as they can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from .models import EnvironmentVariable, ExposedPort, Pod, is_pod_id
from .secret import MASK, Secret, names_a_secret

_FIELDS: Final = {field.encode_name: field for field in msgspec.structs.fields(Pod) if field.name != "extra"}
_TEXT: Final = {name for name, field in _FIELDS.items() if name == "id" or field.type in (str, str | None)}
_LISTS: Final = {"environmentVars": EnvironmentVariable, "expose": ExposedPort}
_TIMES: Final = ("createdAt", "updatedAt")


def decoded_secret(kind: type, value: object) -> object:
    """Return a `Secret` of a text or a number: the hook of msgspec's decoders for the one type that it does not know.

    Raises
    ------
    ValueError
        It is neither.
    """
    if kind is Secret and isinstance(value, (str, int, float)):
        return Secret(str(value))
    raise ValueError(f"no {kind.__name__}")


def pod_of_record(record: Any) -> Pod | None:
    """Return the pod of a record in which fields are null, unknown, or of another type than the contract's.

    Parameters
    ----------
    record : object
        Decoded JSON.

    Returns
    -------
    Pod or None
        None where there is no id. What does not fit is in `extra`, masked where its name tells of a secret.
    """
    if not isinstance(record, dict) or not is_pod_id(_plain("id", record.get("id"))):
        return None
    known = {}
    extra = {}
    for name, value in record.items():
        if name not in _FIELDS:
            extra[name] = _masked(name, value)
        elif value is not None:
            known[name] = _plain(name, value)
    try:
        pod = msgspec.convert(known, Pod, strict=False, dec_hook=decoded_secret)
    except msgspec.ValidationError:
        fitting = {}
        for name, value in known.items():
            fitting[name], whole = _fitting(name, value)
            if not whole:
                extra[name] = MASK if name == "environmentVars" else _masked(name, record[name])
        pod = Pod(**{_FIELDS[name].name: value for name, value in fitting.items() if value is not None})
    pod.extra = extra
    return pod


def _plain(name: str, value: Any) -> Any:
    if name in _TEXT and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name in _TIMES:
        return _time(value)
    return value


def _time(value: Any) -> Any:
    """Read epoch seconds or milliseconds, as a number or as text; leave any other form as it is."""
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return value


def _fitting(name: str, value: Any) -> tuple[Any, bool]:
    """Return as much of a value as fits its field, and whether that is all of it."""
    if name in _LISTS:
        entries = [_converted(entry, _LISTS[name]) for entry in value] if isinstance(value, list) else [None]
        return [entry for entry in entries if entry is not None], None not in entries
    converted = _converted(value, _FIELDS[name].type)
    return converted, converted is not None


def _converted(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=decoded_secret)
    except msgspec.ValidationError:
        return None


_DEEPEST: Final = 50
"""Lists and objects within each other that an unknown field may hold; what lies deeper is not kept."""


def _masked(name: str, value: Any, depth: int = 0) -> Any:
    """Hide what a field of an unknown meaning may hold in secrets, judged by its names."""
    if names_a_secret(name) or depth > _DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {key: _masked(key, entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_masked(name, entry, depth + 1) for entry in value]
    return value
