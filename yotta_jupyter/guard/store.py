"""The guards of this user, in a database that notebooks and the enforcer share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from .rules import Guard
from .storage import Database, data_folder

# The tables `enforcer` and `identity` have one row each.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS guards (
    base_url TEXT NOT NULL,
    pod_id TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (base_url, pod_id)
);
CREATE TABLE IF NOT EXISTS enforcer (one INTEGER PRIMARY KEY CHECK (one = 1), data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS identity (value TEXT NOT NULL);
INSERT INTO identity SELECT hex(randomblob(8)) WHERE NOT EXISTS (SELECT 1 FROM identity)
"""


class Heartbeat(msgspec.Struct, kw_only=True, frozen=True):
    """A heartbeat of the enforcer.

    Attributes
    ----------
    pid : int
    started_at, checked_at : float
        The start of the enforcer and the time of the heartbeat, in seconds of `Clock`.
    accounts : list of str
        The accounts whose key it has.
    """

    pid: int
    started_at: float
    checked_at: float
    accounts: list[str] = []


class GuardStore:
    """The guards, by base URL and pod id. Each method raises `YottaError` if the database cannot be used."""

    def __init__(self) -> None:
        self._database = Database(data_folder() / "guards.db", _SCHEMA, version=1, noun="guards")

    @property
    def exists(self) -> bool:
        """Whether a guard was ever set."""
        return self._database.path.exists()

    def identity(self) -> str:
        """Return the random id of this database. A database that replaces it has another id."""
        with self._database.transaction(writes=False) as connection:
            return str(connection.execute("SELECT value FROM identity").fetchone()["value"])

    def guards(self, base_url: str | None = None) -> list[Guard]:
        """Return the guards of one base URL, or all guards.

        Parameters
        ----------
        base_url : str, optional

        Returns
        -------
        list of Guard
        """
        with self._database.transaction(writes=False) as connection:
            rows = connection.execute(
                "SELECT data FROM guards WHERE base_url = coalesce(?, base_url) ORDER BY rowid", (base_url,)
            )
            return [_decode(row) for row in rows]

    def get(self, base_url: str, pod_id: str) -> Guard | None:
        """Return the guard of a pod, or None."""
        with self._database.transaction(writes=False) as connection:
            return _select(connection, base_url, pod_id)

    def put(self, guard: Guard, merge: Callable[[Guard, Guard], Guard]) -> Guard:
        """Store a guard.

        Parameters
        ----------
        guard : Guard
        merge : callable
            Called with the existing guard of the pod and the new one; returns the one to store.

        Returns
        -------
        Guard
            As stored.
        """
        with self._database.transaction() as connection:
            existing = _select(connection, guard.base_url, guard.pod_id)
            stored = guard if existing is None else merge(existing, guard)
            _write(connection, stored)
            return stored

    def modify(self, base_url: str, pod_id: str, change: Callable[[Guard], Guard]) -> Guard | None:
        """Change a guard.

        Parameters
        ----------
        base_url, pod_id : str
        change : callable
            Called with the guard; returns the changed one.

        Returns
        -------
        Guard or None
            As stored; None if there is no such guard.
        """
        with self._database.transaction() as connection:
            guard = _select(connection, base_url, pod_id)
            if guard is not None:
                guard = change(guard)
                _write(connection, guard)
            return guard

    def update(self, base_url: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Set fields of several guards. Guards that do not exist any more are skipped.

        Parameters
        ----------
        base_url : str
        changes : mapping
            Changed fields by pod id.
        """
        with self._database.transaction() as connection:
            for pod_id, fields in changes.items():
                guard = _select(connection, base_url, pod_id)
                if guard is not None:
                    _write(connection, msgspec.structs.replace(guard, **fields))

    def delete(self, base_url: str, pod_id: str) -> None:
        """Remove the guard of a pod, if there is one."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM guards WHERE base_url = ? AND pod_id = ?", (base_url, pod_id))

    def delete_all(self, base_url: str) -> None:
        """Remove the guards of a base URL."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM guards WHERE base_url = ?", (base_url,))

    def read_heartbeat(self) -> Heartbeat | None:
        """Return the last heartbeat of the enforcer; None if there was none."""
        with self._database.transaction(writes=False) as connection:
            row = connection.execute("SELECT data FROM enforcer").fetchone()
            return None if row is None else msgspec.json.decode(row["data"], type=Heartbeat)

    def write_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Store a heartbeat of the enforcer."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO enforcer VALUES (1, ?)", (msgspec.json.encode(heartbeat).decode(),)
            )


def _select(connection: sqlite3.Connection, base_url: str, pod_id: str) -> Guard | None:
    row = connection.execute("SELECT data FROM guards WHERE base_url = ? AND pod_id = ?", (base_url, pod_id)).fetchone()
    return None if row is None else _decode(row)


def _decode(row: sqlite3.Row) -> Guard:
    return msgspec.json.decode(row["data"], type=Guard)


def _write(connection: sqlite3.Connection, guard: Guard) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO guards VALUES (?, ?, ?)",
        (guard.base_url, guard.pod_id, msgspec.json.encode(guard).decode()),
    )
