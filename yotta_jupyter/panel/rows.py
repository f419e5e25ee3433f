"""A pod as a row of the panel's table, in the form in which it travels to the browser."""

from __future__ import annotations

from typing import Any, Final

from .. import ssh
from ..api import Pod, PodSpec
from ..api.text import printable

FIELDS: Final = (
    "id",
    "name",
    "status",
    "gpu_type",
    "gpu_count",
    "region",
    "image",
    "hourly_cost",
    "hourly_price",
    "created_at",
    "ssh",
    "asked",
    "error",
)
"""What stands where in a row. The front end knows them by the same order."""

ASKED: Final = FIELDS.index("asked")
ERROR: Final = FIELDS.index("error")
LONGEST: Final = 200
"""Characters of a text that travel; the table shows fewer."""

Row = list[Any]


def row_of(pod: Pod, asked: str | None = None, error: str | None = None) -> Row:
    """Return the row of a pod.

    Parameters
    ----------
    pod : Pod
    asked : str, optional
        What was asked of it and is not seen yet.
    error : str, optional
        What went wrong with what was asked last.

    Returns
    -------
    list
        As `FIELDS` says; texts on one line, prices in US dollars an hour, the time in seconds since 1970.
    """
    return [
        pod.id,
        _line(pod.name),
        _line(pod.status),
        _line(pod.gpu_type),
        pod.gpu_count,
        _line(pod.region),
        _line(pod.image),
        _dollars(pod.hourly_cost),
        _dollars(pod.hourly_price),
        int(pod.created_at.timestamp()) if pod.created_at else None,
        ssh.command_or_none(pod.status, pod.expose),
        asked,
        error,
    ]


def launching_row(key: str, spec: PodSpec, error: str | None = None) -> Row:
    """Return the row of a pod that is being created and has no id yet; `key` stands in the id's place."""
    row: Row = [None] * len(FIELDS)
    row[:7] = [
        key,
        _line(spec.pod_name),
        "LAUNCHING",
        _line(spec.gpu_type),
        spec.gpu_count,
        _line(spec.region),
        _line(spec.image),
    ]
    row[ASKED], row[ERROR] = (None, error) if error else ("launch", None)
    return row


def _line(text: str | None) -> str | None:
    if text is None or (len(text) <= LONGEST and text.isprintable()):
        return text
    return printable(text, LONGEST)


def _dollars(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 4) or 0
