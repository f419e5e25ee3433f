"""The command that shows the control panel."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..parser import Command
from ..session import Session

if TYPE_CHECKING:
    from ...panel import Panel


def _panel(session: Session, arguments: Namespace) -> Panel:
    from ...panel import Panel  # Imports ipywidgets, which takes long.

    return Panel(session.client, follow=lambda: session.client if session.sandbox else None)


COMMANDS: tuple[Command, ...] = (
    Command("panel", "Show the control panel: view, launch, pause, resume and delete pods by click.", _panel),
)
