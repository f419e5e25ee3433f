"""Late output: what a cell prints after its end, such as from a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .events import Event

MAX_LATE: Final = 16 << 20
"""Bytes that are kept for the next cell."""


class LateOutput:
    """The late output that no cell has shown yet.

    Attributes
    ----------
    events : list of (str, Event)
        Each event with the id of its request.
    skipped : int
        Events beyond `MAX_LATE`, which are not kept. The log on the pod has them.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        self.skipped = 0
        self._size = 0
        self._last_shown: dict[str, int] = {}

    def last_shown(self, request_id: str) -> int | None:
        """Return the sequence number up to which an ended request was shown, or None.

        Parameters
        ----------
        request_id : str
        """
        return self._last_shown.get(request_id)

    def mark_shown(self, request_id: str, sequence: int) -> None:
        """Set the last event that was shown of a request, which has ended. Output after it is late.

        Parameters
        ----------
        request_id : str
        sequence : int
        """
        self._last_shown[request_id] = sequence
        self.events = [
            (other, event) for other, event in self.events if other != request_id or event.sequence > sequence
        ]
        self._size = sum(event.size for _, event in self.events)

    def is_late(self, request_id: str, event: Event) -> bool:
        """Return whether an event is late output that was not shown.

        Parameters
        ----------
        request_id : str
        event : Event
        """
        last_shown = self._last_shown.get(request_id)
        return event.kind == "output" and last_shown is not None and event.sequence > last_shown

    def add(self, request_id: str, event: Event) -> None:
        """Keep an event for the next cell, or count it as skipped.

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
        """Remove and return the events, and the number of skipped ones."""
        events, skipped = [event for _, event in self.events], self.skipped
        self.events, self._size, self.skipped = [], 0, 0
        return events, skipped

    def forget_requests(self) -> None:
        """Forget the sequence numbers, which a new log on the pod makes invalid. The events are kept."""
        self._last_shown.clear()
