"""The columns of a DataFrame of pods."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from . import ssh
from .models import Int64, Pod
from .secret import MASK
from .statuses import STATUSES

TIMESTAMP: Final = "datetime64[us, UTC]"


class Column(NamedTuple):
    """A column of a DataFrame of pods.

    Attributes
    ----------
    dtype : str
        ``category`` for the status.
    value_of : callable
        Returns the value for a pod; None if missing.
    """

    dtype: str
    value_of: Callable[[Pod], Any]


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
"""The dtype of a column, by the type of the field of `Pod`. Any other field is an ``object``."""

_FIELD_COLUMNS: Final = {
    field.name: Column(_DTYPES.get(field.type, "object"), attrgetter(field.name))
    for field in msgspec.structs.fields(Pod)
    if field.name not in ("id", "pod_name")  # The index, and the column `name`.
}

WIDE_COLUMNS: Final = {
    **COLUMNS,
    **{name: column for name, column in _FIELD_COLUMNS.items() if name not in COLUMNS},
    "environment_vars": Column("object", lambda pod: {variable.key: MASK for variable in pod.environment_vars}),
    "expose": Column("object", lambda pod: [msgspec.structs.asdict(port) for port in pod.expose]),
}
"""The default columns and all other fields of `Pod`, by name."""


def to_array(values: list[Any], dtype: Any) -> Any:
    """Return the values of a column as an array.

    Parameters
    ----------
    values : list
        None is missing.
    dtype : str
        As in `Column`.

    Returns
    -------
    array
    """
    if dtype == "category":
        return _to_categories([value or None for value in values])
    if dtype == TIMESTAMP:
        return pd.DatetimeIndex(values, dtype=TIMESTAMP)
    if dtype == "object":
        # np.array() would turn a list of equally long lists into an array of two dimensions.
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return pd.array(values, dtype=dtype)


def _to_categories(statuses: list[str | None]) -> pd.Categorical:
    """Return statuses as categories: the known statuses in their order, then any others."""
    unknown = sorted({status for status in statuses if status} - set(STATUSES))
    return pd.Categorical(statuses, categories=[*STATUSES, *unknown])
