"""The command for what pods cost and have cost: cost."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ...errors import InvalidRequest
from ...formatting import format_amount, format_rate, pluralize
from ...guard.ledger import COSTS_BY
from ...models import summarize
from ..parser import Command, LineParser
from ..session import Session

if TYPE_CHECKING:
    import pandas as pd


def _add_arguments(parser: LineParser) -> None:
    parser.add_argument(
        "--since",
        metavar="D",
        help="what the pods have cost in the last D, such as 7d or 12h: an estimate from listings",
    )
    parser.add_argument(
        "--by", metavar="KEY", choices=COSTS_BY, help=f"with --since: {', '.join(COSTS_BY)}; default: pod"
    )


def _cost(session: Session, arguments: Namespace) -> pd.DataFrame:
    if arguments.since is not None:
        return _cost_since(session, arguments.since, arguments.by or "pod")
    if arguments.by is not None:
        raise InvalidRequest("--by needs --since, such as: %yotta cost --since 7d --by day")
    from ...pod_frames import cost_frame

    pods = session.client.pods.list()
    totals = summarize(pods)
    unknown = f", without {totals.unpriced} of unknown price" if totals.unpriced else ""
    print(
        f"Total: {format_rate(totals.hourly_cost)} now, {format_rate(totals.hourly_rate)} while all pods run{unknown}."
    )
    return cost_frame(pods)


def _cost_since(session: Session, since: str, by: str) -> pd.DataFrame:
    client = session.client
    client.costs(since, by)  # Raises for an invalid --since before a request is sent.
    client.pods.list()  # Updates the ledger, from which costs are computed.
    frame = client.costs(since, by)
    total = f"${format_amount(frame['estimated_cost'].sum())}"
    unobserved = frame["unobserved_hours"].sum()
    incomplete = int((~frame["complete"]).sum())
    print(f"Estimated total of the observed hours: {total}.{_format_gaps(incomplete, unobserved)}")
    return frame


def _format_gaps(incomplete: int, unobserved_hours: float) -> str:
    if not incomplete:
        return ""
    return (
        f" Not complete: {pluralize(incomplete, 'row')} with hours that no listing on this machine showed "
        f"({unobserved_hours:.1f} h) or without a price; what they cost is unknown."
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        "cost",
        "Show what each pod costs an hour now; with --since, what it has cost, an estimate.",
        _cost,
        _add_arguments,
        only_reads=True,
    ),
)
