"""Shows the output of a shell command on a pod as that of the cell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from ..remote.shell import ShellResult, Stream

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.lib.pretty import PrettyPrinter


@dataclass(frozen=True, repr=False)
class ShellOutput(ShellResult):
    """The result of ``%yotta sh``. The cell that ran the command does not repeat its text as the value.

    Attributes
    ----------
    cell_number : int
        The execution count of that cell.
    """

    cell_number: int = 0

    def _ipython_display_(self) -> None:
        # IPython displays nothing else for an object with this method, unless the method raises NotImplementedError.
        if not self._is_shown() or not hasattr(get_ipython(), "kernel"):
            raise NotImplementedError

    def _repr_pretty_(self, printer: PrettyPrinter, cycle: bool) -> None:
        # A terminal always prints "Out[1]: ", but need not repeat the text.
        printer.text(f"ShellResult(returncode={self.returncode})" if self._is_shown() else repr(self))

    def _is_shown(self) -> bool:
        """Return whether the output of the present cell has the text."""
        shell = get_ipython()
        return shell is not None and shell.execution_count == self.cell_number


class TextWriter:
    """The `on_text` callback of a command: writes its text to stdout and stderr as it arrives.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """

    def __init__(self, shell: InteractiveShell) -> None:
        # A kernel sends what was written every 0.2 s by itself. A message for each piece of text would overload it.
        self._is_buffered = hasattr(shell, "kernel")
        self._last: Stream = "stdout"

    def __call__(self, name: Stream, text: str) -> None:
        """Write a piece of text.

        Parameters
        ----------
        name : "stdout" or "stderr"
        text : str
        """
        if name != self._last:  # The order of the two streams is kept.
            getattr(sys, self._last).flush()
            self._last = name
        stream = getattr(sys, name)
        stream.write(text)
        if not self._is_buffered:
            stream.flush()
