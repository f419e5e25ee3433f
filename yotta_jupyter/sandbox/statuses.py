"""The statuses of a pod, and the actions that change them."""

from typing import NamedTuple

STATUSES = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""All statuses. The index of a status is its code in ``statusList``."""

_ALIASES = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}


class Transition(NamedTuple):
    """How an action changes a pod's status.

    Attributes
    ----------
    required : str or None
        The only status in which the action is valid. With None it is valid in all but ``during`` and ``after``.
    during : str
        The status from the request on.
    after : str
        The status when the transition is complete.
    seconds : float
        How long the transition takes, in sandbox seconds.
    """

    required: str | None
    during: str
    after: str
    seconds: float


TRANSITIONS = {
    "create": Transition(None, "INITIALIZE", "RUNNING", 6.0),
    "pause": Transition("RUNNING", "PAUSING", "PAUSED", 3.0),
    "resume": Transition("PAUSED", "INITIALIZE", "RUNNING", 6.0),
    "delete": Transition(None, "TERMINATING", "TERMINATED", 3.0),
}

PORTS_SECONDS = 2.0
"""The sandbox seconds from RUNNING until the ports are healthy."""

TOMBSTONE_SECONDS = 60.0
"""The sandbox seconds for which a TERMINATED pod is still listed."""


def normalize_status(value: object) -> str:
    """Return the name of a status given by name, alias or code. An unknown status is returned as text."""
    if isinstance(value, bool):
        return str(value)
    text = str(value).strip().upper()
    if text.isascii() and text.isdecimal() and int(text) < len(STATUSES):
        return STATUSES[int(text)]
    name = _ALIASES.get(text, text)
    return name if name in STATUSES else str(value)
