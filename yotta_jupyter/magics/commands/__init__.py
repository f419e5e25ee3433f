"""The commands of ``%yotta``, one module per group."""

from __future__ import annotations

from typing import Final

from ..parser import Command
from . import account, cells, cost, create, files, guard, inspect, lifecycle, open, panel, sandbox, shell, wait

COMMANDS: Final[tuple[Command, ...]] = (
    *inspect.COMMANDS,
    *create.COMMANDS,
    *lifecycle.COMMANDS,
    *wait.COMMANDS,
    *cells.COMMANDS,
    *shell.COMMANDS,
    *files.COMMANDS,
    *open.COMMANDS,
    *guard.COMMANDS,
    *cost.COMMANDS,
    *account.COMMANDS,
    *panel.COMMANDS,
    *sandbox.COMMANDS,
)
"""All commands, in the order of the help."""

_BY_NAME: Final = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


def command_names() -> list[str]:
    """Return the names and aliases of all commands."""
    return list(_BY_NAME)


def get_command(name: str) -> Command | None:
    """Return the command with a name or alias, or None.

    Parameters
    ----------
    name : str

    Returns
    -------
    Command or None
    """
    return _BY_NAME.get(name)
