"""Publishes the outputs of a cell on a pod as a local cell does."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from IPython.display import clear_output

from ..remote.outputs import OutputMessage, RunResult
from .display import print_note

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_WIDGET_MIME: Final = "application/vnd.jupyter.widget-view+json"


@dataclass(repr=False)
class CellResult(RunResult):
    """The result of a cell on a pod. A notebook displays `value`, a MIME bundle, unless it is empty or published.

    Attributes
    ----------
    value_metadata : dict
        The metadata of `value` by MIME type.
    """

    value_metadata: dict[str, Any] = field(default_factory=dict)
    _is_published: bool = False

    def _ipython_display_(self) -> None:
        if self.value and not self._is_published:
            raise NotImplementedError  # IPython then uses `_repr_mimebundle_`. Otherwise it displays nothing.
        self._is_published = False  # The next cell that displays this object shows the value.

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return _without_widget(self.value), self.value_metadata


class OutputPublisher:
    """The `on_output` callback of a cell: publishes each output in the notebook.

    The value of the cell's last expression is held back, because the magic returns it. If another output follows, the
    value is published before that output.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._held_back: dict[str, Any] | None = None
        self._value_metadata: dict[str, Any] = {}
        self._warned_of_widgets = False

    def __call__(self, message: OutputMessage) -> None:
        """Publish an output.

        Parameters
        ----------
        message : OutputMessage
        """
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._held_back = None
            clear_output(wait=bool(content.get("wait")))
        elif kind == "update_display_data":
            self._publish(content, update=True)
        elif kind == "execute_result":
            self.flush()
            self._hold_back(content)
        elif kind == "display_data":
            self.flush()
            self._publish(content)
        elif kind == "stream":
            self.flush()
            stream = sys.stderr if content.get("name") == "stderr" else sys.stdout
            stream.write(str(content.get("text", "")))
            stream.flush()

    def flush(self) -> None:
        """Publish the value that is held back."""
        if self._held_back is not None:
            self._publish(self._held_back)
            self._held_back = None

    def to_cell_result(self, result: RunResult) -> CellResult:
        """Return a result that displays the value that is held back, or nothing if it was published.

        Parameters
        ----------
        result : RunResult

        Returns
        -------
        CellResult
        """
        return CellResult(**vars(result), value_metadata=self._value_metadata, _is_published=self._held_back is None)

    def _hold_back(self, content: dict[str, Any]) -> None:
        self._held_back = content
        metadata = content.get("metadata")
        self._value_metadata = metadata if isinstance(metadata, dict) else {}

    def _publish(self, content: dict[str, Any], update: bool = False) -> None:
        data = content.get("data")
        if not isinstance(data, dict):
            return
        if _WIDGET_MIME in data and not self._warned_of_widgets:
            self._warned_of_widgets = True
            print_note(
                "a widget of a pod is shown as text that does not change. For tqdm.auto use: from tqdm import tqdm"
            )
        self._shell.display_pub.publish(
            _without_widget(data),
            content.get("metadata") or {},
            transient=content.get("transient") or {},
            update=update,
        )


def _without_widget(data: dict[str, Any]) -> dict[str, Any]:
    """Return a MIME bundle without the widget view, whose model is only on the pod. The widget's text remains."""
    return {mime: value for mime, value in data.items() if mime != _WIDGET_MIME}
