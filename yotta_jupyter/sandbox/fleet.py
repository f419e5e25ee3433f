"""The pods in memory, moved from status to status by a clock."""

import copy
import heapq
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from yotta_jupyter.sandbox.checks import CreateBody
from yotta_jupyter.sandbox.seeds import starting_pod
from yotta_jupyter.sandbox.statuses import status_name
from yotta_jupyter.sandbox.stock import pod_record, reachable, unreachable

# Sandbox seconds: at speed 1 they are real ones.
INITIALIZE_SECONDS = 6.0
SSH_SECONDS = 2.0
PAUSE_SECONDS = 3.0
TERMINATE_SECONDS = 3.0
LISTED_SECONDS = 60.0

_ALWAYS = float("-inf")
_VERSIONS_KEPT = 16


class NoSuchPod(LookupError):
    """No pod has that id."""


class WrongStatus(Exception):
    """The pod's status does not allow what was asked."""


class Clock:
    """Sandbox seconds since the start: real ones times ``speed``, plus what `advance` added.

    Parameters
    ----------
    speed : float
        Sandbox seconds a real second.
    monotonic : callable
        The source of real seconds.
    offset : float
        Seconds by which its time of day is ahead of this machine's.
    """

    def __init__(self, speed: float, monotonic: Callable[[], float] = time.monotonic, offset: float = 0.0) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._began = monotonic()
        self._advanced = 0.0
        self.started = datetime.now(UTC) + timedelta(seconds=offset)

    def now(self) -> float:
        """Return the sandbox seconds since the start."""
        return (self._monotonic() - self._began) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Move forward by that many sandbox seconds."""
        self._advanced += seconds

    def stamp(self, at: float) -> str:
        """Return the time of day, UTC, of a moment in sandbox seconds, as the API writes it."""
        # Divided by speed, so that a fast sandbox does not write times that are still to come.
        return (self.started + timedelta(seconds=at / self._speed)).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(slots=True)
class _Version:
    """A pod as it was from ``at`` on. The record is never changed, only replaced by a new version."""

    at: float
    record: Mapping[str, Any]
    encoded: bytes | None = None
    status: str = field(init=False)
    order: tuple[float, int] = field(init=False)

    def __post_init__(self) -> None:
        self.status = status_name(self.record.get("status"))
        pod_id = str(self.record.get("id"))
        self.order = (_seconds(self.record.get("updatedAt")), int(pod_id) if pod_id.isdecimal() else 0)

    def json(self) -> bytes:
        if self.encoded is None:
            self.encoded = msgspec.json.encode(self.record)
        return self.encoded


@dataclass(slots=True)
class _Pod:
    key: str
    versions: list[_Version]
    fails: bool = False
    generation: int = 0

    @property
    def now(self) -> _Version:
        return self.versions[-1]

    def as_of(self, at: float) -> _Version | None:
        return next((version for version in reversed(self.versions) if version.at <= at), None)


class Fleet:
    """The pods of the sandbox. Safe to use from many threads.

    Parameters
    ----------
    pods : int
        How many invented pods to start with.
    seed : int
        The same seed gives the same ids, names, hosts and prices.
    speed : float
        How many times faster than real the pods move.
    records : iterable of mapping, str or bytes, optional
        Raw JSON objects to start with instead, served as given until they are acted upon.
    monotonic : callable
        The source of real seconds.
    clock_offset : float
        Seconds by which its time of day is ahead of this machine's.
    """

    def __init__(
        self,
        *,
        pods: int = 3,
        seed: int = 0,
        speed: float = 1.0,
        records: Iterable[Mapping[str, Any] | str | bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock_offset: float = 0.0,
    ) -> None:
        self._lock = threading.RLock()
        self._count = pods
        self._seed = seed
        self._records = None if records is None else [_given(record) for record in records]
        self._clock = Clock(speed, monotonic, clock_offset)
        self.reset()

    def reset(self) -> None:
        """Go back to the pods of the start."""
        with self._lock:
            self._pods: dict[str, _Pod] = {}
            self._due: list[tuple[float, int, _Pod, int, Callable[[_Pod, float], None]]] = []
            self._planned = 0
            self._made = 0
            self._ids = Random(f"{self._seed}/ids")
            self._last_id = self._ids.randrange(2 * 10**17, 4 * 10**17)
            if self._records is None:
                self.add(self._count)
                return
            for place, (record, encoded) in enumerate(self._records):
                key = str(record.get("id"))
                # A record without an id, or with one that is taken, is listed but cannot be asked for.
                key = key if key not in self._pods and record.get("id") is not None else f"no id {place}"
                self._pods[key] = _Pod(key, [_Version(_ALWAYS, record, encoded)])

    def add(self, count: int) -> None:
        """Add that many invented pods, as if they had long been there."""
        with self._lock:
            for _ in range(count):
                key = self._new_id()
                record = starting_pod(self._made, key, self._seed, self._clock.started)
                self._made += 1
                self._pods[key] = _Pod(key, [_Version(_ALWAYS, record)])

    def advance(self, seconds: float) -> None:
        """Move the clock forward by sandbox seconds."""
        with self._lock:
            self._clock.advance(seconds)
            self._settle()

    def listing(self, regions: Iterable[str] = (), statuses: Iterable[str] = (), lag: float = 0.0) -> list[bytes]:
        """Return the JSON of each pod in one of the regions and statuses (all where none is given), newest first."""
        # Not a set of regions: a given record may hold anything as its region, also what cannot be hashed.
        wanted_regions, wanted_statuses = list(regions), set(statuses)
        with self._lock:
            as_of = self._settle() - lag
            found = [pod.as_of(as_of) if lag else pod.now for pod in self._pods.values()]
            shown = [
                version
                for version in found
                if version is not None
                and (not wanted_statuses or version.status in wanted_statuses)
                and (not wanted_regions or version.record.get("region") in wanted_regions)
            ]
            shown.sort(key=lambda version: version.order, reverse=True)
            return [version.json() for version in shown]

    def get(self, pod_id: str, lag: float = 0.0) -> bytes:
        """Return the JSON of one pod."""
        with self._lock:
            as_of = self._settle() - lag
            pod = self._find(pod_id)
            version = pod.as_of(as_of) if lag else pod.now
            if version is None:
                raise NoSuchPod(pod_id)
            return version.json()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return a copy of every pod's record, newest first."""
        with self._lock:
            self._settle()
            versions = sorted((pod.now for pod in self._pods.values()), key=lambda v: v.order, reverse=True)
            return [copy.deepcopy(dict(version.record)) for version in versions]

    def create(self, body: CreateBody, *, fails: bool = False) -> str:
        """Add a pod and return its id; one that fails goes to FAILED where another would go to RUNNING."""
        with self._lock:
            now = self._settle()
            key = self._new_id()
            pod = _Pod(key, [_Version(now, pod_record(body, key, self._seed, self._clock.stamp(now)))], fails)
            self._pods[key] = pod
            self._plan(pod, now + INITIALIZE_SECONDS, self._initialized)
            return key

    def pause(self, pod_id: str) -> None:
        """Pause a pod that is RUNNING."""
        with self._lock:
            now = self._settle()
            pod = self._find(pod_id)
            if pod.now.status != "RUNNING":
                raise WrongStatus(f"cannot pause a pod that is {pod.now.status}: it must be RUNNING")
            self._move(pod, now, "PAUSING", expose=unreachable(pod.now.record.get("expose")))
            self._plan(pod, now + PAUSE_SECONDS, self._paused)

    def resume(self, pod_id: str) -> None:
        """Resume a pod that is PAUSED."""
        with self._lock:
            now = self._settle()
            pod = self._find(pod_id)
            if pod.now.status != "PAUSED":
                raise WrongStatus(f"cannot resume a pod that is {pod.now.status}: it must be PAUSED")
            self._move(pod, now, "INITIALIZE", expose=unreachable(pod.now.record.get("expose")))
            self._plan(pod, now + INITIALIZE_SECONDS, self._initialized)

    def delete(self, pod_id: str) -> None:
        """Delete a pod that is not TERMINATING or TERMINATED already."""
        with self._lock:
            now = self._settle()
            pod = self._find(pod_id)
            if pod.now.status in ("TERMINATING", "TERMINATED"):
                raise WrongStatus(f"cannot delete a pod that is {pod.now.status}")
            self._move(pod, now, "TERMINATING")
            self._plan(pod, now + TERMINATE_SECONDS, self._terminated)

    def _settle(self) -> float:
        """Let everything happen that is due, and return the time."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            at, _, pod, generation, step = heapq.heappop(self._due)
            if pod.generation == generation:
                step(pod, at)
        return now

    def _plan(self, pod: _Pod, at: float, step: Callable[[_Pod, float], None]) -> None:
        """Plan the pod's next step, instead of any planned before."""
        pod.generation += 1
        self._planned += 1
        heapq.heappush(self._due, (at, self._planned, pod, pod.generation, step))

    def _initialized(self, pod: _Pod, at: float) -> None:
        if pod.fails:
            self._move(pod, at, "FAILED")
            return
        self._move(pod, at, "RUNNING")
        self._plan(pod, at + SSH_SECONDS, self._answering)

    def _answering(self, pod: _Pod, at: float) -> None:
        expose = reachable(pod.now.record.get("expose"), pod.key, self._seed)
        self._replace(pod, at, {**pod.now.record, "expose": expose})

    def _paused(self, pod: _Pod, at: float) -> None:
        self._move(pod, at, "PAUSED")

    def _terminated(self, pod: _Pod, at: float) -> None:
        self._move(pod, at, "TERMINATED")
        self._plan(pod, at + LISTED_SECONDS, self._gone)

    def _gone(self, pod: _Pod, at: float) -> None:
        del self._pods[pod.key]

    def _move(self, pod: _Pod, at: float, status: str, **changes: object) -> None:
        record = {**pod.now.record, **changes, "status": status, "updatedAt": self._clock.stamp(at)}
        self._replace(pod, at, record)

    def _replace(self, pod: _Pod, at: float, record: Mapping[str, Any]) -> None:
        pod.versions.append(_Version(at, record))
        del pod.versions[:-_VERSIONS_KEPT]

    def _find(self, pod_id: str) -> _Pod:
        try:
            return self._pods[pod_id]
        except KeyError:
            raise NoSuchPod(pod_id) from None

    def _new_id(self) -> str:
        # Ever larger, as the provider's are, and in small enough steps to stay at 18 digits.
        while True:
            self._last_id += self._ids.randrange(10**11, 10**13)
            if str(self._last_id) not in self._pods:
                return str(self._last_id)


def _given(record: Mapping[str, Any] | str | bytes) -> tuple[Mapping[str, Any], bytes | None]:
    if isinstance(record, str | bytes):
        encoded = record.encode() if isinstance(record, str) else record
        return msgspec.json.decode(encoded, type=dict[str, Any]), encoded
    return copy.deepcopy(dict(record)), None


def _seconds(value: object) -> float:
    """Return a time in any of the shapes that deployments use as epoch seconds; anything else is before all times."""
    text = str(value)
    if re.fullmatch(r"\d{1,20}(\.\d+)?", text):
        return float(text) / 1000 if float(text) > 1e11 else float(text)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return _ALWAYS
