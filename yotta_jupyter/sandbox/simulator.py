"""The pods in memory and the changes of their statuses over time."""

import copy
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple, Protocol

from .bill import Bill, BillItem
from .clock import Clock
from .history import LONG_AGO, PodHistory, Version, newest_first, parse_record
from .pod_record import assign_addresses, build_pod, clear_addresses, format_timestamp, set_ssh_address
from .samples import sample_pod
from .statuses import PORTS_SECONDS, TOMBSTONE_SECONDS, TRANSITIONS, Transition
from .validation import CreateBody

_RESERVED_PORTS = 32  # SSH ports that sample pods leave for pods that are created later.


class PodNotFound(LookupError):
    """No pod has that id."""


class InvalidStatus(Exception):
    """The action is not valid in the pod's status."""


class Runtimes(Protocol):
    """The interface of `runtime.PodRuntimes`: the SSH servers with which pods run code."""

    host: str

    def open(self, records: Sequence[Mapping[str, Any]], *, reserved: int = 0) -> list[int]:
        """Return the ports of new SSH servers for pods, and leave ``reserved`` ports for other pods."""

    def pause(self, pod_id: str) -> None:
        """End the server and the processes of a pod, and erase its files outside a persistent volume."""

    def delete(self, pod_id: str) -> None:
        """End the server and the processes of a pod, and erase its files."""

    def delete_all(self) -> None:
        """Delete all pods."""


class _ScheduledChange(NamedTuple):
    at: float
    apply: Callable[[PodHistory, float], None]


class Simulator:
    """The pods of the sandbox. Thread-safe.

    Times are in sandbox seconds since the start.

    Parameters
    ----------
    pod_count : int
        The number of sample pods at the start.
    seed : int
        The same seed gives the same ids, names, hosts and prices.
    speed : float
        The sandbox seconds per real second.
    records, clock_offset
        As for `Sandbox`.
    monotonic : callable
        The source of real seconds.
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
        self._user_supplied = None if records is None else [parse_record(record) for record in records]
        self._clock = Clock(speed, monotonic, clock_offset)
        self.reset()

    def reset(self) -> None:
        """Return to the initial pods."""
        with self._lock:
            if self._runtimes is not None:
                self._runtimes.delete_all()
            self._pods: dict[str, PodHistory] = {}
            self._schedule: dict[str, _ScheduledChange] = {}
            self._bill = Bill()
            self._sample_count = 0
            self._random = Random(f"{self._seed}/ids")
            self._last_id = self._random.randrange(2 * 10**17, 4 * 10**17)
            if self._user_supplied is None:
                self.add_samples(self._pod_count)
            else:
                self._add_user_supplied(self._user_supplied)

    def add_samples(self, count: int) -> None:
        """Add sample pods that were created some time before."""
        with self._lock:
            samples = []
            for _ in range(count):
                pod_id = self._new_id()
                record = sample_pod(self._sample_count, pod_id, self._seed, self._clock.started)
                self._sample_count += 1
                pod = PodHistory(pod_id, [Version(LONG_AGO, record)])
                self._add(pod)
                samples.append(pod)
            self._open_ssh_ports(samples, _RESERVED_PORTS)

    def attach(self, runtimes: Runtimes) -> None:
        """Give SSH servers to all pods with a healthy SSH port, now and in future, until `detach`."""
        with self._lock:
            self._apply_due_changes()
            self._runtimes = runtimes
            self._open_ssh_ports(self._pods.values(), _RESERVED_PORTS)

    def detach(self) -> None:
        """Give no more SSH servers to pods."""
        with self._lock:
            self._runtimes = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward by sandbox seconds."""
        with self._lock:
            self._clock.advance(seconds)
            self._apply_due_changes()

    def list_pods(self, regions: Iterable[str] = (), statuses: Iterable[str] = (), lag: float = 0.0) -> list[bytes]:
        """Return the pods as JSON, as they were ``lag`` sandbox seconds ago, most recently updated first.

        Only pods in any of the regions and any of the statuses are returned; an empty filter matches all pods.
        """
        region_filter = list(regions)  # Not a set, because the region in a malformed record may be unhashable.
        status_filter = set(statuses)

        def matches(version: Version) -> bool:
            if status_filter and version.status not in status_filter:
                return False
            return not region_filter or version.record.get("region") in region_filter

        with self._lock:
            at = self._apply_due_changes() - lag
            versions = [pod.as_of(at) for pod in self._pods.values()]
            existing = [version for version in versions if version is not None]
            return [version.to_json() for version in newest_first(filter(matches, existing))]

    def get(self, pod_id: str, lag: float = 0.0) -> bytes:
        """Return a pod as JSON, as it was ``lag`` sandbox seconds ago, or raise PodNotFound."""
        with self._lock:
            at = self._apply_due_changes() - lag
            version = self._find(pod_id).as_of(at)
            if version is None:
                raise PodNotFound(pod_id)
            return version.to_json()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return copies of the records of all pods, most recently updated first."""
        with self._lock:
            self._apply_due_changes()
            versions = newest_first(pod.latest for pod in self._pods.values())
            return [copy.deepcopy(dict(version.record)) for version in versions]

    def bill(self) -> dict[str, BillItem]:
        """Return what each pod has cost in real time since the start or the last reset. Deleted pods are included."""
        with self._lock:
            now = self._apply_due_changes()
            return self._bill.items(self._clock.to_real(now))

    def create(self, body: CreateBody, *, will_fail: bool = False) -> str:
        """Add a pod and return its id. With ``will_fail`` the pod changes to FAILED instead of RUNNING."""
        with self._lock:
            now = self._apply_due_changes()
            pod_id = self._new_id()
            transition = TRANSITIONS["create"]
            created = self._clock.to_datetime(now)
            record = build_pod(body, pod_id, self._seed, created, status=transition.during)
            pod = PodHistory(pod_id, [Version(now, record)], will_fail)
            self._add(pod)
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
            now = self._apply_due_changes()
            pod = self._find(pod_id)
            status = pod.latest.status
            if transition.required is not None and status != transition.required:
                raise InvalidStatus(f"cannot {action} a pod that is {status}: it must be {transition.required}")
            if status in (transition.during, transition.after):
                raise InvalidStatus(f"cannot {action} a pod that is {status}")
            if action == "delete":  # The pod keeps its addresses until it is removed.
                self._set_status(pod, now, transition.during)
            else:
                expose = clear_addresses(pod.latest.record.get("expose"))
                self._set_status(pod, now, transition.during, expose=expose)
            self._schedule_completion(pod, now, transition)
            if self._runtimes is None:
                return
            if action == "pause":
                self._runtimes.pause(pod.key)
            elif action == "delete":
                self._runtimes.delete(pod.key)

    def _add_user_supplied(self, versions: Iterable[Version]) -> None:
        for index, version in enumerate(versions):
            pod_id = version.record.get("id")
            key = str(pod_id)
            if pod_id is None or key in self._pods:
                key = f"no id {index}"  # The pod is listed, but no request can address it.
            self._add(PodHistory(key, [version]))

    def _add(self, pod: PodHistory) -> None:
        self._pods[pod.key] = pod
        self._update_bill(pod, self._clock.now())  # A pod costs nothing before the sandbox has it.

    def _apply_due_changes(self) -> float:
        """Apply all scheduled changes that are due, and return the current time."""
        now = self._clock.now()
        for key in list(self._schedule):
            # A change may schedule the next one of the pod, which may be due as well.
            while key in self._schedule and self._schedule[key].at <= now:
                change = self._schedule.pop(key)
                change.apply(self._pods[key], change.at)
        return now

    def _schedule_completion(self, pod: PodHistory, started: float, transition: Transition) -> None:
        """Schedule the end of a transition, instead of what was scheduled for the pod."""
        complete = partial(self._complete, status=transition.after)
        self._schedule[pod.key] = _ScheduledChange(started + transition.seconds, complete)

    def _complete(self, pod: PodHistory, at: float, *, status: str) -> None:
        if status == "RUNNING" and pod.will_fail:
            status = "FAILED"
        self._set_status(pod, at, status)
        if status == "RUNNING":
            self._schedule[pod.key] = _ScheduledChange(at + PORTS_SECONDS, self._open_ports)
        elif status == "TERMINATED":
            self._schedule[pod.key] = _ScheduledChange(at + TOMBSTONE_SECONDS, self._remove)

    def _open_ports(self, pod: PodHistory, at: float) -> None:
        expose = assign_addresses(pod.latest.record.get("expose"), pod.key, self._seed)
        self._change(pod, at, expose=expose)
        self._open_ssh_ports([pod])

    def _open_ssh_ports(self, pods: Iterable[PodHistory], reserved: int = 0) -> None:
        """Put the addresses of real SSH servers into the records of the pods whose SSH port is healthy."""
        if self._runtimes is None:
            return
        versions = [pod.latest for pod in pods if pod.latest.can_run_code()]
        ports = self._runtimes.open([version.record for version in versions], reserved=reserved)
        for version, port in zip(versions, ports, strict=True):
            expose = set_ssh_address(version.record.get("expose"), self._runtimes.host, port)
            version.replace_record({**version.record, "expose": expose})

    def _remove(self, pod: PodHistory, at: float) -> None:
        del self._pods[pod.key]

    def _set_status(self, pod: PodHistory, at: float, status: str, **fields: object) -> None:
        self._change(pod, at, **fields, status=status, updatedAt=format_timestamp(self._clock.to_datetime(at)))

    def _change(self, pod: PodHistory, at: float, **fields: object) -> None:
        pod.change(at, **fields)
        self._update_bill(pod, at)

    def _update_bill(self, pod: PodHistory, at: float) -> None:
        self._bill.update(pod.key, self._clock.to_real(at), pod.latest.status, pod.latest.record)

    def _find(self, pod_id: str) -> PodHistory:
        try:
            return self._pods[pod_id]
        except KeyError:
            raise PodNotFound(pod_id) from None

    def _new_id(self) -> str:
        """Return an id of 18 digits that is greater than all before, as the provider's are."""
        while True:
            self._last_id += self._random.randrange(10**11, 10**13)
            if str(self._last_id) not in self._pods:
                return str(self._last_id)
