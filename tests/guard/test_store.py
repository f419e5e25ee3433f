"""The enforcer and notebooks while the database of guards cannot be used."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing

import pytest

from yotta_jupyter import YottaError
from yotta_jupyter.guard import storage
from yotta_jupyter.guard.storage import data_folder
from yotta_jupyter.guard.store import GuardStore

from .simulation import MINUTE, SimulatedEnforcer


def fail(*args: object) -> None:
    """Replaces a method of `GuardStore`."""
    raise YottaError("the disk is full")


def test_guards_stay_in_force_while_the_database_is_damaged(enforcer: SimulatedEnforcer) -> None:
    enforcer.guards.set(enforcer.pod_id, after="3m")
    enforcer.run_for(MINUTE)
    path = data_folder() / "guards.db"
    for file in path.parent.glob("guards.db*"):
        file.unlink()
    path.write_text("damaged " * 1000)
    enforcer.run_for(3 * MINUTE)
    assert enforcer.status == "PAUSED"
    assert sum("is damaged" in line and "(after 3m)" in line for line in enforcer.log_lines) == 1
    with pytest.raises(YottaError, match=r"guards .* is damaged. Move the file away"):
        enforcer.guards.set(enforcer.pod_id, after="1h")
    assert enforcer.yotta.pods.list()
    path.unlink()
    enforcer.run_for(1)
    assert enforcer.guard.rule == "after 3m"


def test_limits_start_once_on_a_full_disk(enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch) -> None:
    enforcer.complete("pause")
    enforcer.guards.set(enforcer.pod_id, after="2m")
    enforcer.transition("resume")
    monkeypatch.setattr(GuardStore, "update", fail)
    enforcer.run_for(4 * MINUTE)
    assert enforcer.status == "PAUSED"  # Later than this if each check started the limits anew.


def test_a_deletion_that_the_database_refused_is_repeated(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforcer.guards.set(enforcer.pod_id, after="8h")
    enforcer.transition("delete")
    with monkeypatch.context() as broken:
        broken.setattr(GuardStore, "delete", fail)
        enforcer.run_for(MINUTE)
    assert len(enforcer.guards.list()) == 1
    enforcer.run_for(MINUTE)
    assert enforcer.guards.list() == []


def test_a_locked_database_is_an_error_of_one_line(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0.1)
    enforcer.guards.set(enforcer.pod_id, after="1h")
    path = data_folder() / "guards.db"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(YottaError, match=r"is locked by another process\. Try again") as caught:
            enforcer.guards.set(enforcer.pod_id, after="2h")
        connection.execute("ROLLBACK")
    assert "\n" not in str(caught.value)


def test_readers_do_not_wait_for_a_process_that_writes(
    enforcer: SimulatedEnforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforcer.guards.set(enforcer.pod_id, after="1m")
    enforcer.yotta.ledger.flush()
    enforcer.restart()
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0.0)
    with ExitStack() as writers:
        for name in ("guards.db", "ledger.db"):
            connection = writers.enter_context(closing(sqlite3.connect(data_folder() / name, isolation_level=None)))
            connection.execute("BEGIN IMMEDIATE")
        assert enforcer.pod_id in enforcer.yotta.costs().index
        enforcer.run_for(2 * MINUTE)
    assert enforcer.status == "PAUSED"
