"""What a panel shows: the listing, what was asked of pods and is not seen yet, and what went wrong."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..api import Pod, PodSpec, YottaError
from ..api.models import IN_TRANSITION
from .rows import Row, launching_row, row_of

UNDO = "undo"
"""What a row says while a delete can still be taken back."""


class _Asked(msgspec.Struct):
    """What was asked of a pod; when, and when the API took it, in seconds of the monotonic clock."""

    action: str
    at: float
    done: float | None = None


class PanelState:
    """The rows of a panel, and how they differ from what the browser has. May be used from many threads.

    Parameters
    ----------
    about : mapping
        What is said beside the rows and stays as it is.
    learned : callable
        Returns what is said beside the rows and changes with what listings teach.

    Attributes
    ----------
    lock : threading.RLock
        Held while a change is made and sent, so that changes arrive in their order.
    pods : dict of str to Pod
        The pods as they were seen last.
    refreshed_at : datetime or None
        When the last listing was asked for; UTC.
    problem : str or None
        Why the last refresh failed.
    every : int
        Seconds to the next refresh.
    """

    def __init__(self, about: Mapping[str, Any], learned: Callable[[], dict[str, Any]]) -> None:
        self.lock = threading.RLock()
        self.pods: dict[str, Pod] = {}
        self.refreshed_at: datetime | None = None
        self.problem: str | None = None
        self.every = 0
        self._about = dict(about)
        self._learned = learned
        self.selected: list[str] = []
        self._added: dict[str, float] = {}
        self._launching: dict[str, tuple[PodSpec, str | None]] = {}
        self._asked: dict[str, _Asked] = {}
        self._errors: dict[str, str] = {}
        self._rows: dict[str, Row] = {}
        self._sent_notes: dict[str, Any] = {}
        self._version = 0
        self._sent_all = True

    def seen(self, pods: Iterable[Pod], started: float) -> None:
        """Take in a listing; what the server says wins over what was asked before it.

        Parameters
        ----------
        pods : iterable of Pod
        started : float
            When the listing was asked for, in seconds of the monotonic clock.
        """
        with self.lock:
            before = self.pods
            # A listing knows nothing of a pod that was launched while it was on its way.
            self._added = {pod_id: added for pod_id, added in self._added.items() if added > started}
            late = {pod_id: before[pod_id] for pod_id in self._added if pod_id in before}
            self.pods = late | {pod.id: pod for pod in pods}
            self.refreshed_at = datetime.now(UTC)
            self.problem = None
            self._asked = {
                pod_id: asked
                for pod_id, asked in self._asked.items()
                if pod_id in self.pods and (asked.done is None or asked.done > started)
            }
            for pod_id in list(self._errors):
                now, then = self.pods.get(pod_id), before.get(pod_id)
                if now is None or (then is not None and now.status != then.status):
                    del self._errors[pod_id]

    def remember(self, pods: Sequence[Pod], at: datetime) -> None:
        """Show what was listed before, until the first refresh.

        Parameters
        ----------
        pods : sequence of Pod
        at : datetime
            When they were listed; UTC.
        """
        with self.lock:
            self.pods = {pod.id: pod for pod in pods}
            self.refreshed_at = at

    def failed(self, problem: str) -> None:
        """Take in that a refresh failed, and why."""
        with self.lock:
            self.problem = problem

    @property
    def in_transition(self) -> bool:
        """Whether something is about to change by itself."""
        with self.lock:
            if self._asked or any(error is None for _, error in self._launching.values()):
                return True
            return any(
                pod.status in IN_TRANSITION
                or (pod.status == "RUNNING" and pod.ssh_port is not None and not pod.ssh_ready)
                for pod in self.pods.values()
            )

    def ask(self, pod_ids: Sequence[str], action: str) -> list[str]:
        """Note what is asked of pods, and return those of which nothing else is asked yet.

        Parameters
        ----------
        pod_ids : sequence of str
        action : str
            ``pause``, ``resume``, ``delete`` or ``undo``, a delete that can be taken back.

        Returns
        -------
        list of str
        """
        with self.lock:
            free = [pod_id for pod_id in dict.fromkeys(pod_ids) if pod_id in self.pods and pod_id not in self._asked]
            for pod_id in free:
                self._asked[pod_id] = _Asked(action, time.monotonic())
                self._errors.pop(pod_id, None)
            return free

    def take_back(self, pod_ids: Sequence[str]) -> list[str]:
        """Take back deletes whose time has not come, and return their pods."""
        with self.lock:
            back = [pod_id for pod_id in pod_ids if (a := self._asked.get(pod_id)) is not None and a.action == UNDO]
            for pod_id in back:
                del self._asked[pod_id]
            return back

    def past_undo(self, pod_ids: Sequence[str], asked_by: float) -> list[str]:
        """Return the pods of which a delete was not taken back, and from now on cannot be.

        Parameters
        ----------
        pod_ids : sequence of str
        asked_by : float
            Deletes asked for later have time left: they were taken back once and asked for again. Seconds of the
            monotonic clock.

        Returns
        -------
        list of str
        """
        with self.lock:
            left = [
                pod_id
                for pod_id in pod_ids
                if (a := self._asked.get(pod_id)) is not None and a.action == UNDO and a.at <= asked_by
            ]
            for pod_id in left:
                self._asked[pod_id].action = "delete"
            return left

    def answered(self, outcomes: Mapping[str, YottaError | str | None]) -> None:
        """Take in what the API said to what was asked: by id None, or what went wrong."""
        with self.lock:
            for pod_id, error in outcomes.items():
                if error is not None:
                    self._asked.pop(pod_id, None)
                    self._errors[pod_id] = str(error)
                elif pod_id in self._asked:
                    self._asked[pod_id].done = time.monotonic()

    def dismiss(self, pod_id: str) -> None:
        """Forget what went wrong with a pod, or with the launch of one."""
        with self.lock:
            self._errors.pop(pod_id, None)
            if self._launching.get(pod_id, (None, None))[1] is not None:
                del self._launching[pod_id]

    def launching(self, key: str, spec: PodSpec, error: str | None = None) -> None:
        """Show a pod that is being created; with an error, one of which it is not known whether it exists."""
        with self.lock:
            self._launching[key] = spec, error

    def launched(self, key: str, pod: Pod | None) -> None:
        """Show the pod that came of a launch in its place, or nothing where none did."""
        with self.lock:
            self._launching.pop(key, None)
            if pod is not None:
                self.pods.setdefault(pod.id, pod)
                self._added[pod.id] = time.monotonic()

    def snapshot(self, most: int | None = None) -> bytes:
        """Return the rows, and what is said beside them, as JSON.

        Parameters
        ----------
        most : int, optional
            No more rows than these, the newest pods, so that they are drawn at once; then comes another snapshot.
        """
        with self.lock:
            self._sent_all = most is None or len(self.pods) <= most
            pods = self.pods if self._sent_all else {pod.id: pod for pod in _newest(self.pods.values(), most or 0)}
            rows, notes = self._current_rows(pods), self._notes()
            if rows != self._rows or notes != self._sent_notes:
                self._version += 1  # Another page, which does not get this, must find that it misses something.
            self._rows, self._sent_notes = rows, notes
            told = {"v": self._version, "rows": list(rows.values()), "selected": self.selected}
            if not self._sent_all:
                told["counts"] = self._counts()
            return msgspec.json.encode({**told, **self._about, **self._sent_notes, **self._time()})

    @property
    def version(self) -> int:
        """The number of the last `snapshot` or `patch`."""
        return self._version

    @property
    def sent_all(self) -> bool:
        """Whether the last snapshot held all rows, so that a patch can follow."""
        return self._sent_all

    def patch(self) -> dict[str, Any] | None:
        """Return what has changed since the last `snapshot` or `patch`, or None where nothing has.

        Returns
        -------
        dict or None
            ``v``, a number one above the last one; ``new``, rows; ``set``, lists of an id and then by turns a place
            in the row and its new value; ``gone``, ids; and what is said beside the rows.
        """
        with self.lock:
            rows, notes = self._current_rows(self.pods), self._notes()
            new = [row for pod_id, row in rows.items() if pod_id not in self._rows]
            changed = [
                _difference(before, row)
                for pod_id, row in rows.items()
                if (before := self._rows.get(pod_id)) is not None and before != row
            ]
            gone = [pod_id for pod_id in self._rows if pod_id not in rows]
            said = {name: value for name, value in notes.items() if value != self._sent_notes.get(name)}
            if not (new or changed or gone or said):
                return None
            self._rows, self._sent_notes = rows, notes
            self._version += 1
            parts = {"new": new, "set": changed, "gone": gone}
            return {"v": self._version, **{k: v for k, v in parts.items() if v}, **said, **self._time()}

    def _current_rows(self, pods: Mapping[str, Pod]) -> dict[str, Row]:
        rows = {key: launching_row(key, spec, error) for key, (spec, error) in self._launching.items()}
        for pod_id, pod in pods.items():
            asked = self._asked.get(pod_id)
            rows[pod_id] = row_of(pod, asked.action if asked else None, self._errors.get(pod_id))
        return rows

    def _notes(self) -> dict[str, Any]:
        return {
            "loaded": self.refreshed_at is not None,
            "problem": self.problem,
            "every": self.every,
            **self._learned(),
        }

    def _counts(self) -> dict[str, float]:
        statuses = [pod.status for pod in self.pods.values()]
        return {
            "running": statuses.count("RUNNING"),
            "paused": statuses.count("PAUSED"),
            "all": len(statuses),
            "cost": sum(pod.hourly_cost or 0.0 for pod in self.pods.values()),
        }

    def _time(self) -> dict[str, Any]:
        return {"at": int(self.refreshed_at.timestamp())} if self.refreshed_at else {}


def _newest(pods: Iterable[Pod], most: int) -> list[Pod]:
    never = datetime.min.replace(tzinfo=UTC)
    return heapq.nlargest(most, pods, key=lambda pod: pod.created_at or never)


def _difference(before: Row, now: Row) -> list[Any]:
    """Return the id, and by turns the places and values that are not as before: small, for it is sent often."""
    pairs = [(place, value) for place, value in enumerate(now) if value != before[place]]
    return [now[0], *(part for pair in pairs for part in pair)]
