"""The command that shows the control panel: panel."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..parser import Command
from ..session import Session

if TYPE_CHECKING:
    from ...client import Client
    from ...panel import Panel


def _panel(session: Session, arguments: Namespace) -> Panel:
    from ...panel import Panel  # Imports ipywidgets, which takes long.

    def sandbox_client() -> Client | None:
        return session.client if session.sandbox is not None else None

    # A panel of a sandbox shows the next sandbox when its own is stopped.
    return Panel(session.client, follow=sandbox_client)


COMMANDS: tuple[Command, ...] = (
    Command("panel", "Show the control panel: view, launch, pause, resume and delete pods by click.", _panel),
)
