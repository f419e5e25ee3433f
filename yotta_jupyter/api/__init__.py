"""The Pods API: a client for pods and one backend for each API version. Independent of notebooks."""

from typing import Any

from ..spec import PodSpec
from .backend import Backend
from .events import Event, PodsChanged, PodsListed
from .pods import PodsClient
from .v1 import V1Backend

__all__ = ["Backend", "Event", "PodsChanged", "PodsClient", "PodsListed", "V1Backend", "preview_create"]


def preview_create(spec: PodSpec) -> dict[str, Any]:
    """Return the request body of a create, with masked secrets, without a connection.

    Parameters
    ----------
    spec : PodSpec

    Returns
    -------
    dict
        By the field names of the API.
    """
    return V1Backend.preview(spec)
