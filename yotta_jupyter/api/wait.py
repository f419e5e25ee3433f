"""Waiting until pods are there, and what is told when the wait ends early."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from . import v1
from .errors import (
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
from .models import ENDED, STATUSES, Pod
from .parallel import side_by_side
from .text import did_you_mean, printable

if TYPE_CHECKING:
    from .client import PodsClient

SSH: Final = "SSH"
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
LAG: Final = 15.0
"""Seconds for which a listing may lag behind what was just asked for."""

Seen = dict[str, Pod]
Progress = Callable[[Seen], None]


def checked_target(until: str) -> str:
    """Return what to wait for: the name of a status, or ``SSH``.

    Raises
    ------
    InvalidRequest
        It is neither; the nearest is suggested.
    """
    if isinstance(until, str) and until.strip().upper() == SSH:
        return SSH
    try:
        return v1.known_status(until)
    except InvalidRequest:
        hint = did_you_mean(str(until), [*STATUSES, SSH])
        raise InvalidRequest(
            f"A pod is waited for until SSH or a status, not {printable(until, 40)!r}.{hint} "
            f"Statuses: {', '.join(STATUSES)}."
        ) from None


def wait_for(
    pods: PodsClient, pod_ids: Sequence[str], until: str, timeout: float, progress: Progress | None = None
) -> dict[str, Pod | YottaError]:
    """Poll pods until each is there, cannot get there, or the time is up.

    Parameters
    ----------
    pods : PodsClient
    pod_ids : sequence of str
    until : str
        A status, or ``SSH``: running, and the SSH port healthy.
    timeout : float
        Seconds.
    progress : callable, optional
        Called after each round with the pods seen so far, by id.

    Returns
    -------
    dict
        For each id the pod, or the error that ended its wait.

    Raises
    ------
    WaitInterrupted
        Ctrl-C or Interrupt Kernel.
    """
    target = checked_target(until)
    started = time.monotonic()
    seen: Seen = {}
    ended: dict[str, Pod | YottaError] = {}
    pause = FIRST_PAUSE
    try:
        while pending := [pod_id for pod_id in pod_ids if pod_id not in ended]:
            waited = time.monotonic() - started
            for pod_id, answer in zip(pending, side_by_side(pods.get, pending), strict=True):
                outcome = _outcome(pods, pod_id, answer, target, seen, waited)
                if outcome is not None:
                    ended[pod_id] = outcome
                elif waited >= timeout:
                    ended[pod_id] = _timed_out(seen.get(pod_id), answer, waited, target)
            if progress:
                progress(seen)
            if len(ended) < len(pod_ids):
                time.sleep(max(0.0, min(pause, timeout - (time.monotonic() - started))))
                pause = min(pause * 1.3, LONGEST_PAUSE)
    except KeyboardInterrupt:
        interrupted = tuple(seen.get(pod_id, Pod(id=pod_id, status="unknown")) for pod_id in pending)
    else:
        return {pod_id: ended[pod_id] for pod_id in pod_ids}
    raise WaitInterrupted(*interrupted, target=target)


def _outcome(
    pods: PodsClient, pod_id: str, answer: Pod | YottaError, target: str, seen: Seen, waited: float
) -> Pod | YottaError | None:
    """Return how the wait for a pod ends, or None while it goes on."""
    if isinstance(answer, Pod):
        seen[pod_id] = answer
        return _reached(answer, target) or _hopeless(answer, target, waited)
    if isinstance(answer, PodNotFound):
        if pod_id in seen and target == "TERMINATED":
            seen[pod_id] = msgspec.structs.replace(seen[pod_id], status="TERMINATED")
            return seen[pod_id]
        return None if pods.created_within(pod_id, LAG) else answer
    # A network that fails for a minute must not end a wait of fifteen.
    transient = isinstance(answer, (ConnectionFailed, UnexpectedResponse)) or (
        isinstance(answer, ApiError) and not isinstance(answer, AuthenticationError)
    )
    return None if transient and pod_id in seen else answer


def _reached(pod: Pod, target: str) -> Pod | None:
    return pod if (pod.ssh_ready if target == SSH else pod.status == target) else None


def _hopeless(pod: Pod, target: str, waited: float) -> YottaError | None:
    """Return an error where the pod will not get there by itself."""
    wanted = "be reachable by SSH" if target == SSH else f"become {target}"
    told = f"Pod {printable(pod.name or pod.id, 60)} ({pod.id}) is {printable(pod.status, 40)} and will not {wanted}"
    if target == SSH and pod.status == "RUNNING" and pod.ssh_port is None:
        return InvalidPodState(None, None, f"{told}: it exposes no SSH port. Create it with --expose 22/SSH.")
    if pod.status in ENDED:
        return InvalidPodState(None, None, f"{told}. See the others with: %yotta list")
    if pod.status == "PAUSED" and target in ("RUNNING", SSH) and waited > LAG:
        return InvalidPodState(None, None, f"{told} by itself. Resume it with: %yotta resume {pod.id}")
    return None


def _timed_out(last: Pod | None, answer: Pod | YottaError, waited: float, target: str) -> YottaError:
    if last is not None:
        return WaitTimeout(last, waited, target)
    return answer if isinstance(answer, YottaError) else WaitTimeout(answer, waited, target)
