"""How a cell shows notes and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import WaitTimeout, YottaError
from ..hints import use_magic_advice
from ..models import Pod

if TYPE_CHECKING:
    import pandas as pd


class PlainText(str):
    """A string that a notebook shows without quotes and escapes, ready to copy."""

    def __repr__(self) -> str:
        return str(self)


def print_note(text: str) -> None:
    """Print a note, such as ``Note: the pod has no name.``

    Parameters
    ----------
    text : str
    """
    print(f"Note: {text}")


def results_or_raise(
    action: str, pods: Sequence[Pod], errors: Mapping[str, YottaError | None], statuses: Mapping[str, str]
) -> pd.DataFrame:
    """Return a DataFrame with one row per pod. If the action failed for one of several, show the rows and raise.

    Parameters
    ----------
    action : str
        Such as ``pause``.
    pods : sequence of Pod
        The pods before the action.
    errors : mapping of str to YottaError or None
        The error of each pod by id, None if the action succeeded.
    statuses : mapping of str to str
        The statuses after the action by id. For a pod that is not in it, the status before the action is shown.

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

    from IPython.display import display

    from ..pod_frames import results_frame

    # The DataFrame contains all errors, but `run_line` adds advice only to the one that is raised.
    for error in failures:
        use_magic_advice(error, pods)
    frame = results_frame(action, [(pod, statuses.get(pod.id, pod.status), errors[pod.id]) for pod in pods])
    if failures:
        display(frame)
        raise _summarize_failures(action, failures, len(pods))
    if len(pods) == 1:
        frame.announce()  # Prints the result as a sentence; the table is not displayed.
    return frame


def _summarize_failures(action: str, failures: Sequence[YottaError], total: int) -> YottaError:
    if all(isinstance(error, WaitTimeout) for error in failures):
        return YottaError(f"{len(failures)} of {total} pods are not ready yet. The first: {failures[0]}")
    return YottaError(f"{action} failed for {len(failures)} of {total} pods. The first error: {failures[0]}")
