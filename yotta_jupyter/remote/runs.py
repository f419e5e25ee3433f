"""The list of runs that the agent reports."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from ..sanitize import single_line

SHORT_ID_LENGTH: Final = 8
"""Characters."""

_MAX_RUNS: Final = 200
_MAX_TITLE: Final = 200
"""Characters of a title that the agent sends."""
_TITLE_LENGTH: Final = 80
"""Characters of a title that is made here."""

_COMMENT_OR_IMPORT: Final = re.compile(r"#.*|(import|from)\s[^;]*")


@dataclass(frozen=True)
class RunInfo:
    """A run that the agent knows.

    Attributes
    ----------
    request_id : str
    title : str
        A line of its code; see `title_of`.
    first : int
        The sequence number of its first event in the agent's log.
    state : str
        ``queued``, ``running``, ``done``, or ``not_run`` if it ended before it started.
    started_at : datetime or None
        UTC, by the clock of the pod; None if it has not started.
    digest : str
        Equal for equal code. Empty if unknown.
    """

    request_id: str
    title: str
    first: int
    state: str
    started_at: datetime | None = None
    digest: str = ""

    @property
    def short_id(self) -> str:
        """The beginning of the id, which is shown to users and accepted by `Remote.attach`."""
        return self.request_id[:SHORT_ID_LENGTH]


class RunList:
    """The last runs, oldest first. What the agent sends is validated."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, RunInfo] = OrderedDict()

    def all(self) -> list[RunInfo]:
        """Return all runs."""
        return list(self._runs.values())

    def running(self) -> RunInfo | None:
        """Return the run in progress, or None."""
        return next((run for run in self._runs.values() if run.state == "running"), None)

    def find_earlier(self, digest: object) -> RunInfo | None:
        """Return an unfinished run that a new one waits for: the one with the same code, or else the first.

        Parameters
        ----------
        digest : str
            Of the new run.
        """
        unfinished = [run for run in self._runs.values() if run.state in ("running", "queued")]
        same = [run for run in unfinished if run.digest and run.digest == digest]
        return next(iter(same + unfinished), None)

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
            self._update(request_id, state="running", started_at=_parse_time(head.get("time")))
        elif kind == "done":
            self._update(request_id, state="not_run" if head.get("status") == "not_run" else "done")

    def _add(self, request_id: str, entry: dict[str, Any], first: int, state: str) -> None:
        title = str(entry.get("title") or "")[:_MAX_TITLE]
        started_at, digest = _parse_time(entry.get("started")), str(entry.get("digest") or "")[:_MAX_TITLE]
        self._runs[request_id] = RunInfo(request_id, title, first, state, started_at, digest)
        while len(self._runs) > _MAX_RUNS:
            self._runs.popitem(last=False)

    def _update(self, request_id: str, **changes: Any) -> None:
        if request_id in self._runs:
            self._runs[request_id] = replace(self._runs[request_id], **changes)


def title_of(code: str) -> str:
    """Return the line by which a user recognises code: the first that is no comment or import, else the first.

    Parameters
    ----------
    code : str
    """
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    title = next((line for line in lines if not _COMMENT_OR_IMPORT.fullmatch(line)), lines[0] if lines else "")
    return single_line(title, _TITLE_LENGTH)


def digest_of(code: bytes) -> str:
    """Return a text that is equal for equal code.

    Parameters
    ----------
    code : bytes
    """
    return hashlib.sha256(code).hexdigest()


def _parse_time(value: object) -> datetime | None:
    """Return the time for seconds since the epoch; None if the value is no time."""
    if not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
