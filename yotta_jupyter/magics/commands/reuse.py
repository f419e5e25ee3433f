"""What ``%yotta create --name`` does with a live pod of that name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import InvalidRequest
from ...formatting import format_rate
from ...hints import pod_word
from ...sanitize import single_line
from .wait import wait_until

if TYPE_CHECKING:
    from ...models import Pod
    from ..session import Session


def prepare_reused(session: Session, pod: Pod, resume: bool, wait: bool) -> Pod:
    """Say that a pod is reused, and resume it if that is requested.

    Parameters
    ----------
    session : Session
    pod : Pod
        The pod that was found.
    resume : bool
        Whether to resume it if it is paused or being paused.
    wait : bool
        Whether the caller waits until it can be used.

    Returns
    -------
    Pod

    Raises
    ------
    InvalidRequest
        The pod is paused, so that a wait would not end, and `resume` is False.
    """
    state = single_line(pod.status, 40)
    cost = f"{format_rate(pod.hourly_cost)} now"
    if pod.status not in ("PAUSING", "PAUSED"):
        if pod.status == "INITIALIZE":
            cost = f"{format_rate(pod.hourly_rate)} while it runs"
        print(f"Reused pod {pod.label}, which is {state}: {cost}. Nothing was created.")
        return pod
    if resume:
        print(f"Reused pod {pod.label}, which was {state}; resuming it: {format_rate(pod.hourly_rate)} while it runs.")
        return _resume(session, pod)
    if wait:
        raise InvalidRequest(
            f"Pod {pod.label} exists and is {state}; nothing was created.",
            advice="To resume it and wait, add --resume",
        )
    name = pod_word(pod, session.known_pods)
    first = "" if pod.status == "PAUSED" else f"%yotta wait {name} --until paused, then "
    print(
        f"Reused pod {pod.label}, which is {state}: {cost}. Nothing was created. "
        f"Resume it with {first}%yotta resume {name} --wait, or add --resume here."
    )
    return pod


def _resume(session: Session, pod: Pod) -> Pod:
    pods = session.client.pods
    if pod.status == "PAUSING":
        wait_until(session, pod, "PAUSED")
    pods.resume(pod.id)
    return pods.get(pod.id)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print warnings as lines of the cell's output, without a file name and a line of source."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            print(f"Note: {warning.message}")
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
