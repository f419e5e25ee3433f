"""The wait command, and the wait of other commands with ``--wait``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...api.waiter import DEFAULT_WAIT_TIMEOUT, SSH, parse_target
from ...errors import InvalidRequest, YottaError
from ...models import Pod
from ...sanitize import single_line
from ..display import results_or_raise
from ..parser import Command, LineParser
from ..progress import progress_reporter
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_pods_argument

if TYPE_CHECKING:
    import pandas as pd


def wait_with_progress(
    session: Session, pods: Sequence[Pod], target: str, timeout: float = DEFAULT_WAIT_TIMEOUT
) -> dict[str, Pod | YottaError]:
    """Wait for pods and show progress.

    Parameters
    ----------
    session : Session
    pods : sequence of Pod
    target : str
        A status, or ``SSH``.
    timeout : float
        Seconds.

    Returns
    -------
    dict
        As returned by `PodsClient.wait_all`.
    """
    with progress_reporter(session.shell, target, {pod.id: pod.name or pod.id for pod in pods}) as report:
        return session.client.pods.wait_all([pod.id for pod in pods], target, timeout, progress=report)


def wait_until(session: Session, pod: Pod, target: str) -> Pod:
    """Wait for one pod and show progress.

    Parameters
    ----------
    session : Session
    pod : Pod
    target : str
        A status, or ``SSH``.

    Returns
    -------
    Pod

    Raises
    ------
    YottaError
        The pod cannot reach the target, or did not in time.
    """
    outcome = wait_with_progress(session, [pod], target)[pod.id]
    if isinstance(outcome, YottaError):
        raise outcome
    return outcome


def wait_for_use(session: Session, pod: Pod) -> Pod:
    """Wait until a pod can be used: SSH is ready if it is exposed, else the pod is RUNNING.

    Parameters
    ----------
    session : Session
    pod : Pod

    Returns
    -------
    Pod
    """
    return wait_until(session, pod, SSH if pod.ssh_port is not None else "RUNNING")


def split_outcomes(
    outcomes: Mapping[str, Pod | YottaError], cached: Mapping[str, Pod]
) -> tuple[dict[str, YottaError | None], dict[str, str]]:
    """Split the outcomes of a wait into errors and statuses.

    Parameters
    ----------
    outcomes : mapping of str to Pod or YottaError
        As returned by `wait_with_progress`.
    cached : mapping of str to Pod
        The latest known pods by id, used for pods whose wait failed.

    Returns
    -------
    errors : dict of str to YottaError or None
        By id.
    statuses : dict of str to str
        The latest known statuses by id.
    """
    errors = {pod_id: outcome if isinstance(outcome, YottaError) else None for pod_id, outcome in outcomes.items()}
    latest = {**cached, **{pod_id: outcome for pod_id, outcome in outcomes.items() if isinstance(outcome, Pod)}}
    return errors, {pod_id: latest[pod_id].status for pod_id in outcomes if pod_id in latest}


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
    target, timeout = parse_target(arguments.until), _parse_seconds(arguments.timeout)
    pods = resolve_pods(session.client, arguments.pods)
    outcomes = wait_with_progress(session, pods, target, timeout)
    errors, statuses = split_outcomes(outcomes, session.client.pods.cached)
    return results_or_raise(f"wait until {target}", pods, errors, statuses)


def _parse_seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(
            f"--timeout is a number of seconds, such as {DEFAULT_WAIT_TIMEOUT:.0f}, not {single_line(text, 40)!r}."
        ) from None


COMMANDS: tuple[Command, ...] = (
    Command("wait", "Wait until pods run, are reachable by SSH, or reach another status.", _wait, _add_arguments),
)
