"""Events for the thread that waits for a cell or a shell command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import YottaError
from .framing import Frame
from .outputs import OutputMessage
from .runs import RunInfo


@dataclass(frozen=True)
class Event:
    """An event of a cell or a shell command.

    Attributes
    ----------
    kind : str
        Of a cell, from the agent's log: ``accepted`` by the agent, ``started``, ``output``, ``input`` for a call of
        ``input()``, ``input_done`` after its reply, ``done``. ``caught_up`` follows the events that were in the log
        before the connection. ``output_lost`` stands for missing output, ``not_connected`` for a
        Ctrl-C that could not be sent.
        Of a shell command: ``text``, ``done``.
        Of both: ``notice``, ``status`` of a connection that takes long, ``interrupt`` for Ctrl-C, and ``failed``, the
        last event if the pod cannot be reached.
    sequence : int
        The number in the agent's log; -1 if the event is not in it.
    data : dict
        ``detail`` is the text of ``notice``, ``status`` and ``output_lost``; otherwise the fields of the log.
    message : OutputMessage or None
        Of ``output`` and ``input``.
    size : int
        Bytes, at least approximately.
    queued_behind : RunInfo or None
        Of ``accepted``: the running or queued cell for which the cell waits.
    error : YottaError or None
        Of ``failed``.
    """

    kind: str
    sequence: int = -1
    data: dict[str, Any] = field(default_factory=dict)
    message: OutputMessage | None = None
    size: int = 0
    queued_behind: RunInfo | None = None
    error: YottaError | None = None


def decode_message(frame: Frame, size: int) -> Event | None:
    """Return the event for a message of the Jupyter protocol.

    Parameters
    ----------
    frame : Frame
        The body is metadata, content and buffers, joined; ``parts`` in the head is the list of their lengths.
    size : int
        Bytes.

    Returns
    -------
    Event or None
        None if the message is malformed.
    """
    parts = _split(frame.body, frame.head.get("parts"))
    if len(parts) < 2:
        return None
    try:
        metadata, content = (json.loads(part.decode("utf-8", "replace")) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(metadata, dict) or not isinstance(content, dict):
        return None
    message: OutputMessage = {
        "msg_type": str(frame.head.get("msg_type")),
        "content": content,
        "metadata": metadata,
        "buffers": parts[2:],
    }
    kind = "input" if frame.head.get("channel") == "stdin" else "output"
    return Event(kind, int(frame.head["seq"]), frame.head, message, size)


def _split(body: bytes, lengths: object) -> list[bytes]:
    """Return the parts of a body, or an empty list if the lengths are invalid."""
    if not isinstance(lengths, list) or not all(isinstance(length, int) for length in lengths):
        return []
    if any(length < 0 for length in lengths) or sum(lengths) != len(body):
        return []
    parts = []
    start = 0
    for length in lengths:
        parts.append(body[start : start + length])
        start += length
    return parts
