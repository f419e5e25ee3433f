"""Waits for pods, with progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..api.waiter import SSH
from ..errors import YottaError
from ..models import DEFAULT_WAIT_TIMEOUT, Pod
from .progress import wait_progress

if TYPE_CHECKING:
    from .session import Session


def wait_for_pods(
    session: Session, pods: Sequence[Pod], target: str, timeout: float = DEFAULT_WAIT_TIMEOUT
) -> dict[str, Pod | YottaError]:
    """Wait for pods.

    Parameters
    ----------
    session : Session
    pods : sequence of Pod
    target : str
        A status, or ``SSH``.
    timeout : float
        Seconds.

    Returns
    -------
    dict
        As returned by `PodsClient.wait_all`.
    """
    with wait_progress(session.shell, target, {pod.id: pod.name or pod.id for pod in pods}) as progress:
        return session.client.pods.wait_all([pod.id for pod in pods], target, timeout, progress=progress)


def wait_for_pod(session: Session, pod: Pod, target: str) -> Pod:
    """Wait for one pod.

    Parameters
    ----------
    session : Session
    pod : Pod
    target : str
        A status, or ``SSH``.

    Returns
    -------
    Pod

    Raises
    ------
    YottaError
        The pod cannot reach the target, or did not in time.
    """
    outcome = wait_for_pods(session, [pod], target)[pod.id]
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
