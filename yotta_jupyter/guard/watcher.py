"""Enforces the guards of one account: reads its pods, decides, pauses, and confirms that a pod is PAUSED."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..api import PodsClient
from ..errors import ConnectionFailed, PodNotFound, YottaError
from ..models import Pod
from ..sanitize import single_line
from .idle import IdleMonitor, Sample, interval
from .ledger import Ledger
from .rules import Guard, has_ended, is_due, observe
from .store import GuardStore

CHECK_INTERVAL: Final = 15.0
"""Seconds between two listings while a guarded pod runs."""

PAUSED_INTERVAL: Final = 60.0
"""The same while all guarded pods are paused."""

TRANSITION_INTERVAL: Final = 5.0
"""The same while a guarded pod starts or stops."""

CONFIRM_INTERVAL: Final = 2.0
"""The same while a pause is not confirmed."""

LISTING_LAG: Final = 60.0
"""Seconds after which a pod that the API does not know is gone."""

SANDBOX_GONE: Final = 60.0
"""Seconds without a connection after which a sandbox has ended for good."""

MIN_DELAY: Final = 0.05


class AccountWatcher:
    """Enforces the guards of one account.

    Parameters
    ----------
    pods : PodsClient
        Of the account.
    store : GuardStore
    ledger : Ledger
        Of the account.
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
        self._store = store
        self._ledger = ledger
        self._base_url = base_url
        self._now = now
        self._log = log
        self._read_sample = read_sample
        self._guards: dict[str, Guard] = {}
        self._stored: dict[str, Guard] = {}
        self._unsaved: dict[str, dict[str, Any]] = {}
        self._ended: set[str] = set()
        self._identity: str | None = None
        self._monitors: dict[str, IdleMonitor] = {}
        self._latest: dict[str, Pod] = {}
        self._failures = 0
        self._unreachable_since: float | None = None
        self._problem = ""

    def check(self) -> float:
        """Read the pods and enforce what is due.

        Returns
        -------
        float
            Seconds until the next check.
        """
        self._load()
        self._monitors = {pod_id: monitor for pod_id, monitor in self._monitors.items() if pod_id in self._guards}
        if not self._guards:
            return CHECK_INTERVAL
        try:
            self._latest = {pod.id: pod for pod in self._pods.list()}
        except YottaError as error:
            return self._listing_failed(error)
        self._failures, self._unreachable_since = 0, None
        self._ledger.flush()
        changes = {guard.pod_id: fields for guard in self._own_guards() if (fields := self._check_pod(guard))}
        self._save(changes)
        return self._delay()

    def _own_guards(self) -> list[Guard]:
        """Return the guards of this account, also those that were set with an earlier key of it."""
        guards = self._guards.values()
        return [guard for guard in guards if guard.account == self._ledger.account or guard.pod_id in self._latest]

    def _check_pod(self, guard: Guard) -> dict[str, Any]:
        pod = self._latest.get(guard.pod_id) or self._get(guard)
        if pod is None:
            return {}
        if has_ended(pod):
            self._end(guard, f"is {single_line(pod.status, 20)}")
            return {}
        interruption = self._last_interruption(guard)
        changes = observe(guard, pod, self._now(), interruption)
        if guard.state == "pausing" and changes.get("state") == "paused" and guard.fired_at is not None:
            took = self._now() - guard.fired_at
            self._log(f"{guard.label} is PAUSED, confirmed {took:.1f} s after the limit ({guard.reason})")
        elif "deadline" in changes and changes["state"] == "active":
            self._log(f"{guard.label} runs: its limits start now ({guard.rule})")
        changes["account"] = self._ledger.account
        if guard.state != "pausing":
            changes["error"] = ""
        observed = msgspec.structs.replace(guard, **changes)
        if observed.state in ("active", "pausing") and pod.status != "PAUSING":
            changes |= self._check_idle(observed, pod)
            observed = msgspec.structs.replace(observed, **changes)
            if is_due(observed, self._now()):
                fresh = self._read_again(pod)
                if fresh.status != pod.status:  # A listing may lag: the pod may have been paused and resumed.
                    return observe(guard, fresh, self._now(), interruption)
                changes |= self._fire(observed)
        return changes

    def _read_again(self, pod: Pod) -> Pod:
        try:
            return self._pods.get(pod.id)
        except YottaError:
            return pod

    def _check_idle(self, guard: Guard, pod: Pod) -> dict[str, Any]:
        if guard.idle is None:
            return {}
        monitor = self._monitors.get(guard.pod_id)
        if monitor is None or monitor.period != interval(guard.idle):
            monitor = IdleMonitor(lambda: self._read_latest(guard.pod_id), interval(guard.idle), self._now)
            self._monitors[guard.pod_id] = monitor
        activity = monitor.poll()
        if activity is None:
            return {}
        if not activity.is_idle:
            return {"idle_since": None, "idle_note": activity.note}
        return {"idle_since": guard.idle_since if guard.idle_since is not None else self._now(), "idle_note": ""}

    def _read_latest(self, pod_id: str) -> Sample:
        return self._read_sample(self._latest[pod_id])

    def _fire(self, guard: Guard) -> dict[str, Any]:
        """Request the pause of a pod whose limit is over, unless the limit was put off meanwhile."""
        now = self._now()
        if not self._is_unchanged(guard.pod_id):
            return {}
        reason = guard.reason if guard.fired_at is not None else guard.limits[0].reason
        if guard.fired_at is None:
            late = now - guard.limits[0].at
            self._log(f"{guard.label}: pausing it ({reason}), {late:.1f} s after the limit")
        changes = {
            "state": "pausing",
            "reason": reason,
            "fired_at": guard.fired_at if guard.fired_at is not None else now,
            "requested_at": now,
            "attempts": guard.attempts + 1,
            "error": "",
        }
        try:
            self._pods.pause(guard.pod_id)
        except YottaError as error:
            changes["error"] = f"pause not confirmed: {single_line(error.message, 160)}"
            self._log(f"{guard.label}: attempt {guard.attempts + 1}: {changes['error']}")
        return changes

    def _get(self, guard: Guard) -> Pod | None:
        """Return a pod that the listing lacks; None if it is gone or cannot be read now."""
        try:
            pod = self._latest[guard.pod_id] = self._pods.get(guard.pod_id)
            return pod
        except PodNotFound:
            if guard.checked_at is None or self._now() - guard.checked_at > LISTING_LAG:
                self._end(guard, "is gone")
        except YottaError as error:
            self._save({guard.pod_id: {"error": single_line(error.message, 160)}})
        return None

    def _end(self, guard: Guard, why: str) -> None:
        self._log(f"{guard.label} {why}: its guard ends")
        self._guards.pop(guard.pod_id, None)
        try:
            self._store.delete(self._base_url, guard.pod_id)
        except YottaError as error:
            self._ended.add(guard.pod_id)
            self._report(error)

    def _listing_failed(self, error: YottaError) -> float:
        """Note that the pods cannot be read, and return the seconds until the next attempt."""
        now = self._now()
        self._failures += 1
        if self._failures == 1:
            self._log(f"the pods cannot be read: {single_line(error.message, 160)}")
        note = {"error": f"not checked: {single_line(error.message, 160)}"}
        self._save({guard.pod_id: note for guard in self._own_guards()})
        refused = isinstance(error, ConnectionFailed) and not error.may_have_been_delivered
        self._unreachable_since = (self._unreachable_since or now) if refused else None
        if self._unreachable_since is not None and now - self._unreachable_since > SANDBOX_GONE:
            for guard in list(self._guards.values()):
                if guard.is_sandbox:
                    self._end(guard, "was a pod of a sandbox that has ended")
        return min(CHECK_INTERVAL, CONFIRM_INTERVAL * self._failures)

    def _delay(self) -> float:
        now = self._now()
        guards = self._own_guards()
        if all(guard.state == "paused" for guard in guards):
            return PAUSED_INTERVAL
        delays = [CHECK_INTERVAL, *(monitor.period for monitor in self._monitors.values())]
        for guard in guards:
            pod = self._latest.get(guard.pod_id)
            if guard.state == "pausing":
                delays.append(CONFIRM_INTERVAL)
            elif pod is not None and pod.is_transitional:
                delays.append(TRANSITION_INTERVAL)
            if guard.state == "active" and guard.limits:
                left = guard.limits[0].at - now
                delays.append(max(left, MIN_DELAY) if left > 0 else CONFIRM_INTERVAL)
        return min(delays)

    def _last_interruption(self, guard: Guard) -> int:
        try:
            return self._ledger.last_interruption(guard.pod_id)
        except YottaError:
            return guard.interruption

    def _load(self) -> None:
        """Read the guards. Where the database cannot be read, those in memory stay in force."""
        try:
            identity = self._store.identity()
            if self._identity not in (None, identity):
                self._restore()
            self._identity = identity
            stored = self._store.guards(self._base_url)
            self._stored = {guard.pod_id: guard for guard in stored}
            self._problem = "" if not self._unsaved else self._problem
        except YottaError as error:
            self._report(error)
            return
        self._guards = {
            pod_id: msgspec.structs.replace(guard, **self._unsaved.get(pod_id, {}))
            for pod_id, guard in self._stored.items()
            if pod_id not in self._ended
        }

    def _is_unchanged(self, pod_id: str) -> bool:
        """Return whether a guard was neither removed nor put off since it was read."""
        try:
            stored = self._store.get(self._base_url, pod_id)
        except YottaError as error:
            self._report(error)
            return True
        return stored is not None and stored == self._stored.get(pod_id)

    def _restore(self) -> None:
        """Write the guards in memory into a database that has replaced the one that they were read from."""
        for guard in self._own_guards():
            self._store.put(guard, lambda existing, new: existing)
        self._log(f"the database of guards was replaced; guards that were read before: {_names(self._guards)}")

    def _save(self, changes: dict[str, dict[str, Any]]) -> None:
        """Change guards in the database. Where it cannot be written, the changes are kept for the next time."""
        for pod_id, fields in changes.items():
            if pod_id in self._guards:
                self._guards[pod_id] = msgspec.structs.replace(self._guards[pod_id], **fields)
            self._unsaved[pod_id] = {**self._unsaved.get(pod_id, {}), **fields}
        try:
            self._store.update(self._base_url, self._unsaved)
            self._unsaved = {}
        except YottaError as error:
            self._report(error)

    def _report(self, error: YottaError) -> None:
        """Log a problem of the database once."""
        if str(error) != self._problem:
            self._problem = str(error)
            self._log(f"{error} Guards that were read before stay in force: {_names(self._guards)}")


def _names(guards: dict[str, Guard]) -> str:
    return ", ".join(f"{guard.label} ({guard.rule})" for guard in guards.values()) or "none"
