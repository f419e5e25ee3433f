"""The statuses of a pod: their names, their codes, and the other spellings in use."""

STATUSES = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""Every status; the place of a name is its code."""

_OTHER_NAMES = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}


def status_name(value: object) -> str:
    """Return the contract's name for a status given by name, other name or code; an unknown one as text."""
    text = str(value).strip().upper() if not isinstance(value, bool) else ""
    if text.isdecimal() and text.isascii() and int(text) < len(STATUSES):
        return STATUSES[int(text)]
    if text in STATUSES:
        return text
    return _OTHER_NAMES.get(text, str(value))


def status_filter(value: str) -> str:
    """Return the status that one value of ``statusList`` asks for.

    Raises
    ------
    ValueError
        If no status has that name or code.
    """
    name = status_name(value)
    if name not in STATUSES:
        raise ValueError(f"statusList: unknown status {value!r}; use 0..{len(STATUSES) - 1} or {', '.join(STATUSES)}")
    return name
