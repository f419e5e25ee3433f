"""Wait until pods reach a status."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from ..errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    UnexpectedResponse,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
)
from ..models import Pod
from ..sanitize import single_line
from ..spelling import did_you_mean
from ..ssh import not_exposed_error
from ..statuses import STATUSES, TERMINAL_STATUSES, parse_status
from .concurrency import map_concurrently

if TYPE_CHECKING:
    from .pods import PodsClient

SSH: Final = "SSH"
"""The target of a wait until a pod is RUNNING and its SSH port is healthy."""

MAX_WAIT_TIMEOUT: Final = 7 * 86400.0  # seconds
INITIAL_INTERVAL: Final = 0.5  # seconds between two polls
MAX_INTERVAL: Final = 5.0  # seconds
BACKOFF_FACTOR: Final = 1.3
MAX_STALENESS: Final = 15.0
"""Seconds after a create or a resume in which responses may still show the state before it."""

PodsById = dict[str, Pod]
Progress = Callable[[PodsById], None]


def parse_target(until: str) -> str:
    """Return the target of a wait: the name of a status, or ``SSH``.

    Parameters
    ----------
    until : str
        In any case.

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        It is neither. The message suggests the closest one.
    """
    if isinstance(until, str) and until.strip().upper() == SSH:
        return SSH
    try:
        return parse_status(until)
    except InvalidRequest:
        suggestion = did_you_mean(str(until), [*STATUSES, SSH])
        raise InvalidRequest(
            f"A wait ends at SSH or a status, not at {single_line(until, 40)!r}.{suggestion} "
            f"Statuses: {', '.join(STATUSES)}."
        ) from None


def has_reached(pod: Pod, target: str) -> bool:
    """Return whether a pod has reached the target of a wait.

    Parameters
    ----------
    pod : Pod
    target : str
        As returned by `parse_target`.

    Returns
    -------
    bool
    """
    return pod.ssh_ready if target == SSH else pod.status == target


def wait_until(
    client: PodsClient, pod_ids: Sequence[str], until: str, timeout: float, progress: Progress | None = None
) -> dict[str, Pod | YottaError]:
    """Poll pods until each has reached the target or cannot reach it, or until a timeout.

    Parameters
    ----------
    client : PodsClient
    pod_ids : sequence of str
    until : str
        A status, or ``SSH``.
    timeout : float
        Seconds.
    progress : callable, optional
        Called after each poll with the latest pods by id.

    Returns
    -------
    dict
        For each id the pod, or the error that ended its wait.

    Raises
    ------
    WaitInterrupted
        Ctrl-C or Interrupt Kernel.
    """
    target = parse_target(until)
    started = time.monotonic()
    latest: PodsById = {}
    done: dict[str, Pod | YottaError] = {}
    interval = INITIAL_INTERVAL
    try:
        while pending := [pod_id for pod_id in pod_ids if pod_id not in done]:
            waited = time.monotonic() - started
            for pod_id, result in zip(pending, map_concurrently(client.get, pending), strict=True):
                if isinstance(result, Pod):
                    latest[pod_id] = result
                is_new = client.is_recently_created(pod_id, MAX_STALENESS)
                outcome = _evaluate(result, latest.get(pod_id), target, waited, is_new)
                if outcome is None and waited >= timeout:
                    outcome = _timeout_error(latest.get(pod_id), result, waited, target)
                if outcome is None:
                    continue
                done[pod_id] = outcome
                if isinstance(outcome, Pod):
                    latest[pod_id] = outcome  # Differs from the result if the API no longer returns a deleted pod.
            if progress:
                progress(latest)
            if len(done) < len(pod_ids):
                remaining = timeout - (time.monotonic() - started)
                if remaining > 0:
                    time.sleep(min(interval, remaining))
                interval = min(interval * BACKOFF_FACTOR, MAX_INTERVAL)
        return {pod_id: done[pod_id] for pod_id in pod_ids}
    except KeyboardInterrupt:
        pending = [pod_id for pod_id in pod_ids if pod_id not in done]
        interrupted = [latest.get(pod_id, Pod(id=pod_id, status="unknown")) for pod_id in pending]
        if not interrupted:
            raise
        raise WaitInterrupted(*interrupted, target=target) from None


def _evaluate(
    result: Pod | YottaError, latest: Pod | None, target: str, waited: float, is_new: bool
) -> Pod | YottaError | None:
    """Return how the wait for a pod ends, or None while it continues.

    Parameters
    ----------
    result : Pod or YottaError
        Of the last request.
    latest : Pod or None
        The latest response with the pod; None if all requests have failed.
    target : str
    waited : float
        Seconds.
    is_new : bool
        Whether the pod was just created, so that the API may not return it yet.
    """
    if isinstance(result, Pod):
        return result if has_reached(result, target) else _dead_end_error(result, target, waited)
    if isinstance(result, PodNotFound):
        if latest is not None and target == "TERMINATED":
            return msgspec.structs.replace(latest, status="TERMINATED")
        return None if is_new else result
    # If the first request fails, the key, the address or the id may be wrong. Later failures may be temporary.
    if latest is None or isinstance(result, AuthenticationError):
        return result
    is_temporary = isinstance(result, (ApiError, ConnectionFailed, UnexpectedResponse))
    return None if is_temporary else result


def _dead_end_error(pod: Pod, target: str, waited: float) -> YottaError | None:
    """Return the error for a pod that cannot reach the target; None if it still can."""
    if target == SSH and pod.status == "RUNNING" and pod.ssh_port is None:
        return not_exposed_error(pod)
    # Right after a resume the pod may still appear as PAUSED.
    stays_paused = pod.status == "PAUSED" and target in ("RUNNING", SSH) and waited > MAX_STALENESS
    if not stays_paused and pod.status not in TERMINAL_STATUSES:
        return None
    goal = "be reachable by SSH" if target == SSH else f"become {target}"
    message = f"Pod {pod.label} is {single_line(pod.status, 40)} and will not {goal}."
    return InvalidPodState(code=None, http_status=None, message=message, pod_id=pod.id, pod_status=pod.status)


def _timeout_error(pod: Pod | None, result: Pod | YottaError, waited: float, target: str) -> YottaError:
    """Return the error of a wait that ran out of time: that of the last request if all requests failed."""
    if pod is not None:
        return WaitTimeout(pod, waited, target)
    assert isinstance(result, YottaError)  # If it were a pod, `pod` would not be None.
    return result
