"""What ``%yotta create --name`` does if a live pod has that name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from ...errors import InvalidRequest, YottaError
from ...formatting import format_rate
from ...hints import pod_argument
from ...sanitize import single_line
from ...statuses import TRANSITIONS
from ..display import print_note
from ..guard_notes import print_guards_of
from ..waiting import add_state, wait_for_pod

if TYPE_CHECKING:
    from ...models import Pod
    from ..session import Session


def prepare_reused(session: Session, pod: Pod, resume: bool, will_wait: bool) -> Pod:
    """Print that a pod is reused, and resume it if that is requested.

    Parameters
    ----------
    session : Session
    pod : Pod
    resume : bool
        Whether to resume the pod if it is paused or being paused.
    will_wait : bool
        Whether the caller then waits until the pod can be used.

    Returns
    -------
    Pod

    Raises
    ------
    InvalidRequest
        The pod is paused, so that a wait would not end, and `resume` is False.
    """
    status = single_line(pod.status, 40)
    running_cost = f"{format_rate(pod.hourly_rate)} while it runs"
    cost = running_cost if pod.status == "INITIALIZE" else f"{format_rate(pod.hourly_cost)} now"
    reused = f"Reused pod {pod.label}, which is {status}: {cost}. Nothing was created."
    if pod.status not in ("PAUSING", "PAUSED"):
        print(reused)
        return pod
    if resume:
        print(f"Reused pod {pod.label}, which was {status}; resuming it: {running_cost}.")
        return _resume(session, pod)
    if will_wait:
        raise InvalidRequest(
            f"Pod {pod.label} exists and is {status}; nothing was created.",
            advice="To resume it and wait, add --resume",
        )
    argument = pod_argument(pod, session.known_pods)
    first = "" if pod.status == "PAUSED" else f"%yotta wait {argument} --until paused, then "
    print(f"{reused} Resume it with {first}%yotta resume {argument} --wait, or add --resume here.")
    return pod


def _resume(session: Session, pod: Pod) -> Pod:
    pods = session.client.pods
    if pod.status == "PAUSING":
        wait_for_pod(session, pod, "PAUSED", unsent="resume")
    pods.resume(pod.id)
    print_guards_of(session, [pod])
    try:
        return pods.get(pod.id)
    except YottaError as error:
        error.message = f"The resume was sent. {error.message}"
        add_state(session, error, msgspec.structs.replace(pod, status=TRANSITIONS["resume"].during), "RUNNING")
        raise


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print each `UserWarning` as a note, without the file name and line that Python adds."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            print_note(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
