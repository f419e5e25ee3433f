"""Messages about pods after a wait or a request that ended early: statuses, costs, and how to stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .formatting import join_limited
from .sanitize import single_line

if TYPE_CHECKING:
    from .models import Pod

_MAX_NAMED_PODS: Final = 3
"""Pods that a message names. It only counts the others."""


def pods_to_stop(pods: tuple[Pod, ...]) -> list[Pod]:
    """Return the pods that cost money until a request stops them.

    Parameters
    ----------
    pods : tuple of Pod

    Returns
    -------
    list of Pod
    """
    return [pod for pod in pods if pod.is_billable and not pod.gpus_stopped_or_stopping]


def stop_action(pods: tuple[Pod, ...]) -> str | None:
    """Return the action that stops the cost of `pods_to_stop`.

    Parameters
    ----------
    pods : tuple of Pod

    Returns
    -------
    str or None
        ``pause`` if all of them are running, else ``delete``; None if there is no such pod.
    """
    to_stop = pods_to_stop(pods)
    if not to_stop:
        return None
    return "pause" if all(pod.status == "RUNNING" for pod in to_stop) else "delete"


def pending_message(reason: str, pods: tuple[Pod, ...], unsent: str = "") -> str:
    """Return why a wait ended, the status of each pod, and whether they cost money.

    Parameters
    ----------
    reason : str
        Why the wait ended, such as ``Interrupted``.
    pods : tuple of Pod
    unsent : str, default ""
        The action that was to be sent after the wait, such as ``pause``.

    Returns
    -------
    str
    """
    states = [f"{single_line(pod.name or 'pod', 60)} ({pod.id}) is {single_line(pod.status, 40)}" for pod in pods]
    message = f"{reason}: {join_limited(states, _MAX_NAMED_PODS)}."
    if unsent:
        message += f" The {unsent} was not sent."
    if not any(pod.is_billable for pod in pods):
        return message
    has_known_cost = any(pod.hourly_cost for pod in pods)
    return f"{message} This {'still costs' if has_known_cost else 'may still cost'} money."


def interrupted_message(action: str, pods: tuple[Pod, ...]) -> str:
    """Return what is known after a request to pause, resume or delete pods was interrupted.

    Parameters
    ----------
    action : str
    pods : tuple of Pod

    Returns
    -------
    str
    """
    labels = join_limited([pod.label for pod in pods], _MAX_NAMED_PODS)
    return f"Interrupted: the {action} of {labels} {describe_unknown_outcome(action)}"


def describe_unknown_outcome(action: str) -> str:
    """Return the end of a sentence about a request without a response: the possible effect and the cost.

    Parameters
    ----------
    action : str
        ``pause``, ``resume`` or ``delete``.

    Returns
    -------
    str
        Such as ``may have been applied; the pod then costs money.``
    """
    cost = "then costs" if action == "resume" else "otherwise still costs"
    return f"may have been applied; the pod {cost} money."


def stop_advice(pods: tuple[Pod, ...]) -> str:
    """Return how to stop the cost of pods in Python, or an empty text if no request is needed.

    Parameters
    ----------
    pods : tuple of Pod

    Returns
    -------
    str
    """
    action = stop_action(pods)
    if action is None:
        return ""
    ids = [f'"{pod.id}"' for pod in pods_to_stop(pods)]
    if len(ids) == 1:
        return f"Stop it with pods.{action}({ids[0]})."
    return f'Stop them with pods.bulk("{action}", [{", ".join(ids)}]).'
