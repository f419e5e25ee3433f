"""The local enforcer as a notebook uses it: whether it works, and starting it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from ..errors import YottaError
from ..sanitize import single_line
from ..secret import Secret
from . import process
from .clock import Clock
from .describe import format_time
from .store import EnforcerState, GuardStore

MAX_HEARTBEAT_AGE: Final = 60.0
"""Seconds. A running enforcer whose last heartbeat is older is stalled."""


class Enforcement(NamedTuple):
    """Whether the local enforcer works.

    Attributes
    ----------
    state : str
        ``alive``, ``stalled`` or ``not running``.
    pid : int or None
    checked_at : float or None
        Its last heartbeat, in seconds of `Clock`.
    accounts : list of str
        The accounts whose key it has.
    """

    state: str
    pid: int | None
    checked_at: float | None
    accounts: list[str]

    @property
    def is_alive(self) -> bool:
        """Whether guards are enforced now."""
        return self.state == "alive"

    def problem(self, account: str) -> str:
        """Return why the guards of an account are not enforced.

        Parameters
        ----------
        account : str

        Returns
        -------
        str
            Such as ``not running``; empty if they are enforced.
        """
        if not self.is_alive:
            return self.state
        return "" if account in self.accounts else "no key for this account"


class LocalEnforcer:
    """The enforcer of this machine, as a notebook of one account uses it.

    Parameters
    ----------
    store : GuardStore
    clock : Clock
    base_url : str
    api_key : Secret
    ssh_key : str or None
        A private key file.
    account : str
        See `ledger.account_id`.
    """

    def __init__(
        self, store: GuardStore, clock: Clock, base_url: str, api_key: Secret, ssh_key: str | None, account: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._base_url = base_url
        self._api_key = api_key
        self._ssh_key = ssh_key
        self._account = account

    def read(self) -> Enforcement:
        """Return whether the enforcer works.

        Returns
        -------
        Enforcement
        """
        state: EnforcerState | None = None
        if self._store.exists:
            with suppress(YottaError):
                state = self._store.read_enforcer()
        checked_at = state.checked_at if state is not None else None
        if not process.is_running():
            return Enforcement("not running", None, checked_at, [])
        if state is None:  # It has just started, or the database cannot be read.
            return Enforcement("alive", None, None, [])
        is_stalled = self._clock.now() - state.checked_at > MAX_HEARTBEAT_AGE
        return Enforcement("stalled" if is_stalled else "alive", state.pid, checked_at, state.accounts)

    def start(self, error_prefix: str) -> None:
        """Start the enforcer unless it runs, send it the key, and make it check now.

        Parameters
        ----------
        error_prefix : str
            The beginning of the error message.

        Raises
        ------
        YottaError
            It does not start or does not answer.
        """
        try:
            process.ensure_running(self._base_url, self._api_key, self._ssh_key)
        except (YottaError, OSError) as error:
            reason = error.message if isinstance(error, YottaError) else single_line(error)
            raise YottaError(f"{error_prefix} {reason}", advice=getattr(error, "advice", "")) from None

    def resume(self) -> list[str]:
        """Start the enforcer again if needed; see `Guards.resume_enforcement`."""
        if not self._store.exists:
            return []
        try:
            guards = self._store.guards()
            if not guards:
                return []
            has_own_guards = any(guard.base_url == self._base_url for guard in guards)
            return self._resume(has_own_guards)
        except (YottaError, OSError) as error:
            consequence = "No guard is enforced."
            if process.is_running():
                consequence = "The enforcer continues with the guards that it has read before."
            return [f"{single_line(error, 400)} {consequence}"]

    def _resume(self, has_own_guards: bool) -> list[str]:
        before = self.read()
        lacks_key = has_own_guards and self._account not in before.accounts
        if before.is_alive and not lacks_key:
            return []
        if before.state == "stalled" and before.checked_at is not None:
            since = format_time(before.checked_at, self._clock)
            return [
                f"the guards' enforcer has not checked anything since {since}. "
                f"End it with kill -9 {before.pid}: the next command starts another"
            ]
        _, started = process.ensure_running(self._base_url, self._api_key, self._ssh_key)
        if not started:
            return []
        if before.checked_at is None:
            return ["the guards' enforcer was started"]
        start = format_time(before.checked_at, self._clock)
        end = format_time(self._clock.now(), self._clock)
        return [f"the guards were not enforced from {start} to {end}; the enforcer runs again and acts now"]
