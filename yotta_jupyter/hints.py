"""Advice for errors that names ``%yotta`` commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from .errors import (
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    UnexpectedResponse,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
    stop_action,
)
from .launch import CREATE_FLAGS
from .models import TERMINAL_STATUSES
from .urls import is_loopback

_MAX_IDS: Final = 8
"""Ids in a suggested command; more would be unreadable."""


def describe(error: YottaError | WaitInterrupted) -> str:
    """Return an error as one line whose advice names ``%yotta`` commands.

    Parameters
    ----------
    error : YottaError or WaitInterrupted

    Returns
    -------
    str
    """
    return f"{error.message} {_advice(error)}".rstrip()


def add_advice(error: YottaError | WaitInterrupted) -> None:
    """Replace the advice of an error by one that names ``%yotta`` commands.

    Parameters
    ----------
    error : YottaError or WaitInterrupted
        Changed in place.
    """
    error.advice = _advice(error)


def _advice(error: YottaError | WaitInterrupted) -> str:
    advise = next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), None)
    return (advise(error) if advise else None) or error.advice


def _authentication(error: AuthenticationError) -> str:
    if _is_local(error):
        return "A sandbox accepts the key that it printed at its start; for your account run: %yotta login"
    return "Check it in the console under Settings → Access Keys, then run: %yotta login"


def _connection(error: ConnectionFailed) -> str:
    if error.may_have_been_delivered and error.method != "GET":
        return "Whether the request was processed is unknown; look with: %yotta list"
    if _is_local(error):
        return "Is the sandbox running? Start one with: %yotta sandbox start"
    return "Check the network and the address (YOTTA_BASE_URL), then try again."


def _create_outcome(error: CreateOutcomeUnknown) -> str:
    return f"Do not create it again yet; look with: %yotta get {error.launch_id}"


def _invalid_request(error: InvalidRequest) -> str | None:
    flag = CREATE_FLAGS.get(error.field or "")
    is_missing = error.field and re.search(rf"\brequires? .*\b{error.field}\b", error.message)
    return f"Add it with {flag} (see %yotta create -h)." if flag and is_missing else None


def _pod_not_found(error: PodNotFound) -> str:
    return error.advice or "See which there are: %yotta list"


def _pod_state(error: InvalidPodState) -> str:
    pod_id, status = error.pod_id, error.pod_status
    if pod_id is None or status in TERMINAL_STATUSES:
        return "See the pods' statuses with: %yotta list"
    if "exposes no SSH port" in error.message:
        return "Create a pod with: %yotta create … --expose 22/SSH"
    was_requested = error.code is not None  # Else a wait or an SSH command found the status.
    if status == "PAUSED" and not was_requested:
        return f"Resume it with: %yotta resume {pod_id} --wait"
    if status == "PAUSING":
        resume = "" if was_requested else f", then %yotta resume {pod_id} --wait"
        return f"First wait: %yotta wait {pod_id} --until paused{resume}"
    if "not reachable by SSH" in error.message and status in ("INITIALIZE", "RUNNING"):
        return f"Wait with: %yotta wait {pod_id} --until ssh"
    return f"See it with: %yotta get {pod_id}"


def _unexpected_response(error: UnexpectedResponse) -> str | None:
    return "Filter the listing with --region." if "region" in error.advice else None


def _wait(error: WaitTimeout | WaitInterrupted) -> str:
    billable = [pod for pod in error.pods if pod.is_billable]
    if not billable:
        return "Look again with: %yotta list"
    ids = " ".join(pod.id for pod in billable[:_MAX_IDS]) + (" …" if len(billable) > _MAX_IDS else "")
    until = f" --until {error.target.lower()}" if error.target != "RUNNING" else ""
    wait = f"continue waiting with %yotta wait {ids}{until}"
    action = stop_action(error.pods)
    return f"Stop it with %yotta {action} {ids}, or {wait}" if action else f"{wait[0].upper()}{wait[1:]}"


def _is_local(error: YottaError) -> bool:
    return is_loopback(urlsplit(error.base_url or "").hostname or "")


_ADVICE: Final[dict[type, Callable[[Any], str | None]]] = {
    AuthenticationError: _authentication,
    ConnectionFailed: _connection,
    CreateOutcomeUnknown: _create_outcome,
    InvalidPodState: _pod_state,
    InvalidRequest: _invalid_request,
    PodNotFound: _pod_not_found,
    UnexpectedResponse: _unexpected_response,
    WaitInterrupted: _wait,
    WaitTimeout: _wait,
}
"""Returns the advice for an error by its type; None keeps the error's own."""
