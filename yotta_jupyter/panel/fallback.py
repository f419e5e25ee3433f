"""Static tables of pods: HTML for saved notebooks without a kernel, text for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from ..formatting import format_amount, format_rate, pluralize
from ..models import Pod, summarize
from ..sanitize import single_line

MAX_ROWS: Final = 100
"""Maximum rows of a table, so that a saved notebook stays small."""

CSS_CLASS: Final = "yotta-static"
"""The style sheet hides elements of this class beside a live panel."""

_ALIGN: Final = "style='text-align:left'"
_COLUMN_NAMES: Final = ("Name", "Status", "GPUs", "Region", "Image", "$ / hour", "Id")


def html(pods: Sequence[Pod], heading: str, as_of: datetime | None) -> str:
    """Return the pods as an HTML table.

    Parameters
    ----------
    pods : sequence of Pod
    heading : str
        What the pods are, such as ``Pods at https://example.com``.
    as_of : datetime or None
        When the pods were listed, in UTC; None if they have not been.

    Returns
    -------
    str
    """
    head = "".join(f"<th {_ALIGN}>{escape(name)}</th>" for name in _COLUMN_NAMES)
    rows = "".join(f"<tr>{_html_cells(pod)}</tr>" for pod in pods[:MAX_ROWS])
    return (
        f"<div class='{CSS_CLASS}'><p>{escape(_caption(pods, heading, as_of))} "
        f"Run <code>%yotta panel</code> for the live control panel.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def text(pods: Sequence[Pod], heading: str, as_of: datetime | None) -> str:
    """Return the pods as a table of plain text.

    Parameters
    ----------
    pods, heading, as_of
        As for `html`.

    Returns
    -------
    str
    """
    cells = [_COLUMN_NAMES, *(_cells(pod) for pod in pods[:MAX_ROWS])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_COLUMN_NAMES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([_caption(pods, heading, as_of), *lines])


def _caption(pods: Sequence[Pod], heading: str, as_of: datetime | None) -> str:
    if as_of is None:
        return f"{heading}: not listed yet."
    cost = format_rate(summarize(pods).hourly_cost)
    more = f"; the first {MAX_ROWS} are shown" if len(pods) > MAX_ROWS else ""
    return f"{heading}: {pluralize(len(pods), 'pod')}, {cost}, as of {as_of:%Y-%m-%d %H:%M:%S} UTC{more}."


def _html_cells(pod: Pod) -> str:
    return "".join(f"<td {_ALIGN}>{escape(cell)}</td>" for cell in _cells(pod))


def _cells(pod: Pod) -> tuple[str, ...]:
    cost = pod.hourly_cost
    return (
        single_line(pod.name or "", 40),
        single_line(pod.status, 20),
        f"{pod.gpu_count or '?'} × {single_line(pod.gpu_type or 'unknown', 30)}",
        single_line(pod.region or "", 30),
        single_line((pod.image or "").rpartition("/")[2], 40),
        "" if cost is None else format_amount(cost),
        single_line(pod.id, 24),
    )
