"""The command that shows the control panel."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..magics.command import Command, LineParser

if TYPE_CHECKING:
    from ..magics.session import Session
    from .panel import Panel


def _no_arguments(parser: LineParser) -> None:
    """The command takes none."""


def _panel(session: Session, arguments: Namespace) -> Panel:
    from .panel import Panel

    return Panel(session.client)


COMMANDS: tuple[Command, ...] = (
    Command("panel", "The control panel: see, launch, pause, resume and delete pods by click.", _no_arguments, _panel),
)
