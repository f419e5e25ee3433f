"""Runs a line of ``%yotta`` or a cell of ``%%yotta``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ..errors import AuthenticationError, InvalidRequest, OneLineError, YottaError
from ..hints import use_magic_advice
from ..sanitize import single_line
from .commands import COMMANDS, command_names, get_command
from .expansion import split_line
from .guard_notes import print_guard_notes
from .parser import POD_HELP, Command, HelpRequested
from .session import Session
from .suggestions import suggest_command

# The arguments, then "--" as a separate word, then the code.
_LINE_WITH_CODE: Final = re.compile(r"(?P<arguments>.*?)(?:^|\s)--(?:\s+(?P<code>.*))?", re.DOTALL)


class CommandInterrupted(OneLineError, KeyboardInterrupt):
    """Ctrl-C ended a command. A `KeyboardInterrupt`.

    Parameters
    ----------
    only_reads : bool, default False
        Whether the command changes nothing.
    """

    def __init__(self, only_reads: bool = False) -> None:
        super().__init__()
        self.message, self.advice = "The command was interrupted.", ""
        if not only_reads:
            self.message = "The command was interrupted; a request that it sent may have been processed."
            self.advice = "See your pods with: %yotta list"


def run_line(session: Session, line: str, namespace: dict[str, Any], cell: str | None = None) -> Any:
    """Run a line, or a cell that begins with this line, and return the result.

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
    KeyboardInterrupt
        Ctrl-C was pressed. The exception is shown as one line that says what may have happened.
    """
    try:
        return _run(session, line, namespace, cell)
    except (YottaError, KeyboardInterrupt) as error:
        if not isinstance(error, OneLineError):  # Python's own KeyboardInterrupt.
            raise CommandInterrupted(_only_reads(line)) from None
        use_magic_advice(error, session.known_pods)
        raise
    finally:
        session.connector.end_command()


def _run(session: Session, line: str, namespace: dict[str, Any], cell: str | None) -> Any:
    line, code = _split_code(line, cell)
    words = split_line(line, namespace)
    if not words or words[0] in ("-h", "--help", "help"):
        print(help_text())
        return None
    name, *args = words
    if name in ("-V", "--version"):
        from .. import __version__

        print(f"yotta_jupyter {__version__}")
        return None
    command = get_command(name)
    if command is None:
        raise _unknown_command(name)
    if cell is not None and not command.takes_code:
        raise InvalidRequest(f"%yotta {command.name} takes no cell. Write one % and a line of its own.")
    if code is None and command.takes_code and not _needs_no_code(command, args):
        raise _missing_code(command)
    try:
        arguments = command.parser().parse_words(args)
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
    """Return the line without code, and the code: the cell, or what follows ``--`` if the command takes code.

    Code is not expanded, because ``$``, braces and quotes have a meaning of their own in it.
    """
    if cell is not None:
        return line, cell
    command = _find_command(line)
    match = _LINE_WITH_CODE.fullmatch(line)
    if command is None or not command.takes_code or match is None:
        return line, None
    return match["arguments"], match["code"] or ""


def _find_command(line: str) -> Command | None:
    words = line.split(maxsplit=1)
    return get_command(words[0]) if words else None


def _only_reads(line: str) -> bool:
    command = _find_command(line)
    return command is not None and command.only_reads


def _needs_no_code(command: Command, args: Sequence[str]) -> bool:
    flags = ("-h", "--help", *command.flags_without_code)
    return any(arg.partition("=")[0] in flags for arg in args)


def _missing_code(command: Command) -> InvalidRequest:
    return InvalidRequest(
        f"%yotta {command.name} needs code.",
        advice=f"Write %%yotta {command.name} POD with the code below it, or %yotta {command.name} POD -- CODE",
    )


def _unknown_command(name: str) -> InvalidRequest:
    suggestion, advice = suggest_command(name, command_names())
    return InvalidRequest(f"%yotta has no command {single_line(name, 40)!r}. {suggestion}".rstrip(), advice=advice)


def _add_key_source(error: AuthenticationError, session: Session, command: Command) -> None:
    """Add to the message where the key came from, because the user may expect another key to be in use."""
    # Login tests the key that was entered, not that of the client.
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
