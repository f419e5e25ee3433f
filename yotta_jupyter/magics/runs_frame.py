"""The runs of a pod as a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ..frame_display import ReadableFrame
from ..pod_columns import TIMESTAMP, to_array

if TYPE_CHECKING:
    from ..remote.runs import RunInfo


def runs_frame(runs: Sequence[RunInfo]) -> pd.DataFrame:
    """Return the runs of a pod as a DataFrame, in the same order.

    Parameters
    ----------
    runs : sequence of RunInfo

    Returns
    -------
    pandas.DataFrame
        Index `run`, the beginning of the id; `state`, `started_at` (UTC, in whole seconds) and `title`.
    """
    started = [run.started_at.replace(microsecond=0) if run.started_at else None for run in runs]
    return ReadableFrame(
        {
            "state": to_array([run.state for run in runs], "category"),
            "started_at": to_array(started, TIMESTAMP),
            "title": to_array([run.title for run in runs], "string"),
        },
        index=pd.Index(to_array([run.short_id for run in runs], "string"), name="run"),
    )
