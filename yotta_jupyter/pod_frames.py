"""pandas DataFrames of pods, of their costs, and of the results of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .frame_display import RESULT_COLUMNS, PodsFrame, ReadableFrame, ResultsFrame
from .gc_pause import gc_paused
from .models import Pod
from .pod_columns import COLUMNS, WIDE_COLUMNS, to_array


def pods_frame(pods: Sequence[Pod], wide: bool = False) -> pd.DataFrame:
    """Return pods as a DataFrame, in the same order.

    Parameters
    ----------
    pods : sequence of Pod
    wide : bool, default False
        Add all other fields of `Pod`. `environment_vars` are dicts with masked values. `ssh_cmd` is the server's
        text as received; use `ssh`.

    Returns
    -------
    pandas.DataFrame
        Index `id`; columns and dtypes as in `COLUMNS`, also for an empty listing. `hourly_cost` is US dollars an hour
        in the present status, NaN if a price is unknown. `ssh` is the command of a pod that is reachable now, else
        missing. Times are UTC.
    """
    columns = WIDE_COLUMNS if wide else COLUMNS
    with gc_paused():
        arrays = {name: to_array(list(map(column.value_of, pods)), column.dtype) for name, column in columns.items()}
    return PodsFrame(arrays, index=_index(pods), copy=False)


def cost_frame(pods: Sequence[Pod]) -> pd.DataFrame:
    """Return what billable pods cost, highest cost first.

    Parameters
    ----------
    pods : sequence of Pod

    Returns
    -------
    pandas.DataFrame
        Index `id`; `name`, `status`, `hourly_cost` (US dollars an hour now) and `hourly_rate` (while running). NaN if
        a price is unknown. Pods that have ended are left out.
    """
    billable = [pod for pod in pods if pod.is_billable]
    billable.sort(key=lambda pod: pod.hourly_cost or 0.0, reverse=True)
    return ReadableFrame(
        {
            "name": to_array([pod.name for pod in billable], "string"),
            "status": to_array([pod.status for pod in billable], "string"),
            "hourly_cost": to_array([pod.hourly_cost for pod in billable], "float64"),
            "hourly_rate": to_array([pod.hourly_rate for pod in billable], "float64"),
        },
        index=_index(billable),
    )


def results_frame(action: str, results: Sequence[tuple[Pod, str, Exception | None]]) -> ResultsFrame:
    """Return the results of an action on several pods.

    Parameters
    ----------
    action : str
        Such as ``pause``.
    results : sequence of (Pod, str, Exception or None)
        Each pod, its status after the action, and its error.

    Returns
    -------
    ResultsFrame
        Index `id`; columns as in `RESULT_COLUMNS`, with `ok` a bool. Shown as one line for one pod without an error.
    """
    return ResultsFrame(
        {
            "name": to_array([pod.name for pod, _, _ in results], "string"),
            "action": to_array([action] * len(results), "string"),
            "ok": np.array([error is None for *_, error in results], dtype=bool),
            "status": to_array([status for _, status, _ in results], "category"),
            "error": to_array([None if error is None else str(error) for *_, error in results], "string"),
        },
        index=_index([pod for pod, _, _ in results]),
        columns=RESULT_COLUMNS,
    )


def _index(pods: Sequence[Pod]) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(to_array([pod.id for pod in pods], "string"), name="id", copy=False)
    return index
