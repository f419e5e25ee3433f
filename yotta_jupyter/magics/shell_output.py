"""Streams the output of a shell command on a pod, and shows it once."""

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
    """The result of ``%yotta sh``. The cell that ran the command does not display the streamed text a second time.

    Attributes
    ----------
    cell_number : int
        The execution count of that cell.
    """

    cell_number: int = 0

    def _ipython_display_(self) -> None:
        in_notebook = hasattr(get_ipython(), "kernel")
        if not (in_notebook and self._is_own_cell()):
            raise NotImplementedError  # IPython then displays the repr. Otherwise it displays nothing.

    def _repr_pretty_(self, printer: PrettyPrinter, cycle: bool) -> None:
        # A terminal prints "Out[1]: " in any case.
        printer.text(f"ShellResult(returncode={self.returncode})" if self._is_own_cell() else repr(self))

    def _is_own_cell(self) -> bool:
        """Return whether the present cell is the one that ran the command."""
        shell = get_ipython()
        return shell is not None and shell.execution_count == self.cell_number


class TextWriter:
    """The `on_text` callback of a command: writes its text to stdout and stderr as it arrives.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """

    def __init__(self, shell: InteractiveShell) -> None:
        # A kernel sends its buffer every 0.2 s. A flush, and so a message, for each piece of text would overload it.
        self._flushes = not hasattr(shell, "kernel")
        self._last: Stream = "stdout"

    def __call__(self, name: Stream, text: str) -> None:
        """Write a piece of text.

        Parameters
        ----------
        name : "stdout" or "stderr"
        text : str
        """
        if name != self._last:  # Keep the order of the two streams.
            getattr(sys, self._last).flush()
            self._last = name
        stream = getattr(sys, name)
        stream.write(text)
        if self._flushes:
            stream.flush()
