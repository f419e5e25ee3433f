"""pandas DataFrames of pods: their columns and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from . import ssh
from .formatting import format_age, short_gpu_type, short_image
from .models import STATUSES, Int64, Pod
from .sanitize import single_line
from .secret import MASK

TIMESTAMP: Final = "datetime64[us, UTC]"
TERMINAL_WIDTH: Final = 100
"""Characters of the compact view in a terminal."""

_MAX_NAME: Final = 18
_MIN_ID_LENGTH: Final = 4


class Column(NamedTuple):
    """A column of a DataFrame of pods.

    Attributes
    ----------
    dtype : str
    value : callable
        Returns the value of a pod; None if missing.
    """

    dtype: str
    value: Callable[[Pod], Any]


COLUMNS: Final = {
    "name": Column("string", attrgetter("pod_name")),
    "status": Column("category", attrgetter("status")),
    "gpu_type": Column("string", attrgetter("gpu_type")),
    "gpu_count": Column("Int64", attrgetter("gpu_count")),
    "region": Column("string", attrgetter("region")),
    "image": Column("string", attrgetter("image")),
    "hourly_cost": Column("float64", attrgetter("hourly_cost")),
    "ssh": Column("string", ssh.try_command),
    "created_at": Column(TIMESTAMP, attrgetter("created_at")),
}
"""The default columns, by name. The index is `id`, a string."""

_DTYPES: Final[dict[Any, str]] = {
    str: "string",
    str | None: "string",
    Int64 | None: "Int64",
    float | None: "float64",
    datetime | None: TIMESTAMP,
}
_WIDE_COLUMNS: Final = {
    **COLUMNS,
    **{
        field.name: Column(_DTYPES.get(field.type, "object"), attrgetter(field.name))
        for field in msgspec.structs.fields(Pod)
        if field.name not in {*COLUMNS, "id", "pod_name"}
    },
    "environment_vars": Column("object", lambda pod: {variable.key: MASK for variable in pod.environment_vars}),
    "expose": Column("object", lambda pod: [msgspec.structs.asdict(port) for port in pod.expose]),
}


class UntruncatedFrame(pd.DataFrame):
    """A DataFrame that shows long texts in full. Whatever pandas derives from it is a plain DataFrame."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            html: str | None = super()._repr_html_()  # type: ignore[misc]
            return html


class PodsFrame(pd.DataFrame):
    """A DataFrame of pods that shows a compact view of itself while it has the default columns.

    The view shortens GPU types and images and leaves out the SSH command. The data stay exact, and a pickle contains a
    plain DataFrame.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return PodsFrame

    def __reduce_ex__(self, protocol: Any) -> Any:
        return pd.DataFrame, (pd.DataFrame(self),)

    def __repr__(self) -> str:
        if not self._is_listing():
            return super().__repr__()
        compact = self._compact().set_axis(_unique_prefixes(self.index))
        with pd.option_context("display.width", TERMINAL_WIDTH, "display.max_columns", None):
            return repr(compact)

    def _repr_html_(self) -> str | None:
        html: str | None
        if not self._is_listing():
            html = super()._repr_html_()  # type: ignore[misc]
            return html
        with pd.option_context("display.max_colwidth", None, "display.show_dimensions", False):
            html = self._compact()._repr_html_()  # type: ignore[operator]
        return f"{html}<p>{len(self)} pods; all columns: {', '.join(self.columns)}</p>"

    def _is_listing(self) -> bool:
        return list(self.columns) == list(COLUMNS) and self.index.name == "id" and len(self) > 0

    def _compact(self) -> pd.DataFrame:
        gpus = [
            f"{'?' if pd.isna(count) else count} × {short_gpu_type(gpu_type)}"
            for count, gpu_type in zip(self["gpu_count"], self["gpu_type"].fillna("?"), strict=True)
        ]
        age = (pd.Timestamp.now(tz="UTC") - self["created_at"]).dt.total_seconds()
        return pd.DataFrame(
            {
                "name": self["name"].fillna("").map(lambda name: single_line(name, _MAX_NAME)),
                "status": self["status"].astype("string").fillna("?"),
                "$/hour": [("?" if pd.isna(cost) else f"{cost:.2f}") for cost in self["hourly_cost"]],
                "GPUs": gpus,
                "region": self["region"].fillna("").map(lambda region: single_line(region, _MAX_NAME)),
                "image": [short_image(image) for image in self["image"].fillna("")],
                "age": ["" if pd.isna(seconds) else format_age(seconds) for seconds in age],
            },
            index=self.index,
        )


def pods_frame(pods: Sequence[Pod], wide: bool = False) -> pd.DataFrame:
    """Return pods as a DataFrame, in the same order.

    Parameters
    ----------
    pods : sequence of Pod
    wide : bool, default False
        Add all other fields of `Pod`. `environment_vars` are dicts with masked values; `extra` contains fields that
        the contract does not define. `ssh_cmd` is the server's text as received: use `ssh`.

    Returns
    -------
    pandas.DataFrame
        Index `id`; columns and dtypes as in `COLUMNS`, also for an empty listing. `hourly_cost` is US dollars an hour
        in the present status, NaN if a price is unknown. `ssh` is the command of a pod that is reachable now, else
        missing. Times are UTC. The categories of `status` are the known statuses, then any unknown ones that occur.
    """
    columns = _WIDE_COLUMNS if wide else COLUMNS
    return PodsFrame(
        {name: _to_array(list(map(column.value, pods)), column.dtype) for name, column in columns.items()},
        index=_index(pods),
        copy=False,
    )


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
    billable = sorted((pod for pod in pods if pod.is_billable), key=lambda pod: -(pod.hourly_cost or 0.0))
    return pd.DataFrame(
        {
            "name": _to_array([pod.pod_name for pod in billable], "string"),
            "status": _to_array([pod.status for pod in billable], "string"),
            "hourly_cost": _to_array([pod.hourly_cost for pod in billable], "float64"),
            "hourly_rate": _to_array([pod.hourly_rate for pod in billable], "float64"),
        },
        index=_index(billable),
    )


def results_frame(action: str, results: Sequence[tuple[Pod, str, Exception | None]]) -> pd.DataFrame:
    """Return the results of an action on several pods.

    Parameters
    ----------
    action : str
        Such as ``pause``.
    results : sequence of (Pod, str, Exception or None)
        Each pod, its status after the action, and its error.

    Returns
    -------
    pandas.DataFrame
        Index `id`; `name`, `action`, `ok` (bool), `status`, `error`. Errors are shown in full.
    """
    return UntruncatedFrame(
        {
            "name": _to_array([pod.name for pod, _, _ in results], "string"),
            "action": _to_array([action] * len(results), "string"),
            "ok": np.array([error is None for *_, error in results], dtype=bool),
            "status": _to_array([status for _, status, _ in results], "category"),
            "error": _to_array([None if error is None else str(error) for *_, error in results], "string"),
        },
        index=_index([pod for pod, _, _ in results]),
    )


def _unique_prefixes(ids: Iterable[str]) -> list[str]:
    """Return the shortest beginnings of ids, of one length, that ``%yotta`` accepts in place of the ids."""
    ids = list(ids)
    length = next(n for n in range(_MIN_ID_LENGTH, 65) if len({pod_id[:n] for pod_id in ids}) == len(set(ids)))
    return [pod_id if len(pod_id) <= length + 1 else f"{pod_id[:length]}…" for pod_id in ids]


def _index(pods: Sequence[Pod]) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(_to_array([pod.id for pod in pods], "string"), name="id", copy=False)
    return index


def _to_array(values: list[Any], dtype: Any) -> Any:
    if dtype == "category":
        values = [value or None for value in values]
        unknown = sorted(set(values).difference(STATUSES, (None,)))
        return pd.Categorical(values, categories=[*STATUSES, *unknown])
    if dtype == TIMESTAMP:
        return pd.DatetimeIndex(values, dtype=TIMESTAMP)
    if dtype == "object":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return pd.array(values, dtype=dtype)
