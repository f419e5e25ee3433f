"""The command that waits for pods: wait."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...api.waiter import parse_target
from ...errors import InvalidRequest
from ...hints import pod_argument
from ...models import DEFAULT_WAIT_TIMEOUT, Pod
from ...sanitize import single_line
from ...statuses import TRANSITIONS
from ..display import print_note, results_or_raise
from ..parser import Command, LineParser
from ..resolve import resolve_pods
from ..session import Session
from ..waiting import split_outcomes, wait_for_pods
from .arguments import add_pods_argument

if TYPE_CHECKING:
    import pandas as pd


def _add_arguments(parser: LineParser) -> None:
    add_pods_argument(parser)
    parser.add_argument(
        "--until",
        default="running",
        metavar="STATUS",
        completes="wait_target",
        help="a status, or ssh; default: running",
    )
    default_timeout = f"{DEFAULT_WAIT_TIMEOUT:.0f}"
    parser.add_argument("--timeout", default=default_timeout, metavar="S", help=f"seconds; default: {default_timeout}")


def _wait(session: Session, arguments: Namespace) -> pd.DataFrame:
    target = parse_target(arguments.until)
    timeout = _parse_seconds(arguments.timeout)
    pods = resolve_pods(session.client, arguments.pods)
    _note_unrequested(session, pods, target)
    outcomes = wait_for_pods(session, pods, target, timeout)
    errors, statuses = split_outcomes(outcomes, session.client.pods.cached)
    return results_or_raise(f"wait until {target}", pods, errors, statuses)


def _note_unrequested(session: Session, pods: Sequence[Pod], target: str) -> None:
    """Print a note for each running pod that reaches the target only after a pause or delete."""
    for action in ("pause", "delete"):
        for pod in pods:
            if TRANSITIONS[action].after == target and pod.status == "RUNNING":
                argument = pod_argument(pod, session.known_pods)
                print_note(f"{pod.label} is RUNNING, and a wait does not {action} it. See %yotta {action} {argument}")


def _parse_seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(
            f"--timeout is a number of seconds, such as {DEFAULT_WAIT_TIMEOUT:.0f}, not {single_line(text, 40)!r}."
        ) from None


COMMANDS: tuple[Command, ...] = (
    Command(
        "wait",
        "Wait until pods run, are reachable by SSH, or reach another status.",
        _wait,
        _add_arguments,
        only_reads=True,
    ),
)
