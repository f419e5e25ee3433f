"""Hints: advice that names ``%yotta`` commands, for errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
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
    OneLineError,
    PodNotFound,
    PodUnreachable,
    RemoteDetached,
    RequestInterrupted,
    UnknownName,
    UnsupportedValue,
    UnusableKey,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
)
from .formatting import format_rate
from .models import Pod
from .statuses import TERMINAL_STATUSES
from .urls import is_loopback
from .wait_advice import pods_to_stop, stop_action

_MAX_NAME_LENGTH: Final = 60
"""Characters of a pod's name in a suggested command. A pod with a longer name is given by its id."""

_WORD: Final = re.compile(r"(?<= )[A-Za-z0-9_-]+(?= |,|$)")
"""A word in advice that may be the id of a pod."""

_SEE_STATUSES: Final = "See the pods' statuses with: %yotta list"

_MAX_IDS: Final = 8
"""Ids in a suggested command; more would be unreadable."""


def describe(error: OneLineError, pods: Iterable[Pod] = ()) -> str:
    """Return an error as one line whose advice names ``%yotta`` commands.

    Parameters
    ----------
    error : OneLineError
    pods : iterable of Pod
        The known pods. The advice gives each by its name if that is unique, else by its id.

    Returns
    -------
    str
    """
    return f"{error.message} {_advice(error, pods)}".rstrip()


def use_magic_advice(error: OneLineError, pods: Iterable[Pod] = ()) -> None:
    """Replace the advice of an error by one that names ``%yotta`` commands.

    Parameters
    ----------
    error : OneLineError
        Changed in place.
    pods : iterable of Pod
        As for `describe`.
    """
    error.advice = _advice(error, pods)


def pod_argument(pod: Pod, pods: Iterable[Pod]) -> str:
    """Return the name of a pod for a ``%yotta`` command if it is unique and not too long, else its id.

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
    # A word that starts with - would be a flag.
    if not name or not name.isprintable() or name.startswith("-") or len(name) > _MAX_NAME_LENGTH:
        return pod.id
    is_ambiguous = any(name in (other.name, other.id) for other in pods if other.id != pod.id)
    return pod.id if is_ambiguous else quote_word(name)


def _advice(error: OneLineError, pods: Iterable[Pod]) -> str:
    pods = list(pods)
    return name_pods(_magic_advice(error) or error.advice, pods) + _cost_note(error, pods)


def name_pods(advice: str, pods: Iterable[Pod]) -> str:
    """Return advice with the names of pods in place of their ids, where they are unique.

    Parameters
    ----------
    advice : str
    pods : iterable of Pod
        The known pods.

    Returns
    -------
    str
    """
    by_id = {pod.id: pod for pod in pods}
    known = list(by_id.values())
    return _WORD.sub(lambda word: pod_argument(by_id[word[0]], known) if word[0] in by_id else word[0], advice)


def _magic_advice(error: OneLineError) -> str | None:
    """Return the advice of the most specific class in `_ADVICE_BY_ERROR`. It contains ids of pods, not names."""
    for error_class in type(error).__mro__:
        if error_class in _ADVICE_BY_ERROR:
            return _ADVICE_BY_ERROR[error_class](error)
    return None


def _authentication_advice(error: AuthenticationError) -> str:
    if _is_local(error):
        return "A sandbox accepts the key that it printed at its start; for your account run: %yotta login"
    return f"{CHECK_KEY}, then run: %yotta login"


def _connection_advice(error: ConnectionFailed) -> str:
    if error.may_have_changed_pods:
        return _SEE_STATUSES
    if _is_local(error):
        return "Is the sandbox running? Start one with: %yotta sandbox start"
    return "Check the network and the address (YOTTA_BASE_URL), then try again."


def _create_outcome_advice(error: CreateOutcomeUnknown) -> str:
    return f"Do not create it again yet; look with: %yotta get {error.launch_id}"


def _unknown_name_advice(error: UnknownName) -> str:
    return f"Write one of them, or add {AS_TYPED_FLAG} to send the name unchanged."


def _name_taken_advice(error: NameTaken) -> str:
    return f"Choose another --name, or add {ANOTHER_FLAG} to create one more."


def _unsupported_value_advice(error: UnsupportedValue) -> str:
    return "Save it to a file and copy that: %yotta cp SRC DST"


def _unusable_key_advice(error: UnusableKey) -> str | None:
    if not error.advice:  # The message says how to make the key usable.
        return None
    return "Name another key with --key FILE, or set the variable PUBLIC_KEY of the pod."


def _invalid_request_advice(error: InvalidRequest) -> str | None:
    flag = CREATE_FLAGS.get(error.field or "")
    if flag is None or not error.is_missing:
        return None
    return f"Add it with {flag} (see %yotta create -h)."


def _pod_not_found_advice(error: PodNotFound) -> str:
    return error.advice or "See your pods with: %yotta list"


def _pod_state_advice(error: InvalidPodState) -> str:
    pod_id, status = error.pod_id, error.pod_status
    if pod_id is None or status in TERMINAL_STATUSES:
        return _SEE_STATUSES
    if error.ssh_problem == "not exposed":
        return "Create a pod with: %yotta create … --expose 22/SSH"
    must_run = error.code is None  # Only a wait or an SSH command raises it without a code of the API.
    if status == "PAUSED" and must_run:
        return f"Resume it with: %yotta resume {pod_id} --wait"
    if status == "PAUSING":
        resume = f", then %yotta resume {pod_id} --wait" if must_run else ""
        return f"First wait: %yotta wait {pod_id} --until paused{resume}"
    if status == "INITIALIZE" and not must_run:
        pause = f"%yotta wait {pod_id}, then %yotta pause {pod_id}"
        return f"It costs money as soon as it runs. Wait, then pause it: {pause}, or delete it: %yotta delete {pod_id}"
    if error.ssh_problem == "not ready" and status in ("INITIALIZE", "RUNNING"):
        return f"Wait with: %yotta wait {pod_id} --until ssh"
    return f"See it with: %yotta get {pod_id}"


def wait_advice(pods: tuple[Pod, ...], target: str, unsent: str = "") -> str:
    """Return what to do after a wait that ended early.

    Parameters
    ----------
    pods : tuple of Pod
    target : str
        The status that was waited for, or ``SSH``.
    unsent : str, default ""
        The action that was to be sent after the wait, such as ``pause``.

    Returns
    -------
    str
        It contains ids of pods, not names.
    """
    billable = [pod for pod in pods if pod.is_billable]
    if not billable:
        return "Look again with: %yotta list"
    ids = _join_ids(billable)
    action = stop_action(pods)
    ids_to_stop = _join_ids(pods_to_stop(pods))
    if unsent:
        stop = f", or stop it with %yotta {action} {ids_to_stop}" if action not in (None, unsent) else ""
        return f"To wait and send it: %yotta {unsent} {ids} --wait{stop}"
    until = f" --until {target.lower()}" if target != "RUNNING" else ""
    wait = f"%yotta wait {ids}{until}"
    if action is None:
        return f"Continue waiting with {wait}"
    return f"Stop it with %yotta {action} {ids_to_stop}, or continue waiting with {wait}"


def _join_ids(pods: Sequence[Pod]) -> str:
    ids = " ".join(pod.id for pod in pods[:_MAX_IDS])
    return f"{ids} …" if len(pods) > _MAX_IDS else ids


def _wait_advice(error: WaitTimeout | WaitInterrupted) -> str:
    return wait_advice(error.pods, error.target, error.unsent)


def _request_interrupted_advice(error: RequestInterrupted) -> str:
    if len(error.pods) == 1:
        return f"See its status with: %yotta get {error.pods[0].id}"
    return _SEE_STATUSES


def _remote_detached_advice(error: RemoteDetached) -> str:
    prefix = error.request_id[:8]  # The command accepts the beginning of an id.
    return f"See all of its output with: %yotta attach {error.pod_id} --run {prefix}"


def _pod_unreachable_advice(error: PodUnreachable) -> str:
    pod_id = error.pod_id
    return (
        f"See it with %yotta get {pod_id}, or start it again: %yotta pause {pod_id} --wait, then "
        f"%yotta resume {pod_id} --wait (a pause may erase files outside a persistent volume)."
    )


def _cost_note(error: OneLineError, pods: Iterable[Pod]) -> str:
    """Return what a pod that does not answer costs; empty for other errors and if it costs nothing."""
    if not isinstance(error, PodUnreachable):
        return ""
    rates = [pod.hourly_cost for pod in pods if pod.id == error.pod_id and pod.is_billable]
    return f" It still costs {format_rate(rates[0])}." if rates else ""


def _is_local(error: YottaError) -> bool:
    return is_loopback(urlsplit(error.base_url or "").hostname or "")


_ADVICE_BY_ERROR: Final[dict[type, Callable[[Any], str | None]]] = {
    AuthenticationError: _authentication_advice,
    ConnectionFailed: _connection_advice,
    CreateOutcomeUnknown: _create_outcome_advice,
    InvalidPodState: _pod_state_advice,
    InvalidRequest: _invalid_request_advice,
    NameTaken: _name_taken_advice,
    UnknownName: _unknown_name_advice,
    UnsupportedValue: _unsupported_value_advice,
    UnusableKey: _unusable_key_advice,
    PodNotFound: _pod_not_found_advice,
    PodUnreachable: _pod_unreachable_advice,
    RemoteDetached: _remote_detached_advice,
    RequestInterrupted: _request_interrupted_advice,
    WaitInterrupted: _wait_advice,
    WaitTimeout: _wait_advice,
}
"""Functions that return the advice for an error, by its class. If they return None, the error keeps its own advice."""
