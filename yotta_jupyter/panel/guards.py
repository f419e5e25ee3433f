"""Reads the guards, which pause forgotten pods, for the panel."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..client import Client
from ..errors import YottaError
from ..guard.store import GuardStore
from ..hints import describe

NO_GUARDS: Final[dict[str, Any]] = {"guards": {}, "guards_error": None}


def read_guards(client: Client) -> dict[str, Any]:
    """Return the metadata of the panel about guards. Reads a local database and never raises.

    Parameters
    ----------
    client : Client

    Returns
    -------
    dict
        ``guards`` and ``guards_error``; see `yotta_jupyter.panel.protocol`.
    """
    if not GuardStore().exists:
        return NO_GUARDS
    try:
        return {**NO_GUARDS, "guards": msgspec.to_builtins(client.guards.statuses())}
    except YottaError as error:
        return {**NO_GUARDS, "guards_error": describe(error)}
    except Exception as error:
        text = f"The guards cannot be read ({type(error).__name__}). Look with: %yotta guard"
        return {**NO_GUARDS, "guards_error": text}
