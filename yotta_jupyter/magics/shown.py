"""How results look in a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..api import Pod, WaitTimeout, YottaError

if TYPE_CHECKING:
    import pandas as pd

    from .session import Session


class Text(str):
    """A string that a notebook shows as it is, without quotes and escapes, to be copied."""

    def __repr__(self) -> str:
        return str(self)


def dollars(amount: float | None) -> str:
    """Return an hourly price as text.

    Parameters
    ----------
    amount : float or None
        US dollars an hour.

    Returns
    -------
    str
        Such as ``$0.61 an hour``.
    """
    return "an unknown price" if amount is None else f"${amount:.2f} an hour"


def counted(number: int, what: str) -> str:
    """Return a number of things as text, such as ``1 pod`` or ``2 pods``."""
    return f"{number} {what}{'s' * (number != 1)}"


def rows_or_error(
    asked: str,
    pods: list[Pod],
    errors: Mapping[str, YottaError | None],
    statuses: Mapping[str, str],
) -> pd.DataFrame:
    """Return a DataFrame with a row a pod; where one failed show it, and raise.

    Parameters
    ----------
    asked : str
        What was asked of the pods.
    pods : list of Pod
        As they were before.
    errors : mapping of str to YottaError or None
        By id.
    statuses : mapping of str to str
        What the pods are now, by id, where that is known.

    Returns
    -------
    pandas.DataFrame
        Index `id`; `name`, `asked`, `ok`, `status`, `error`.

    Raises
    ------
    YottaError
        The one failure where a single pod was asked, else one that counts them; the DataFrame was displayed.
    """
    from ..frames import outcomes_frame

    frame = outcomes_frame(
        asked,
        [(pod.id, pod.name, statuses.get(pod.id, pod.status), errors[pod.id]) for pod in pods],
    )
    failed = [error for pod in pods if (error := errors[pod.id]) is not None]
    if not failed:
        return frame
    if len(pods) > 1:
        from IPython.display import display

        display(frame)
        if all(isinstance(error, WaitTimeout) for error in failed):
            raise YottaError(f"{len(failed)} of {len(pods)} pods are not there yet. The first: {failed[0]}")
        raise YottaError(f"{asked} failed for {len(failed)} of {len(pods)} pods. The first error: {failed[0]}")
    raise failed[0]


def statuses_now(session: Session, expected: Mapping[str, str]) -> dict[str, str]:
    """Return the statuses of all pods from a listing.

    Parameters
    ----------
    session : Session
    expected : mapping of str to str
        What to say of pods that the listing does not show.

    Returns
    -------
    dict of str to str
        By id; no more than `expected` where there is no listing now.
    """
    try:
        return {**expected, **{pod.id: pod.status for pod in session.client.pods.list()}}
    except YottaError:
        return dict(expected)
