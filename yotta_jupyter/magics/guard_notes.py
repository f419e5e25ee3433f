"""What ``%yotta`` says about guards before it runs a command."""

from __future__ import annotations

from ..errors import InvalidRequest
from ..guard.describe import EXTENSION
from ..guard.durations import format_duration
from ..guard.rules import Guard
from ..guard.store import GuardStore
from ..hints import pod_word
from ..models import Pod
from .session import Session


def print_guard_notes(session: Session, command: str) -> None:
    """Print a note for each pause that is near or not confirmed, and start the enforcer again if it does not run.

    Parameters
    ----------
    session : Session
    command : str
        The command that follows. Guards are announced by all commands but ``guard`` itself.
    """
    if not GuardStore().exists:
        return
    try:
        guards = session.client.guards
    except InvalidRequest:  # Without a key, the command itself says what is missing.
        return
    notes = guards.resume_enforcement()
    if command != "guard":
        notes += guards.announce(lambda guard: put_off(session, guard))
    for note in notes:
        print(f"Note: {note}")


def put_off(session: Session, guard: Guard) -> str:
    """Return the command that puts off a guard.

    Parameters
    ----------
    session : Session
    guard : Guard

    Returns
    -------
    str
    """
    word = pod_word(Pod(id=guard.pod_id, pod_name=guard.name), session.known_pods)
    return f"%yotta guard {word} --extend {format_duration(EXTENSION)}"
