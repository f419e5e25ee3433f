"""Output that a cell prints after its end, such as from a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .events import Event

MAX_LATE: Final = 16 << 20
"""Bytes that are kept for the next cell."""


class LateOutput:
    """Keeps the late output of requests until a cell shows it.

    Attributes
    ----------
    skipped : int
        Messages beyond `MAX_LATE`, which are not kept. The record on the pod has them.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self.events: list[tuple[str, Event]] = []
        self._size = 0
        self._shown_until: dict[str, int] = {}

    def shown_until(self, request_id: str) -> int | None:
        """Return the position up to which the output of a request was shown; None if it has not ended here.

        Parameters
        ----------
        request_id : str
        """
        return self._shown_until.get(request_id)

    def mark_shown(self, request_id: str, until: int) -> None:
        """Treat the output of a request behind a position as late output, and forget the output before it.

        Parameters
        ----------
        request_id : str
        until : int
            The last position in the record that was shown.
        """
        self._shown_until[request_id] = until
        self.events = [item for item in self.events if item[0] != request_id or item[1].sequence > until]
        self._size = sum(event.size for _, event in self.events)

    def includes(self, request_id: str, event: Event) -> bool:
        """Return whether an event is late output that was not shown.

        Parameters
        ----------
        request_id : str
        event : Event
        """
        until = self._shown_until.get(request_id)
        return event.kind == "output" and until is not None and event.sequence > until

    def keep(self, request_id: str, event: Event) -> None:
        """Keep an event for the next cell, or count it where the limit is reached.

        Parameters
        ----------
        request_id : str
        event : Event
        """
        if self.skipped or self._size + event.size > MAX_LATE:
            self.skipped += 1
        else:
            self.events.append((request_id, event))
            self._size += event.size

    def take(self) -> tuple[list[Event], int]:
        """Return the events that were kept, and how many were not; both are forgotten."""
        events, skipped = [event for _, event in self.events], self.skipped
        self.events, self._size, self.skipped = [], 0, 0
        return events, skipped

    def clear(self) -> None:
        """Forget all requests, because the record on the pod is a new one; what was kept stays."""
        self._shown_until.clear()
