"""A notebook's access to the enforcer, the background process that pauses pods: its status, its start and its key."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from ..errors import YottaError
from ..sanitize import single_line
from ..secret import Secret
from . import process
from .clock import Clock
from .describe import format_time
from .store import GuardStore, Heartbeat

MAX_HEARTBEAT_AGE: Final = 60.0
"""Seconds. A running enforcer whose last heartbeat is older is stalled."""


class EnforcerStatus(NamedTuple):
    """Whether the enforcer works.

    Attributes
    ----------
    state : str
        ``alive``, ``stalled`` or ``not running``.
    pid : int or None
    checked_at : float or None
        The time of its last heartbeat, in seconds of `Clock`.
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


class EnforcerClient:
    """Starts the enforcer of this machine for the notebooks of one account.

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

    def read(self) -> EnforcerStatus:
        """Return the status of the enforcer.

        Returns
        -------
        EnforcerStatus
        """
        heartbeat: Heartbeat | None = None
        if self._store.exists:
            with suppress(YottaError):
                heartbeat = self._store.read_heartbeat()
        checked_at = heartbeat.checked_at if heartbeat is not None else None
        if not process.is_running():
            return EnforcerStatus("not running", None, checked_at, [])
        if heartbeat is None:  # It has just started, or the database cannot be read.
            return EnforcerStatus("alive", None, None, [])
        is_stalled = self._clock.now() - heartbeat.checked_at > MAX_HEARTBEAT_AGE
        return EnforcerStatus("stalled" if is_stalled else "alive", heartbeat.pid, checked_at, heartbeat.accounts)

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

    def restart_if_needed(self) -> list[str]:
        """Start the enforcer again if needed, and return notes for the user; see `Guards.resume_enforcement`."""
        if not self._store.exists:
            return []
        try:
            guards = self._store.guards()
            if not guards:
                return []
            needs_key = any(guard.base_url == self._base_url for guard in guards)
            return self._restart(needs_key)
        except (YottaError, OSError) as error:
            consequence = "No guard is enforced."
            if process.is_running():
                consequence = "The enforcer continues with the guards that it has read before."
            return [f"{single_line(error, 400)} {consequence}"]

    def _restart(self, needs_key: bool) -> list[str]:
        before = self.read()
        lacks_key = needs_key and self._account not in before.accounts
        if before.is_alive and not lacks_key:
            return []
        if before.state == "stalled" and before.checked_at is not None:
            since = format_time(before.checked_at, self._clock)
            return [
                f"the guards' enforcer has not checked anything since {since}. "
                f"End it with kill -9 {before.pid}: the next command starts another"
            ]
        was_started = process.ensure_running(self._base_url, self._api_key, self._ssh_key)
        if not was_started:
            return []
        if before.checked_at is None:
            return ["the guards' enforcer was started"]
        start = format_time(before.checked_at, self._clock)
        end = format_time(self._clock.now(), self._clock)
        return [f"the guards were not enforced from {start} to {end}; the enforcer runs again and acts now"]
