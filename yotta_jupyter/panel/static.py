"""The panel where it is not alive: a table for saved notebooks, and one of text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from ..api import Pod
from ..api.text import printable

MOST: Final = 100
"""Rows of a static table; a saved notebook stays small."""

CLASS: Final = "yotta-static"
"""By this class the live panel's style hides the static table beside it."""

_HEADINGS: Final = ("Name", "Status", "GPUs", "Region", "Image", "$ / hour", "Id")


def html(pods: Sequence[Pod], heading: str, at: datetime | None) -> str:
    """Return a table as HTML, with the time as of which it is true.

    Parameters
    ----------
    pods : sequence of Pod
    heading : str
        Where the pods are.
    at : datetime or None
        When they were listed; None where they were not, yet.

    Returns
    -------
    str
    """
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in _HEADINGS)
    rows = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in _cells(pod)) + "</tr>"
        for pod in pods[:MOST]
    )
    return (
        f"<div class='{CLASS}'><p>{escape(_told(pods, heading, at))} "
        f"Run <code>%yotta panel</code> for the live control panel.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def text(pods: Sequence[Pod], heading: str, at: datetime | None) -> str:
    """Return a table as text; parameters as for `html`."""
    cells = [_HEADINGS, *(_cells(pod) for pod in pods[:MOST])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([_told(pods, heading, at), *lines])


def _told(pods: Sequence[Pod], heading: str, at: datetime | None) -> str:
    if at is None:
        return f"{heading}: not listed yet."
    cost = sum(pod.hourly_cost or 0.0 for pod in pods)
    more = f"; the first {MOST} are shown" if len(pods) > MOST else ""
    return f"{heading}: {len(pods)} pods, ${cost:.2f} an hour, as of {at:%Y-%m-%d %H:%M:%S} UTC{more}."


def _cells(pod: Pod) -> tuple[str, ...]:
    cost = pod.hourly_cost
    return (
        printable(pod.name or "", 40),
        printable(pod.status, 20),
        f"{pod.gpu_count or '?'} × {printable(pod.gpu_type or 'unknown', 30)}",
        printable(pod.region or "", 30),
        printable((pod.image or "").rpartition("/")[2], 40),
        "" if cost is None else f"{cost:.2f}",
        printable(pod.id, 24),
    )
