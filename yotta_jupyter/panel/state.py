"""The state of a panel: pods, pending actions, launches in progress, and errors."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..models import Pod, summarize
from ..spec import PodSpec
from .protocol import FIELDS, UNDOABLE_DELETE, Row, diff_meta, diff_rows, placeholder_row, pod_row, totals_meta


class PendingAction(msgspec.Struct):
    """An action that has been requested and does not show in the pod's status yet.

    Attributes
    ----------
    action : str
        ``pause``, ``resume``, ``delete``, or `UNDOABLE_DELETE`.
    requested_at : float
        Seconds of the monotonic clock.
    accepted_at : float or None
        When the API accepted it.
    """

    action: str
    requested_at: float
    accepted_at: float | None = None


class Launch(msgspec.Struct):
    """A launch whose pod has no id yet.

    Attributes
    ----------
    spec : PodSpec
    error : str or None
        Why it is unknown whether the pod exists; None while the launch is in progress.
    """

    spec: PodSpec
    error: str | None = None


class PanelState:
    """The rows of a panel and the version that was sent to the browser. Thread-safe.

    Parameters
    ----------
    static_meta : mapping, optional
        Metadata that does not change, such as ``{"delete_delay": 5.0}``. See `yotta_jupyter.panel.protocol`.
    dynamic_meta : callable, optional
        Returns metadata that may change, such as ``{"sandbox": True}``. Called for each snapshot and patch.

    Attributes
    ----------
    lock : threading.RLock
        Hold it to change the state and send the change as one step; otherwise messages may arrive out of order.
    pods : dict of str to Pod
        The latest known pods by id.
    selected : list of str
        The ids of the selected rows.
    refreshed_at : datetime or None
        When the latest listing was received; UTC.
    error : str or None
        Why the last refresh failed.
    interval : int or None
        Seconds between refreshes; None while there are none.
    """

    def __init__(
        self, static_meta: Mapping[str, Any] | None = None, dynamic_meta: Callable[[], Mapping[str, Any]] = dict
    ) -> None:
        self.lock = threading.RLock()
        self.pods: dict[str, Pod] = {}
        self.selected: list[str] = []
        self.refreshed_at: datetime | None = None
        self.error: str | None = None
        self.interval: int | None = None
        self._static_meta = dict(static_meta or {})
        self._dynamic_meta = dynamic_meta
        self._totals = summarize(())
        self._launched_at: dict[str, float] = {}
        self._launches: dict[str, Launch] = {}
        self._pending: dict[str, PendingAction] = {}
        self._row_errors: dict[str, str] = {}
        self._sent_rows: dict[str, Row] = {}
        self._sent_meta: dict[str, Any] = {}
        self._version = 0
        self._sent_all_rows = True

    @property
    def version(self) -> int:
        """The version of the last `snapshot` or `patch`."""
        return self._version

    @property
    def sent_all_rows(self) -> bool:
        """Whether the last snapshot contained all rows. Only then can a patch follow."""
        return self._sent_all_rows

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
            # The listing lacks pods launched after it was requested; keep them.
            self._launched_at = {pod_id: at for pod_id, at in self._launched_at.items() if at > requested_at}
            newer = {pod_id: before[pod_id] for pod_id in self._launched_at if pod_id in before}
            self._set_pods(newer | {pod.id: pod for pod in pods})
            self.refreshed_at = datetime.now(UTC)
            self.error = None
            self._pending = {
                pod_id: pending
                for pod_id, pending in self._pending.items()
                if pod_id in self.pods and (pending.accepted_at is None or pending.accepted_at > requested_at)
            }
            for pod_id in list(self._row_errors):
                pod, previous = self.pods.get(pod_id), before.get(pod_id)
                if pod is None or (previous is not None and pod.status != previous.status):
                    del self._row_errors[pod_id]

    def reset(self) -> None:
        """Remove all pods, pending actions and errors, to show another account."""
        with self.lock:
            self._set_pods({})
            self.selected = []
            self.refreshed_at = self.error = None
            self._launched_at, self._launches, self._pending, self._row_errors = {}, {}, {}, {}

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

    def record_failure(self, error: str) -> None:
        """Record why a refresh failed. The next listing clears it.

        Parameters
        ----------
        error : str
        """
        with self.lock:
            self.error = error

    def begin(self, pod_ids: Iterable[str], action: str) -> list[str]:
        """Mark an action as pending.

        Parameters
        ----------
        pod_ids : iterable of str
        action : str
            ``pause``, ``resume``, ``delete``, or `UNDOABLE_DELETE`.

        Returns
        -------
        list of str
            The pods without another pending action.
        """
        with self.lock:
            accepted = [i for i in dict.fromkeys(pod_ids) if i in self.pods and i not in self._pending]
            for pod_id in accepted:
                self._pending[pod_id] = PendingAction(action, time.monotonic())
                self._row_errors.pop(pod_id, None)
            return accepted

    def undo(self, pod_ids: Iterable[str]) -> list[str]:
        """Cancel deletes that can still be undone.

        Parameters
        ----------
        pod_ids : iterable of str

        Returns
        -------
        list of str
            The pods that will not be deleted.
        """
        with self.lock:
            undone = self._pending_deletes(pod_ids)
            for pod_id in undone:
                del self._pending[pod_id]
            return undone

    def make_deletes_final(self, pod_ids: Iterable[str], requested_before: float) -> list[str]:
        """Make deletes final, so that `undo` has no effect on them.

        Parameters
        ----------
        pod_ids : iterable of str
        requested_before : float
            Only deletes requested until then, in seconds of the monotonic clock. A delete that was undone and requested
            again has the full time for another undo.

        Returns
        -------
        list of str
            The pods to delete.
        """
        with self.lock:
            due = [i for i in self._pending_deletes(pod_ids) if self._pending[i].requested_at <= requested_before]
            for pod_id in due:
                self._pending[pod_id].action = "delete"
            return due

    def record_results(self, errors: Mapping[str, str | None]) -> None:
        """Record the results of requests.

        Parameters
        ----------
        errors : mapping of str to str or None
            By pod id, why the request failed; None if it succeeded.
        """
        with self.lock:
            for pod_id, error in errors.items():
                if error is not None:
                    self._pending.pop(pod_id, None)
                    self._row_errors[pod_id] = error
                elif pod_id in self._pending:
                    self._pending[pod_id].accepted_at = time.monotonic()

    def dismiss(self, row_id: str) -> None:
        """Remove the error of a row, and the row itself if it is a launch that failed.

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

    def mark_launch_unknown(self, temp_id: str, spec: PodSpec, error: str) -> None:
        """Show in the row of a launch that it is unknown whether the pod exists.

        Parameters
        ----------
        temp_id : str
        spec : PodSpec
        error : str
            Why it is unknown.
        """
        with self.lock:
            self._launches[temp_id] = Launch(spec, error)

    def end_launch(self, temp_id: str, pod: Pod | None) -> None:
        """Replace the row of a launch by that of its pod, or remove it.

        Parameters
        ----------
        temp_id : str
        pod : Pod or None
            None if no pod was created.
        """
        with self.lock:
            self._launches.pop(temp_id, None)
            if pod is not None:
                self._launched_at[pod.id] = time.monotonic()
                self._set_pods({**self.pods, pod.id: self.pods.get(pod.id, pod)})

    def snapshot(self, limit: int | None = None) -> bytes:
        """Return everything that the browser shows.

        Parameters
        ----------
        limit : int, optional
            Include only that many of the newest pods, which the browser can draw at once. Another snapshot must follow.

        Returns
        -------
        bytes
            JSON; see `yotta_jupyter.panel.protocol`.
        """
        with self.lock:
            self._sent_all_rows = limit is None or len(self.pods) <= limit
            pods = (
                self.pods if self._sent_all_rows else {pod.id: pod for pod in _newest(self.pods.values(), limit or 0)}
            )
            rows, meta = self._rows(pods), self._meta()
            if rows != self._sent_rows or meta != self._sent_meta:
                # A page that misses this snapshot finds a gap in the versions, and requests another.
                self._version += 1
            self._sent_rows, self._sent_meta = rows, meta
            content = {
                "version": self._version,
                "fields": FIELDS,
                "rows": list(rows.values()),
                "complete": self._sent_all_rows,
                "selected": self.selected,
                "undo_seconds": self._undo_seconds(),
            }
            return msgspec.json.encode({**content, **self._static_meta, **meta, **self._refreshed_at()})

    def patch(self) -> dict[str, Any] | None:
        """Return the changes since the last `snapshot` or `patch`.

        Returns
        -------
        dict or None
            A ``patch`` message; None if nothing has changed.
        """
        with self.lock:
            rows, meta = self._rows(self.pods), self._meta()
            changes = {
                "added": [row for row_id, row in rows.items() if row_id not in self._sent_rows],
                "updated": [
                    diff_rows(before, row)
                    for row_id, row in rows.items()
                    if (before := self._sent_rows.get(row_id)) is not None and before != row
                ],
                "removed": [row_id for row_id in self._sent_rows if row_id not in rows],
            }
            content = {key: value for key, value in changes.items() if value}
            content |= diff_meta(self._sent_meta, meta)
            if not content:
                return None
            self._sent_rows, self._sent_meta = rows, meta
            self._version += 1
            return {"type": "patch", "version": self._version, **content, **self._refreshed_at()}

    def _set_pods(self, pods: dict[str, Pod]) -> None:
        self.pods = pods
        self._totals = summarize(pods.values())

    def _pending_deletes(self, pod_ids: Iterable[str]) -> list[str]:
        pending = ((pod_id, self._pending.get(pod_id)) for pod_id in pod_ids)
        return [pod_id for pod_id, entry in pending if entry is not None and entry.action == UNDOABLE_DELETE]

    def _undo_seconds(self) -> dict[str, float]:
        """Return by pod id the seconds during which its delete can still be undone."""
        deadline = self._static_meta.get("delete_delay", 0.0) - time.monotonic()
        return {
            pod_id: max(0.0, round(deadline + self._pending[pod_id].requested_at, 1))
            for pod_id in self._pending_deletes(self._pending)
        }

    def _rows(self, pods: Mapping[str, Pod]) -> dict[str, Row]:
        rows = {temp_id: placeholder_row(temp_id, each.spec, each.error) for temp_id, each in self._launches.items()}
        for pod_id, pod in pods.items():
            pending = self._pending.get(pod_id)
            rows[pod_id] = pod_row(pod, pending.action if pending else None, self._row_errors.get(pod_id))
        return rows

    def _meta(self) -> dict[str, Any]:
        return {
            "loaded": self.refreshed_at is not None,
            "totals": totals_meta(self._totals),
            "error": self.error,
            "interval": self.interval,
            **self._dynamic_meta(),
        }

    def _refreshed_at(self) -> dict[str, Any]:
        return {"refreshed_at": int(self.refreshed_at.timestamp())} if self.refreshed_at else {}


def _newest(pods: Iterable[Pod], limit: int) -> Sequence[Pod]:
    earliest = datetime.min.replace(tzinfo=UTC)
    return heapq.nlargest(limit, pods, key=lambda pod: pod.created_at or earliest)
