"""The guards of one base URL in memory, which stay in force while the database cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..errors import YottaError
from .rules import Guard
from .store import GuardStore


class GuardCache:
    """The guards of one base URL in the checks of one account: read before each check and written after it.

    Changes that could not be written are written later. If the database is replaced, the guards of the account are
    written into the new database.

    Parameters
    ----------
    store : GuardStore
    base_url : str
    is_own : callable
        Returns whether a guard belongs to the account.
    log : callable
        Called with one line about what happened.
    """

    def __init__(
        self, store: GuardStore, base_url: str, is_own: Callable[[Guard], bool], log: Callable[[str], None]
    ) -> None:
        self._store = store
        self._base_url = base_url
        self._is_own = is_own
        self._log = log
        self._guards: dict[str, Guard] = {}
        self._as_read: dict[str, Guard] = {}  # by pod id, in the database at the last `load`
        self._unwritten: dict[str, dict[str, Any]] = {}  # changed fields by pod id
        self._undeleted: set[str] = set()  # ids of pods whose guard could not be deleted
        self._identity: str | None = None
        self._problem = ""

    @property
    def pod_ids(self) -> set[str]:
        """The ids of the guarded pods of all accounts."""
        return set(self._guards)

    def own_guards(self) -> list[Guard]:
        """Return the guards of the account."""
        return [guard for guard in self._guards.values() if self._is_own(guard)]

    def sandbox_guards(self) -> list[Guard]:
        """Return the guards of sandbox pods, of all accounts."""
        return [guard for guard in self._guards.values() if guard.is_sandbox]

    def load(self) -> None:
        """Read the guards. If the database cannot be read, those in memory stay in force."""
        try:
            identity = self._store.identity()
            was_replaced = self._identity not in (None, identity)
            if was_replaced:
                self._restore()
            self._identity = identity
            for pod_id in self._undeleted:
                self._store.delete(self._base_url, pod_id)
            self._undeleted.clear()
            self._as_read = {guard.pod_id: guard for guard in self._store.guards(self._base_url)}
        except YottaError as error:
            self._log_problem(error)
            return
        if not self._unwritten:  # Otherwise, `save` may fail with the same problem, which is logged once.
            self._problem = ""
        self._guards = {
            pod_id: msgspec.structs.replace(guard, **self._unwritten.get(pod_id, {}))
            for pod_id, guard in self._as_read.items()
        }

    def save(self, changes: dict[str, dict[str, Any]]) -> None:
        """Change guards in memory and in the database.

        Parameters
        ----------
        changes : dict of str to dict
            Changed fields by pod id.
        """
        for pod_id, fields in changes.items():
            if pod_id in self._guards:
                self._guards[pod_id] = msgspec.structs.replace(self._guards[pod_id], **fields)
            self._unwritten[pod_id] = {**self._unwritten.get(pod_id, {}), **fields}
        try:
            self._store.update(self._base_url, self._unwritten)
            self._unwritten = {}
        except YottaError as error:
            self._log_problem(error)

    def delete(self, pod_id: str) -> None:
        """Remove a guard from memory and from the database.

        Parameters
        ----------
        pod_id : str
        """
        self._guards.pop(pod_id, None)
        try:
            self._store.delete(self._base_url, pod_id)
        except YottaError as error:
            self._undeleted.add(pod_id)
            self._log_problem(error)

    def is_current(self, pod_id: str) -> bool:
        """Return whether a guard was neither removed nor changed since `load`; True if that is unknown.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        bool
        """
        try:
            stored = self._store.get(self._base_url, pod_id)
        except YottaError as error:
            self._log_problem(error)
            return True
        return stored is not None and stored == self._as_read.get(pod_id)

    def _restore(self) -> None:
        """Write the guards of the account into a new database, unless it has guards for the same pods."""
        for guard in self.own_guards():
            self._store.put(guard, merge=lambda existing, new: existing)
        self._log(f"the database of guards was replaced; guards that were read before: {self._names()}")

    def _log_problem(self, error: YottaError) -> None:
        """Log a problem of the database, unless it was logged before."""
        if str(error) != self._problem:
            self._problem = str(error)
            self._log(f"{error} Guards that were read before stay in force: {self._names()}")

    def _names(self) -> str:
        return ", ".join(f"{guard.label} ({guard.rule})" for guard in self._guards.values()) or "none"
