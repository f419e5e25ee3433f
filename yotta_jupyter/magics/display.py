"""Results of commands as a cell shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..client import Client
from ..errors import WaitTimeout, YottaError
from ..hints import add_advice
from ..models import Pod

if TYPE_CHECKING:
    import pandas as pd


class PlainText(str):
    """A string that a notebook shows without quotes and escapes, ready to copy."""

    def __repr__(self) -> str:
        return str(self)


def results_or_raise(
    action: str, pods: Sequence[Pod], errors: Mapping[str, YottaError | None], statuses: Mapping[str, str]
) -> pd.DataFrame:
    """Return a DataFrame with one row per pod. If the action failed for a pod, display the DataFrame and raise.

    Parameters
    ----------
    action : str
        Such as ``pause``.
    pods : sequence of Pod
        The pods before the action.
    errors : mapping of str to YottaError or None
        The error of each pod by id, None if the action succeeded.
    statuses : mapping of str to str
        The statuses after the action by id. For a pod that is missing here, the status before the action is shown.

    Returns
    -------
    pandas.DataFrame
        Index `id`; columns `name`, `action`, `ok`, `status`, `error`.

    Raises
    ------
    YottaError
        The error of a single pod, or a summary of the errors of several pods.
    """
    failures = [error for pod in pods if (error := errors[pod.id]) is not None]
    if failures and len(pods) == 1:
        raise failures[0]

    from ..frames import results_frame

    for error in failures:
        add_advice(error)
    frame = results_frame(action, [(pod, statuses.get(pod.id, pod.status), errors[pod.id]) for pod in pods])
    if failures:
        _display_and_raise(action, frame, failures)
    return frame


def _display_and_raise(action: str, frame: pd.DataFrame, failures: Sequence[YottaError]) -> None:
    from IPython.display import display

    display(frame)
    if all(isinstance(error, WaitTimeout) for error in failures):
        raise YottaError(f"{len(failures)} of {len(frame)} pods are not ready yet. The first: {failures[0]}")
    raise YottaError(f"{action} failed for {len(failures)} of {len(frame)} pods. The first error: {failures[0]}")


def fetch_statuses(client: Client, fallback: Mapping[str, str]) -> dict[str, str]:
    """Return the statuses of all pods from a new listing.

    Parameters
    ----------
    client : Client
    fallback : mapping of str to str
        The statuses by id of pods that the listing lacks, and of all pods if the listing fails.

    Returns
    -------
    dict of str to str
        The statuses by id.
    """
    try:
        return {**fallback, **{pod.id: pod.status for pod in client.pods.list()}}
    except YottaError:
        return dict(fallback)
