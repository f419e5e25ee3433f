"""When a guard pauses a pod and when it does not, in simulated time against the sandbox."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from platformdirs import user_data_path

from yotta_jupyter import ConnectionFailed, InvalidRequest, YottaError
from yotta_jupyter.guard.durations import format_duration, parse_duration
from yotta_jupyter.guard.storage import Database
from yotta_jupyter.guard.store import GuardStore

from .watch import HOUR, MINUTE, Watch


def test_a_pod_is_paused_at_its_limit_and_not_before(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="10m")
    watch.run(10 * MINUTE - 1)
    assert (watch.pauses, watch.guard.state) == (0, "active")
    assert watch.run_until_paused(30) < 6
    assert watch.pauses == 1
    assert "is PAUSED, confirmed" in watch.lines[-1]


def test_a_resume_starts_the_limits_anew(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="5m")
    watch.run_until_paused(6 * MINUTE)
    watch.transition("resume")
    watch.run(4 * MINUTE)
    assert watch.pauses == 1
    assert MINUTE < watch.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_resume_that_only_another_client_has_listed_starts_the_limits_anew(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="5m")
    watch.run(4 * MINUTE)
    watch.transition("pause")
    watch.sandbox.advance(4)
    watch.transition("resume")
    watch.yotta.pods.list()
    watch.sandbox.advance(7)
    watch.run(3 * MINUTE)
    assert watch.pauses == 0
    watch.run_until_paused(3 * MINUTE)


def test_a_resume_without_an_enforcer_starts_the_limits_anew(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="1h")
    watch.run(MINUTE)
    watch.sleep(30 * MINUTE)
    watch.transition("pause")
    watch.sleep(30 * MINUTE)
    watch.transition("resume")
    watch.sleep(30 * MINUTE)
    watch.sleep(25 * MINUTE)
    watch.start()
    watch.run(4 * MINUTE)
    assert watch.pauses == 0
    assert watch.run_until_paused(3 * MINUTE) < 2 * MINUTE


def test_a_limit_that_passed_without_an_enforcer_is_enforced_at_once(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="1h")
    watch.run(MINUTE)
    watch.sleep(10 * HOUR)
    watch.start()
    assert watch.run_until_paused(10) < 6


def test_a_budget_is_a_limit(watch: Watch) -> None:
    rate = watch.yotta.pods.get(watch.pod_id).hourly_rate
    assert rate is not None
    watch.guards.set(watch.pod_id, budget=rate / 20, after="8h")
    assert 3 * MINUTE <= watch.run_until_paused(4 * MINUTE) < 3 * MINUTE + 10
    assert watch.guard.reason.startswith("budget of $")


def test_the_stricter_of_two_guards_counts(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="1h", idle="30m")
    watch.run(MINUTE)
    guard = watch.guards.set(watch.pod_id, after="8h", idle="2h", budget=100)
    assert guard.rule == "after 1h, budget $100.00, idle 30m"
    assert watch.guards.set(watch.pod_id, after="5m").rule.startswith("after 5m")


def test_an_extension_puts_off_all_limits(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="11m")
    assert watch.guards.announce(lambda guard: "X") == []
    watch.run(MINUTE + 1)
    assert "is paused in 9m59s (after 11m). To put it off: X" in watch.guards.announce(lambda guard: "X")[0]
    watch.guards.extend(watch.pod_id, "2m")
    watch.run(11 * MINUTE)
    assert watch.pauses == 0
    watch.run_until_paused(2 * MINUTE)


def test_an_extension_counts_until_the_pause_is_requested(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="1m")
    watch.sandbox.add_fault("pause:500-beforex1")
    watch.run(MINUTE)
    assert watch.guard.state == "pausing"
    watch.guards.extend(watch.pod_id, "5m")
    watch.run(4 * MINUTE)
    assert (watch.pauses, watch.status) == (1, "RUNNING")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("list:500-before", "not checked"),
        ("pause:500-before", "not confirmed"),
        ("pause:html", "not confirmed"),
        ("pause:lost", ""),
        ("pause:500-after", ""),
    ],
)
def test_a_pause_is_repeated_until_the_api_says_paused(watch: Watch, fault: str, said: str) -> None:
    watch.guards.set(watch.pod_id, after="1m")
    watch.sandbox.add_fault(fault)
    watch.run(3 * MINUTE)
    assert said in watch.guard.error
    assert watch.status == ("RUNNING" if said else "PAUSED")
    watch.sandbox.clear_faults()
    assert watch.run_until_paused(2 * MINUTE) < 40


def test_a_pod_that_is_idle_for_long_is_paused(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, idle="5m", after="8h")
    assert 5 * MINUTE <= watch.run_until_paused(10 * MINUTE) < 8 * MINUTE
    assert watch.guard.reason == "idle for 5m"


@pytest.mark.parametrize(
    ("busy", "note"),
    [
        ({"gpu": 40.0}, "gpu 40 %"),
        ({"terminals": 1.0}, "a terminal is in use"),
        ({"kernels": ["a cell of %%yotta run"]}, "a cell of %%yotta run"),
    ],
)
def test_one_busy_signal_keeps_a_pod(watch: Watch, busy: dict[str, object], note: str) -> None:
    watch.guards.set(watch.pod_id, idle="5m", after="8h")
    watch.run(4 * MINUTE)
    watch.sample = lambda pod: watch.idle_sample(**busy)
    watch.run(3 * MINUTE)
    assert watch.pauses == 0
    assert watch.guard.idle_note == note
    watch.sample = lambda pod: watch.idle_sample()
    watch.run(4 * MINUTE)
    assert watch.pauses == 0
    watch.run_until_paused(4 * MINUTE)


@pytest.mark.parametrize("counter", ["cpu", "network"])
def test_counters_that_rise_keep_a_pod(watch: Watch, counter: str) -> None:
    watch.guards.set(watch.pod_id, idle="3m", after="8h")
    per_second = {"cpu": 0.9, "network": 40_000}[counter]
    watch.sample = lambda pod: watch.idle_sample(**{counter: watch.now() * per_second})
    watch.run(6 * MINUTE)
    assert watch.pauses == 0
    assert watch.guard.idle_note.startswith(counter)


def test_what_cannot_be_read_is_busy_and_said(watch: Watch) -> None:
    def fail(pod: object) -> None:
        raise OSError("no route")

    watch.guards.set(watch.pod_id, idle="2m", after="5m")
    watch.sample = fail  # type: ignore[assignment]
    watch.run(4 * MINUTE)
    assert watch.pauses == 0
    assert watch.guards.frame()["idle"].iloc[0] == "all signals unreadable (no route)"
    watch.run_until_paused(2 * MINUTE)


def test_time_without_checks_is_not_idle(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, idle="5m", after="20h")
    watch.run(4 * MINUTE)
    watch.sleep(5 * HOUR)
    watch.run(4 * MINUTE)
    assert watch.pauses == 0


def test_a_guard_ends_with_its_pod(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="8h")
    watch.transition("delete")
    watch.run(MINUTE)
    assert watch.guards.list() == []
    assert watch.lines[-1].endswith("is TERMINATING: its guard ends")


def test_guards_of_a_sandbox_end_with_it(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConnectionFailed("refuses connections", may_have_been_delivered=False)

    watch.guards.set(watch.pod_id, after="8h")
    monkeypatch.setattr(watch.yotta.pods, "list", refuse)
    watch.watcher.check()
    watch.sleep(2 * MINUTE)
    watch.watcher.check()
    assert watch.guards.list() == []


def test_a_paused_pod_is_guarded_from_its_start_on(watch: Watch) -> None:
    watch.transition("pause")
    watch.sandbox.advance(5)
    watch.guards.set(watch.pod_id, after="2m")
    watch.run(5 * MINUTE)
    assert (watch.pauses, watch.guard.state) == (0, "waiting")
    watch.transition("resume")
    assert 2 * MINUTE < watch.run_until_paused(5 * MINUTE) < 4 * MINUTE


def test_guards_in_memory_stay_in_force_without_the_database(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="3m")
    watch.run(MINUTE)
    path = user_data_path("yotta_jupyter") / "guards.db"
    for file in path.parent.glob("guards.db*"):
        file.unlink()
    path.write_text("damaged " * 1000)
    watch.run(3 * MINUTE)
    assert watch.status == "PAUSED"
    assert sum("is damaged" in line and "(after 3m)" in line for line in watch.lines) == 1
    with pytest.raises(YottaError, match=r"guards .* is damaged. Move the file away"):
        watch.guards.set(watch.pod_id, after="1h")
    assert len(watch.yotta.pods.list()) == 3
    path.unlink()
    watch.run(1)
    assert watch.guard.rule == "after 3m"


def test_a_full_disk_does_not_start_the_limits_again_and_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.transition("pause")
    watch.sandbox.advance(5)
    watch.guards.set(watch.pod_id, after="2m")
    watch.transition("resume")

    def fail(*args: object) -> None:
        raise YottaError("the disk is full")

    monkeypatch.setattr(GuardStore, "update", fail)
    watch.run(4 * MINUTE)
    assert watch.status == "PAUSED"


def test_a_locked_database_is_one_line(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database.transaction.__wrapped__, "__defaults__", (0.1,))  # type: ignore[attr-defined]
    watch.guards.set(watch.pod_id, after="1h")
    path: Path = user_data_path("yotta_jupyter") / "guards.db"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(YottaError, match=r"is locked by another process\. Try again") as caught:
            watch.guards.set(watch.pod_id, after="2h")
        connection.execute("ROLLBACK")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "0s", "-1h", "8x", "3660d", "", "h", "1 h 2", "1e9h", "nan"])
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_duration(text)
    assert "\n" not in str(caught.value)


def test_durations() -> None:
    assert [parse_duration(text) for text in ("90s", "30m", "8h", "2d", "1h30m", "0.5h")] == [
        90,
        1800,
        28800,
        172800,
        5400,
        1800,
    ]
    assert [format_duration(seconds) for seconds in (0, 59, 90, 5400, 90000, 8 * 3600)] == [
        "0s",
        "59s",
        "1m30s",
        "1h30m",
        "1d1h",
        "8h",
    ]


def test_an_error_is_shown_until_the_next_check_that_succeeds(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="8h")
    watch.sandbox.add_fault("list:500-before")
    watch.run(20)
    assert watch.guards.frame()["last_error"].iloc[0].startswith("not checked: ")
    watch.sandbox.clear_faults()
    watch.run(20)
    assert watch.guards.frame()["last_error"].isna().all()


def test_an_overdue_pod_that_is_being_paused_is_not_listed_all_the_time(watch: Watch) -> None:
    watch.guards.set(watch.pod_id, after="10s")
    watch.run(9)
    watch.transition("pause")
    watch.sleep(2)
    assert watch.watcher.check() >= 1
    assert watch.pauses == 0
