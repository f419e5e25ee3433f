"""From a line behind ``%yotta`` to the command that it names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ..api import AuthenticationError, InvalidRequest
from ..api.text import did_you_mean, printable
from . import account, acting, creating, listing, local, waiting
from .command import Command, HelpShown
from .line import words

if TYPE_CHECKING:
    from .session import Session

_ROOMS_ABOVE: Final = ("yotta_jupyter.panel.command",)
"""Modules of commands that are made of more than this room knows; named, so that nothing is imported upward."""

COMMANDS: Final[tuple[Command, ...]] = (
    *listing.COMMANDS,
    *creating.COMMANDS,
    *acting.COMMANDS,
    *waiting.COMMANDS,
    *account.COMMANDS,
    *(command for room in _ROOMS_ABOVE for command in import_module(room).COMMANDS),
    *local.COMMANDS,
)
"""All commands, in the order in which the help lists them."""

_BY_NAME: Final = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


_OTHERS_CALL_IT: Final = {
    **dict.fromkeys(("stop", "suspend", "halt"), "pause"),
    **dict.fromkeys(("start", "unpause", "continue"), "resume"),
    **dict.fromkeys(("rm", "remove", "kill", "terminate", "destroy"), "delete"),
    **dict.fromkeys(("run", "launch", "new", "up"), "create"),
    **dict.fromkeys(("ps", "pods"), "list"),
    **dict.fromkeys(("show", "describe", "inspect", "info"), "get"),
}
"""What other tools call a command: spelled much like it are some that do the opposite."""


def command_named(name: str) -> Command | None:
    """Return the command of a name or alias, or None.

    Parameters
    ----------
    name : str

    Returns
    -------
    Command or None
    """
    return _BY_NAME.get(name)


def run(session: Session, line: str, namespace: dict[str, Any]) -> Any:
    """Run a line and return what its cell shows.

    Parameters
    ----------
    session : Session
    line : str
        What stands behind ``%yotta``.
    namespace : dict
        The notebook's variables.

    Returns
    -------
    object
        The command's result, or None where help was printed.

    Raises
    ------
    InvalidRequest
        The line is wrong; nothing was sent.
    YottaError
        What the command raises.
    """
    name, *arguments = words(line, namespace) or ["-h"]
    if name in ("-h", "--help", "help"):
        print(help_text())
        return None
    command = command_named(name)
    if command is None:
        meant = _OTHERS_CALL_IT.get(name.lower())
        hint = f" Did you mean {meant}?" if meant else did_you_mean(name, _BY_NAME)
        raise InvalidRequest(f"%yotta has no command {printable(name, 40)!r}.{hint} See %yotta -h")
    try:
        parsed = command.parser().parse_line(arguments)
    except HelpShown:
        return None
    try:
        return command.run(session, parsed)
    except AuthenticationError as error:
        refused = error
    raise _with_source(refused, session, command)


def _with_source(error: AuthenticationError, session: Session, command: Command) -> AuthenticationError:
    """Return the error with the place that the key came from: another one than the user believes may go first."""
    if command.name == "login" or session.last_client is None:
        return error
    told = f"{error} The key came from {session.last_client.source}."
    return AuthenticationError(error.code, error.http_status, told)


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
            "POD is an id, the beginning of one, or a name. $name and {expression} fill in Python values.",
        ]
    )
