"""The commands that change pods: pause, resume, delete."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ...client import Client
from ...create_command import CREATE_FLAGS
from ...errors import PodNotFound, YottaError
from ...formatting import format_rate, join_limited, pluralize
from ...models import Pod, summarize
from ...sanitize import single_line
from ...statuses import TRANSITIONS
from ..display import print_note, results_or_raise
from ..parser import Command, LineParser
from ..prompts import confirm
from ..resolve import resolve_pods
from ..session import Session
from ..waiting import split_outcomes, wait_for_pods
from .arguments import add_pods_argument

if TYPE_CHECKING:
    import pandas as pd

_MAX_NAMED: Final = 8
"""Pods that the question before a delete names; the others are counted."""


def _add_arguments(parser: LineParser) -> None:
    add_pods_argument(parser)
    parser.add_argument("--wait", action="store_true", help="wait until it is done")
    parser.add_argument("--yes", action="store_true", help="delete: do not ask")


def _run_action(action: str, session: Session, arguments: Namespace) -> pd.DataFrame | None:
    pods = resolve_pods(session.client, arguments.pods)
    running_cells = [] if action == "resume" else _describe_running_cells(session, pods)
    if action == "delete" and not arguments.yes:
        if not _confirm_delete(pods, running_cells):
            print("Nothing was deleted.")
            return None
    elif running_cells:
        print_note(f"{join_limited(running_cells, _MAX_NAMED)}; this ends it.")
    if action == "pause":
        _warn_of_data_loss(session, pods)
    if action == "resume" and arguments.wait:
        _wait_until_paused(session, pods)
    ids = [pod.id for pod in pods]
    errors: dict[str, YottaError | None] = dict(zip(ids, session.client.pods.bulk(action, ids), strict=True))
    accepted = [pod for pod in pods if errors[pod.id] is None]
    statuses = {pod.id: TRANSITIONS[action].during for pod in accepted}
    if not arguments.wait:
        statuses |= _fetch_statuses(session.client)
    elif accepted:
        wait_errors, wait_statuses = _wait_until_done(session, action, accepted)
        errors |= wait_errors
        statuses |= wait_statuses
    return results_or_raise(action, pods, errors, statuses)


def _wait_until_paused(session: Session, pods: Sequence[Pod]) -> None:
    pausing = [pod for pod in pods if pod.status == "PAUSING"]
    if pausing:
        wait_for_pods(session, pausing, "PAUSED")


def _fetch_statuses(client: Client) -> dict[str, str]:
    """Return the statuses of a new listing by id. Empty if the request fails: the action has succeeded."""
    try:
        return {pod.id: pod.status for pod in client.pods.list()}
    except YottaError:
        return {}


def _wait_until_done(
    session: Session, action: str, pods: Sequence[Pod]
) -> tuple[dict[str, YottaError | None], dict[str, str]]:
    """Wait until an accepted action is completed. Return errors and statuses by id."""
    target = TRANSITIONS[action].after
    outcomes = wait_for_pods(session, pods, target)
    errors, statuses = split_outcomes(outcomes, session.client.pods.cached)
    if action == "delete":
        for pod_id, error in errors.items():
            if isinstance(error, PodNotFound):  # A deleted pod may be missing from the API.
                errors[pod_id] = None
                statuses[pod_id] = target
    return errors, statuses


def _warn_of_data_loss(session: Session, pods: Sequence[Pod]) -> None:
    """Print what a pause may erase, once for each pod without a persistent volume."""
    pausable = [pod for pod in pods if TRANSITIONS["pause"].allows(pod.status)]
    affected = [pod for pod in pausable if not pod.has_persistent_volume and pod.id not in session.pause_warned_ids]
    if not affected:
        return
    session.pause_warned_ids.update(pod.id for pod in affected)
    names = join_limited([_name(pod) for pod in affected], _MAX_NAMED)
    volume, mount = CREATE_FLAGS["persistent_volume_in_gb"], CREATE_FLAGS["persistent_mount_path"]
    print_note(
        f"a pause may erase all files of {names}. Keep what matters elsewhere, "
        f"or create the pod with {volume} GB {mount} PATH: files at PATH stay."
    )


def _describe_running_cells(session: Session, pods: Sequence[Pod]) -> list[str]:
    """Return which cells run on pods that this notebook is connected to. Sends no request."""
    cells = []
    for pod in pods:
        remote = session.client.remotes.find(pod.id)
        title = remote.running_title if remote is not None else None
        if title is not None:
            cells.append(f"a cell is running on {_name(pod)}: {single_line(title, 60)}")
    return cells


def _confirm_delete(pods: Sequence[Pod], running_cells: Sequence[str]) -> bool:
    total = f" ({_format_total(pods)})" if len(pods) > 1 else ""
    descriptions = join_limited([_describe(pod) for pod in pods], _MAX_NAMED)
    running = f"; {join_limited(running_cells, _MAX_NAMED)}" if running_cells else ""
    return confirm(
        f"Delete {pluralize(len(pods), 'pod')}{total} permanently: {descriptions}{running}?",
        "Input is not possible here, so nothing was deleted. To delete without asking, add --yes",
    )


def _format_total(pods: Sequence[Pod]) -> str:
    """Return what pods cost now, such as ``$1.22 an hour in all``."""
    totals = summarize(pods)
    cost = f"{format_rate(totals.hourly_cost)} in all"
    if not totals.unpriced:
        return cost
    billable_count = sum(pod.is_billable for pod in pods)
    if totals.unpriced == billable_count:
        return "of unknown price"
    return f"{cost}, {totals.unpriced} of unknown price"


def _name(pod: Pod) -> str:
    return single_line(pod.name or pod.id, 60)


def _describe(pod: Pod) -> str:
    if pod.status == "INITIALIZE":  # Its hourly_cost is 0 until it runs.
        cost = f"{format_rate(pod.hourly_rate)} while it runs"
    else:
        cost = format_rate(pod.hourly_cost)
    return f"{_name(pod)} ({single_line(pod.status, 20)}, {cost})"


COMMANDS: tuple[Command, ...] = (
    Command("pause", "Pause pods: only their volumes are charged then.", partial(_run_action, "pause"), _add_arguments),
    Command("resume", "Resume paused pods.", partial(_run_action, "resume"), _add_arguments),
    Command("delete", "Delete pods permanently; asks first.", partial(_run_action, "delete"), _add_arguments),
)
