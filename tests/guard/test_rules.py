"""When a guard pauses a pod and when it does not, in simulated time against the sandbox."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from platformdirs import user_data_path

from yotta_jupyter import ConnectionFailed, InvalidRequest, YottaError
from yotta_jupyter.guard import storage
from yotta_jupyter.guard.durations import format_duration, parse_duration
from yotta_jupyter.guard.store import GuardStore

from .simulation import HOUR, MINUTE, SimulatedEnforcer


def test_a_pod_is_paused_at_its_limit_and_not_before(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="10m")
    enforcer.run(10 * MINUTE - 1)
    assert (enforcer.pause_requests, enforcer.guard.state) == (0, "active")
    assert enforcer.run_until_paused(30) < 6
    assert enforcer.pause_requests == 1
    assert "is PAUSED, confirmed" in enforcer.log_lines[-1]


def test_a_resume_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="5m")
    enforcer.run_until_paused(6 * MINUTE)
    enforcer.transition("resume")
    enforcer.run(4 * MINUTE)
    assert enforcer.pause_requests == 1
    assert MINUTE < enforcer.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_resume_that_only_another_client_has_listed_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="5m")
    enforcer.run(4 * MINUTE)
    enforcer.transition("pause")
    enforcer.advance(4)
    enforcer.transition("resume")
    enforcer.yotta.pods.list()
    enforcer.advance(7)
    enforcer.run(3 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(3 * MINUTE)


def test_a_resume_without_an_enforcer_starts_the_limits_anew(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.run(MINUTE)
    enforcer.advance(30 * MINUTE)
    enforcer.transition("pause")
    enforcer.advance(30 * MINUTE)
    enforcer.transition("resume")
    enforcer.advance(55 * MINUTE)
    enforcer.restart()
    enforcer.run(4 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_limit_that_passed_without_an_enforcer_is_enforced_at_once(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.run(MINUTE)
    enforcer.advance(10 * HOUR)
    enforcer.restart()
    assert enforcer.run_until_paused(10) < 6


def test_a_budget_is_a_limit(enforcer: SimulatedEnforcer) -> None:
    rate = enforcer.yotta.pods.get(enforcer.pod_id).hourly_rate
    assert rate is not None
    enforcer.guards.set(enforcer.pod_id, budget=rate / 20, after="8h")
    assert 3 * MINUTE <= enforcer.run_until_paused(4 * MINUTE) < 3 * MINUTE + 10
    assert enforcer.guard.reason.startswith("budget of $")


def test_the_stricter_of_two_guards_counts(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1h", idle="30m")
    enforcer.run(MINUTE)
    guard = enforcer.guards.set(enforcer.pod_id, after="8h", idle="2h", budget=100)
    assert guard.rule == "after 1h, budget $100.00, idle 30m"
    assert enforcer.guards.set(enforcer.pod_id, after="5m").rule.startswith("after 5m")


def test_an_extension_puts_off_all_limits(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="11m")
    assert enforcer.guards.pause_notes(lambda guard: "X") == []
    enforcer.run(MINUTE + 1)
    assert "is paused in 9m59s (after 11m). To put it off: X" in enforcer.guards.pause_notes(lambda guard: "X")[0]
    enforcer.guards.extend(enforcer.pod_id, "2m")
    enforcer.run(11 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(2 * MINUTE)


def test_an_extension_counts_until_the_pause_is_requested(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1m")
    enforcer.sandbox.add_fault("pause:500-beforex1")
    enforcer.run(MINUTE)
    assert enforcer.guard.state == "pausing"
    enforcer.guards.extend(enforcer.pod_id, "5m")
    enforcer.run(4 * MINUTE)
    assert (enforcer.pause_requests, enforcer.status) == (1, "RUNNING")


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
    enforcer.run(3 * MINUTE)
    assert error in enforcer.guard.error
    assert enforcer.status == ("RUNNING" if error else "PAUSED")
    enforcer.sandbox.clear_faults()
    assert enforcer.run_until_paused(2 * MINUTE) < 40


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
    enforcer.run(4 * MINUTE)
    enforcer.read_sample = lambda pod: enforcer.idle_sample(**busy)
    enforcer.run(3 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guard.idle_note == note
    enforcer.read_sample = lambda pod: enforcer.idle_sample()
    enforcer.run(4 * MINUTE)
    assert enforcer.pause_requests == 0
    enforcer.run_until_paused(4 * MINUTE)


@pytest.mark.parametrize("counter", ["cpu", "network"])
def test_rising_counters_prevent_a_pause(enforcer: SimulatedEnforcer, counter: str) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="3m", after="8h")
    per_second = {"cpu": 0.9, "network": 40_000}[counter]
    enforcer.read_sample = lambda pod: enforcer.idle_sample(**{counter: enforcer.now() * per_second})
    enforcer.run(6 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guard.idle_note.startswith(counter)


def test_unreadable_signals_are_busy_and_shown(enforcer: SimulatedEnforcer) -> None:
    def fail(pod: object) -> None:
        raise OSError("no route")

    enforcer.guards.set(enforcer.pod_id, idle="2m", after="5m")
    enforcer.read_sample = fail  # type: ignore[assignment]
    enforcer.run(4 * MINUTE)
    assert enforcer.pause_requests == 0
    assert enforcer.guards.frame()["idle"].iloc[0] == "all signals unreadable (no route)"
    enforcer.run_until_paused(2 * MINUTE)


def test_time_without_checks_is_not_idle(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, idle="5m", after="20h")
    enforcer.run(4 * MINUTE)
    enforcer.advance(5 * HOUR)
    enforcer.run(4 * MINUTE)
    assert enforcer.pause_requests == 0


def test_a_guard_ends_with_its_pod(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="8h")
    enforcer.transition("delete")
    enforcer.run(MINUTE)
    assert enforcer.guards.list() == []
    assert enforcer.log_lines[-1].endswith("is TERMINATING: its guard ends")


def test_guards_of_a_sandbox_end_with_it(enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConnectionFailed("refuses connections", may_have_been_delivered=False)

    enforcer.guards.set(enforcer.pod_id, after="8h")
    monkeypatch.setattr(enforcer.yotta.pods, "list", refuse)
    enforcer.watcher.check()
    enforcer.advance(2 * MINUTE)
    enforcer.watcher.check()
    assert enforcer.guards.list() == []


def test_a_paused_pod_is_guarded_from_its_start_on(enforcer: SimulatedEnforcer) -> None:
    enforcer.transition("pause")
    enforcer.advance(5)
    enforcer.guards.set(enforcer.pod_id, after="2m")
    enforcer.run(5 * MINUTE)
    assert (enforcer.pause_requests, enforcer.guard.state) == (0, "waiting")
    enforcer.transition("resume")
    assert 2 * MINUTE < enforcer.run_until_paused(5 * MINUTE) < 4 * MINUTE


@pytest.mark.parametrize("limit", [{"after": "8h"}, {"idle": "30m"}])
def test_a_guard_of_a_pod_that_has_started_since_the_last_check_keeps_its_limit(
    enforcer: SimulatedEnforcer, limit: dict[str, str]
) -> None:
    enforcer.transition("pause")
    enforcer.advance(MINUTE)
    enforcer.guards.set(enforcer.pod_id, after="1h")
    enforcer.transition("resume")
    enforcer.advance(MINUTE)
    guard = enforcer.guards.set(enforcer.pod_id, **limit)
    assert guard.state == "active"
    [limit_of_first_guard] = guard.hard_limits
    assert limit_of_first_guard.reason == "after 1h"
    assert limit_of_first_guard.at == pytest.approx(enforcer.now() + HOUR, abs=MINUTE)


def test_guards_in_memory_stay_in_force_without_the_database(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="3m")
    enforcer.run(MINUTE)
    path = user_data_path("yotta_jupyter") / "guards.db"
    for file in path.parent.glob("guards.db*"):
        file.unlink()
    path.write_text("damaged " * 1000)
    enforcer.run(3 * MINUTE)
    assert enforcer.status == "PAUSED"
    assert sum("is damaged" in line and "(after 3m)" in line for line in enforcer.log_lines) == 1
    with pytest.raises(YottaError, match=r"guards .* is damaged. Move the file away"):
        enforcer.guards.set(enforcer.pod_id, after="1h")
    assert len(enforcer.yotta.pods.list()) == 3
    path.unlink()
    enforcer.run(1)
    assert enforcer.guard.rule == "after 3m"


def test_limits_start_once_on_a_full_disk(enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch) -> None:
    enforcer.transition("pause")
    enforcer.advance(5)
    enforcer.guards.set(enforcer.pod_id, after="2m")
    enforcer.transition("resume")

    def fail(*args: object) -> None:
        raise YottaError("the disk is full")

    monkeypatch.setattr(GuardStore, "update", fail)
    enforcer.run(4 * MINUTE)
    assert enforcer.status == "PAUSED"


def test_a_locked_database_is_an_error_of_one_line(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0.1)
    enforcer.guards.set(enforcer.pod_id, after="1h")
    path: Path = user_data_path("yotta_jupyter") / "guards.db"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(YottaError, match=r"is locked by another process\. Try again") as caught:
            enforcer.guards.set(enforcer.pod_id, after="2h")
        connection.execute("ROLLBACK")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "0s", "-1h", "8x", "3660d", "", "h", "1 h 2", "1e9h", "nan"])
def test_invalid_duration_is_an_error(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_duration(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800), ("2d", 172800), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_parse_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (90, "1m30s"), (5400, "1h30m"), (90000, "1d1h"), (28800, "8h")]
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_an_error_is_shown_until_the_next_check_that_succeeds(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="8h")
    enforcer.sandbox.add_fault("list:500-before")
    enforcer.run(20)
    assert enforcer.guards.frame()["last_error"].iloc[0].startswith("not checked: ")
    enforcer.sandbox.clear_faults()
    enforcer.run(20)
    assert enforcer.guards.frame()["last_error"].isna().all()


def test_an_overdue_pod_that_is_being_paused_is_polled_slowly(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="10s")
    enforcer.run(9)
    enforcer.transition("pause")
    enforcer.advance(2)
    assert enforcer.watcher.check() >= 1
    assert enforcer.pause_requests == 0
