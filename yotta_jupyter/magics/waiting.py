"""The command that waits for pods, and how other commands wait."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..api import InvalidRequest, Pod, YottaError
from ..api.text import printable
from ..api.wait import checked_target
from .command import Command, LineParser
from .pods import resolve
from .progress import wait_progress
from .shown import rows_or_error, statuses_now

if TYPE_CHECKING:
    import pandas as pd

    from .session import Session

DEFAULT_TIMEOUT = 900.0


def wait_with_progress(
    session: Session, pods: list[Pod], target: str, timeout: float = DEFAULT_TIMEOUT
) -> dict[str, Pod | YottaError]:
    """Wait for pods, and show how far they are.

    Parameters
    ----------
    session : Session
    pods : list of Pod
    target : str
        A status, or ``SSH``.
    timeout : float
        Seconds.

    Returns
    -------
    dict
        As `PodsClient.wait_all` returns it.
    """
    with wait_progress(session.shell, target, {pod.id: pod.name or pod.id for pod in pods}) as progress:
        return session.client.pods.wait_all([pod.id for pod in pods], target, timeout, progress=progress)


def _arguments(parser: LineParser) -> None:
    parser.add("pods", nargs="+", metavar="POD", completes="pod", help="ids, beginnings of ids, or names")
    parser.add(
        "--until",
        default="running",
        metavar="STATUS",
        completes="wait_target",
        help="a status, or ssh; running without it",
    )
    parser.add("--timeout", default=f"{DEFAULT_TIMEOUT:.0f}", metavar="S", help="seconds; 900 without it")


def _wait(session: Session, arguments: Namespace) -> pd.DataFrame:
    target, timeout = checked_target(arguments.until), _seconds(arguments.timeout)
    pods = resolve(session.client, arguments.pods)
    outcomes = wait_with_progress(session, pods, target, timeout)
    errors = {pod_id: outcome if isinstance(outcome, YottaError) else None for pod_id, outcome in outcomes.items()}
    seen = {pod_id: outcome.status for pod_id, outcome in outcomes.items() if isinstance(outcome, Pod)}
    return rows_or_error(f"wait until {target}", pods, errors, {**statuses_now(session, {}), **seen})


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(f"--timeout takes seconds, such as 900, not {printable(text, 40)!r}.") from None


COMMANDS: tuple[Command, ...] = (
    Command("wait", "Wait until pods run, are reachable by SSH, or have another status.", _arguments, _wait),
)
