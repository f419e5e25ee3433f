"""Runs a line of ``%yotta`` or a cell of ``%%yotta``."""

from __future__ import annotations

import re
from typing import Any, Final

from ..errors import AuthenticationError, InvalidRequest, RemoteDetached, WaitInterrupted, YottaError
from ..hints import use_magic_advice
from ..sanitize import single_line
from .commands import COMMANDS, command_names, get_command
from .expansion import split_line
from .guard_notes import print_guard_notes
from .parser import POD_HELP, Command, HelpRequested
from .session import Session
from .suggestions import suggest_command

_CODE: Final = re.compile(r"(?P<line>.*?)(?:^|\s)--(?:\s+(?P<code>.*))?", re.DOTALL)
"""A line with code after a ``--`` of its own."""


def run_line(session: Session, line: str, namespace: dict[str, Any], cell: str | None = None) -> Any:
    """Run a line, or a cell whose first line it is, and return the result.

    Parameters
    ----------
    session : Session
    line : str
        The text after ``%yotta``.
    namespace : dict
        The variables of the notebook.
    cell : str, optional
        The text below ``%%yotta``.

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
    WaitInterrupted, RemoteDetached
        A wait was interrupted.
    """
    try:
        return _run(session, line, namespace, cell)
    except (YottaError, WaitInterrupted, RemoteDetached) as error:
        use_magic_advice(error, session.known_pods)
        raise
    finally:
        session.remotes.warn_of_published_passwords()


def _run(session: Session, line: str, namespace: dict[str, Any], cell: str | None) -> Any:
    line, code = _split_code(line, cell)
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
    if cell is not None and not command.takes_code:
        raise InvalidRequest(f"%yotta {command.name} takes no cell. Write one % and a line of its own.")
    if command.takes_code and code is None and not {"-h", "--help"} & set(args):
        raise InvalidRequest(
            f"%yotta {name} needs code.",
            advice=f"Write %%yotta {name} POD with the code below it, or %yotta {name} POD -- CODE",
        )
    try:
        arguments = command.parser().parse_line(args)
    except HelpRequested:
        return None
    if command.takes_code:
        arguments.code = code
        arguments.is_cell = cell is not None
        arguments.namespace = namespace
    print_guard_notes(session, command.name)
    try:
        return command.run(session, arguments)
    except AuthenticationError as error:
        _add_key_source(error, session, command)
        raise


def _split_code(line: str, cell: str | None) -> tuple[str, str | None]:
    """Split the code from the arguments of a command that takes code.

    Code is not expanded: its ``$``, braces and quotes belong to the pod.
    """
    command = get_command((line.split(maxsplit=1) or [""])[0])
    if command is None or not command.takes_code:
        return line, cell
    match = _CODE.fullmatch(line) if cell is None else None
    return (match["line"], match["code"] or "") if match else (line, cell)


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
