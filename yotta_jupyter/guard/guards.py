"""`Client.guards`: set, end, extend and show guards."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from ..api import PodsClient
from ..errors import InvalidRequest, PodNotFound, YottaError
from ..keys import explicit_key_file
from ..models import Pod
from ..remote import endpoint_of
from ..sanitize import single_line
from ..secret import Secret
from . import process, rules, watchdog_client
from .clock import Clock
from .describe import describe_limits, describe_upcoming
from .durations import parse_duration
from .enforcer_client import EnforcerClient, EnforcerStatus
from .ledger import Ledger
from .limit_arguments import Limits, parse_limits
from .rules import Guard
from .status import GuardStatus, guard_status
from .storage import data_folder
from .store import GuardStore
from .watchdog_client import WatchdogState

if TYPE_CHECKING:
    import pandas as pd

LOG_LINES: Final = 40  # that `log` returns by default


class Guards:
    """The guards of the pods of one account.

    Guards are enforced by one process per user on this machine, which outlives notebooks. It works while the machine
    is on and online, and starts again at the next use of this package after a reboot.

    Parameters
    ----------
    pods : PodsClient
    ledger : Ledger
    base_url : str
    api_key : Secret
    ssh_key : str
        A private key file.
    is_sandbox : callable
        Returns whether the pods are those of a sandbox.
    """

    def __init__(
        self,
        pods: PodsClient,
        ledger: Ledger,
        *,
        base_url: str,
        api_key: Secret,
        ssh_key: str,
        is_sandbox: Callable[[], bool],
    ) -> None:
        self._pods = pods
        self._ledger = ledger
        self._base_url = base_url
        self._api_key = api_key
        self._ssh_key = explicit_key_file(ssh_key)
        self._is_sandbox = is_sandbox
        self._store = GuardStore()
        self._clock = Clock(data_folder() / "clock.json")
        self._enforcer = EnforcerClient(self._store, self._clock, base_url, api_key, self._ssh_key, ledger.account)

    def set(
        self,
        pod_id: str,
        *,
        after: str | timedelta | float | None = None,
        budget: float | None = None,
        idle: str | timedelta | float | None = None,
        on_pod: bool = False,
    ) -> Guard:
        """Set a guard, which pauses the pod when the first of its limits is reached and confirms the pause.

        If the pod has a guard already, the stricter limit of each kind counts. A resume of the pod starts all limits
        anew.

        Parameters
        ----------
        pod_id : str
        after : str, timedelta or float, optional
            How long the pod may run from now on, or from its start if it does not run yet: ``8h``, or seconds.
        budget : float, optional
            US dollars that it may cost from then on.
        idle : str, timedelta or float, optional
            How long all signals on the pod must be idle: GPU, CPU, network, kernels, terminals. A signal that cannot
            be read counts as busy.
        on_pod : bool, default False
            Enforce `after` and `budget` on the pod as well, also while this machine is off. The API key is sent over
            SSH into a file in the pod's memory, where root on the pod can read it. A pause of the pod deletes the file.

        Returns
        -------
        Guard

        Raises
        ------
        InvalidRequest
            A limit is invalid, no limit is given, the pod has ended, or its price is unknown and a budget is given.
        PodNotFound, ApiError, ConnectionFailed, UnexpectedResponse
            The pod could not be read. No guard was set.
        RemoteUnavailable
            With `on_pod`: the pod is not reachable by SSH. The message says whether a guard was set.
        YottaError
            The guard could not be stored, or is not enforced because the enforcer does not start.
        """
        process.require_posix()
        limits = parse_limits(after, budget, idle)
        pod = self._pods.get(pod_id)
        if rules.has_ended(pod):
            raise InvalidRequest(f"Pod {pod.label} is {single_line(pod.status, 40)}: there is nothing to guard.")
        if budget is not None and not pod.hourly_rate:
            raise InvalidRequest(
                f"The price of pod {pod.label} is unknown, so that a budget cannot be enforced. Give a limit in hours."
            )
        new = self._new_guard(pod, limits)
        if on_pod:
            endpoint_of(pod)  # Raises unless SSH is ready.
            if limits.after is None and limits.budget is None:
                raise InvalidRequest("A guard on the pod needs a limit in hours or dollars.")
        stored = self._store.put(new, rules.merge)
        self._enforcer.start(f"The guard of pod {stored.label} is stored but not enforced.")
        return self._install_watchdog(pod, stored) if on_pod else stored

    def off(self, pod_id: str) -> bool:
        """End the guard of a pod. The pod is not changed.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        bool
            Whether there was one.

        Raises
        ------
        YottaError
            The guards cannot be read or written, or the watchdog on the pod cannot be ended. The guard stays.
        """
        guard = self._store.get(self._base_url, pod_id) if self._store.exists else None
        if guard is None:
            return False
        if guard.watchdog_started_at is not None:
            self._remove_watchdog(guard)
        self._store.delete(self._base_url, pod_id)
        process.send()
        return True

    def extend(self, pod_id: str, by: str | timedelta | float) -> Guard:
        """Put off all limits of a guard.

        Parameters
        ----------
        pod_id : str
        by : str, timedelta or float
            How long: ``2h``, or seconds. The idle rule does not apply during that time either.

        Returns
        -------
        Guard

        Raises
        ------
        InvalidRequest
            `by` is invalid, or the pod has no guard.
        YottaError
            The guards cannot be read or written, or the watchdog on the pod cannot be reached. Nothing was put off.
        """
        seconds = parse_duration(by, "An extension")
        guard = self._store.get(self._base_url, pod_id) if self._store.exists else None
        if guard is not None and guard.watchdog_started_at is not None:
            watchdog_client.extend(self._pods.get(pod_id), seconds, self._ssh_key)
        now = self._clock.now()
        if guard is not None:
            guard = self._store.modify(self._base_url, pod_id, lambda guard: rules.extend(guard, seconds, now))
        if guard is None:
            raise InvalidRequest(f"Pod {single_line(pod_id, 60)} has no guard.", advice="Set one first.")
        self._enforcer.start(f"The guard of pod {guard.label} is stored but not enforced.")
        return guard

    def read_watchdog(self, pod_id: str) -> WatchdogState:
        """Return what the watchdog on a pod says, over SSH.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        WatchdogState

        Raises
        ------
        YottaError
            The pod cannot be reached.
        """
        return watchdog_client.read(self._pods.get(pod_id), self._ssh_key)

    def list(self) -> builtins.list[Guard]:
        """Return the guards of this account.

        Returns
        -------
        list of Guard

        Raises
        ------
        YottaError
            The guards cannot be read.
        """
        return self._store.guards(self._base_url) if self._store.exists else []

    def frame(self) -> pd.DataFrame:
        """Return the guards of this account as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            Index `id`; `name`, `rule`, `state`, `left` (timedelta until the next limit that is known), `pauses_at`
            (UTC), `reason`, `idle_since` (UTC), `idle` (what is busy or unreadable), `enforcer`, `last_check` (UTC)
            and `last_error`.

        Raises
        ------
        YottaError
            The guards cannot be read.
        """
        from .table import guards_frame

        return guards_frame(self.list(), self.enforcement(), self._clock)

    def statuses(self) -> dict[str, GuardStatus]:
        """Return what the panel shows of the guards of this account.

        Returns
        -------
        dict of str to GuardStatus
            By pod id.

        Raises
        ------
        YottaError
            The guards cannot be read.
        """
        guards = self.list()
        if not guards:
            return {}
        enforcer = self.enforcement()
        return {guard.pod_id: guard_status(guard, enforcer, self._clock) for guard in guards}

    def enforcement(self) -> EnforcerStatus:
        """Return whether the local enforcer works.

        Returns
        -------
        EnforcerStatus
        """
        return self._enforcer.read()

    def log(self, lines: int = LOG_LINES) -> str:
        """Return the last lines of the enforcer's log, with times in UTC.

        Parameters
        ----------
        lines : int

        Returns
        -------
        str
        """
        return process.read_log(lines)

    def resume_enforcement(self) -> builtins.list[str]:
        """Start the enforcer again if it does not run although there are guards.

        Returns
        -------
        list of str
            Notes for the user, each one line: from when to when the guards were not enforced, or why they are not now.
        """
        return self._enforcer.restart_if_needed()

    def pause_notes(self, extend_command: Callable[[Guard], str]) -> builtins.list[str]:
        """Return notes about pauses that are near or not confirmed.

        Parameters
        ----------
        extend_command : callable
            Returns the command that puts off a guard.

        Returns
        -------
        list of str
            Each one line. Empty if the guards cannot be read.
        """
        now = self._clock.now()
        try:
            notes = [describe_upcoming(guard, now, extend_command(guard)) for guard in self.list()]
        except YottaError:
            return []
        return [note for note in notes if note]

    def describe(self, guard: Guard) -> str:
        """Return one line about a guard: its next limit, and who enforces it.

        Parameters
        ----------
        guard : Guard

        Returns
        -------
        str
        """
        enforcer = self.enforcement()
        enforced = f"NOT enforced: the enforcer is {enforcer.state}."
        if enforcer.is_alive:
            enforced = f"Enforced by a process on this machine (pid {enforcer.pid}), while it is on and online."
        on_pod = " Enforced by a watchdog on the pod as well." if guard.watchdog_started_at is not None else ""
        return f"Guard of {guard.label}: {describe_limits(guard, self._clock)}. {enforced}{on_pod}"

    def _install_watchdog(self, pod: Pod, guard: Guard) -> Guard:
        """Start a watchdog on a pod with the strictest hard limit of its guard."""
        seconds = max(0.0, guard.hard_limits[0].at - self._clock.now())
        try:
            watchdog_client.install(pod, seconds, self._base_url, self._api_key, self._ssh_key)
        except YottaError as error:
            error.message = f"Pod {guard.label} is guarded from this machine, but not on the pod: {error.message}"
            raise
        now = self._clock.now()
        self._store.update(self._base_url, {pod.id: {"watchdog_started_at": now}})
        return msgspec.structs.replace(guard, watchdog_started_at=now)

    def _remove_watchdog(self, guard: Guard) -> None:
        """End the watchdog on a pod, which otherwise pauses the pod although its guard has ended."""
        try:
            pod = self._pods.get(guard.pod_id)
        except PodNotFound:
            return
        if pod.ssh_ready:
            watchdog_client.remove(pod, self._ssh_key)
        elif pod.status == "RUNNING":
            raise YottaError(
                f"The watchdog on pod {guard.label} cannot be ended: SSH is not ready. Its guard stays.",
                advice="Try again when SSH is ready.",
            )

    def _new_guard(self, pod: Pod, limits: Limits) -> Guard:
        now = self._clock.now()
        guard = Guard(
            base_url=self._base_url,
            pod_id=pod.id,
            account=self._ledger.account,
            name=None if pod.name is None else single_line(pod.name, 60),
            is_sandbox=self._is_sandbox(),
            after=limits.after,
            budget=limits.budget,
            idle=limits.idle,
            rate=pod.hourly_rate,
            checked_at=now,
            changed_at=None if pod.updated_at is None else pod.updated_at.timestamp(),
        )
        if pod.status in ("PAUSED", "PAUSING", "INITIALIZE"):
            return guard
        interruption = 0  # Older than all, so the first check may take an earlier interruption for a new one.
        with suppress(YottaError):
            self._ledger.flush()
            interruption = self._ledger.last_interruption(pod.id)
        return msgspec.structs.replace(guard, **rules.arm(guard, now, interruption))


def end_guards(base_url: str) -> None:
    """End all guards of an address whose pods are gone, such as the address of a stopped sandbox.

    Parameters
    ----------
    base_url : str
    """
    store = GuardStore()
    if store.exists:
        with suppress(YottaError):
            store.delete_all(base_url)
            process.send()
