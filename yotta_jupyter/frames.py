"""Pods as a pandas DataFrame: the one place that names its columns and dtypes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from . import ssh
from .api import Pod
from .api.models import STATUSES, Whole, hourly_cost, status_name
from .api.secret import MASK

TIME: Final = "datetime64[us, UTC]"

COLUMNS: Final = {
    "name": "string",
    "status": "category",
    "gpu_type": "string",
    "gpu_count": "Int64",
    "region": "string",
    "image": "string",
    "hourly_cost": "float64",
    "ssh": "string",
    "created_at": TIME,
}
"""The columns of a listing, with their dtypes. The index is ``id``, a string."""

_DTYPES: Final[dict[Any, str]] = {
    str: "string",
    str | None: "string",
    Whole | None: "Int64",
    float | None: "float64",
    datetime | None: TIME,
}
_WIDE: Final = {
    field.name: _DTYPES.get(field.type, "object")
    for field in msgspec.structs.fields(Pod)
    if field.name not in {*COLUMNS, "id", "pod_name"}
}
_SAME: Final = ["id", *(name for name in COLUMNS if name in Pod.__struct_fields__)]
_PRICED: Final = list(inspect.signature(hourly_cost).parameters)
_AT_ONCE: Final = 256
"""Pods that are taken apart together, few enough that they stay in the processor's cache meanwhile."""


class ShownWhole(pd.DataFrame):
    """A DataFrame whose texts are shown whole, not cut at pandas' 50 characters; what is made of it is a plain one."""

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


def pods_frame(pods: Sequence[Any], wide: bool = False) -> pd.DataFrame:
    """Return pods as a DataFrame, in the order given.

    Parameters
    ----------
    pods : sequence of Pod
        Or what `yotta_jupyter.api.v1.rows` returns.
    wide : bool, default False
        All fields of the API, in snake_case, behind the default columns. `environment_vars` are dicts with masked
        values; `extra` holds the fields that the contract does not know. `ssh_cmd` is the server's text as it came:
        use `ssh`.

    Returns
    -------
    pandas.DataFrame
        Index `id`; columns and dtypes as `COLUMNS` says, for an empty listing too. `hourly_cost` is US dollars an hour
        in the present status, NaN where no price is known; `ssh` is the command of a pod that is reachable now, else
        missing; times are UTC. The categories of `status` are the contract's, then any unknown ones that occur.
    """
    dtypes = COLUMNS | _WIDE if wide else COLUMNS
    columns: dict[str, list[Any]] = {name: [] for name in ["id", *dtypes]}
    for start in range(0, len(pods), _AT_ONCE):
        for name, values in _columns(pods[start : start + _AT_ONCE], wide).items():
            columns[name] += values
    ids = columns.pop("id")
    return pd.DataFrame(
        {name: _array(values, dtypes[name]) for name, values in columns.items()},
        index=pd.Index(_array(ids, "string"), name="id", copy=False),
        copy=False,
    )


def cost_frame(pods: Sequence[Pod]) -> pd.DataFrame:
    """Return what pods cost, the dearest first.

    Parameters
    ----------
    pods : sequence of Pod

    Returns
    -------
    pandas.DataFrame
        Index `id`; `name`, `status`, `hourly_cost` (US dollars an hour now) and `hourly_price` (while running). NaN
        where no price is known. Pods that have ended are left out.
    """
    costing = sorted((pod for pod in pods if pod.may_cost), key=lambda pod: -(pod.hourly_cost or 0.0))
    return pd.DataFrame(
        {
            "name": _array([pod.pod_name for pod in costing], "string"),
            "status": _array([pod.status for pod in costing], "string"),
            "hourly_cost": _array([pod.hourly_cost for pod in costing], "float64"),
            "hourly_price": _array([pod.hourly_price for pod in costing], "float64"),
        },
        index=pd.Index(_array([pod.id for pod in costing], "string"), name="id"),
    )


def outcomes_frame(asked: str, outcomes: Sequence[tuple[str, str | None, str, Exception | None]]) -> pd.DataFrame:
    """Return what came of something that was asked of several pods.

    Parameters
    ----------
    asked : str
        Such as ``pause``.
    outcomes : sequence of (str, str or None, str, Exception or None)
        Each pod's id, name, status now, and error.

    Returns
    -------
    pandas.DataFrame
        Index `id`; `name`, `asked`, `ok` (bool), `status`, `error`, which is shown whole.
    """
    return ShownWhole(
        {
            "name": _array([name for _, name, _, _ in outcomes], "string"),
            "asked": _array([asked] * len(outcomes), "string"),
            "ok": np.array([error is None for *_, error in outcomes], dtype=bool),
            "status": _array([status for _, _, status, _ in outcomes], "category"),
            "error": _array([None if error is None else str(error) for *_, error in outcomes], "string"),
        },
        index=pd.Index(_array([pod_id for pod_id, *_ in outcomes], "string"), name="id"),
    )


def _array(values: list[Any], dtype: Any) -> Any:
    if dtype == "category":
        categories = [*STATUSES, *sorted(set(values).difference(STATUSES, (None,)))]
        codes: dict[str | None, int] = {category: code for code, category in enumerate(categories)}
        codes[None] = -1
        return pd.Categorical.from_codes([codes[value] for value in values], dtype=pd.CategoricalDtype(categories))
    if dtype == TIME:
        return _times(values)
    if dtype == "object":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return pd.array(values, dtype=dtype)


def _times(values: list[Any]) -> pd.DatetimeIndex:
    """Read times of the contract's form at once, and any other one by one; what is no time is missing."""
    try:
        if isinstance(next(filter(None, values), None), datetime):
            return pd.DatetimeIndex(values, dtype=TIME)
        naive = np.array(values, dtype="datetime64[us]")
    except (TypeError, ValueError):
        utc = [pd.to_datetime(value, utc=True, errors="coerce") for value in values]
        return pd.DatetimeIndex(utc, dtype=TIME)
    return pd.DatetimeIndex(naive).tz_localize("UTC")


def _columns(pods: Sequence[Any], wide: bool) -> dict[str, Iterable[Any]]:
    """Return the values of all columns, by name."""
    fields = dict(zip(pods[0].__struct_fields__, zip(*map(msgspec.structs.astuple, pods), strict=True), strict=True))
    # A pod without a status has none here, too: one that is missing.
    fields["status"] = statuses = [
        status if status in STATUSES else (status_name(status or "") or None) for status in fields["status"]
    ]
    columns = {
        **{name: fields[name] for name in _SAME},
        "name": fields["pod_name"],
        "hourly_cost": map(hourly_cost, *(fields[name] for name in _PRICED)),
        "ssh": [
            ssh.command_or_none(status, ports) if status == "RUNNING" else None
            for status, ports in zip(statuses, fields["expose"], strict=True)
        ],
    }
    if wide:
        columns |= {name: fields.get(name, ()) for name in _WIDE}
        columns["environment_vars"] = map(_masked_variables, fields["environment_vars"])
        columns["expose"] = map(_plain_ports, fields["expose"])
        columns["extra"] = fields.get("extra") or [{} for _ in pods]
    return columns


def _masked_variables(variables: Iterable[Any] | None) -> dict[str, str]:
    return {variable.key: MASK for variable in variables or ()}


def _plain_ports(ports: Iterable[Any] | None) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(port) for port in ports or ()]
