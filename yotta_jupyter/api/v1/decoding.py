"""Lenient decoding of pods whose fields are null, unknown, or of other types than in the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ...models import EnvironmentVariable, ExposedPort, Pod, is_valid_pod_id
from ...secret import MASK, Secret, is_sensitive_name

_FIELDS: Final = {field.encode_name: field for field in msgspec.structs.fields(Pod) if field.name != "extra"}
_TEXT_FIELDS: Final = {name for name, field in _FIELDS.items() if name == "id" or field.type in (str, str | None)}
_LIST_FIELDS: Final = {"environmentVars": EnvironmentVariable, "expose": ExposedPort}
_TIMESTAMP_FIELDS: Final = ("createdAt", "updatedAt")
_MAX_DEPTH: Final = 50
"""Nesting depth up to which the value of an unknown field is kept."""


def dec_hook(type_: type, value: object) -> object:
    """Convert a text or number to a `Secret`, the only type of a pod that msgspec does not know.

    Parameters
    ----------
    type_ : type
    value : object

    Returns
    -------
    Secret

    Raises
    ------
    ValueError
        The value is neither text nor a number.
    """
    if type_ is Secret and isinstance(value, (str, int, float)):
        return Secret(str(value))
    raise ValueError(f"not a {type_.__name__}")


def decode_pod_lenient(data: Any) -> Pod | None:
    """Decode a pod and keep as many of its fields as possible.

    Parameters
    ----------
    data : object
        Decoded JSON.

    Returns
    -------
    Pod or None
        None without a valid id. Unknown fields and invalid values are in `extra`, masked if their names suggest
        secrets.
    """
    if not isinstance(data, dict) or not is_valid_pod_id(_coerce("id", data.get("id"))):
        return None
    extra = {name: _redact_unknown(name, value) for name, value in data.items() if name not in _FIELDS}
    known = {name: _coerce(name, value) for name, value in data.items() if name in _FIELDS and value is not None}
    values = {}
    for name, value in known.items():
        values[name], is_complete = _convert_partial(name, value)
        if not is_complete:
            extra[name] = MASK if name == "environmentVars" else _redact_unknown(name, data[name])
    pod = Pod(**{_FIELDS[name].name: value for name, value in values.items() if value is not None})
    pod.extra = extra
    return pod


def _coerce(name: str, value: Any) -> Any:
    if name in _TEXT_FIELDS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _parse_timestamp(value) if name in _TIMESTAMP_FIELDS else value


def _parse_timestamp(value: Any) -> Any:
    """Convert epoch seconds or milliseconds, as a number or text; return any other value unchanged."""
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return value


def _convert_partial(name: str, value: Any) -> tuple[Any, bool]:
    """Return the valid part of a field's value, and whether that is all of it."""
    if name in _LIST_FIELDS:
        if not isinstance(value, list):
            return [], False
        entries = [_try_convert(entry, _LIST_FIELDS[name]) for entry in value]
        return [entry for entry in entries if entry is not None], None not in entries
    converted = _try_convert(value, _FIELDS[name].type)
    return converted, converted is not None


def _try_convert(value: Any, type_: Any) -> Any:
    try:
        return msgspec.convert(value, type_, strict=False, dec_hook=dec_hook)
    except msgspec.ValidationError:
        return None


def _redact_unknown(name: str, value: Any, depth: int = 0) -> Any:
    """Mask the parts of an unknown field whose names suggest secrets."""
    if is_sensitive_name(name) or depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, dict):
        return {key: _redact_unknown(key, entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_redact_unknown(name, entry, depth + 1) for entry in value]
    return value
