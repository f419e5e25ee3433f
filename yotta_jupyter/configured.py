"""What the notebook itself says of the connection. Imports nothing: it is there before the first request."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Configured(NamedTuple):
    """What was set by ``%config`` or ``ipython_config.py``, or by starting a sandbox.

    Attributes
    ----------
    base_url, profile : str or None
    timeout : float or None
        Seconds for a read.
    api_key : str or None
        The key of a sandbox. ``%config`` has none: what it holds ends up in notebooks.
    place : str
        What this place is called.
    """

    base_url: str | None = None
    profile: str | None = None
    timeout: float | None = None
    api_key: str | None = None
    place: str = "%config"


_source: Callable[[], Configured] = Configured


def by(source: Callable[[], Configured] | None) -> None:
    """Set who knows what the notebook has configured: the magics, while they are loaded.

    Parameters
    ----------
    source : callable or None
        Returns a `Configured`; None for nobody.
    """
    global _source
    _source = source or Configured


def now() -> Configured:
    """Return what the notebook has configured.

    Returns
    -------
    Configured
    """
    return _source()
