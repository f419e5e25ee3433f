"""An enforcer of one account in this process, whose clock is that of a sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import Client, Pod, Sandbox
from yotta_jupyter.guard import process
from yotta_jupyter.guard.clock import Clock
from yotta_jupyter.guard.guards import Guards
from yotta_jupyter.guard.idle import Sample
from yotta_jupyter.guard.rules import Guard
from yotta_jupyter.guard.store import GuardStore
from yotta_jupyter.guard.watcher import AccountWatcher

MINUTE, HOUR = 60.0, 3600.0


class Watch:
    """Checks the guards of a sandbox's pods as the enforcer does, in simulated time.

    Parameters
    ----------
    sandbox : Sandbox
        At speed 1.
    yotta : Client
    monkeypatch : pytest.MonkeyPatch
        Replaces the clock, and the start of the enforcer's process.
    """

    def __init__(self, sandbox: Sandbox, yotta: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = sandbox._simulator._clock
        monkeypatch.setattr(Clock, "now", lambda _: clock.to_datetime(clock.now()).timestamp())
        reply = process.Reply(1, [yotta.ledger.account])
        monkeypatch.setattr(process, "ensure_running", lambda *_: (reply, False))
        self.sandbox = sandbox
        self.yotta = yotta
        self.now = yotta.ledger._clock.now
        self.lines: list[str] = []
        self.pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == "train-1")
        self.sample: Callable[[Pod], Sample] = lambda pod: self.idle_sample()
        self.start()

    def start(self) -> None:
        """Start a new enforcer, as after the end of the one before."""
        self.watcher = AccountWatcher(
            self.yotta.pods,
            GuardStore(),
            self.yotta.ledger,
            base_url=self.yotta.base_url,
            now=self.now,
            log=self.lines.append,
            read_sample=lambda pod: self.sample(pod),
        )
        self._delay = 0.0

    def idle_sample(self, **values: Any) -> Sample:
        """Return a sample in which nothing but `values` happens."""
        idle = {"gpu": 0.0, "cpu": 0.0, "network": 0, "terminals": None, "kernels": []}
        return Sample(self.now(), {**idle, **values})

    @property
    def guards(self) -> Guards:
        return self.yotta.guards

    @property
    def guard(self) -> Guard:
        return next(guard for guard in self.guards.list() if guard.pod_id == self.pod_id)

    @property
    def status(self) -> str:
        """The status of the pod, which the enforcer does not see."""
        return next(pod["status"] for pod in self.sandbox.pods() if pod["id"] == self.pod_id)

    @property
    def pauses(self) -> int:
        """The number of pause requests."""
        return sum(request.endpoint == "pause" for request in self.sandbox.requests)

    def sleep(self, seconds: float) -> None:
        """Let time pass without a check."""
        self.sandbox.advance(seconds)

    def run(self, seconds: float) -> None:
        """Let time pass; check whenever a check is due."""
        end = self.now() + seconds
        while True:
            self._delay = self.watcher.check()
            self._join_monitors()
            left = end - self.now()
            if left <= 0:
                return
            self.sandbox.advance(min(self._delay, left))

    def run_until_paused(self, limit: float) -> float:
        """Run until the guard's pause is confirmed; return after how many seconds."""
        start = self.now()
        while True:
            delay = self.watcher.check()
            self._join_monitors()
            if self.guard.state == "paused":
                return self.now() - start
            assert self.now() - start < limit, self.lines
            self.sandbox.advance(delay)

    def _join_monitors(self) -> None:
        for monitor in self.watcher._monitors.values():
            if monitor._thread is not None:
                monitor._thread.join()

    def transition(self, action: str) -> None:
        """Pause or resume the pod as somebody else does, elsewhere."""
        self.sandbox._simulator.transition(action, self.pod_id)
