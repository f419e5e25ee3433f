"""Helpers of tests with real processes."""

from __future__ import annotations

import time
from collections.abc import Callable

from yotta_jupyter.guard import process
from yotta_jupyter.guard.store import GuardStore


def wait_for(condition: Callable[[], object], timeout: float = 20) -> None:
    """Wait until a condition holds; fail with the enforcer's log after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, process.read_log(50)
        time.sleep(0.02)


def enforcer_pid() -> int:
    """Return the process id of the enforcer."""
    state = GuardStore().read_heartbeat()
    assert state is not None
    return state.pid
