"""The list of runs that the agent reports."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Final

_MAX_RUNS: Final = 200
_MAX_TITLE: Final = 200
"""Characters."""


@dataclass(frozen=True)
class RunInfo:
    """A run that the agent knows.

    Attributes
    ----------
    request_id : str
    title : str
        The first line of its code.
    first : int
        The sequence number of its first event in the agent's log.
    state : str
        ``queued``, ``running``, ``done``, or ``not_run`` if it ended before it started.
    """

    request_id: str
    title: str
    first: int
    state: str


class RunList:
    """The last runs, oldest first. What the agent sends is validated."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, RunInfo] = OrderedDict()

    def all(self) -> list[RunInfo]:
        """Return all runs."""
        return list(self._runs.values())

    def running_title(self) -> str | None:
        """Return the title of the run in progress, or None."""
        return next((run.title for run in self._runs.values() if run.state == "running"), None)

    def clear(self) -> None:
        """Remove all runs."""
        self._runs.clear()

    def update_from_hello(self, hello: dict[str, Any]) -> None:
        """Add the runs that the agent sends on connect.

        Parameters
        ----------
        hello : dict
        """
        # One entry or none. A hidden request moves values; it is no run.
        running = [entry for entry in _dicts([hello.get("running")]) if entry.get("hidden") is not True]
        running_ids = {entry.get("request") for entry in running}
        queued_ids = {entry.get("request") for entry in _dicts(hello.get("queued"))}
        for entry in _dicts(hello.get("recent")) + running:
            request_id = str(entry.get("request"))
            if request_id in running_ids:
                state = "running"
            elif request_id in queued_ids:
                state = "queued"
            else:
                state = "not_run" if entry.get("not_run") is True else "done"
            first = entry.get("first")
            if isinstance(first, int):
                self._add(request_id, entry, first, state)

    def update_from_event(self, request_id: str, head: dict[str, Any]) -> None:
        """Apply an entry of the agent's log.

        Parameters
        ----------
        request_id : str
        head : dict
        """
        kind = head.get("type")
        if kind == "accepted" and head.get("kind") == "execute" and not head.get("hidden"):
            self._add(request_id, head, int(head["seq"]), "queued")
        elif kind == "started":
            self._set_state(request_id, "running")
        elif kind == "done":
            self._set_state(request_id, "not_run" if head.get("status") == "not_run" else "done")

    def _add(self, request_id: str, entry: dict[str, Any], first: int, state: str) -> None:
        title = str(entry.get("title") or "")[:_MAX_TITLE]
        self._runs[request_id] = RunInfo(request_id, title, first, state)
        while len(self._runs) > _MAX_RUNS:
            self._runs.popitem(last=False)

    def _set_state(self, request_id: str, state: str) -> None:
        if request_id in self._runs:
            self._runs[request_id] = replace(self._runs[request_id], state=state)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
