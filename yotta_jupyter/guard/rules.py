"""A guard: its rule and the state that its enforcer keeps, changed by pure functions.

Times are seconds since 1970 by `Clock`. An interruption is a time in which the pod was paused or starting, given by the
id of its span in the ledger's database: a later interruption has a higher id.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from ..formatting import format_amount
from ..models import Pod
from ..statuses import ENDING_STATUSES
from .clock import API_TIME_RESOLUTION
from .durations import format_duration
from .limit_arguments import Limits

MAX_UNCHECKED: Final = 60.0
"""Seconds between two checks. Within them, a pod cannot be paused and resumed unnoticed."""

MAX_BACKOFF: Final = 30.0  # seconds between two pause requests


class Guard(msgspec.Struct, kw_only=True, frozen=True):
    """What pauses a pod, and when.

    Attributes
    ----------
    base_url, pod_id, account : str
    name : str or None
        The pod's name.
    is_sandbox : bool
    after : float or None
        Seconds that the pod may run, from when the guard was set or the pod was started, whichever is later.
    budget : float or None
        US dollars that the pod may cost from then on.
    idle : float or None
        Seconds for which all signals must be idle.
    deadline : float or None
        When `after` is over; None while the pod does not run.
    spend_from : float or None
        Since when costs count towards `budget`; None while the pod does not run.
    deadline_delay, budget_delay : float
        Seconds by which `deadline` and the end of `budget` were put off since the pod started.
    rate : float or None
        US dollars an hour while the pod runs, as in the last listing.
    idle_since : float or None
        Since when all signals are idle; None while one is busy or unreadable.
    idle_note : str
        Which signals are busy or unreadable.
    snoozed_until : float or None
        Until then the idle rule does not apply.
    state : str
        ``waiting`` (the pod does not run), ``active``, ``pausing`` (requested, not confirmed) or ``paused``.
    attempts : int
        Pause requests since the limit was reached.
    first_request_at : float or None
        The time of the first pause request since the limit was reached.
    last_request_at : float or None
        The time of the last one.
    reason : str
        Which limit was reached.
    checked_at : float or None
        The last time at which the enforcer read the pod's status.
    changed_at : float or None
        The pod's `updated_at` at that time.
    interruption : int
        The pod's last interruption; 0 without one.
    error : str
        Why the last check or pause failed.
    watchdog_started_at : float or None
        When the watchdog on the pod was started; None without one.
    """

    base_url: str
    pod_id: str
    account: str
    name: str | None = None
    is_sandbox: bool = False
    after: float | None = None
    budget: float | None = None
    idle: float | None = None
    deadline: float | None = None
    spend_from: float | None = None
    deadline_delay: float = 0.0
    budget_delay: float = 0.0
    rate: float | None = None
    idle_since: float | None = None
    idle_note: str = ""
    snoozed_until: float | None = None
    state: str = "waiting"
    attempts: int = 0
    first_request_at: float | None = None
    last_request_at: float | None = None
    reason: str = ""
    checked_at: float | None = None
    changed_at: float | None = None
    interruption: int = 0
    error: str = ""
    watchdog_started_at: float | None = None

    @property
    def label(self) -> str:
        """The pod's name with its id; the id without a name."""
        return f"{self.name} ({self.pod_id})" if self.name else self.pod_id

    @property
    def rule(self) -> str:
        """The rule as text, such as ``after 8h, idle 30m``."""
        return format_rule(Limits(self.after, self.budget, self.idle), self.deadline_delay, self.budget_delay)

    @property
    def is_armed(self) -> bool:
        """Whether all limits have a start. A pod that does not run has none."""
        return self.spend_from is not None and (self.after is None or self.deadline is not None)

    @property
    def hard_limits(self) -> list[Limit]:
        """The limits other than the idle rule, the earliest first."""
        return [limit for limit in self.limits if not limit.is_idle]

    @property
    def budget_end(self) -> float | None:
        """When the budget is spent at the present price; None without a budget, or while the pod does not run."""
        if self.budget is None or self.spend_from is None or not self.rate:
            return None
        return self.spend_from + self.budget / self.rate * 3600

    @property
    def limits(self) -> list[Limit]:
        """The limits that apply now, the earliest first."""
        limits = []
        if self.after is not None and self.deadline is not None:
            limits.append(
                Limit(self.deadline, _format_delayed(f"after {format_duration(self.after)}", self.deadline_delay))
            )
        if self.budget is not None and self.budget_end is not None:
            limits.append(
                Limit(self.budget_end, _format_delayed(f"budget of {_format_budget(self.budget)}", self.budget_delay))
            )
        if self.idle is not None and self.idle_since is not None:
            at = max(self.idle_since + self.idle, self.snoozed_until or 0.0)
            limits.append(Limit(at, f"idle for {format_duration(self.idle)}", is_idle=True))
        return sorted(limits)


class Limit(NamedTuple):
    """When a guard pauses its pod, why, and whether the idle rule is the reason."""

    at: float
    reason: str
    is_idle: bool = False


def format_rule(limits: Limits, after_delay: float = 0.0, budget_delay: float = 0.0) -> str:
    """Return limits as text, such as ``after 8h + 2h, idle 30m``.

    Parameters
    ----------
    limits : Limits
    after_delay, budget_delay : float, default 0
        Seconds by which these limits were put off.

    Returns
    -------
    str
    """
    parts = []
    if limits.after is not None:
        parts.append(_format_delayed(f"after {format_duration(limits.after)}", after_delay))
    if limits.budget is not None:
        parts.append(_format_delayed(f"budget {_format_budget(limits.budget)}", budget_delay))
    if limits.idle is not None:
        parts.append(f"idle {format_duration(limits.idle)}")
    return ", ".join(parts)


def arm(guard: Guard, start: float, interruption: int) -> dict[str, Any]:
    """Return the changes that start all limits anew.

    Parameters
    ----------
    guard : Guard
    start : float
        When the pod began to run.
    interruption : int
        The pod's last interruption.

    Returns
    -------
    dict
        Changed fields of the guard.
    """
    return {
        **reset("active"),
        "deadline": None if guard.after is None else start + guard.after,
        "spend_from": start,
        "interruption": interruption,
    }


def reset(state: str) -> dict[str, Any]:
    """Return the changes that end all limits and forget the pause requests.

    Parameters
    ----------
    state : str
        The new state.

    Returns
    -------
    dict
        Changed fields of the guard.
    """
    return {
        "state": state,
        "deadline": None,
        "spend_from": None,
        "deadline_delay": 0.0,
        "budget_delay": 0.0,
        "idle_since": None,
        "snoozed_until": None,
        "attempts": 0,
        "first_request_at": None,
        "last_request_at": None,
        "error": "",
        "watchdog_started_at": None,
    }


def merge(existing: Guard, new: Guard) -> Guard:
    """Return one guard with the stricter limit of each kind.

    Parameters
    ----------
    existing, new : Guard
        Of the same pod. `new` is from a later reading of it.

    Returns
    -------
    Guard
        `existing` with the limits of `new` that are stricter or of another kind.
    """
    if new.spend_from is not None and not existing.is_armed:  # The pod was started after the last check.
        existing = msgspec.structs.replace(
            existing,
            checked_at=new.checked_at,
            changed_at=new.changed_at,
            **arm(existing, new.spend_from, new.interruption),
        )
    changes: dict[str, Any] = {"rate": new.rate or existing.rate, "name": new.name, "account": new.account}
    if _is_stricter(new.after, existing.after, new.deadline, existing.deadline):
        changes |= {"after": new.after, "deadline": new.deadline, "deadline_delay": 0.0}
    if _is_stricter(new.budget, existing.budget, new.budget_end, existing.budget_end):
        changes |= {"budget": new.budget, "spend_from": new.spend_from, "budget_delay": 0.0}
    if _is_stricter(new.idle, existing.idle, None, None):
        changes |= {"idle": new.idle}
    return msgspec.structs.replace(existing, **changes)


def extend(guard: Guard, seconds: float, now: float) -> Guard:
    """Return the guard with all limits put off.

    Parameters
    ----------
    guard : Guard
    seconds : float
        Counted from `now` if a limit is already reached, otherwise from the limit.
    now : float

    Returns
    -------
    Guard
    """
    limits = guard.limits
    overdue = max(0.0, now - limits[0].at) if limits else 0.0
    delay = overdue + seconds
    return msgspec.structs.replace(
        guard,
        deadline=None if guard.deadline is None else guard.deadline + delay,
        spend_from=None if guard.spend_from is None else guard.spend_from + delay,
        deadline_delay=0.0 if guard.deadline is None else guard.deadline_delay + delay,
        budget_delay=0.0 if guard.spend_from is None else guard.budget_delay + delay,
        snoozed_until=now + seconds,
        state="active" if guard.state == "pausing" else guard.state,
        attempts=0,
        first_request_at=None,
        last_request_at=None,
    )


def observe(guard: Guard, pod: Pod, now: float, interruption: int) -> dict[str, Any]:
    """Return the changes of a guard after its pod was read. A pod that was resumed starts its limits anew.

    Parameters
    ----------
    guard : Guard
    pod : Pod
        One that has not ended.
    now : float
    interruption : int
        The pod's last interruption.

    Returns
    -------
    dict
        Changed fields of the guard.
    """
    changed_at = None if pod.updated_at is None else pod.updated_at.timestamp()
    changes: dict[str, Any] = {"checked_at": now, "changed_at": changed_at, "rate": pod.hourly_rate or guard.rate}
    if pod.status == "PAUSED":
        return changes | reset("paused" if guard.state in ("pausing", "paused") else "waiting")
    if pod.status == "PAUSING":
        return changes  # The pause may still fail and leave the pod running.
    if pod.status == "INITIALIZE":
        return changes | reset("waiting")
    last_check = guard.checked_at if guard.checked_at is not None else now
    was_interrupted = interruption > guard.interruption
    may_have_been_resumed = now - last_check > MAX_UNCHECKED and changed_at != guard.changed_at
    if not guard.is_armed or was_interrupted or may_have_been_resumed:
        start = now
        if changed_at is not None:
            latest_change = min(changed_at + API_TIME_RESOLUTION, now)
            start = max(latest_change, last_check)  # The pod was started after the last check.
        changes |= arm(guard, start, interruption)
    return changes


def has_ended(pod: Pod) -> bool:
    """Return whether a pod ended or is being deleted, so that its guard ends as well."""
    return pod.status in ENDING_STATUSES


def is_due(guard: Guard, now: float) -> bool:
    """Return whether a pause must be requested now: a limit is reached, and the backoff is over."""
    limits = guard.limits
    if not limits or now < limits[0].at:
        return False
    if guard.last_request_at is None:
        return True
    return now - guard.last_request_at >= backoff(guard.attempts)


def backoff(attempts: int) -> float:
    """Return the seconds between a pause request and the next one."""
    return min(MAX_BACKOFF, 2.0 ** min(attempts, 10))  # 2.0**1024 overflows.


def _is_stricter(value: float | None, other: float | None, at: float | None, other_at: float | None) -> bool:
    """Return whether a limit replaces another: it is reached earlier, or has the lower value if a time is unknown."""
    if value is None:
        return False
    if other is None:
        return True
    if at is not None and other_at is not None:
        return at < other_at
    return value < other


def _format_delayed(text: str, delay: float) -> str:
    """Return the text of a limit with the seconds by which it was put off, such as ``after 8h + 2h``."""
    return f"{text} + {format_duration(delay)}" if delay else text


def _format_budget(budget: float) -> str:
    """Return US dollars as text, such as ``$20.00``; less than a cent is not rounded to zero: ``$0.001``."""
    return f"${format_amount(budget)}" if budget >= 0.01 else f"${budget:.2g}"
