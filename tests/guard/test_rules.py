"""When a guard pauses a pod and when it does not, in simulated time against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from yotta_jupyter import ConnectionFailed, InvalidRequest, Pod
from yotta_jupyter.guard.rules import MAX_BACKOFF
from yotta_jupyter.guard.store import GuardStore

from .simulation import HOUR, MAX_PAUSE_TIME, MINUTE, SimulatedEnforcer


def test_a_pod_is_paused_at_its_limit_and_not_before(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="10m")
    enforcer.run_for(10 * MINUTE - 1)
    assert (enforcer.pause_requests, enforcer.guard.state) == (0, "active")
    assert enforcer.run_until_paused(30) < MAX_PAUSE_TIME
    assert enforcer.pause_requests == 1
    assert "is PAUSED, confirmed" in enforcer.log_lines[-1]


def test_a_resume_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="5m")
    enforcer.run_until_paused(6 * MINUTE)
    enforcer.transition("resume")
    enforcer.run_for(4 * MINUTE)
    assert enforcer.pause_requests == 1
    assert MINUTE < enforcer.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_resume_that_only_another_client_has_listed_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="5m")
    enforcer.run_for(4 * MINUTE)
    enforcer.complete("pause")
    enforcer.transition("resume")
    enforcer.yotta.pods.list()
    enforcer.advance_unchecked(7)
    enforcer.run_for(3 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(3 * MINUTE)


def test_a_resume_without_an_enforcer_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.run_for(MINUTE)
    enforcer.advance_unchecked(30 * MINUTE)
    enforcer.transition("pause")
    enforcer.advance_unchecked(30 * MINUTE)
    enforcer.transition("resume")
    enforcer.advance_unchecked(55 * MINUTE)
    enforcer.restart()
    enforcer.run_for(4 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_limit_that_passed_without_an_enforcer_is_enforced_at_once(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.run_for(MINUTE)
    enforcer.advance_unchecked(10 * HOUR)
    enforcer.restart()
    assert enforcer.run_until_paused(10) < MAX_PAUSE_TIME


def test_a_budget_is_a_limit(enforcer: SimulatedEnforcer) -> None:
    rate = enforcer.yotta.pods.get(enforcer.pod_id).hourly_rate
    assert rate is not None
    enforcer.guards.set(enforcer.pod_id, budget=rate / 20, after="8h")  # The price of three minutes.
    assert 3 * MINUTE <= enforcer.run_until_paused(4 * MINUTE) < 3 * MINUTE + MAX_PAUSE_TIME
    assert enforcer.guard.reason.startswith("budget of $")


def test_the_stricter_of_two_guards_counts(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h", idle="30m")
    enforcer.run_for(MINUTE)
    guard = enforcer.guards.set(enforcer.pod_id, after="8h", idle="2h", budget=100)
    assert guard.rule == "after 1h, budget $100.00, idle 30m"
    assert enforcer.guards.set(enforcer.pod_id, after="5m").rule.startswith("after 5m")


def test_a_budget_stays_when_the_price_is_unknown_later(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = enforcer.guards.set(enforcer.pod_id, budget=10)
    monkeypatch.setattr(Pod, "hourly_rate", None)
    assert first.hard_limits[0] in enforcer.guards.set(enforcer.pod_id, idle="2h").hard_limits


def test_an_extension_puts_off_all_limits(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="11m")
    assert enforcer.guards.pause_notes(lambda guard: "X") == []
    enforcer.run_for(MINUTE + 1)
    assert "is paused in 9m59s (after 11m). To put it off: X" in enforcer.guards.pause_notes(lambda guard: "X")[0]
    enforcer.guards.extend(enforcer.pod_id, "2m")
    enforcer.run_for(11 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(2 * MINUTE)


def test_an_extension_counts_until_the_pause_is_requested(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1m")
    enforcer.sandbox.add_fault("pause:500-beforex1")  # One pause request fails.
    enforcer.run_for(MINUTE)
    assert enforcer.guard.state == "pausing"
    enforcer.guards.extend(enforcer.pod_id, "5m")
    enforcer.run_for(4 * MINUTE)
    assert (enforcer.pause_requests, enforcer.status) == (1, "RUNNING")


def test_an_extension_is_refused_if_the_guard_ends_meanwhile(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = enforcer.guards.set(enforcer.pod_id, after="11m")
    enforcer.guards.off(enforcer.pod_id)
    monkeypatch.setattr(GuardStore, "get", lambda *arguments: guard)  # It was read before the end.
    with pytest.raises(InvalidRequest, match="has no guard"):
        enforcer.guards.extend(enforcer.pod_id, "2h")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("list:500-before", "not checked"),
        ("pause:500-before", "not confirmed"),
        ("pause:html", "not confirmed"),
        ("pause:lost", ""),
        ("pause:500-after", ""),
    ],
)
def test_a_pause_is_repeated_until_the_api_says_paused(enforcer: SimulatedEnforcer, fault: str, error: str) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1m")
    enforcer.sandbox.add_fault(fault)
    enforcer.run_for(3 * MINUTE)
    assert error in enforcer.guard.error
    assert enforcer.status == ("RUNNING" if error else "PAUSED")
    enforcer.sandbox.clear_faults()
    assert enforcer.run_until_paused(2 * MINUTE) < MAX_BACKOFF + MAX_PAUSE_TIME


def test_a_pod_that_is_idle_for_long_is_paused(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="5m", after="8h")
    assert 5 * MINUTE <= enforcer.run_until_paused(10 * MINUTE) < 8 * MINUTE
    assert enforcer.guard.reason == "idle for 5m"


@pytest.mark.parametrize(
    ("busy", "note"),
    [
        ({"gpu": 40.0}, "gpu 40 %"),
        ({"terminals": 1.0}, "a terminal is in use"),
        ({"kernels": ["a cell of %%yotta run"]}, "a cell of %%yotta run"),
    ],
)
def test_one_busy_signal_prevents_a_pause(enforcer: SimulatedEnforcer, busy: dict[str, object], note: str) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="5m", after="8h")
    enforcer.run_for(4 * MINUTE)
    enforcer.read_sample = lambda pod: enforcer.idle_sample(**busy)
    enforcer.run_for(3 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guard.idle_note == note
    enforcer.read_sample = lambda pod: enforcer.idle_sample()
    enforcer.run_for(4 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(4 * MINUTE)


@pytest.mark.parametrize("counter", ["cpu", "network"])
def test_rising_counters_prevent_a_pause(enforcer: SimulatedEnforcer, counter: str) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="3m", after="8h")
    per_second = {"cpu": 0.9, "network": 40_000}[counter]
    enforcer.read_sample = lambda pod: enforcer.idle_sample(**{counter: enforcer.now() * per_second})
    enforcer.run_for(6 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guard.idle_note.startswith(counter)


def test_unreadable_signals_are_busy_and_shown(enforcer: SimulatedEnforcer) -> None:
    def fail(pod: object) -> None:
        raise OSError("no route")

    enforcer.guards.set(enforcer.pod_id, idle="2m", after="5m")
    enforcer.read_sample = fail  # type: ignore[assignment]
    enforcer.run_for(4 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guards.frame()["idle"].iloc[0] == "all signals unreadable (no route)"
    enforcer.run_until_paused(2 * MINUTE)


def test_time_without_checks_is_not_idle(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="5m", after="20h")
    enforcer.run_for(4 * MINUTE)
    enforcer.advance_unchecked(5 * HOUR)
    enforcer.run_for(4 * MINUTE)
    assert enforcer.pause_requests == 0


def test_a_guard_ends_with_its_pod(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="8h")
    enforcer.transition("delete")
    enforcer.run_for(MINUTE)
    assert enforcer.guards.list() == []
    assert enforcer.log_lines[-1].endswith("is TERMINATING: its guard ends")


def test_guards_of_a_sandbox_end_with_it(enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConnectionFailed("refuses connections", may_have_been_delivered=False)

    enforcer.guards.set(enforcer.pod_id, after="8h")
    monkeypatch.setattr(enforcer.yotta.pods, "list", refuse)
    enforcer.checker.check()
    enforcer.advance_unchecked(2 * MINUTE)
    enforcer.checker.check()
    assert enforcer.guards.list() == []


def test_a_paused_pod_is_guarded_from_its_start_on(enforcer: SimulatedEnforcer) -> None:
    enforcer.complete("pause")
    enforcer.guards.set(enforcer.pod_id, after="2m")
    enforcer.run_for(5 * MINUTE)
    assert (enforcer.pause_requests, enforcer.guard.state) == (0, "waiting")
    enforcer.transition("resume")
    assert 2 * MINUTE < enforcer.run_until_paused(5 * MINUTE) < 4 * MINUTE


@pytest.mark.parametrize("limit", [{"after": "8h"}, {"idle": "30m"}])
def test_a_guard_of_a_pod_that_has_started_since_the_last_check_keeps_its_limit(
    enforcer: SimulatedEnforcer, limit: dict[str, Any]
) -> None:
    enforcer.complete("pause")
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.complete("resume")
    guard = enforcer.guards.set(enforcer.pod_id, **limit)
    assert guard.state == "active"
    [limit_of_first_guard] = guard.hard_limits
    assert limit_of_first_guard.reason == "after 1h"
    assert limit_of_first_guard.at == pytest.approx(enforcer.now() + HOUR, abs=MINUTE)


def test_an_error_is_shown_until_the_next_check_that_succeeds(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="8h")
    enforcer.sandbox.add_fault("list:500-before")
    enforcer.run_for(20)
    assert enforcer.guards.frame()["last_error"].iloc[0].startswith("not checked: ")
    enforcer.sandbox.clear_faults()
    enforcer.run_for(20)
    assert enforcer.guards.frame()["last_error"].isna().all()


def test_an_overdue_pod_that_is_being_paused_is_polled_slowly(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="10s")
    enforcer.run_for(9)
    enforcer.transition("pause")
    enforcer.advance_unchecked(2)
    assert enforcer.checker.check() >= 1
    assert enforcer.pause_requests == 0
