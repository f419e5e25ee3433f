"""Fixtures: an enforcer in simulated time, and tests with the enforcer's process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from yotta_jupyter import Sandbox, connect
from yotta_jupyter.guard import process
from yotta_jupyter.guard.store import GuardStore

from .simulation import SimulatedEnforcer


@pytest.fixture
def long(request: pytest.FixtureRequest) -> None:
    """Skip a test that would take the suite beyond its time limit, unless ``--long`` is given."""
    if not request.config.getoption("--long"):
        pytest.skip("needs --long")


@pytest.fixture
def enforcer(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedEnforcer]:
    """An enforcer for a sandbox in which the pod ``train-1`` runs."""
    with Sandbox() as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yield SimulatedEnforcer(sandbox, yotta, monkeypatch)


@pytest.fixture
def end_enforcer() -> Iterator[None]:
    """Delete all guards after the test, which ends the enforcer's process."""
    yield
    store = GuardStore()
    for guard in store.guards():
        store.delete(guard.base_url, guard.pod_id)
    process.send()
    with process.lock(timeout=15) as obtained:
        assert obtained
