"""The poller of a panel."""

from __future__ import annotations

import threading

from yotta_jupyter.panel.poller import Poller, next_interval


def test_poller_stops_when_hidden_and_starts_again() -> None:
    polls = threading.Semaphore(0)

    def poll() -> float:
        polls.release()
        return 0.001

    poller = Poller(poll)
    for _ in range(2):
        poller.set_visible(True)
        assert polls.acquire(timeout=10)
        assert polls.acquire(timeout=10)
        thread = next(t for t in threading.enumerate() if t.name == "yotta-panel")
        poller.set_visible(False)
        thread.join(10)
        assert not thread.is_alive()
    poller.close()
    poller.set_visible(True)
    assert not any(t.name == "yotta-panel" for t in threading.enumerate())


def test_poller_that_starts_again_is_not_reported_as_idle() -> None:
    reports: list[str] = []
    is_idle, may_continue = threading.Event(), threading.Event()
    polls = threading.Semaphore(0)

    def poll() -> float:
        reports.append("poll")
        polls.release()
        return 60.0

    def on_stop() -> None:
        is_idle.set()
        may_continue.wait(10)
        reports.append("idle")

    poller = Poller(poll, on_stop)
    poller.set_visible(True)
    assert polls.acquire(timeout=10)
    poller.set_visible(False)
    assert is_idle.wait(10)
    poller.set_visible(True)
    may_continue.set()
    assert polls.acquire(timeout=10)
    assert reports == ["poll", "idle", "poll"]
    poller.close()


def test_interval_doubles_with_each_failure() -> None:
    assert [next_interval(True, 0), next_interval(False, 0)] == [2, 15]
    assert [next_interval(False, failures) for failures in (1, 2, 10)] == [4, 8, 120]
