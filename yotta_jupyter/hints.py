"""Advice for errors that names ``%yotta`` commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from .create_command import ANOTHER_FLAG, AS_TYPED_FLAG, CREATE_FLAGS, quote_word
from .errors import (
    CHECK_KEY,
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    NameTaken,
    PodNotFound,
    RemoteDetached,
    UnknownName,
    UnsupportedValue,
    UnusableKey,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
    stop_action,
)
from .models import Pod
from .statuses import TERMINAL_STATUSES
from .urls import is_loopback

_MAX_NAME: Final = 60
_WORD: Final = re.compile(r"(?<= )[A-Za-z0-9_-]+(?= |,|$)")
"""A word of an advice. Words that are ids of pods are replaced by names: the advice of an error contains ids only."""

_MAX_IDS: Final = 8
"""Ids in a suggested command; more would be unreadable."""


def describe(error: YottaError | WaitInterrupted | RemoteDetached, pods: Iterable[Pod] = ()) -> str:
    """Return an error as one line whose advice names ``%yotta`` commands.

    Parameters
    ----------
    error : YottaError, WaitInterrupted or RemoteDetached
    pods : iterable of Pod
        The known pods. The advice uses their names instead of ids where a name is unique.

    Returns
    -------
    str
    """
    return f"{error.message} {_advice(error, pods)}".rstrip()


def use_magic_advice(error: YottaError | WaitInterrupted | RemoteDetached, pods: Iterable[Pod] = ()) -> None:
    """Replace the advice of an error by one that names ``%yotta`` commands.

    Parameters
    ----------
    error : YottaError, WaitInterrupted or RemoteDetached
        Changed in place.
    pods : iterable of Pod
        As for `describe`.
    """
    error.advice = _advice(error, pods)


def pod_word(pod: Pod, pods: Iterable[Pod]) -> str:
    """Return a word that names a pod in a ``%yotta`` command: its name if that is unique, else its id.

    Parameters
    ----------
    pod : Pod
    pods : iterable of Pod
        The known pods.

    Returns
    -------
    str
        Quoted if necessary.
    """
    name = pod.name
    if not name or not name.isprintable() or name.startswith("-") or len(name) > _MAX_NAME:
        return pod.id
    is_taken = any(other.id != pod.id and (other.name == name or other.id == name) for other in pods)
    return pod.id if is_taken else quote_word(name)


def _advice(error: YottaError | WaitInterrupted | RemoteDetached, pods: Iterable[Pod]) -> str:
    advise = next((_ADVICE_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _ADVICE_BY_ERROR), None)
    advice = (advise(error) if advise else None) or error.advice
    pods = list(pods)
    names = {pod.id: pod_word(pod, pods) for pod in pods}
    return _WORD.sub(lambda match: names.get(match[0], match[0]), advice)


def _authentication(error: AuthenticationError) -> str:
    if _is_local(error):
        return "A sandbox accepts the key that it printed at its start; for your account run: %yotta login"
    return f"{CHECK_KEY}, then run: %yotta login"


def _connection(error: ConnectionFailed) -> str:
    if error.may_have_been_delivered and error.method != "GET":
        return "Whether the request was processed is unknown; look with: %yotta list"
    if _is_local(error):
        return "Is the sandbox running? Start one with: %yotta sandbox start"
    return "Check the network and the address (YOTTA_BASE_URL), then try again."


def _create_outcome(error: CreateOutcomeUnknown) -> str:
    return f"Do not create it again yet; look with: %yotta get {error.launch_id}"


def _unknown_name(error: UnknownName) -> str:
    return f"Write one of them, or add {AS_TYPED_FLAG} to send the name unchanged."


def _name_taken(error: NameTaken) -> str:
    return f"Choose another --name, or add {ANOTHER_FLAG} to create one more."


def _unsupported_value(error: UnsupportedValue) -> str:
    return "Save it to a file and copy that: %yotta cp SRC DST"


def _unusable_key(error: UnusableKey) -> str | None:
    return "Name another key with --key FILE, or set the variable PUBLIC_KEY of the pod." if error.advice else None


def _invalid_request(error: InvalidRequest) -> str | None:
    flag = CREATE_FLAGS.get(error.field or "")
    return f"Add it with {flag} (see %yotta create -h)." if flag and error.is_missing else None


def _pod_not_found(error: PodNotFound) -> str:
    return error.advice or "See your pods with: %yotta list"


def _pod_state(error: InvalidPodState) -> str:
    pod_id, status = error.pod_id, error.pod_status
    if pod_id is None or status in TERMINAL_STATUSES:
        return "See the pods' statuses with: %yotta list"
    if error.ssh_problem == "not exposed":
        return "Create a pod with: %yotta create … --expose 22/SSH"
    # A code comes from the API, which refused a request. Without one, a wait or an SSH command found the status.
    was_requested = error.code is not None
    if status == "PAUSED" and not was_requested:
        return f"Resume it with: %yotta resume {pod_id} --wait"
    if status == "PAUSING":
        resume = "" if was_requested else f", then %yotta resume {pod_id} --wait"
        return f"First wait: %yotta wait {pod_id} --until paused{resume}"
    if error.ssh_problem == "not ready" and status in ("INITIALIZE", "RUNNING"):
        return f"Wait with: %yotta wait {pod_id} --until ssh"
    return f"See it with: %yotta get {pod_id}"


def _wait(error: WaitTimeout | WaitInterrupted) -> str:
    billable = [pod for pod in error.pods if pod.is_billable]
    if not billable:
        return "Look again with: %yotta list"
    ids = " ".join(pod.id for pod in billable[:_MAX_IDS]) + (" …" if len(billable) > _MAX_IDS else "")
    until = f" --until {error.target.lower()}" if error.target != "RUNNING" else ""
    wait = f"%yotta wait {ids}{until}"
    action = stop_action(error.pods)
    if action is None:
        return f"Continue waiting with {wait}"
    return f"Stop it with %yotta {action} {ids}, or continue waiting with {wait}"


def _remote_detached(error: RemoteDetached) -> str:
    return f"See all of its output with: %yotta attach {error.pod_id} --run {error.request_id[:8]}"


def _is_local(error: YottaError) -> bool:
    return is_loopback(urlsplit(error.base_url or "").hostname or "")


_ADVICE_BY_ERROR: Final[dict[type, Callable[[Any], str | None]]] = {
    AuthenticationError: _authentication,
    ConnectionFailed: _connection,
    CreateOutcomeUnknown: _create_outcome,
    InvalidPodState: _pod_state,
    InvalidRequest: _invalid_request,
    NameTaken: _name_taken,
    UnknownName: _unknown_name,
    UnsupportedValue: _unsupported_value,
    UnusableKey: _unusable_key,
    PodNotFound: _pod_not_found,
    RemoteDetached: _remote_detached,
    WaitInterrupted: _wait,
    WaitTimeout: _wait,
}
"""Returns the advice for an error by its type; None keeps the error's own."""
