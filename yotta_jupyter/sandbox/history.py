"""The history of a pod: the latest versions of its record."""

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from .pod_record import has_healthy_ssh
from .statuses import normalize_status

LONG_AGO = float("-inf")
"""A time before the start of the sandbox."""

_MAX_VERSIONS = 16


@dataclass(slots=True)
class Version:
    """The record of a pod from a time on.

    Attributes
    ----------
    since : float
        That time, in sandbox seconds since the start.
    record : mapping
        The pod as in a listing.
    encoded : bytes or None
        The record as JSON; None until it is encoded.
    user_supplied : bool
        Whether the user of the sandbox supplied this record. The next version of the pod is the sandbox's own.
    """

    since: float
    record: Mapping[str, Any]
    encoded: bytes | None = None
    user_supplied: bool = False
    status: str = field(init=False)
    sort_key: tuple[float, int] = field(init=False)

    def __post_init__(self) -> None:
        self.status = normalize_status(self.record.get("status"))
        self.sort_key = _sort_key(self.record)

    def to_json(self) -> bytes:
        """Return the record as JSON."""
        if self.encoded is None:
            self.encoded = msgspec.json.encode(self.record)
        return self.encoded

    def replace_record(self, record: Mapping[str, Any]) -> None:
        """Replace the record of this version."""
        self.record = record
        self.encoded = None

    def can_run_code(self) -> bool:
        """Return whether the pod has a healthy SSH port. The port in a user-supplied record is not real."""
        return not self.user_supplied and self.status == "RUNNING" and has_healthy_ssh(self.record.get("expose"))


@dataclass(slots=True)
class PodHistory:
    """A pod and its latest versions, oldest first.

    Attributes
    ----------
    key : str
        The id of the pod, or a substitute if its record has no unique id.
    versions : list of Version
        At least one version.
    will_fail : bool
        Whether the pod changes to FAILED instead of RUNNING.
    """

    key: str
    versions: list[Version]
    will_fail: bool = False

    @property
    def latest(self) -> Version:
        """The current version."""
        return self.versions[-1]

    def as_of(self, at: float) -> Version | None:
        """Return the version at a time, or None if the pod did not exist."""
        for version in reversed(self.versions):
            if version.since <= at:
                return version
        return None

    def change(self, at: float, **fields: object) -> None:
        """Add a version with changed fields of the record."""
        self.versions.append(Version(at, {**self.latest.record, **fields}))
        del self.versions[:-_MAX_VERSIONS]


def newest_first(versions: Iterable[Version]) -> list[Version]:
    """Sort versions by the time of the update, then by id."""
    return sorted(versions, key=lambda version: version.sort_key, reverse=True)


def parse_record(record: Mapping[str, Any] | str | bytes) -> Version:
    """Return the version of a record that a user supplies. JSON is kept byte for byte."""
    if not isinstance(record, str | bytes):
        return Version(LONG_AGO, copy.deepcopy(dict(record)), user_supplied=True)
    encoded = record.encode() if isinstance(record, str) else record
    return Version(LONG_AGO, msgspec.json.decode(encoded, type=dict[str, Any]), encoded, user_supplied=True)


def _sort_key(record: Mapping[str, Any]) -> tuple[float, int]:
    pod_id = str(record.get("id"))
    number = int(pod_id) if pod_id.isdecimal() else 0
    return _parse_timestamp(record.get("updatedAt")), number


def _parse_timestamp(value: object) -> float:
    """Return a timestamp as epoch seconds, ``LONG_AGO`` if it is invalid.

    It may be ISO 8601, or epoch seconds or milliseconds.
    """
    text = str(value)
    if re.fullmatch(r"\d{1,20}(\.\d+)?", text):
        number = float(text)
        is_milliseconds = number > 1e11  # As seconds it would be after the year 5000.
        return number / 1000 if is_milliseconds else number
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return LONG_AGO
