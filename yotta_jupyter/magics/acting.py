"""The commands that act on pods: pause, resume, delete."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ..api import InvalidRequest, Pod, PodNotFound, YottaError
from ..api.text import printable
from .command import Command, LineParser
from .pods import resolve
from .shown import counted, dollars, rows_or_error, statuses_now
from .waiting import wait_with_progress

if TYPE_CHECKING:
    import pandas as pd

    from .session import Session

_BECOMING = {"pause": "PAUSING", "resume": "INITIALIZE", "delete": "TERMINATING"}
_BECOMES = {"pause": "PAUSED", "resume": "RUNNING", "delete": "TERMINATED"}


def _arguments(parser: LineParser) -> None:
    parser.add("pods", nargs="+", metavar="POD", completes="pod", help="ids, beginnings of ids, or names")
    parser.add("--wait", action="store_true", help="wait until it is done")
    parser.add("--yes", action="store_true", help="do not ask before a delete; a pause and a resume never ask")


def _act(action: str, session: Session, arguments: Namespace) -> pd.DataFrame | None:
    client = session.client
    pods = resolve(client, arguments.pods)
    if action == "delete" and not arguments.yes and not _agreed(pods):
        print("Nothing was deleted.")
        return None
    ids = [pod.id for pod in pods]
    call: Callable[[str], None] = getattr(client.pods, action)
    errors = dict(zip(ids, client.pods.each(call, ids), strict=True))
    asked = [pod for pod in pods if errors[pod.id] is None]
    statuses = statuses_now(session, {pod.id: _BECOMING[action] for pod in asked})
    if arguments.wait and asked:
        waited = wait_with_progress(session, asked, _BECOMES[action])
        if action == "delete":  # The API took it, and knows the pod no more.
            waited |= {
                pod.id: msgspec.structs.replace(pod, status="TERMINATED")
                for pod in asked
                if isinstance(waited[pod.id], PodNotFound)
            }
        errors |= {pod_id: outcome for pod_id, outcome in waited.items() if isinstance(outcome, YottaError)}
        statuses |= {pod_id: outcome.status for pod_id, outcome in waited.items() if isinstance(outcome, Pod)}
    return rows_or_error(action, pods, errors, statuses)


def _agreed(pods: list[Pod]) -> bool:
    """Ask before pods are deleted for good, naming them and what they cost."""
    from IPython.core.error import StdinNotImplementedError

    named = ", ".join(
        f"{printable(pod.name or pod.id, 60)} ({printable(pod.status, 20)}, {_cost(pod)})" for pod in pods[:8]
    )
    more = f" and {len(pods) - 8} more" if len(pods) > 8 else ""
    question = f"Delete {counted(len(pods), 'pod')} for good: {named}{more}? [y/N] "
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (StdinNotImplementedError, EOFError):
        pass
    except KeyboardInterrupt:
        print()
        return False
    raise InvalidRequest("Nobody can answer here, so nothing was deleted. To delete without being asked: add --yes")


def _cost(pod: Pod) -> str:
    if pod.status == "INITIALIZE":
        return f"{dollars(pod.hourly_price)} when it runs"
    return dollars(pod.hourly_cost)


COMMANDS: tuple[Command, ...] = (
    Command("pause", "Pause pods: only their volumes are charged then.", _arguments, partial(_act, "pause")),
    Command("resume", "Resume paused pods.", _arguments, partial(_act, "resume")),
    Command("delete", "Delete pods for good; asks first.", _arguments, partial(_act, "delete")),
)
