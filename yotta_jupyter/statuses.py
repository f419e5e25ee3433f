"""The statuses of pods: names, aliases, transitions, and which ones cost money."""

from __future__ import annotations

from typing import Final, NamedTuple

from .errors import InvalidRequest
from .sanitize import single_line
from .spelling import did_you_mean

STATUSES: Final = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""The known statuses of a pod. The position of a status is its code in the API."""

_CODES: Final = tuple(str(code) for code in range(len(STATUSES)))

STATUS_ALIASES: Final = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}
"""Other names of the same statuses in newer documents of the provider."""

TRANSITIONAL_STATUSES: Final = frozenset({"INITIALIZE", "PAUSING", "TERMINATING"})
"""Statuses that change by themselves."""

TERMINAL_STATUSES: Final = frozenset({"TERMINATED", "FAILED"})
"""Ended for good; not billed."""

ENDING_STATUSES: Final = TERMINAL_STATUSES | {"TERMINATING"}
"""Statuses of pods that have ended or are being deleted. A pod in any other status is live."""

GPUS_STOPPED_OR_STOPPING: Final = frozenset({"PAUSING", "PAUSED", "TERMINATING"})
"""Statuses in which the GPUs are stopped, or about to stop by themselves."""


class Transition(NamedTuple):
    """A change of status that can be requested.

    Attributes
    ----------
    required : str or None
        The only status in which it can be requested; None for any status other than `during` and `after`.
    during, after : str
        The status right after the request, and after completion.
    """

    required: str | None
    during: str
    after: str

    def allows(self, status: str) -> bool:
        """Return whether the transition can be requested in a status."""
        if self.required is None:
            return not self.is_confirmed_by(status)
        return status == self.required

    def is_confirmed_by(self, status: str) -> bool:
        """Return whether a status shows that the transition was requested: no further request is needed."""
        return status in (self.during, self.after)


TRANSITIONS: Final = {
    "pause": Transition("RUNNING", "PAUSING", "PAUSED"),
    "resume": Transition("PAUSED", "INITIALIZE", "RUNNING"),
    "delete": Transition(None, "TERMINATING", "TERMINATED"),
}
"""The transition that each action requests."""


def allowed_actions(status: str) -> list[str]:
    """Return the actions that can be requested of a pod in a status.

    Parameters
    ----------
    status : str

    Returns
    -------
    list of str
        Keys of `TRANSITIONS`.
    """
    return [action for action, transition in TRANSITIONS.items() if transition.allows(status)]


def normalize_status(status: str | int) -> str:
    """Return the name of a status given by name, alias or code.

    Parameters
    ----------
    status : str or int
        A name in any case, an alias, or a code.

    Returns
    -------
    str
        One of `STATUSES`, or the text unchanged if the status is unknown.
    """
    text = str(status).strip()
    if text in _CODES:
        return STATUSES[_CODES.index(text)]
    upper = text.upper()
    upper = STATUS_ALIASES.get(upper, upper)
    return upper if upper in STATUSES else text


def parse_status(status: str | int) -> str:
    """Return the name of a known status given by name, alias or code.

    Parameters
    ----------
    status : str or int

    Returns
    -------
    str
        One of `STATUSES`.

    Raises
    ------
    InvalidRequest
        The status is unknown. The message suggests the closest one.
    """
    name = normalize_status(status)
    if name in STATUSES:
        return name
    suggestion = did_you_mean(name, [*STATUSES, *STATUS_ALIASES])
    raise InvalidRequest(
        f"There is no status {single_line(status, 40)!r}.{suggestion} Statuses: {', '.join(STATUSES)}."
    )
