"""What the agent reports about runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import YottaError
from .framing import Frame
from .outputs import OutputMessage


@dataclass(frozen=True)
class Event:
    """Something about a request, for the thread that waits for it.

    Attributes
    ----------
    kind : str
        ``accepted``, ``started``, ``output``, ``input``, ``input_done``, ``done``, ``notice``, ``lost``, ``failed``, or
        ``caught_up`` after the part of the record from before the connection.
    sequence : int
        The position in the record; -1 if the event is not recorded.
    data : dict
        The recorded fields, or of an output the message.
    message : OutputMessage or None
        Of an output or an input request.
    size : int
        Bytes.
    error : YottaError or None
        If no more events will arrive.
    """

    kind: str
    sequence: int = -1
    data: dict[str, Any] = field(default_factory=dict)
    message: OutputMessage | None = None
    size: int = 0
    error: YottaError | None = None


def decode_message(frame: Frame, size: int) -> Event | None:
    """Return the event of a recorded Jupyter message.

    Parameters
    ----------
    frame : Frame
    size : int
        Bytes.

    Returns
    -------
    Event or None
        None if the message is malformed.
    """
    head, lengths = frame.head, frame.head.get("parts")
    if not isinstance(lengths, list) or len(lengths) < 2 or not all(isinstance(n, int) and n >= 0 for n in lengths):
        return None
    if sum(lengths) != len(frame.body):
        return None
    parts, offset = [], 0
    for length in lengths:
        parts.append(frame.body[offset : offset + length])
        offset += length
    try:
        # The kernel sends what is not valid Unicode in a text as other bytes.
        metadata, content = (json.loads(part.decode("utf-8", "replace")) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(metadata, dict) or not isinstance(content, dict):
        return None
    message: OutputMessage = {
        "msg_type": str(head.get("msg_type")),
        "content": content,
        "metadata": metadata,
        "buffers": parts[2:],
    }
    kind = "input" if head.get("channel") == "stdin" else "output"
    return Event(kind, int(head["seq"]), head, message, size)
