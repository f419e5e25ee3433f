"""Shows the outputs of a cell on a pod as those of a local cell."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from IPython.display import clear_output

from ..remote.outputs import OutputMessage, RunResult

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_WIDGET_MIME: Final = "application/vnd.jupyter.widget-view+json"


@dataclass(repr=False)
class CellResult(RunResult):
    """What a cell on a pod produced. A notebook displays it as the value of the cell, or not at all without a value.

    Attributes
    ----------
    value_metadata : dict
        The metadata of `value` by MIME type.
    """

    value_metadata: dict[str, Any] = field(default_factory=dict)
    _is_displayed: bool = False

    def _ipython_display_(self) -> None:
        # IPython displays nothing else for an object with this method, unless the method raises NotImplementedError.
        if self.value and not self._is_displayed:
            raise NotImplementedError
        self._is_displayed = False

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return _without_widget(self.value), self.value_metadata


class OutputPublisher:
    """The `on_output` callback of a cell: passes each output on to the notebook.

    The value of the cell is not published, because the magic returns it, unless other outputs follow.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._value: dict[str, Any] | None = None
        self._metadata: dict[str, Any] = {}
        self._warned_of_widgets = False

    def __call__(self, message: OutputMessage) -> None:
        """Publish an output.

        Parameters
        ----------
        message : OutputMessage
        """
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._value = None
            clear_output(wait=bool(content.get("wait")))
        elif kind == "update_display_data":
            self._publish(content, update=True)
        elif kind in ("stream", "display_data", "execute_result"):
            self.flush()
            self._show(kind, content)

    def flush(self) -> None:
        """Publish the value if the cell has one that is not published."""
        if self._value is not None:
            self._publish(self._value)
            self._value = None

    def result(self, result: RunResult) -> CellResult:
        """Return a result that displays the value if that is not published yet.

        Parameters
        ----------
        result : RunResult
        """
        return CellResult(**vars(result), value_metadata=self._metadata, _is_displayed=self._value is None)

    def _show(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "execute_result":
            self._value = content
            metadata = content.get("metadata")
            self._metadata = metadata if isinstance(metadata, dict) else {}
        elif kind == "display_data":
            self._publish(content)
        else:
            stream = sys.stderr if content.get("name") == "stderr" else sys.stdout
            stream.write(str(content.get("text", "")))
            stream.flush()

    def _publish(self, content: dict[str, Any], update: bool = False) -> None:
        data, metadata, transient = (content.get(name) for name in ("data", "metadata", "transient"))
        if isinstance(data, dict):
            if _WIDGET_MIME in data and not self._warned_of_widgets:
                self._warned_of_widgets = True
                print("Note: a widget of a pod is shown as text that does not change. For tqdm: from tqdm import tqdm")
            self._shell.display_pub.publish(
                _without_widget(data), metadata or {}, transient=transient or {}, update=update
            )


def _without_widget(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data without a widget, whose model is on the pod: the notebook shows its text instead."""
    return {mime: value for mime, value in data.items() if mime != _WIDGET_MIME}
