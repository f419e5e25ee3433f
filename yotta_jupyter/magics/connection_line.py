"""Shows the notices and the status of the connection to a pod."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .display import print_note
from .status_line import status_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class ConnectionLine:
    """Prints notices, and shows the status of a connection that takes long as one line that is replaced.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._exit_stack = ExitStack()
        self._write: Callable[[str], None] | None = None

    def show_status(self, text: str) -> None:
        """Replace the status.

        Parameters
        ----------
        text : str
        """
        if self._write is None:
            self._write = self._exit_stack.enter_context(status_line(self._shell))
        self._write(text)

    def show_notice(self, text: str) -> None:
        """Print a notice, in place of the status if there is one.

        Parameters
        ----------
        text : str
        """
        if self._write is None:
            print_note(text)
        else:
            self._write(f"Note: {text}")
            self.end()

    def end(self) -> None:
        """End the status. The next one starts on a new line."""
        self._exit_stack.close()
        self._write = None
