"""The statuses of a pod: names, codes and aliases."""

STATUSES = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""All statuses. The index of a name is its code in ``statusList``."""

_ALIASES = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}


def normalize_status(value: object) -> str:
    """Return the contract's name of a status given by name, alias or code. An unknown status is returned as text."""
    text = str(value).strip().upper() if not isinstance(value, bool) else ""
    if text.isdecimal() and text.isascii() and int(text) < len(STATUSES):
        return STATUSES[int(text)]
    if text in STATUSES:
        return text
    return _ALIASES.get(text, str(value))
