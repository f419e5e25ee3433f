"""The commands that change pods: pause, resume, delete."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ...client import Client
from ...create_command import CREATE_FLAGS
from ...errors import PodNotFound, YottaError
from ...formatting import format_rate, join_limited, pluralize
from ...models import Pod, summarize
from ...sanitize import single_line
from ...statuses import TRANSITIONS
from ..confirm import confirm
from ..display import results_or_raise
from ..parser import Command, LineParser
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_pods_argument
from .wait import split_outcomes, wait_with_progress

if TYPE_CHECKING:
    import pandas as pd

_MAX_NAMED: Final = 8
"""Pods that the question before a delete names; the others are counted."""


def _add_arguments(parser: LineParser) -> None:
    add_pods_argument(parser)
    parser.add_argument("--wait", action="store_true", help="wait until it is done")
    parser.add_argument("--yes", action="store_true", help="delete: do not ask")


def _run_action(action: str, session: Session, arguments: Namespace) -> pd.DataFrame | None:
    client = session.client
    pods = resolve_pods(client, arguments.pods)
    if action == "delete" and not arguments.yes and not _confirm_delete(pods):
        print("Nothing was deleted.")
        return None
    if action == "pause":
        _warn_of_data_loss(session, pods)
    if action == "resume" and arguments.wait and (pausing := [pod for pod in pods if pod.status == "PAUSING"]):
        wait_with_progress(session, pausing, TRANSITIONS["pause"].after)
    ids = [pod.id for pod in pods]
    errors: dict[str, YottaError | None] = dict(zip(ids, client.pods.bulk(action, ids), strict=True))
    accepted = [pod for pod in pods if errors[pod.id] is None]
    statuses = {pod.id: TRANSITIONS[action].during for pod in accepted}
    if not arguments.wait:
        statuses = _fetch_statuses(client, statuses)
    elif accepted:
        wait_errors, wait_statuses = _wait(session, action, accepted)
        errors |= wait_errors
        statuses |= wait_statuses
    return results_or_raise(action, pods, errors, statuses)


def _fetch_statuses(client: Client, fallback: Mapping[str, str]) -> dict[str, str]:
    """Return the statuses of a new listing by id, and the fallback of each pod that it lacks."""
    try:
        return {**fallback, **{pod.id: pod.status for pod in client.pods.list()}}
    except YottaError:
        return dict(fallback)


def _wait(session: Session, action: str, pods: Sequence[Pod]) -> tuple[dict[str, YottaError | None], dict[str, str]]:
    """Wait until an accepted action is completed; return errors and statuses by id."""
    target = TRANSITIONS[action].after
    outcomes = wait_with_progress(session, pods, target)
    errors, statuses = split_outcomes(outcomes, session.client.pods.cached)
    if action == "delete":
        for pod_id, error in errors.items():
            if isinstance(error, PodNotFound):  # Deleted, and already missing from the API.
                errors[pod_id] = None
                statuses[pod_id] = target
    return errors, statuses


def _warn_of_data_loss(session: Session, pods: Sequence[Pod]) -> None:
    """Say once per pod what a pause may erase, unless a persistent volume keeps what matters."""
    warned_ids = session.warned_pod_ids
    affected = [
        pod
        for pod in pods
        if TRANSITIONS["pause"].allows(pod.status) and not pod.has_persistent_volume and pod.id not in warned_ids
    ]
    if not affected:
        return
    warned_ids.update(pod.id for pod in affected)
    names = join_limited([single_line(pod.name or pod.id, 60) for pod in affected], _MAX_NAMED)
    volume, mount = CREATE_FLAGS["persistent_volume_in_gb"], CREATE_FLAGS["persistent_mount_path"]
    print(
        f"Note: a pause may erase all files of {names}. Keep what matters elsewhere, "
        f"or create the pod with {volume} GB {mount} PATH: files at PATH stay."
    )


def _confirm_delete(pods: Sequence[Pod]) -> bool:
    """Ask whether to delete pods; name them and what they cost."""
    named = join_limited(
        [f"{single_line(pod.name or pod.id, 60)} ({single_line(pod.status, 20)}, {_format_cost(pod)})" for pod in pods],
        _MAX_NAMED,
    )
    total = f" ({format_total(pods)})" if len(pods) > 1 else ""
    return confirm(
        f"Delete {pluralize(len(pods), 'pod')}{total} permanently: {named}?",
        "Input is not possible here, so nothing was deleted. To delete without asking, add --yes",
    )


def format_total(pods: Sequence[Pod]) -> str:
    """Return what pods cost now, such as ``$1.22 an hour in all``."""
    totals = summarize(pods)
    known = sum(pod.is_billable for pod in pods) - totals.unknown_cost
    if totals.unknown_cost and not known:
        return "of unknown price"
    unknown = f", {totals.unknown_cost} of unknown price" if totals.unknown_cost else ""
    return f"{format_rate(totals.hourly_cost)} in all{unknown}"


def _format_cost(pod: Pod) -> str:
    if pod.status == "INITIALIZE":  # Its hourly_cost is 0 until it runs.
        return f"{format_rate(pod.hourly_rate)} while it runs"
    return format_rate(pod.hourly_cost)


COMMANDS: tuple[Command, ...] = (
    Command("pause", "Pause pods: only their volumes are charged then.", partial(_run_action, "pause"), _add_arguments),
    Command("resume", "Resume paused pods.", partial(_run_action, "resume"), _add_arguments),
    Command("delete", "Delete pods permanently; asks first.", partial(_run_action, "delete"), _add_arguments),
)
