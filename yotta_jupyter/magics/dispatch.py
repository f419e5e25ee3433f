"""Runs a line of ``%yotta``."""

from __future__ import annotations

from typing import Any

from ..errors import AuthenticationError, InvalidRequest, WaitInterrupted, YottaError
from ..hints import use_magic_advice
from ..sanitize import single_line
from .commands import COMMANDS, command_names, get_command
from .expansion import split_line
from .guard_notes import print_guard_notes
from .parser import POD_HELP, Command, HelpRequested
from .session import Session
from .suggestions import suggest_command


def run_line(session: Session, line: str, namespace: dict[str, Any]) -> Any:
    """Run a line and return the result of its cell.

    Parameters
    ----------
    session : Session
    line : str
        The text after ``%yotta``.
    namespace : dict
        The variables of the notebook.

    Returns
    -------
    object
        The result of the command, or None if help was printed.

    Raises
    ------
    InvalidRequest
        The line is invalid. Nothing was sent.
    YottaError
        As raised by the command, with advice that names ``%yotta`` commands.
    WaitInterrupted
        A wait was interrupted.
    """
    try:
        return _run(session, line, namespace)
    except (YottaError, WaitInterrupted) as error:
        use_magic_advice(error, session.known_pods)
        raise


def _run(session: Session, line: str, namespace: dict[str, Any]) -> Any:
    name, *args = split_line(line, namespace) or ["help"]
    if name in ("-h", "--help", "help"):
        print(help_text())
        return None
    if name in ("-V", "--version"):
        from .. import __version__

        print(f"yotta_jupyter {__version__}")
        return None
    command = get_command(name)
    if command is None:
        raise _unknown_command(name)
    try:
        arguments = command.parser().parse_line(args)
    except HelpRequested:
        return None
    print_guard_notes(session, command.name)
    try:
        return command.run(session, arguments)
    except AuthenticationError as error:
        _add_key_source(error, session, command)
        raise


def _unknown_command(name: str) -> InvalidRequest:
    suggestion, advice = suggest_command(name, command_names())
    return InvalidRequest(f"%yotta has no command {single_line(name, 40)!r}. {suggestion}".rstrip(), advice=advice)


def _add_key_source(error: AuthenticationError, session: Session, command: Command) -> None:
    """Add to the message where the key came from, because the user may expect another key to be in use."""
    # Login tests the key that was just entered, not the one of the cached client.
    if command.name != "login" and session.cached_client is not None:
        error.message += f" The key came from {session.cached_client.key_source}."


def help_text() -> str:
    """Return the list of commands."""
    names = [", ".join((command.name, *command.aliases)) for command in COMMANDS]
    width = max(map(len, names)) + 2
    rows = [f"  {name:<{width}}{command.summary}" for name, command in zip(names, COMMANDS, strict=True)]
    return "\n".join(
        [
            "GPU pods from a notebook. A listing is a pandas DataFrame: pods = %yotta list",
            "",
            *rows,
            "",
            "%yotta COMMAND -h shows a command's arguments. No account? Start here: %yotta sandbox start",
            f"POD is {POD_HELP}. $name and {{expression}} insert Python values.",
        ]
    )
