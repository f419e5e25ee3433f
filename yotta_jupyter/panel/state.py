"""The state of a panel: pods, pending actions, launches in progress, and errors."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from ..models import Pod, summarize
from ..spec import PodSpec
from ..statuses import ENDING_STATUSES
from .protocol import UNDOABLE_PREFIX, Row, placeholder_row, pod_row


class PendingAction(msgspec.Struct):
    """An action that has been requested and does not show in the pod's status yet.

    Attributes
    ----------
    action : str
        ``pause``, ``resume`` or ``delete``.
    requested_at : float
        Seconds of the monotonic clock.
    can_undo : bool
        Whether it can still be undone, because it has not been sent.
    accepted_at : float or None
        When the API accepted it, by the same clock.
    note : str or None
        What the user should know about it.
    """

    action: str
    requested_at: float
    can_undo: bool = False
    accepted_at: float | None = None
    note: str | None = None

    @property
    def label(self) -> str:
        """The value of the field ``pending`` of the pod's row."""
        return f"{UNDOABLE_PREFIX}{self.action}" if self.can_undo else self.action

    def shows_in_listing(self, listing_requested_at: float) -> bool:
        """Return whether the API had accepted the action when a listing was requested."""
        return self.accepted_at is not None and self.accepted_at <= listing_requested_at


class Launch(msgspec.Struct):
    """A launch whose pod has no id yet.

    Attributes
    ----------
    spec : PodSpec
    error : str or None
        Why it is unknown whether the pod exists; None while the launch is in progress.
    launch_id : str or None
        The ID of the create request, which a listing shows as `Pod.launch_id`; None if unknown.
    """

    spec: PodSpec
    error: str | None = None
    launch_id: str | None = None


class PanelState:
    """What a panel shows. Thread-safe.

    Attributes
    ----------
    lock : threading.RLock
        Hold it to change the state and send the change as one step; otherwise messages may arrive out of order.
    pods : dict of str to Pod
        The latest known pods by id.
    totals : Totals
        Counts and costs of `pods`.
    selected : list of str
        The ids of the selected rows.
    refreshed_at : datetime or None
        When the latest listing was received; UTC.
    refresh_error : str or None
        Why the last refresh failed.
    reachable : bool
        Whether the API answered the last refresh.
    late : bool
        Whether a refresh takes long.
    interval : int or None
        Seconds between refreshes; None while there are none.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.pods: dict[str, Pod] = {}
        self.totals = summarize(())
        self.selected: list[str] = []
        self.refreshed_at: datetime | None = None
        self.refresh_error: str | None = None
        self.reachable = True
        self.late = False
        self.interval: int | None = None
        self._launches: dict[str, Launch] = {}
        self._nameless_specs: dict[str, PodSpec] = {}  # By row id, of launches without a name.
        self._launched_at: dict[str, float] = {}  # By pod id, in seconds of the monotonic clock.
        self._pending: dict[str, PendingAction] = {}
        self._row_errors: dict[str, str] = {}
        self._paused_before: set[str] = set()  # Pods of which the API has accepted a pause.

    @property
    def needs_fast_polling(self) -> bool:
        """Whether an action is in progress or a pod's status is about to change."""
        with self.lock:
            if self._pending or any(launch.error is None for launch in self._launches.values()):
                return True
            return any(pod.is_transitional for pod in self.pods.values())

    def apply_listing(self, pods: Iterable[Pod], requested_at: float) -> None:
        """Replace the pods. Actions that the API accepted before the listing was requested are no longer pending.

        Parameters
        ----------
        pods : iterable of Pod
        requested_at : float
            When the listing was requested, in seconds of the monotonic clock.
        """
        with self.lock:
            before = self.pods
            # Keep the pods that were launched after the listing was requested: it lacks them.
            self._launched_at = {pod_id: at for pod_id, at in self._launched_at.items() if at > requested_at}
            just_launched = {pod_id: before[pod_id] for pod_id in self._launched_at if pod_id in before}
            self._set_pods(just_launched | {pod.id: pod for pod in pods})
            self.refreshed_at = datetime.now(UTC)
            self.refresh_error = None
            self.reachable = True
            for pod_id, pending in list(self._pending.items()):
                if pod_id not in self.pods or pending.shows_in_listing(requested_at):
                    del self._pending[pod_id]
            self._remove_outdated_errors(before)
            self._remove_listed_launches()

    def reset(self) -> None:
        """Remove all pods, pending actions and errors, to show another sandbox."""
        with self.lock:
            self._set_pods({})
            self.selected = []
            self.refreshed_at = None
            self.refresh_error = None
            self.reachable = True
            for collection in (
                self._launches,
                self._nameless_specs,
                self._launched_at,
                self._pending,
                self._row_errors,
                self._paused_before,
            ):
                collection.clear()

    def seed(self, pods: Iterable[Pod], listed_at: datetime) -> None:
        """Show the pods of an earlier listing until the first refresh.

        Parameters
        ----------
        pods : iterable of Pod
        listed_at : datetime
            UTC.
        """
        with self.lock:
            self._set_pods({pod.id: pod for pod in pods})
            self.refreshed_at = listed_at

    def record_failure(self, error: str, *, reachable: bool = True) -> None:
        """Record why a refresh failed. The next listing clears it.

        Parameters
        ----------
        error : str
        reachable : bool
            Whether the API answered.
        """
        with self.lock:
            self.refresh_error = error
            self.reachable = reachable

    def warns_of_pause(self, pod_id: str) -> bool:
        """Return whether to warn of lost files: the pod has no persistent volume and was not paused in this panel.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        bool
        """
        with self.lock:
            pod = self.pods.get(pod_id)
            return pod is not None and not pod.has_persistent_volume and pod_id not in self._paused_before

    def begin(
        self, pod_ids: Iterable[str], action: str, *, can_undo: bool = False, notes: Mapping[str, str] = {}
    ) -> list[str]:
        """Mark an action as pending.

        Parameters
        ----------
        pod_ids : iterable of str
            Unknown pods and pods with a pending action are skipped.
        action : str
            ``pause``, ``resume`` or ``delete``.
        can_undo : bool
            Whether the action can be undone until `make_final`.
        notes : mapping of str to str, optional
            `PendingAction.note` by pod id.

        Returns
        -------
        list of str
            The pods that were not skipped.
        """
        with self.lock:
            begun_ids = []
            for pod_id in pod_ids:
                if pod_id in self.pods and pod_id not in self._pending:
                    self._pending[pod_id] = PendingAction(action, time.monotonic(), can_undo, note=notes.get(pod_id))
                    self._row_errors.pop(pod_id, None)
                    begun_ids.append(pod_id)
            return begun_ids

    def undo(self, pod_ids: Iterable[str]) -> list[str]:
        """Cancel actions that can still be undone.

        Parameters
        ----------
        pod_ids : iterable of str

        Returns
        -------
        list of str
            The pods whose actions are cancelled.
        """
        with self.lock:
            undoable = self.undoable_actions()
            undone = [pod_id for pod_id in dict.fromkeys(pod_ids) if pod_id in undoable]
            for pod_id in undone:
                del self._pending[pod_id]
            return undone

    def make_final(self, pod_ids: Iterable[str], action: str, requested_before: float) -> list[str]:
        """Make actions final, so that `undo` has no effect on them.

        Parameters
        ----------
        pod_ids : iterable of str
        action : str
            Other actions are left out.
        requested_before : float
            Seconds of the monotonic clock. Actions requested later are left out, so that an action that was undone and
            requested again can be undone for the full time.

        Returns
        -------
        list of str
            The pods whose actions must be sent.
        """
        with self.lock:
            due = []
            for pod_id in pod_ids:
                pending = self._pending.get(pod_id)
                if pending is None or not pending.can_undo or pending.action != action:
                    continue
                if pending.requested_at <= requested_before:
                    pending.can_undo = False
                    due.append(pod_id)
            return due

    def record_results(self, errors: Mapping[str, str | None]) -> None:
        """Record the results of requests. Pods without a pending action are skipped.

        Parameters
        ----------
        errors : mapping of str to str or None
            By pod id, why the request failed; None if it succeeded.
        """
        with self.lock:
            for pod_id, error in errors.items():
                pending = self._pending.get(pod_id)
                if pending is None:
                    continue
                if error is not None:
                    del self._pending[pod_id]
                    self._row_errors[pod_id] = error
                    continue
                pending.accepted_at = time.monotonic()
                if pending.action == "pause":
                    self._paused_before.add(pod_id)

    def dismiss(self, row_id: str) -> None:
        """Remove the error of a row, and the row itself if it is a launch of unknown outcome.

        Parameters
        ----------
        row_id : str
        """
        with self.lock:
            self._row_errors.pop(row_id, None)
            launch = self._launches.get(row_id)
            if launch is not None and launch.error is not None:
                del self._launches[row_id]

    def begin_launch(self, temp_id: str, spec: PodSpec) -> None:
        """Show a row for a pod that is being created.

        Parameters
        ----------
        temp_id : str
        spec : PodSpec
        """
        with self.lock:
            self._launches[temp_id] = Launch(spec)
            if spec.pod_name is None:
                self._nameless_specs[temp_id] = spec

    def has_equal_launch(self, spec: PodSpec) -> bool:
        """Return whether a launch of an equal spec without a name is in progress, or its pod is live.

        Parameters
        ----------
        spec : PodSpec

        Returns
        -------
        bool
        """
        with self.lock:
            row_ids = [row_id for row_id, other in self._nameless_specs.items() if other == spec]
            is_live = any(row_id in self.pods and self.pods[row_id].status not in ENDING_STATUSES for row_id in row_ids)
            return is_live or any(row_id in self._launches for row_id in row_ids)

    def mark_launch_unknown(self, temp_id: str, spec: PodSpec, error: str, launch_id: str | None = None) -> None:
        """Show in the row of a launch that it is unknown whether the pod exists.

        Parameters
        ----------
        temp_id : str
        spec : PodSpec
        error : str
            Why it is unknown.
        launch_id : str, optional
            A listed pod with this launch ID replaces the row. If another row has this ID, this row is removed.
        """
        with self.lock:
            self._launches.pop(temp_id, None)
            if launch_id is None or all(launch.launch_id != launch_id for launch in self._launches.values()):
                self._launches[temp_id] = Launch(spec, error, launch_id)

    def end_launch(self, temp_id: str, pod: Pod | None) -> None:
        """Replace the row of a launch by the row of its pod, or remove the row.

        Parameters
        ----------
        temp_id : str
        pod : Pod or None
            None if no pod was created.
        """
        with self.lock:
            self._launches.pop(temp_id, None)
            nameless_spec = self._nameless_specs.pop(temp_id, None)
            if pod is None:
                return
            if nameless_spec is not None:
                self._nameless_specs[pod.id] = nameless_spec
            self._launched_at[pod.id] = time.monotonic()
            if pod.id not in self.pods:
                self._set_pods({**self.pods, pod.id: pod})

    def rows(self, limit: int | None = None) -> dict[str, Row]:
        """Return the rows by id.

        Parameters
        ----------
        limit : int, optional
            Include only this many of the newest pods; by default all.

        Returns
        -------
        dict of str to Row
        """
        with self.lock:
            rows = {
                row_id: placeholder_row(row_id, launch.spec, launch.error) for row_id, launch in self._launches.items()
            }
            pods = self.pods.values() if limit is None else _newest(self.pods.values(), limit)
            for pod in pods:
                pending = self._pending.get(pod.id)
                rows[pod.id] = pod_row(
                    pod,
                    pending.label if pending else None,
                    self._row_errors.get(pod.id),
                    warns_of_pause=self.warns_of_pause(pod.id),
                    pending_note=pending.note if pending else None,
                )
            return rows

    def undoable_actions(self) -> dict[str, float]:
        """Return when each action that can still be undone was requested.

        Returns
        -------
        dict of str to float
            By pod id, in seconds of the monotonic clock.
        """
        with self.lock:
            return {pod_id: pending.requested_at for pod_id, pending in self._pending.items() if pending.can_undo}

    def _set_pods(self, pods: dict[str, Pod]) -> None:
        self.pods = pods
        self.totals = summarize(pods.values())

    def _remove_listed_launches(self) -> None:
        """Remove the rows of launches of unknown outcome whose pods are listed now."""
        unknown = {launch.launch_id: temp_id for temp_id, launch in self._launches.items() if launch.launch_id}
        if not unknown:
            return
        for pod in self.pods.values():
            if pod.launch_id in unknown:
                self._launches.pop(unknown[pod.launch_id], None)  # Several pods may have the same launch ID.

    def _remove_outdated_errors(self, before: Mapping[str, Pod]) -> None:
        """Remove the row errors of pods that are gone, or whose status has changed."""
        for pod_id in list(self._row_errors):
            pod, previous = self.pods.get(pod_id), before.get(pod_id)
            if pod is None or (previous is not None and pod.status != previous.status):
                del self._row_errors[pod_id]


def _newest(pods: Iterable[Pod], limit: int) -> Sequence[Pod]:
    earliest = datetime.min.replace(tzinfo=UTC)
    return heapq.nlargest(limit, pods, key=lambda pod: pod.created_at or earliest)
