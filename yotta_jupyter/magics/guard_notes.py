"""Notes that each ``%yotta`` command prints first, about guards: the rules that pause pods."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from ..errors import InvalidRequest, YottaError
from ..guard.describe import EXTENSION
from ..guard.durations import format_duration
from ..guard.rules import Guard
from ..guard.store import GuardStore
from ..hints import pod_argument
from ..models import Pod
from .display import print_note
from .session import Session


def print_guard_notes(session: Session, command: str) -> None:
    """Print a note for each pause that is near or not confirmed.

    The process that enforces guards is started again if it does not run.

    Parameters
    ----------
    session : Session
    command : str
        The command that follows. Before ``guard`` only the notes about the process are printed.
    """
    if not GuardStore().exists:
        return
    try:
        guards = session.client.guards
    except InvalidRequest:  # The configuration is invalid. The command raises the same error if it needs a client.
        return
    notes = guards.resume_enforcement()
    if command != "guard":
        notes += guards.pause_notes(lambda guard: extend_command(session, guard))
    for note in notes:
        print_note(note)


def print_guards_of(session: Session, pods: Iterable[Pod]) -> None:
    """Print one line for each guard of pods that were just resumed. A resume starts its limits anew.

    Parameters
    ----------
    session : Session
    pods : iterable of Pod
    """
    if not GuardStore().exists:
        return
    ids = {pod.id for pod in pods}
    with suppress(YottaError):  # The pods are resumed, even if the guards cannot be read.
        for guard in session.client.guards.list():
            if guard.pod_id in ids:
                print_note(f"{guard.label} has a guard, which counts from this start: {guard.rule}.")


def extend_command(session: Session, guard: Guard) -> str:
    """Return the command that extends the limits of a guard.

    Parameters
    ----------
    session : Session
    guard : Guard

    Returns
    -------
    str
    """
    argument = pod_argument(Pod(id=guard.pod_id, pod_name=guard.name), session.known_pods)
    return f"%yotta guard {argument} --extend {format_duration(EXTENSION)}"
