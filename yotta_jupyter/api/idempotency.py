"""Create a pod exactly once.

A create request of unknown outcome is never sent again. It carries a launch ID in the pod's environment, by which
the pod is found in later listings.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from ..errors import (
    ApiError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    ServerError,
    UnexpectedResponse,
    YottaError,
)
from ..models import Pod
from ..spec import PodSpec
from .backend import Backend

LOOKUP_DELAYS: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each listing in which a pod of unknown outcome is looked up. Listings may lag."""


def create_once(backend: Backend, spec: PodSpec, list_pods: Callable[[], list[Pod]]) -> str | Pod:
    """Send a create request; if its outcome is unknown, look for the pod by its launch ID.

    Parameters
    ----------
    backend : Backend
    spec : PodSpec
    list_pods : callable
        Returns all pods.

    Returns
    -------
    str or Pod
        The id of the new pod, or the pod if it was found in a listing.

    Raises
    ------
    CreateOutcomeUnknown
        The pod was not found, which does not prove that it does not exist.
    ApiError, ConnectionFailed, UnexpectedResponse
        No pod was created.
    """
    launch_id = str(uuid.uuid4())
    try:
        return backend.create(spec, launch_id)
    except (ApiError, ConnectionFailed, UnexpectedResponse) as error:
        if not may_have_been_processed(error):
            raise
        reason = error.message
    except KeyboardInterrupt:
        raise CreateOutcomeUnknown(launch_id, "the create was interrupted before its response.") from None
    pod = _look_up(launch_id, list_pods)
    if pod is None:
        raise CreateOutcomeUnknown(launch_id, reason)
    return pod


def select_by_launch_id(pods: list[Pod], launch_id: str) -> Pod | None:
    """Return the pod with a launch ID, or None.

    Parameters
    ----------
    pods : list of Pod
    launch_id : str

    Returns
    -------
    Pod or None
    """
    return next((pod for pod in pods if pod.launch_id == launch_id), None)


def may_have_been_processed(error: ApiError | ConnectionFailed | UnexpectedResponse) -> bool:
    """Return whether the API may have processed a request although it failed.

    Parameters
    ----------
    error : ApiError, ConnectionFailed or UnexpectedResponse

    Returns
    -------
    bool
    """
    if isinstance(error, ConnectionFailed):
        return error.may_have_been_delivered
    status = error.http_status or 0
    if isinstance(error, ServerError) or status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        return True
    # A success whose body cannot be read.
    return isinstance(error, UnexpectedResponse) and status < 400


def _look_up(launch_id: str, list_pods: Callable[[], list[Pod]]) -> Pod | None:
    """Return the pod with a launch ID; None if no listing has it or the user interrupts."""
    try:
        for delay in LOOKUP_DELAYS:
            time.sleep(delay)
            with suppress(YottaError):
                pod = select_by_launch_id(list_pods(), launch_id)
                if pod is not None:
                    return pod
    except KeyboardInterrupt:
        pass  # The caller raises an error with the launch ID.
    return None
