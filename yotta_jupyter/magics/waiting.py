"""Waits for pods, with progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..api.waiter import SSH
from ..errors import InvalidPodState, WaitInterrupted, WaitTimeout, YottaError
from ..hints import name_pods, wait_advice
from ..models import DEFAULT_WAIT_TIMEOUT, Pod
from ..wait_advice import pending_message
from .progress import wait_progress

if TYPE_CHECKING:
    from .session import Session


def wait_for_pods(
    session: Session, pods: Sequence[Pod], target: str, timeout: float = DEFAULT_WAIT_TIMEOUT, *, unsent: str = ""
) -> dict[str, Pod | YottaError]:
    """Wait for pods. An error has the last known status of the pod, and the command that stops the pod.

    Parameters
    ----------
    session : Session
    pods : sequence of Pod
    target : str
        A status, or ``SSH``.
    timeout : float
        Seconds.
    unsent : str, default ""
        The action that the caller sends after the wait, such as ``pause``.

    Returns
    -------
    dict
        As returned by `PodsClient.wait_all`.

    Raises
    ------
    WaitInterrupted
        Ctrl-C.
    """
    latest = {pod.id: pod for pod in pods}
    with wait_progress(session.shell, target, {pod.id: pod.name or pod.id for pod in pods}) as show:

        def progress(pods_by_id: dict[str, Pod]) -> None:
            latest.update(pods_by_id)
            show(pods_by_id)

        try:
            outcomes = session.client.pods.wait_all(list(latest), target, timeout, progress=progress)
        except KeyboardInterrupt as error:
            # An unsent action concerns all pods, also those that have reached the target.
            pending = error.pods if isinstance(error, WaitInterrupted) and not unsent else pods
            raise WaitInterrupted(*(latest[pod.id] for pod in pending), target=target, unsent=unsent) from None
    return {
        pod_id: _with_state(session, outcome, latest[pod_id], target, unsent)
        if isinstance(outcome, YottaError)
        else outcome
        for pod_id, outcome in outcomes.items()
    }


def _with_state(session: Session, error: YottaError, pod: Pod, target: str, unsent: str) -> YottaError:
    if isinstance(error, WaitTimeout):
        return WaitTimeout(error.pod, error.waited, target, unsent)
    if not isinstance(error, InvalidPodState):  # Its message has the status.
        add_state(session, error, pod, target, unsent)
    return error


def add_state(session: Session, error: YottaError, pod: Pod, target: str, unsent: str = "") -> None:
    """Add to an error of a request the last known status of a pod, and the command that stops it.

    Parameters
    ----------
    session : Session
    error : YottaError
        Changed in place.
    pod : Pod
        As last known.
    target : str
        The status that was waited for, or ``SSH``.
    unsent : str, default ""
        The action that was to be sent after the wait, such as ``pause``.
    """
    advice = name_pods(wait_advice((pod,), target, unsent), session.known_pods)
    error.message += f" {pending_message('Last known', (pod,), unsent)} {advice}."


def wait_for_pod(session: Session, pod: Pod, target: str, *, unsent: str = "") -> Pod:
    """Wait for one pod.

    Parameters
    ----------
    session : Session
    pod : Pod
    target : str
        A status, or ``SSH``.
    unsent : str, default ""
        As for `wait_for_pods`.

    Returns
    -------
    Pod

    Raises
    ------
    YottaError
        The pod cannot reach the target, or did not in time.
    """
    outcome = wait_for_pods(session, [pod], target, unsent=unsent)[pod.id]
    if isinstance(outcome, YottaError):
        raise outcome
    return outcome


def wait_until_usable(session: Session, pod: Pod) -> Pod:
    """Wait until a pod is ready for SSH, or is RUNNING if it does not expose SSH.

    Parameters
    ----------
    session : Session
    pod : Pod

    Returns
    -------
    Pod

    Raises
    ------
    YottaError
        As for `wait_for_pod`.
    """
    return wait_for_pod(session, pod, SSH if pod.ssh_port is not None else "RUNNING")


def split_outcomes(
    outcomes: Mapping[str, Pod | YottaError], cached: Mapping[str, Pod]
) -> tuple[dict[str, YottaError | None], dict[str, str]]:
    """Split the outcomes of a wait into errors and statuses.

    Parameters
    ----------
    outcomes : mapping of str to Pod or YottaError
        As returned by `wait_for_pods`.
    cached : mapping of str to Pod
        The latest known pods by id, used for pods whose wait failed.

    Returns
    -------
    errors : dict of str to YottaError or None
        By id.
    statuses : dict of str to str
        The latest known statuses by id.
    """
    errors: dict[str, YottaError | None] = {}
    statuses: dict[str, str] = {}
    for pod_id, outcome in outcomes.items():
        if isinstance(outcome, Pod):
            errors[pod_id] = None
            statuses[pod_id] = outcome.status
            continue
        errors[pod_id] = outcome
        if pod_id in cached:
            statuses[pod_id] = cached[pod_id].status
    return errors, statuses
