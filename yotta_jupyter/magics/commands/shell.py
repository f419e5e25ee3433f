"""The command that runs shell commands on a pod: sh."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ...errors import CommandFailed
from ..parser import Command
from ..session import Session
from .arguments import add_optional_pod_argument

if TYPE_CHECKING:
    from ..shell_output import ShellOutput


def _sh(session: Session, arguments: Namespace) -> ShellOutput | None:
    from ..shell_output import ShellOutput, TextWriter

    _, remote = session.connector.open(arguments.pod)
    result = remote.shell(arguments.code, on_text=TextWriter(session.shell))
    if result.returncode:
        raise CommandFailed(result.returncode, result)
    session.remote_folders.refresh_after_ls(remote, arguments.code)
    if arguments.is_cell:
        return None  # A cell cannot be assigned.
    return ShellOutput(**vars(result), cell_number=session.shell.execution_count)


COMMANDS: tuple[Command, ...] = (
    Command(
        "sh",
        "Run a shell script or command on a pod: %%yotta sh POD, or %yotta sh POD -- COMMAND.",
        _sh,
        add_optional_pod_argument,
        takes_code=True,
    ),
)
