"""Reads the pods of one account, decides by its guards, requests pauses and confirms them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..api import PodsClient
from ..errors import ConnectionFailed, PodNotFound, YottaError
from ..models import Pod
from ..sanitize import single_line
from .cache import GuardCache
from .idle import IdleMonitor, Sample, sampling_interval
from .ledger import Ledger
from .rules import Guard, has_ended, is_due, observe
from .store import GuardStore

CHECK_INTERVAL: Final = 15.0
"""Seconds between two listings while a guarded pod runs."""

PAUSED_INTERVAL: Final = 60.0
"""Seconds between two listings while all guarded pods are paused."""

TRANSITION_INTERVAL: Final = 5.0
"""Seconds between two listings while a guarded pod starts or stops."""

CONFIRM_INTERVAL: Final = 2.0
"""Seconds between two listings while a pause is not confirmed."""

RETRY_INTERVAL: Final = 2.0
"""Seconds until the next listing after a first failure, and while a limit is reached but no pause is requested."""

MIN_DELAY: Final = 0.05
"""Seconds between two checks at least, just before a limit is reached."""

NOT_FOUND_TIMEOUT: Final = 60.0
"""Seconds since a pod was last read, after which its guard ends if the API does not find the pod."""

SANDBOX_TIMEOUT: Final = 60.0
"""Seconds without a connection, after which the guards of a sandbox end."""

MAX_ERROR_LENGTH: Final = 160  # characters


class GuardChecker:
    """Checks the guards of one account: pauses the pods whose limit is reached.

    Parameters
    ----------
    pods : PodsClient
    store : GuardStore
    ledger : Ledger
    base_url : str
    now : callable
        Returns the present time in seconds; see `Clock`.
    log : callable
        Called with one line about what happened.
    read_sample : callable
        Reads the signals of a pod; may take long.
    """

    def __init__(
        self,
        pods: PodsClient,
        store: GuardStore,
        ledger: Ledger,
        *,
        base_url: str,
        now: Callable[[], float],
        log: Callable[[str], None],
        read_sample: Callable[[Pod], Sample],
    ) -> None:
        self._pods = pods
        self._ledger = ledger
        self._now = now
        self._log = log
        self._read_sample = read_sample
        self._cache = GuardCache(store, base_url, self._is_own, log)
        self._monitors: dict[str, IdleMonitor] = {}
        self._latest: dict[str, Pod] = {}
        self._failures = 0
        self._unreachable_since: float | None = None

    def check(self) -> float:
        """Read the pods and enforce what is due.

        Returns
        -------
        float
            Seconds until the next check.
        """
        self._cache.load()
        guarded = self._cache.pod_ids  # Of all accounts: a listing shows which pods are of this one.
        self._monitors = {pod_id: monitor for pod_id, monitor in self._monitors.items() if pod_id in guarded}
        if not guarded:
            return CHECK_INTERVAL
        try:
            self._latest = {pod.id: pod for pod in self._pods.list()}
        except YottaError as error:
            return self._on_listing_failed(error)
        self._failures = 0
        self._unreachable_since = None
        self._ledger.flush()  # So that the ledger contains interruptions that this listing shows.
        changes = {guard.pod_id: self._check_pod(guard) for guard in self._cache.own_guards()}
        self._cache.save({pod_id: fields for pod_id, fields in changes.items() if fields})
        return self._delay()

    def _is_own(self, guard: Guard) -> bool:
        """Return whether a guard was set with the key of this account, or its pod is in the account's listing."""
        return guard.account == self._ledger.account or guard.pod_id in self._latest

    def _check_pod(self, guard: Guard) -> dict[str, Any]:
        """Enforce a guard; return its changed fields."""
        pod = self._latest.get(guard.pod_id) or self._get_unlisted(guard)
        if pod is None:
            return {}
        if has_ended(pod):
            self._end(guard, f"is {single_line(pod.status, 20)}")
            return {}
        changes = self._observe(guard, pod)
        observed = msgspec.structs.replace(guard, **changes)
        if not observed.is_armed or pod.status == "PAUSING":
            return changes
        changes |= self._check_idle(observed)
        observed = msgspec.structs.replace(observed, **changes)
        if not is_due(observed, self._now()):
            return changes
        fresh = self._read_again(pod)
        if has_ended(fresh):
            return changes  # The next check ends the guard.
        if fresh.status != pod.status:  # The listing was stale.
            return self._observe(guard, fresh)
        return changes | self._request_pause(observed)

    def _observe(self, guard: Guard, pod: Pod) -> dict[str, Any]:
        """Return the changed fields of a guard whose pod was read. Log a confirmed pause and the start of limits."""
        changes = observe(guard, pod, self._now(), self._last_interruption(guard))
        changes["account"] = self._ledger.account
        if guard.state != "pausing":
            changes["error"] = ""
        is_confirmed = guard.state == "pausing" and changes.get("state") == "paused"
        if is_confirmed and guard.first_request_at is not None:
            seconds = self._now() - guard.first_request_at
            self._log(f"{guard.label} is PAUSED, confirmed {seconds:.1f} s after the request ({guard.reason})")
        elif changes.get("state") == "active":
            self._log(f"{guard.label} runs: its limits start now ({guard.rule})")
        return changes

    def _read_again(self, pod: Pod) -> Pod:
        """Return the pod as the API returns it now, or the given pod if it cannot be read."""
        try:
            return self._pods.get(pod.id)
        except YottaError:
            return pod

    def _check_idle(self, guard: Guard) -> dict[str, Any]:
        """Return the changed fields of the idle rule."""
        if guard.idle is None:
            return {}
        monitor = self._monitors.get(guard.pod_id)
        interval = sampling_interval(guard.idle)
        if monitor is None or monitor.interval != interval:
            monitor = IdleMonitor(lambda: self._read_latest(guard.pod_id), interval, self._now)
            self._monitors[guard.pod_id] = monitor
        activity = monitor.poll()
        if activity is None:
            return {}
        if not activity.is_idle:
            return {"idle_since": None, "idle_note": activity.note}
        idle_since = guard.idle_since if guard.idle_since is not None else self._now()
        return {"idle_since": idle_since, "idle_note": ""}

    def _read_latest(self, pod_id: str) -> Sample:
        return self._read_sample(self._latest[pod_id])

    def _request_pause(self, guard: Guard) -> dict[str, Any]:
        """Request the pause of a pod whose limit is reached, unless the guard was changed meanwhile."""
        now = self._now()
        if not self._cache.is_current(guard.pod_id):
            return {}
        changes = {"state": "pausing", "last_request_at": now, "attempts": guard.attempts + 1, "error": ""}
        if guard.first_request_at is None:
            limit = guard.limits[0]
            changes |= {"first_request_at": now, "reason": limit.reason}
            self._log(f"{guard.label}: pausing it ({limit.reason}), {now - limit.at:.1f} s after the limit")
        try:
            self._pods.pause(guard.pod_id)
        except YottaError as error:
            changes["error"] = f"pause not confirmed: {single_line(error.message, MAX_ERROR_LENGTH)}"
            self._log(f"{guard.label}: attempt {guard.attempts + 1}: {changes['error']}")
        return changes

    def _get_unlisted(self, guard: Guard) -> Pod | None:
        """Return a pod that the listing lacks; None if it is gone or cannot be read now."""
        try:
            pod = self._pods.get(guard.pod_id)
        except PodNotFound:
            if guard.checked_at is None or self._now() - guard.checked_at > NOT_FOUND_TIMEOUT:
                self._end(guard, "is gone")
            return None
        except YottaError as error:
            self._cache.save({guard.pod_id: {"error": single_line(error.message, MAX_ERROR_LENGTH)}})
            return None
        self._latest[guard.pod_id] = pod
        return pod

    def _end(self, guard: Guard, why: str) -> None:
        self._log(f"{guard.label} {why}: its guard ends")
        self._cache.delete(guard.pod_id)

    def _on_listing_failed(self, error: YottaError) -> float:
        """Store the error in the guards, and return the seconds until the next attempt."""
        message = single_line(error.message, MAX_ERROR_LENGTH)
        self._failures += 1
        if self._failures == 1:
            self._log(f"the pods cannot be read: {message}")
        changes = {"error": f"not checked: {message}"}
        self._cache.save({guard.pod_id: changes for guard in self._cache.own_guards()})
        is_unreachable = isinstance(error, ConnectionFailed) and not error.may_have_been_delivered
        if not is_unreachable:
            self._unreachable_since = None
        elif self._unreachable_since is None:
            self._unreachable_since = self._now()
        elif self._now() - self._unreachable_since > SANDBOX_TIMEOUT:
            for guard in self._cache.sandbox_guards():
                self._end(guard, "was a pod of a sandbox that has ended")
        return min(CHECK_INTERVAL, RETRY_INTERVAL * self._failures)

    def _delay(self) -> float:
        """Return the seconds until the next check."""
        guards = self._cache.own_guards()
        if all(guard.state == "paused" for guard in guards):
            return PAUSED_INTERVAL
        delays = [CHECK_INTERVAL, *(monitor.interval for monitor in self._monitors.values())]
        for guard in guards:
            pod = self._latest.get(guard.pod_id)
            if guard.state == "pausing":
                delays.append(CONFIRM_INTERVAL)
            elif pod is not None and pod.is_transitional:
                delays.append(TRANSITION_INTERVAL)
            if guard.state == "active" and guard.limits:
                left = guard.limits[0].at - self._now()
                is_overdue = left <= 0
                delays.append(RETRY_INTERVAL if is_overdue else max(left, MIN_DELAY))
        return min(delays)

    def _last_interruption(self, guard: Guard) -> int:
        try:
            return self._ledger.last_interruption(guard.pod_id)
        except YottaError:
            return guard.interruption
