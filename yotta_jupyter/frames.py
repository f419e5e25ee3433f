"""pandas DataFrames of pods: their columns and dtypes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from html import escape
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from . import ssh
from .formatting import format_age, format_amount, pluralize, short_gpu_type, short_image
from .gc_pause import gc_paused
from .models import Int64, Pod
from .sanitize import single_line
from .secret import MASK
from .statuses import STATUSES

TIMESTAMP: Final = "datetime64[us, UTC]"
TERMINAL_WIDTH: Final = 100
"""Characters of the compact view in a terminal."""

_MAX_TEXT: Final = 18
_MAX_GPU_TYPE: Final = 14
_REGIONS_WIDTH: Final = 12
_FLEXIBLE: Final = ("name", "GPUs", "region", "image")
"""The columns of the compact view that are shortened in a terminal."""

_MIN_WIDTH: Final = 4
_LEFT: Final = "text-align: left; white-space: nowrap;"
_SMALL: Final = "font-size: 85%; opacity: 0.65;"
_MIN_ID_LENGTH: Final = 4
_MAX_ID_LENGTH: Final = 64


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
    "expose": Column("object", lambda pod: list(map(msgspec.structs.asdict, pod.expose))),
}


class UntruncatedFrame(pd.DataFrame):
    """A DataFrame that shows long texts in full and amounts with two decimals.

    The data stay exact, and whatever pandas derives from it is a plain DataFrame.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        with _display_options():
            return repr(pd.DataFrame(self))  # pandas would write "Empty UntruncatedFrame".

    def _repr_html_(self) -> str | None:
        with _display_options():
            html: str | None = super()._repr_html_()  # type: ignore[misc]
            return html


class GpusFrame(UntruncatedFrame):
    """A DataFrame of GPU types. A terminal shows the beginning of a long list of regions."""

    def __repr__(self) -> str:
        if "regions" not in self.columns:
            return super().__repr__()
        regions = [single_line(regions, _REGIONS_WIDTH) for regions in self["regions"].fillna("")]
        return repr(UntruncatedFrame(self.assign(regions=regions)))


class ResultsFrame(UntruncatedFrame):
    """The results of an action. Shown without the column `error` if nothing failed, and as one line for one pod."""

    def __repr__(self) -> str:
        if not self._is_intact() or self["error"].notna().any():
            return super().__repr__()
        if len(self) == 1:
            return self.sentence()
        return repr(UntruncatedFrame(self.drop(columns="error")))

    def _repr_html_(self) -> str | None:
        if not self._is_intact() or self["error"].notna().any():
            return super()._repr_html_()
        if len(self) == 1:
            return None
        return UntruncatedFrame(self.drop(columns="error"))._repr_html_()

    def announce(self) -> None:
        """Print the result of one pod, because a loop displays no results, and skip the next display."""
        print(self.sentence())
        self.__dict__["_is_announced"] = True

    def _ipython_display_(self) -> None:
        if not self.__dict__.pop("_is_announced", False):
            raise NotImplementedError  # IPython then displays the frame as usual.
        if sys.stdout.isatty():
            sys.stdout.write("\r\x1b[K")  # A terminal has already written "Out[1]: ".

    def sentence(self) -> str:
        """Return the first row as one line, such as ``train (331864222263676928) is PAUSING.``"""
        row = self.iloc[0]
        name = "" if pd.isna(row["name"]) else f"{single_line(row['name'], 60)} "
        pod_id = single_line(self.index[0], _MAX_ID_LENGTH)
        status = single_line(row["status"], 40)
        return f"{name}({pod_id}) is {status}." if name else f"{pod_id} is {status}."

    def _is_intact(self) -> bool:
        return list(self.columns) == ["name", "action", "ok", "status", "error"] and len(self) > 0


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
            return repr(pd.DataFrame(self))  # pandas would write "Empty PodsFrame".
        compact = _fit(self._compact().set_axis(_unique_prefixes(self.index)))
        options = ("display.width", TERMINAL_WIDTH, "display.max_columns", None, "display.max_colwidth", None)
        with pd.option_context(*options, "display.show_dimensions", False):
            text = repr(compact)
        is_truncated = bool(_visible_rows(len(self))[1])
        return f"{text}\n\n[{len(self)} pods, {len(self.columns)} columns]" if is_truncated else text

    def _repr_html_(self) -> str | None:
        if not self._is_listing() or not pd.get_option("display.notebook_repr_html"):
            html: str | None = super()._repr_html_()  # type: ignore[misc]
            return html
        compact, ids = self._compact(), [single_line(pod_id, 64) for pod_id in self.index]
        head, tail = _visible_rows(len(self))
        rows = [_html_row(compact.iloc[row], ids[row]) for row in head]
        if tail:
            rows += [_html_row(["…"] * len(compact.columns), "…"), *(_html_row(compact.iloc[r], ids[r]) for r in tail)]
        header = "".join(f'<th style="{_LEFT}">{escape(name)}</th>' for name in [*compact.columns, "id"])
        columns = ", ".join(self.columns)
        return (
            f'<table class="dataframe"><thead><tr>{header}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
            f'<p style="{_SMALL}">{pluralize(len(self), "pod")}. Columns of the DataFrame: {columns}</p>'
        )

    def _is_listing(self) -> bool:
        dtypes = {name: str(dtype) for name, dtype in self.dtypes.items()}
        expected = {name: column.dtype for name, column in COLUMNS.items()}
        return list(dtypes.items()) == list(expected.items()) and self.index.name == "id" and len(self) > 0

    def _compact(self) -> pd.DataFrame:
        gpus = [
            f"{'?' if pd.isna(count) else count} × {single_line(short_gpu_type(gpu_type), _MAX_GPU_TYPE)}"
            for count, gpu_type in zip(self["gpu_count"], self["gpu_type"].fillna("?"), strict=True)
        ]
        age = (pd.Timestamp.now(tz="UTC") - self["created_at"]).dt.total_seconds()
        columns = {
            "name": _shorten(self["name"].fillna("")),
            "status": _shorten(self["status"].astype("string").fillna("?")),
            "$/hour": ["?" if pd.isna(cost) else format_amount(cost) for cost in self["hourly_cost"]],
            "GPUs": gpus,
            "region": _shorten(self["region"].fillna("")),
            "image": _shorten(short_image(image) for image in self["image"].fillna("")),
            "age": ["" if pd.isna(seconds) else format_age(seconds) for seconds in age],
        }
        return pd.DataFrame(columns, index=self.index, dtype=object)


def _display_options() -> Any:
    return pd.option_context(
        *("display.max_colwidth", None),
        *("display.width", TERMINAL_WIDTH + 1),  # pandas fills one character less.
        *("display.max_columns", None),
        *("display.float_format", format_amount),
    )


def _shorten(texts: Iterable[str]) -> list[str]:
    return [single_line(text, _MAX_TEXT) for text in texts]


def _fit(compact: pd.DataFrame) -> pd.DataFrame:
    """Shorten the longest texts until a row fits the terminal. pandas would move whole columns below the others."""
    widths = {name: max(len(str(name)), *map(len, compact[name])) for name in compact.columns}
    index_width = max(map(len, compact.index))
    limit = TERMINAL_WIDTH - index_width - 2 * len(widths) - 1
    while sum(widths.values()) > limit:
        longest = max(_FLEXIBLE, key=lambda name: widths[name])
        if widths[longest] <= _MIN_WIDTH:
            break
        widths[longest] -= 1
    return compact.assign(**{name: [single_line(text, widths[name]) for text in compact[name]] for name in _FLEXIBLE})


def _visible_rows(count: int) -> tuple[range, range]:
    """Return the rows at the start and at the end that pandas would show of so many."""
    maximum = pd.get_option("display.max_rows")
    if maximum is None or count <= maximum:
        return range(count), range(0)
    shown = min(pd.get_option("display.min_rows") or maximum, maximum)
    return range(shown // 2 + shown % 2), range(count - shown // 2, count)


def _html_row(values: Iterable[str], pod_id: str) -> str:
    cells = "".join(f'<td style="{_LEFT}">{escape(value)}</td>' for value in values)
    return f'<tr>{cells}<td style="{_LEFT} {_SMALL}">{escape(pod_id)}</td></tr>'


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
    with gc_paused():
        arrays = {name: _to_array(list(map(column.value, pods)), column.dtype) for name, column in columns.items()}
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
    billable = sorted((pod for pod in pods if pod.is_billable), key=lambda pod: -(pod.hourly_cost or 0.0))
    return UntruncatedFrame(
        {
            "name": _to_array([pod.pod_name for pod in billable], "string"),
            "status": _to_array([pod.status for pod in billable], "string"),
            "hourly_cost": _to_array([pod.hourly_cost for pod in billable], "float64"),
            "hourly_rate": _to_array([pod.hourly_rate for pod in billable], "float64"),
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
        Index `id`; `name`, `action`, `ok` (bool), `status`, `error`. Shown as one line for one pod without an error.
    """
    return ResultsFrame(
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
    lengths = range(_MIN_ID_LENGTH, _MAX_ID_LENGTH + 1)
    length = next(n for n in lengths if len({pod_id[:n] for pod_id in ids}) == len(set(ids)))
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
