"""Fixtures: an enforcer in simulated time, and the end of enforcers that a test has started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from yotta_jupyter import Sandbox, connect
from yotta_jupyter.guard import process
from yotta_jupyter.guard.store import GuardStore

from .watch import Watch


@pytest.fixture
def long(request: pytest.FixtureRequest) -> None:
    """Skip a test that would take the suite beyond its time limit, unless ``--long`` is given."""
    if not request.config.getoption("--long"):
        pytest.skip("needs --long")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with Sandbox() as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yield Watch(sandbox, yotta, monkeypatch)


@pytest.fixture
def end_enforcer() -> Iterator[None]:
    """End the enforcer of the test's home directory afterwards."""
    yield
    if process.is_running():
        state = GuardStore().read_enforcer()
        assert state is not None
        os.kill(state.pid, signal.SIGKILL)
        with process.lock(timeout=10) as obtained:
            assert obtained
