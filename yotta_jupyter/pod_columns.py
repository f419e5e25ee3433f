"""The columns of a DataFrame of pods, and how the compact view shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from . import ssh
from .formatting import format_age, format_amount, short_gpu_type, short_image
from .models import Int64, Pod
from .secret import MASK
from .statuses import STATUSES

TIMESTAMP: Final = "datetime64[us, UTC]"


class CompactColumn(NamedTuple):
    """A column of the compact view of pods.

    Attributes
    ----------
    header : str
    text_of : callable
        Returns the text for a row of the DataFrame; None if there is nothing to show. The attributes of a row are the
        values of `COLUMNS`. A missing value is None.
    is_leading : bool, default False
        Leading columns come first. The order is that of `COLUMNS` otherwise.
    is_shrinkable : bool, default True
        Whether the texts are shortened to fit a terminal.
    """

    header: str
    text_of: Callable[[Any], str | None]
    is_leading: bool = False
    is_shrinkable: bool = True


class Column(NamedTuple):
    """A column of a DataFrame of pods.

    Attributes
    ----------
    dtype : str
        The pandas dtype, such as ``string``.
    value_of : callable
        Returns the value for a pod; None if missing.
    compact : CompactColumn or None
        How the compact view shows the column; None if it does not.
    """

    dtype: str
    value_of: Callable[[Pod], Any]
    compact: CompactColumn | None = None


def _gpus_text(row: Any) -> str:
    count = "?" if row.gpu_count is None else row.gpu_count
    return f"{count} × {short_gpu_type(row.gpu_type or '?')}"


def _cost_text(row: Any) -> str:
    return "?" if row.hourly_cost is None else format_amount(row.hourly_cost)


def _age_text(row: Any) -> str | None:
    if row.created_at is None:
        return None
    return format_age((datetime.now(UTC) - row.created_at).total_seconds())


COLUMNS: Final = {
    "name": Column("string", attrgetter("pod_name"), CompactColumn("name", attrgetter("name"), is_leading=True)),
    "status": Column(
        "category",
        attrgetter("status"),
        CompactColumn("status", lambda row: row.status or "?", is_leading=True, is_shrinkable=False),
    ),
    "gpu_type": Column("string", attrgetter("gpu_type"), CompactColumn("GPUs", _gpus_text)),
    "gpu_count": Column("Int64", attrgetter("gpu_count")),
    "region": Column("string", attrgetter("region"), CompactColumn("region", attrgetter("region"))),
    "image": Column("string", attrgetter("image"), CompactColumn("image", lambda row: short_image(row.image or ""))),
    "hourly_cost": Column(
        "float64", attrgetter("hourly_cost"), CompactColumn("$/hour", _cost_text, is_leading=True, is_shrinkable=False)
    ),
    "ssh": Column("string", ssh.try_command),
    "created_at": Column(TIMESTAMP, attrgetter("created_at"), CompactColumn("age", _age_text, is_shrinkable=False)),
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
        return _to_categories([status or None for status in values])  # A pod without a status has an empty one.
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
