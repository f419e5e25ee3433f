"""Lenient decoding of pods whose fields are null, unknown, or of other types than in the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ...models import EnvironmentVariable, ExposedPort, Pod, is_valid_pod_id
from ...secret import MASK, Secret, is_sensitive_name

_FIELDS: Final = {field.encode_name: field for field in msgspec.structs.fields(Pod) if field.name != "extra"}
# The type of `id` is a str with a maximum length, `Annotated`.
_TEXT_FIELDS: Final = {name for name, field in _FIELDS.items() if name == "id" or field.type in (str, str | None)}
_ENTRY_TYPES: Final = {"environmentVars": EnvironmentVariable, "expose": ExposedPort}
_TIMESTAMP_FIELDS: Final = ("createdAt", "updatedAt")
_MAX_EPOCH_SECONDS: Final = 1e11
"""A larger timestamp, of the year 5138 and later, is in milliseconds."""

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
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, received in data.items():
        if name not in _FIELDS:
            extra[name] = _redact_unknown(name, received)
        elif received is not None:
            value, is_complete = _convert_partial(name, _coerce(name, received))
            if value is not None:
                values[_FIELDS[name].name] = value
            if not is_complete:
                # Any environment variable may be a secret, whatever its name.
                extra[name] = MASK if name == "environmentVars" else _redact_unknown(name, received)
    pod = Pod(**values)
    pod.extra = extra
    return pod


def _coerce(name: str, value: Any) -> Any:
    """Convert an int in a text field to text, and epoch time in a timestamp field to a datetime."""
    if name in _TEXT_FIELDS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _parse_timestamp(value) if name in _TIMESTAMP_FIELDS else value


def _parse_timestamp(value: Any) -> Any:
    """Convert epoch seconds or milliseconds, as a number or text; return any other value unchanged."""
    try:
        seconds = float(value)
        if abs(seconds) > _MAX_EPOCH_SECONDS:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return value


def _convert_partial(name: str, value: Any) -> tuple[Any, bool]:
    """Return the valid part of a field's value, and whether that is all of it."""
    if name not in _ENTRY_TYPES:
        converted = _try_convert(value, _FIELDS[name].type)
        return converted, converted is not None
    if not isinstance(value, list):
        return [], False
    entries = [_try_convert(entry, _ENTRY_TYPES[name]) for entry in value]
    valid = [entry for entry in entries if entry is not None]
    return valid, len(valid) == len(entries)


def _try_convert(value: Any, type_: Any) -> Any:
    """Return the value as that type, or None if it cannot be converted."""
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
