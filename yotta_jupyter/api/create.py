"""Creating a pod exactly once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Final

from . import v1
from .errors import ApiError, ConnectionFailed, CreateOutcomeUnknown, UnexpectedResponse, YottaError
from .models import Pod
from .spec import PodSpec
from .transport import Transport

LOOKS_AFTER: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each look for a pod whose create went unanswered. Listings may lag behind."""

_REQUEST_TIMEOUT: Final = 408


def create_once(transport: Transport, spec: PodSpec, listing: Callable[[], list[Pod]]) -> str | Pod:
    """Send a create, and where its outcome is unknown find the pod by its mark instead of sending again.

    Parameters
    ----------
    transport : Transport
    spec : PodSpec
    listing : callable
        Returns all pods.

    Returns
    -------
    str or Pod
        The new pod's id; or the pod, where it had to be looked for.

    Raises
    ------
    CreateOutcomeUnknown
        The pod was not seen, which does not prove that there is none.
    ApiError, ConnectionFailed, UnexpectedResponse
        No pod was created.
    """
    launch_id = str(uuid.uuid4())
    body = v1.encode_create_body(v1.create_body(spec, launch_id))
    try:
        return v1.created_id(transport.send_once("POST", v1.CREATE, body, spec.secrets))
    except (ApiError, ConnectionFailed, UnexpectedResponse) as error:
        if not _may_have_created(error):
            raise
        reason = str(error) if isinstance(error, ConnectionFailed) else error.happened
    except KeyboardInterrupt:
        reason = "the create was interrupted before its answer came."
        raise CreateOutcomeUnknown(launch_id, reason) from None
    pod = _looked_for(launch_id, listing)
    if pod is None:
        raise CreateOutcomeUnknown(launch_id, reason)
    return pod


def with_mark(pods: list[Pod], launch_id: str) -> Pod | None:
    """Return the pod that came of a certain create, or None."""
    return next((pod for pod in pods if pod.launch_id == launch_id), None)


def _may_have_created(error: ApiError | ConnectionFailed | UnexpectedResponse) -> bool:
    if isinstance(error, ConnectionFailed):
        return error.sent
    if isinstance(error, ApiError) and error.code == v1.SYSTEM_ERROR:
        return True
    status = error.http_status or 0
    if status == _REQUEST_TIMEOUT or status >= 500:
        return True
    return isinstance(error, UnexpectedResponse) and status < 400


def _looked_for(launch_id: str, listing: Callable[[], list[Pod]]) -> Pod | None:
    try:
        for delay in LOOKS_AFTER:
            time.sleep(delay)
            try:
                if pod := with_mark(listing(), launch_id):
                    return pod
            except YottaError:
                continue
    except KeyboardInterrupt:
        pass  # Whoever interrupts the search must still be told the mark.
    return None
