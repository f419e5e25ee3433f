"""The pods in memory and the changes of their statuses over time."""

import copy
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec

from .bill import Bill, BillItem
from .fixtures import seed_pod
from .inventory import (
    assign_endpoints,
    build_pod,
    clear_endpoints,
    format_timestamp,
    has_healthy_ssh,
    set_ssh_address,
)
from .statuses import normalize_status
from .validation import CreateBody


class Transition(NamedTuple):
    """How an action changes a pod's status.

    Attributes
    ----------
    required : str or None
        The status in which the action is valid; None if it is valid in all but ``during`` and ``after``.
    during, after : str
        The status immediately after the request, and the one that follows by itself.
    seconds : float
        The sandbox seconds between the two.
    """

    required: str | None
    during: str
    after: str
    seconds: float


TRANSITIONS = {
    "create": Transition(None, "INITIALIZE", "RUNNING", 6.0),
    "pause": Transition("RUNNING", "PAUSING", "PAUSED", 3.0),
    "resume": Transition("PAUSED", "INITIALIZE", "RUNNING", 6.0),
    "delete": Transition(None, "TERMINATING", "TERMINATED", 3.0),
}

PORTS_SECONDS = 2.0
"""The sandbox seconds after RUNNING until the ports are healthy."""

TOMBSTONE_SECONDS = 60.0
"""The sandbox seconds for which a TERMINATED pod is still listed."""

_EPOCH = float("-inf")  # Earlier than any other time.
_MAX_VERSIONS = 16
_SPARE_PORTS = 32
"""How many SSH ports sample pods leave for pods that are created."""


class PodNotFound(LookupError):
    """No pod has that id."""


class InvalidStatus(Exception):
    """The action is not valid in the pod's status."""


class Runtimes(Protocol):
    """What runs the code of pods."""

    host: str

    def open(self, records: Sequence[Mapping[str, Any]], *, spare: int = 0) -> list[int]:
        """Return the ports of new SSH servers for pods. Leave at least ``spare`` ports for other pods."""

    def pause(self, pod_id: str) -> None:
        """End the server and the processes of a pod, and erase its files outside a persistent volume."""

    def end(self, pod_id: str) -> None:
        """End the server and the processes of a pod, and erase its files."""

    def end_all(self) -> None:
        """End all pods."""


class Clock:
    """The time of the sandbox, in seconds since its start.

    Parameters
    ----------
    speed : float
        The sandbox seconds per real second.
    monotonic : callable
        The source of real seconds.
    offset : float
        The seconds by which the sandbox's time of day is ahead of this machine's.
    """

    def __init__(self, speed: float, monotonic: Callable[[], float] = time.monotonic, offset: float = 0.0) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._start = monotonic()
        self._advanced = 0.0
        self.started = datetime.now(UTC) + timedelta(seconds=offset)

    def now(self) -> float:
        """Return the sandbox seconds since the start, including those added by `advance`."""
        return (self._monotonic() - self._start) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Move forward by that many sandbox seconds."""
        self._advanced += seconds

    def to_real(self, at: float) -> float:
        """Convert sandbox seconds to real seconds since the start."""
        return at / self._speed

    def to_datetime(self, at: float) -> datetime:
        """Convert sandbox seconds to a time of day in UTC."""
        # Divided by the speed, so that no timestamp of a fast sandbox is in the future.
        return self.started + timedelta(seconds=self.to_real(at))


@dataclass(slots=True)
class _Version:
    """The record of a pod from the time ``at`` on. A change of the pod adds a version.

    A fixed record was passed to the simulator and is served unchanged.
    """

    at: float
    record: Mapping[str, Any]
    encoded: bytes | None = None
    fixed: bool = False
    status: str = field(init=False)
    sort_key: tuple[float, int] = field(init=False)

    def __post_init__(self) -> None:
        self.status = normalize_status(self.record.get("status"))
        pod_id = str(self.record.get("id"))
        self.sort_key = (_parse_timestamp(self.record.get("updatedAt")), int(pod_id) if pod_id.isdecimal() else 0)

    def to_json(self) -> bytes:
        if self.encoded is None:
            self.encoded = msgspec.json.encode(self.record)
        return self.encoded

    def can_run_code(self) -> bool:
        """Return whether the pod is one of the sandbox's own with a healthy SSH port."""
        return not self.fixed and self.status == "RUNNING" and has_healthy_ssh(self.record.get("expose"))


@dataclass(slots=True)
class _Pod:
    """A pod with its latest versions, oldest first.

    ``key`` is its id, or a substitute if its record has no unique id.
    """

    key: str
    versions: list[_Version]
    fails: bool = False

    @property
    def latest(self) -> _Version:
        return self.versions[-1]

    def as_of(self, at: float) -> _Version | None:
        return next((version for version in reversed(self.versions) if version.at <= at), None)


class Simulator:
    """The pods of the sandbox. Thread-safe.

    Parameters
    ----------
    pod_count : int
        The number of sample pods at the start.
    seed : int
        The same seed gives the same ids, names, hosts and prices.
    speed : float
        The sandbox seconds per real second.
    records : iterable of mapping, str or bytes, optional
        JSON objects to serve instead of sample pods. Each is served unchanged until an action changes the pod.
    monotonic : callable
        The source of real seconds.
    clock_offset : float
        The seconds by which the sandbox's time of day is ahead of this machine's.
    """

    def __init__(
        self,
        *,
        pod_count: int = 3,
        seed: int = 0,
        speed: float = 1.0,
        records: Iterable[Mapping[str, Any] | str | bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock_offset: float = 0.0,
    ) -> None:
        self._lock = threading.RLock()
        self._runtimes: Runtimes | None = None
        self._pod_count = pod_count
        self._seed = seed
        self._records = (
            None if records is None else [_Version(_EPOCH, *_parse_record(record), fixed=True) for record in records]
        )
        self._clock = Clock(speed, monotonic, clock_offset)
        self.reset()

    def reset(self) -> None:
        """Return to the initial pods."""
        with self._lock:
            if self._runtimes is not None:
                self._runtimes.end_all()
            self._pods: dict[str, _Pod] = {}
            self._schedule: dict[str, tuple[float, Callable[[_Pod, float], None]]] = {}
            self._bill = Bill()
            self._sample_count = 0
            self._random = Random(f"{self._seed}/ids")
            self._last_id = self._random.randrange(2 * 10**17, 4 * 10**17)
            if self._records is None:
                self.add(self._pod_count)
                return
            for index, version in enumerate(self._records):
                key = str(version.record.get("id"))
                if key in self._pods or version.record.get("id") is None:
                    key = f"no id {index}"  # The pod is listed, but no request can address it.
                self._add_pod(_Pod(key, [version]))

    def add(self, count: int) -> None:
        """Add sample pods that were created some time before."""
        with self._lock:
            added = []
            for _ in range(count):
                pod_id = self._new_id()
                record = seed_pod(self._sample_count, pod_id, self._seed, self._clock.started)
                self._sample_count += 1
                added.append(self._add_pod(_Pod(pod_id, [_Version(_EPOCH, record)])))
            self._open_ssh(added, _SPARE_PORTS)

    def attach(self, runtimes: Runtimes) -> None:
        """Give SSH servers to all pods with a healthy SSH port, now and in future, until `detach`."""
        with self._lock:
            self._advance()
            self._runtimes = runtimes
            self._open_ssh(self._pods.values(), _SPARE_PORTS)

    def detach(self) -> None:
        """Give out no more SSH servers."""
        with self._lock:
            self._runtimes = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward by sandbox seconds."""
        with self._lock:
            self._clock.advance(seconds)
            self._advance()

    def list_pods(self, regions: Iterable[str] = (), statuses: Iterable[str] = (), lag: float = 0.0) -> list[bytes]:
        """Return the pods as JSON, as they were ``lag`` sandbox seconds ago, most recently updated first.

        Only pods in any of the regions and any of the statuses are returned; an empty filter matches all pods.
        """
        # A list, because the region of a record may be of any type, also an unhashable one.
        regions, statuses = list(regions), set(statuses)
        with self._lock:
            at = self._advance() - lag
            versions = [pod.as_of(at) for pod in self._pods.values()]
            matches = [
                version
                for version in versions
                if version is not None
                and (not statuses or version.status in statuses)
                and (not regions or version.record.get("region") in regions)
            ]
            return [version.to_json() for version in _newest_first(matches)]

    def get(self, pod_id: str, lag: float = 0.0) -> bytes:
        """Return a pod as JSON, as it was ``lag`` sandbox seconds ago, or raise PodNotFound."""
        with self._lock:
            at = self._advance() - lag
            version = self._get(pod_id).as_of(at)
            if version is None:
                raise PodNotFound(pod_id)
            return version.to_json()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return copies of the records of all pods, most recently updated first."""
        with self._lock:
            self._advance()
            versions = _newest_first(pod.latest for pod in self._pods.values())
            return [copy.deepcopy(dict(version.record)) for version in versions]

    def bill(self) -> dict[str, BillItem]:
        """Return what each pod has cost since the start or the last reset, also of those that were deleted."""
        with self._lock:
            return self._bill.items(self._clock.to_real(self._advance()))

    def create(self, body: CreateBody, *, fails: bool = False) -> str:
        """Add a pod and return its id. If ``fails``, the pod changes to FAILED instead of RUNNING."""
        with self._lock:
            now = self._advance()
            pod_id = self._new_id()
            transition = TRANSITIONS["create"]
            created = self._clock.to_datetime(now)
            record = build_pod(body, pod_id, self._seed, created, status=transition.during)
            pod = self._add_pod(_Pod(pod_id, [_Version(now, record)], fails))
            self._schedule_completion(pod, now, transition)
            return pod_id

    def transition(self, action: str, pod_id: str) -> None:
        """Start an action (``pause``, ``resume`` or ``delete``) on a pod.

        Raises
        ------
        PodNotFound
            If no pod has that id.
        InvalidStatus
            If the action is not valid in the pod's status.
        """
        transition = TRANSITIONS[action]
        with self._lock:
            now = self._advance()
            pod = self._get(pod_id)
            status = pod.latest.status
            if transition.required is not None and status != transition.required:
                raise InvalidStatus(f"cannot {action} a pod that is {status}: it must be {transition.required}")
            if status in (transition.during, transition.after):
                raise InvalidStatus(f"cannot {action} a pod that is {status}")
            # A deleted pod keeps its endpoints until it is removed.
            changes = {} if action == "delete" else {"expose": clear_endpoints(pod.latest.record.get("expose"))}
            self._set_status(pod, now, transition.during, **changes)
            self._schedule_completion(pod, now, transition)
            if self._runtimes is not None and action == "pause":
                self._runtimes.pause(pod.key)
            elif self._runtimes is not None and action == "delete":
                self._runtimes.end(pod.key)

    def _add_pod(self, pod: _Pod) -> _Pod:
        self._pods[pod.key] = pod
        self._bill.change(pod.key, self._clock.to_real(self._clock.now()), pod.latest.status, pod.latest.record)
        return pod

    def _advance(self) -> float:
        """Run all scheduled changes that are due, and return the current time."""
        now = self._clock.now()
        for key in list(self._schedule):
            # A change may schedule the next one of the pod, which may be due as well.
            while key in self._schedule and self._schedule[key][0] <= now:
                at, callback = self._schedule.pop(key)
                callback(self._pods[key], at)
        return now

    def _schedule_completion(self, pod: _Pod, at: float, transition: Transition) -> None:
        """Schedule the end of a transition that starts at that time, instead of what was scheduled for the pod."""
        self._schedule[pod.key] = (at + transition.seconds, partial(self._complete, status=transition.after))

    def _complete(self, pod: _Pod, at: float, *, status: str) -> None:
        if status == "RUNNING" and pod.fails:
            status = "FAILED"
        self._set_status(pod, at, status)
        if status == "RUNNING":
            self._schedule[pod.key] = (at + PORTS_SECONDS, self._open_ports)
        elif status == "TERMINATED":
            self._schedule[pod.key] = (at + TOMBSTONE_SECONDS, self._remove)

    def _open_ports(self, pod: _Pod, at: float) -> None:
        expose = assign_endpoints(pod.latest.record.get("expose"), pod.key, self._seed)
        self._add_version(pod, at, expose=expose)
        self._open_ssh([pod])

    def _open_ssh(self, pods: Iterable[_Pod], spare: int = 0) -> None:
        """Put the addresses of real SSH servers into the records of the pods whose SSH port is healthy."""
        if self._runtimes is None:
            return
        versions = [pod.latest for pod in pods if pod.latest.can_run_code()]
        ports = self._runtimes.open([version.record for version in versions], spare=spare)
        for version, port in zip(versions, ports, strict=True):
            expose = set_ssh_address(version.record.get("expose"), self._runtimes.host, port)
            version.record, version.encoded = {**version.record, "expose": expose}, None

    def _remove(self, pod: _Pod, at: float) -> None:
        del self._pods[pod.key]

    def _set_status(self, pod: _Pod, at: float, status: str, **changes: object) -> None:
        self._add_version(pod, at, **changes, status=status, updatedAt=format_timestamp(self._clock.to_datetime(at)))

    def _add_version(self, pod: _Pod, at: float, **changes: object) -> None:
        pod.versions.append(_Version(at, {**pod.latest.record, **changes}))
        self._bill.change(pod.key, self._clock.to_real(at), pod.latest.status, pod.latest.record)
        del pod.versions[:-_MAX_VERSIONS]

    def _get(self, pod_id: str) -> _Pod:
        try:
            return self._pods[pod_id]
        except KeyError:
            raise PodNotFound(pod_id) from None

    def _new_id(self) -> str:
        # Ids increase as the provider's do, in steps small enough to keep 18 digits.
        while True:
            self._last_id += self._random.randrange(10**11, 10**13)
            if str(self._last_id) not in self._pods:
                return str(self._last_id)


def _newest_first(versions: Iterable[_Version]) -> list[_Version]:
    return sorted(versions, key=lambda version: version.sort_key, reverse=True)


def _parse_record(record: Mapping[str, Any] | str | bytes) -> tuple[Mapping[str, Any], bytes | None]:
    """Return a record and, if it was given as JSON, that JSON."""
    if isinstance(record, str | bytes):
        encoded = record.encode() if isinstance(record, str) else record
        return msgspec.json.decode(encoded, type=dict[str, Any]), encoded
    return copy.deepcopy(dict(record)), None


def _parse_timestamp(value: object) -> float:
    """Return a timestamp (ISO 8601, or epoch seconds or milliseconds) as epoch seconds, ``_EPOCH`` if it is invalid."""
    text = str(value)
    if re.fullmatch(r"\d{1,20}(\.\d+)?", text):
        return float(text) / 1000 if float(text) > 1e11 else float(text)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return _EPOCH
