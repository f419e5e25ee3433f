"""An enforcer of one account in simulated time: in this process, with the clock of a sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import Client, Pod, Sandbox
from yotta_jupyter.guard import process
from yotta_jupyter.guard.checker import GuardChecker
from yotta_jupyter.guard.clock import Clock
from yotta_jupyter.guard.guards import Guards
from yotta_jupyter.guard.idle import Sample
from yotta_jupyter.guard.rules import Guard
from yotta_jupyter.guard.store import GuardStore
from yotta_jupyter.sandbox.statuses import TRANSITIONS

MINUTE, HOUR = 60.0, 3600.0  # seconds

MAX_PAUSE_TIME = 6.0
"""Seconds from a limit to the confirmation: the sandbox pauses a pod in 3 s, and checks are at most 2 s apart."""


class SimulatedEnforcer:
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
        monkeypatch.setattr(process, "ensure_running", lambda *_: False)
        self.sandbox = sandbox
        self.yotta = yotta
        self.now = yotta.ledger._clock.now
        self.log_lines: list[str] = []
        self.pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == "train-1")
        self.read_sample: Callable[[Pod], Sample] = lambda pod: self.idle_sample()
        self.restart()

    def restart(self) -> None:
        """Start a new enforcer, which lacks what the previous one had in memory."""
        self.checker = GuardChecker(
            self.yotta.pods,
            GuardStore(),
            self.yotta.ledger,
            base_url=self.yotta.base_url,
            now=self.now,
            log=self.log_lines.append,
            read_sample=lambda pod: self.read_sample(pod),
        )

    def idle_sample(self, **values: Any) -> Sample:
        """Return a sample of an idle pod, with other `values` by signal."""
        idle: dict[str, Any] = {"gpu": 0.0, "cpu": 0.0, "network": 0, "terminals": None, "kernels": []}
        return Sample(self.now(), {**idle, **values})

    @property
    def guards(self) -> Guards:
        return self.yotta.guards

    @property
    def guard(self) -> Guard:
        return next(guard for guard in self.guards.list() if guard.pod_id == self.pod_id)

    @property
    def status(self) -> str:
        """The status of the pod in the sandbox, read without a request."""
        return str(next(pod["status"] for pod in self.sandbox.pods() if pod["id"] == self.pod_id))

    @property
    def pause_requests(self) -> int:
        """The number of pause requests so far."""
        return sum(request.endpoint == "pause" for request in self.sandbox.requests)

    def advance_unchecked(self, seconds: float) -> None:
        """Let time pass without a check."""
        self.sandbox.advance(seconds)

    def run_for(self, seconds: float) -> None:
        """Let time pass; check whenever a check is due."""
        end = self.now() + seconds
        while True:
            delay = self._check()
            left = end - self.now()
            if left <= 0:
                return
            self.advance_unchecked(min(delay, left))

    def run_until_paused(self, limit: float) -> float:
        """Run until the pause is confirmed; return the seconds that it took."""
        start = self.now()
        while True:
            delay = self._check()
            if self.guard.state == "paused":
                return self.now() - start
            assert self.now() - start < limit, self.log_lines
            self.advance_unchecked(delay)

    def transition(self, action: str) -> None:
        """Begin to pause, resume or delete the pod as another client does."""
        self.sandbox._simulator.transition(action, self.pod_id)

    def complete(self, action: str) -> None:
        """Pause or resume the pod as another client does, without a check before that is done."""
        self.transition(action)
        self.advance_unchecked(TRANSITIONS[action].seconds + 1)

    def _check(self) -> float:
        """Check the guards, and wait for the samples of pods that the check begins."""
        delay = self.checker.check()
        for monitor in self.checker._monitors.values():
            if monitor._thread is not None:
                monitor._thread.join()
        return delay
