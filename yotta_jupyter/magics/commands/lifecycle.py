"""The commands that change pods: pause, resume, delete."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from ...client import Client
from ...create_command import CREATE_FLAGS
from ...errors import InvalidPodState, PodNotFound, WaitInterrupted, YottaError
from ...formatting import format_rate, join_limited, pluralize
from ...models import Pod, summarize
from ...sanitize import single_line
from ...statuses import ENDING_STATUSES, TRANSITIONS
from ..display import print_note, results_or_raise
from ..guard_notes import print_guards_of
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


def _add_arguments(action: str, parser: LineParser) -> None:
    add_pods_argument(parser)
    parser.add_argument("--wait", action="store_true", help="wait until it is done")
    # Only a delete asks. The others accept the flag, so that one line fits all.
    parser.add_argument("--yes", action="store_true", help="do not ask" if action == "delete" else SUPPRESS)


def _run_action(action: str, session: Session, arguments: Namespace) -> pd.DataFrame | None:
    may_suggest = action == "resume"  # See `resolve_pods`.
    pods = resolve_pods(session.client, arguments.pods, suggest=may_suggest)
    running_cells = [] if action == "resume" else _describe_running_cells(session, pods)
    if action == "delete" and not arguments.yes:
        if not _confirm_delete(pods, running_cells):
            print("Nothing was deleted.")
            return None
    elif running_cells:
        print_note(f"{join_limited(running_cells, _MAX_NAMED)}; this ends it.")
    if action == "pause":
        _warn_of_data_loss(session, pods)
    errors = _request(session.client, action, pods)
    if arguments.wait:
        errors |= _request_when_allowed(session, action, pods, errors)
    errors, statuses = _accept_repeated(action, pods, errors)
    accepted = [pod for pod in pods if errors[pod.id] is None]
    requested = [pod for pod in accepted if pod.id not in statuses]
    if not arguments.wait:
        statuses |= _check_statuses(session.client, action, requested)
    elif accepted:
        during = TRANSITIONS[action].during
        accepted = [msgspec.structs.replace(pod, status=statuses.get(pod.id, during)) for pod in accepted]
        wait_errors, wait_statuses = _wait_until_done(session, action, accepted)
        for pod in requested:
            if (error := wait_errors[pod.id]) is not None:
                error.message = f"The {action} was sent. {error.message}"
        errors |= wait_errors
        statuses |= wait_statuses
    if action == "resume":
        print_guards_of(session, requested)
    return results_or_raise(action, pods, errors, statuses)


def _request(client: Client, action: str, pods: Sequence[Pod]) -> dict[str, YottaError | None]:
    """Request an action. Return the error of each pod by id."""
    ids = [pod.id for pod in pods]
    return dict(zip(ids, client.pods.bulk(action, ids), strict=True))


def _request_when_allowed(
    session: Session, action: str, pods: Sequence[Pod], errors: Mapping[str, YottaError | None]
) -> dict[str, YottaError | None]:
    """Request an action again when it is allowed: a resume of a pod that was PAUSING. Return the new errors by id.

    Nothing is requested of a pod whose wait failed.
    """
    required = TRANSITIONS[action].required
    transitions = [transition for transition in TRANSITIONS.values() if transition.after == required]
    earlier_statuses = {status for transition in transitions for status in (transition.during, transition.after)}
    refused = [pod for pod in pods if _refused_status(errors[pod.id]) in earlier_statuses]
    if required is None or not refused:
        return {}
    try:
        outcomes = wait_for_pods(session, refused, required, unsent=action)
    except WaitInterrupted as error:
        if accepted := [pod.label for pod in pods if errors[pod.id] is None]:
            error.message += f" The {action} of {join_limited(accepted, _MAX_NAMED)} was sent."
        raise
    failed = {pod_id: outcome for pod_id, outcome in outcomes.items() if isinstance(outcome, YottaError)}
    return {**failed, **_request(session.client, action, [pod for pod in refused if pod.id not in failed])}


def _refused_status(error: YottaError | None) -> str:
    """Return the status in which the API refused an action; an empty string without such an error."""
    return (error.pod_status or "") if isinstance(error, InvalidPodState) else ""


def _accept_repeated(
    action: str, pods: Sequence[Pod], errors: Mapping[str, YottaError | None]
) -> tuple[dict[str, YottaError | None], dict[str, str]]:
    """Accept that a pod is paused or resumed already, so that a notebook can run again, and print a note.

    Return the other errors, and the statuses of these pods, by id.
    """
    if action == "delete":
        return dict(errors), {}
    refused = {pod.id: _refused_status(errors[pod.id]) for pod in pods}
    statuses = {pod_id: status for pod_id, status in refused.items() if TRANSITIONS[action].is_confirmed_by(status)}
    if statuses:
        states = [f"{_name(pod)} is {statuses[pod.id]} already" for pod in pods if pod.id in statuses]
        print_note(f"nothing to {action}: {join_limited(states, _MAX_NAMED)}.")
    return {pod_id: None if pod_id in statuses else error for pod_id, error in errors.items()}, statuses


def _check_statuses(client: Client, action: str, pods: Sequence[Pod]) -> dict[str, str]:
    """Return the statuses to which an accepted action leads, by id. Print a note if a new listing does not show it."""
    transition = TRANSITIONS[action]
    statuses = {pod.id: transition.during for pod in pods}
    if not pods:
        return statuses
    try:
        listed = {pod.id: pod.status for pod in client.pods.list_with_created()}
    except YottaError:
        print_note(f"{action} requested; the pods cannot be listed now, so the statuses are not confirmed.")
        return statuses
    except KeyboardInterrupt:
        requested = [msgspec.structs.replace(pod, status=transition.during) for pod in pods]
        raise WaitInterrupted(*requested, target=transition.after) from None
    # A pod that the listing lacks is not reported.
    unconfirmed = [pod for pod in pods if not transition.is_confirmed_by(listed.get(pod.id, transition.after))]
    statuses |= {pod_id: status for pod_id, status in listed.items() if transition.is_confirmed_by(status)}
    if unconfirmed:
        states = [f"{_name(pod)} as {single_line(listed[pod.id], 20)}" for pod in unconfirmed]
        print_note(f"{action} requested; the API still shows {join_limited(states, _MAX_NAMED)}.")
    return statuses


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
    """Print what a pause may erase, once for each pod."""
    transition = TRANSITIONS["pause"]
    running = [pod for pod in pods if not transition.is_confirmed_by(pod.status) and pod.status not in ENDING_STATUSES]
    affected = [pod for pod in running if pod.id not in session.pause_warned_ids]
    session.pause_warned_ids.update(pod.id for pod in affected)
    names = [_name(pod) for pod in affected if not pod.has_persistent_volume]
    if names:
        volume, mount = CREATE_FLAGS["persistent_volume_in_gb"], CREATE_FLAGS["persistent_mount_path"]
        print_note(
            f"a pause may erase all files of {join_limited(names, _MAX_NAMED)}. Keep what matters elsewhere, "
            f"or create the pod with {volume} GB {mount} PATH: files at PATH stay."
        )
    paths = [
        f"{single_line(pod.persistent_mount_path, 60)} of {_name(pod)}" for pod in affected if pod.has_persistent_volume
    ]
    if paths:
        print_note(f"a pause may erase all files outside {join_limited(paths, _MAX_NAMED)}.")


def _name(pod: Pod) -> str:
    return single_line(pod.name or pod.id, 60)


def _describe_running_cells(session: Session, pods: Sequence[Pod]) -> list[str]:
    """Return which cells run on pods that this notebook is connected to. Sends no request."""
    cells = []
    for pod in pods:
        title = session.client.remotes.running_title(pod.id)
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


def _describe(pod: Pod) -> str:
    if pod.status == "INITIALIZE":  # Its hourly_cost is 0 until it runs.
        cost = f"{format_rate(pod.hourly_rate)} while it runs"
    else:
        cost = format_rate(pod.hourly_cost)
    return f"{_name(pod)} ({single_line(pod.status, 20)}, {cost})"


COMMANDS: tuple[Command, ...] = (
    Command(
        "pause",
        "Pause pods: only a persistent volume is charged then.",
        partial(_run_action, "pause"),
        partial(_add_arguments, "pause"),
    ),
    Command("resume", "Resume paused pods.", partial(_run_action, "resume"), partial(_add_arguments, "resume")),
    Command(
        "delete",
        "Delete pods permanently; asks first.",
        partial(_run_action, "delete"),
        partial(_add_arguments, "delete"),
    ),
)
