"""How DataFrames are shown in a notebook and in a terminal. Lengths and widths are in characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from typing import Any, Final

import pandas as pd

from .formatting import format_amount, format_time_left, pluralize
from .pod_columns import COLUMNS, CompactColumn
from .sanitize import single_line

_ROW_WIDTH: Final = 100
"""The width of a row in a terminal."""

_DISPLAY_WIDTH: Final = _ROW_WIDTH + 1
"""The option ``display.width``. pandas leaves the last character free."""

_WIDE_OPTIONS: Final = ("display.width", _DISPLAY_WIDTH, "display.max_columns", None, "display.max_colwidth", None)
"""Options of pandas that show all columns and texts in full."""

RESULT_COLUMNS: Final = ["name", "action", "ok", "status", "error"]
"""The columns of a `ResultsFrame`."""

_MAX_TEXT_LENGTH: Final = 18
_MAX_REGIONS_LENGTH: Final = 12
_MIN_COLUMN_WIDTH: Final = 4
_CELL_STYLE: Final = "text-align: left; white-space: nowrap;"
_SMALL_STYLE: Final = "font-size: 85%; opacity: 0.65;"

_MIN_PREFIX_LENGTH: Final = 4
_MAX_ID_LENGTH: Final = 64


class ReadableFrame(pd.DataFrame):
    """A DataFrame that shows long texts in full and amounts with two decimals. Its data stay exact.

    A DataFrame that pandas derives from it is a plain one.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        with _display_options():
            return repr(pd.DataFrame(self))  # pandas would write "Empty ReadableFrame".

    def _repr_html_(self) -> str | None:
        with _display_options():
            html: str | None = super()._repr_html_()  # type: ignore[misc]
            return html


class GpusFrame(ReadableFrame):
    """A DataFrame of GPU types. In a terminal, long lists of regions are truncated."""

    def __repr__(self) -> str:
        if "regions" not in self.columns:
            return super().__repr__()
        regions = [single_line(text, _MAX_REGIONS_LENGTH) for text in self["regions"].fillna("")]
        return repr(ReadableFrame(self.assign(regions=regions)))


class GuardsFrame(ReadableFrame):
    """A DataFrame of guards. The time left is shown as text, such as ``1 h 59 min``."""

    def __repr__(self) -> str:
        return repr(self._with_texts())

    def _repr_html_(self) -> str | None:
        return self._with_texts()._repr_html_()

    def _with_texts(self) -> ReadableFrame:
        if "left" not in self.columns:
            return ReadableFrame(self)
        texts = [None if pd.isna(left) else format_time_left(left.total_seconds()) for left in self["left"]]
        return ReadableFrame(self.assign(left=pd.array(texts, dtype="string")))


class ResultsFrame(ReadableFrame):
    """The results of an action. Shown without the column `error` if nothing failed, and as one line for one pod."""

    def __repr__(self) -> str:
        if not self._is_success():
            return super().__repr__()
        if len(self) == 1:
            return self.sentence()
        return repr(ReadableFrame(self.drop(columns="error")))

    def _repr_html_(self) -> str | None:
        if not self._is_success():
            return super()._repr_html_()
        if len(self) == 1:
            return None  # IPython then shows the text of `__repr__`.
        return ReadableFrame(self.drop(columns="error"))._repr_html_()

    def announce(self) -> None:
        """Print the result of one pod, and skip the next display of this frame.

        IPython displays only the last expression of a cell, so a result in a loop must be printed.
        """
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

    def _is_success(self) -> bool:
        """Return whether this still has the columns and rows of an action, and no row has an error."""
        if list(self.columns) != RESULT_COLUMNS or self.empty:
            return False
        return not self["error"].notna().any()


class PodsFrame(pd.DataFrame):
    """A DataFrame of pods. With the default columns it is shown as a compact view; its data stay exact.

    The view shortens GPU types and images and leaves out the SSH command.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return PodsFrame

    def __reduce_ex__(self, protocol: Any) -> Any:
        return pd.DataFrame, (pd.DataFrame(self),)  # A pickle is readable without this package.

    def __repr__(self) -> str:
        if not self._has_default_columns():
            return repr(pd.DataFrame(self))  # pandas would write "Empty PodsFrame".
        compact = _fit_terminal(self._compact().set_axis(_unique_prefixes(self.index)))
        with pd.option_context(*_WIDE_OPTIONS, "display.show_dimensions", False):
            text = repr(compact)
        _, tail = _visible_rows(len(self))
        all_are_visible = not tail
        return text if all_are_visible else f"{text}\n\n[{len(self)} pods, {len(self.columns)} columns]"

    def _repr_html_(self) -> str | None:
        if not self._has_default_columns() or not pd.get_option("display.notebook_repr_html"):
            html: str | None = super()._repr_html_()  # type: ignore[misc]
            return html
        compact = self._compact()
        ids = [single_line(pod_id, _MAX_ID_LENGTH) for pod_id in self.index]
        head, tail = _visible_rows(len(self))
        rows = [_html_row(compact.iloc[row], ids[row]) for row in head]
        if tail:
            rows.append(_html_row(["…"] * len(compact.columns), "…"))
            rows += [_html_row(compact.iloc[row], ids[row]) for row in tail]
        header = "".join(f'<th style="{_CELL_STYLE}">{escape(name)}</th>' for name in [*compact.columns, "id"])
        columns = ", ".join(self.columns)
        return (
            f'<table class="dataframe"><thead><tr>{header}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
            f'<p style="{_SMALL_STYLE}">{pluralize(len(self), "pod")}. Columns of the DataFrame: {columns}</p>'
        )

    def _has_default_columns(self) -> bool:
        """Return whether the columns, their order, their dtypes and the index are the default, and there are rows."""
        dtypes = [(name, str(dtype)) for name, dtype in self.dtypes.items()]
        default_dtypes = [(name, column.dtype) for name, column in COLUMNS.items()]
        return dtypes == default_dtypes and self.index.name == "id" and not self.empty

    def _compact(self) -> pd.DataFrame:
        """Return the rows as short texts."""
        values = pd.DataFrame(self).astype(object)
        rows = list(values.where(values.notna(), None).itertuples(index=False))
        texts = {
            column.header: [single_line(column.text_of(row) or "", _MAX_TEXT_LENGTH) for row in rows]
            for column in _compact_columns()
        }
        return pd.DataFrame(texts, index=self.index, dtype=object)


def _display_options() -> Any:
    return pd.option_context(*_WIDE_OPTIONS, "display.float_format", format_amount)


def _compact_columns() -> list[CompactColumn]:
    columns = [column.compact for column in COLUMNS.values() if column.compact]
    return sorted(columns, key=lambda column: not column.is_leading)


def _fit_terminal(compact: pd.DataFrame) -> pd.DataFrame:
    """Shorten the longest texts until a row fits the terminal. pandas would move whole columns below the others."""
    widths = {name: max(len(str(name)), *map(len, compact[name])) for name in compact.columns}
    index_width = max(map(len, compact.index))
    shrinkable = [column.header for column in _compact_columns() if column.is_shrinkable]
    limit = _ROW_WIDTH - index_width - 2 * len(widths)  # pandas puts two spaces before each column.
    while sum(widths.values()) > limit:
        longest = max(shrinkable, key=lambda name: widths[name])
        if widths[longest] <= _MIN_COLUMN_WIDTH:
            break
        widths[longest] -= 1
    shortened = {name: [single_line(text, widths[name]) for text in compact[name]] for name in shrinkable}
    return compact.assign(**shortened)


def _visible_rows(count: int) -> tuple[range, range]:
    """Return which rows to show, as pandas would: all of them, or the first ones and the last ones.

    Parameters
    ----------
    count : int
        The number of rows.

    Returns
    -------
    (range, range)
        The first and the last ones; the second range is empty if all rows are shown.
    """
    maximum = pd.get_option("display.max_rows")
    if maximum is None or count <= maximum:
        return range(count), range(0)
    shown = min(pd.get_option("display.min_rows") or maximum, maximum)
    tail = shown // 2
    return range(shown - tail), range(count - tail, count)


def _html_row(values: Iterable[str], pod_id: str) -> str:
    cells = "".join(f'<td style="{_CELL_STYLE}">{escape(value)}</td>' for value in values)
    return f'<tr>{cells}<td style="{_CELL_STYLE} {_SMALL_STYLE}">{escape(pod_id)}</td></tr>'


def _unique_prefixes(ids: Iterable[str]) -> list[str]:
    """Return the beginnings of ids in the smallest length in which they differ. ``%yotta`` accepts them as ids."""
    ids = list(ids)
    length = _MIN_PREFIX_LENGTH
    while len({pod_id[:length] for pod_id in ids}) < len(set(ids)):
        length += 1
    return [pod_id if len(pod_id) <= length + 1 else f"{pod_id[:length]}…" for pod_id in ids]
