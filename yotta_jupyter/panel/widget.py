"""The panel's widget, which connects the kernel to the front end over a Jupyter comm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import anywidget
import msgspec
from traitlets import Bytes

_FRONTEND: Final = files("yotta_jupyter.panel").joinpath("frontend")

_STYLES: Final = ("panel", "controls", "header", "toolbars", "table", "form", "popups")
"""The files of ``frontend/styles`` in the order of the cascade."""

Message = Mapping[str, Any]


class PanelWidget(anywidget.AnyWidget):
    """Sends snapshots and messages to the browser, and receives its messages.

    The trait ``_snapshot`` has no value of its own: `get_snapshot` is called each time ipywidgets sends it.

    Parameters
    ----------
    get_snapshot : callable
        Returns the snapshot as bytes; see `yotta_jupyter.panel.protocol`.
    on_message : callable
        Called with each message from the browser, on any thread. The key ``form`` is decoded from the buffer, if any.
    """

    _esm = _FRONTEND.joinpath("widget.js").read_text("utf-8")
    _css = "\n".join(_FRONTEND.joinpath("styles", f"{name}.css").read_text("utf-8") for name in _STYLES)
    _snapshot = Bytes().tag(sync=True, to_json=lambda value, widget: widget._get_snapshot())

    def __init__(self, get_snapshot: Callable[[], bytes], on_message: Callable[[Message], None]) -> None:
        self._get_snapshot = get_snapshot
        self._callback = on_message
        super().__init__()
        self._reset_route()
        self.on_msg(self._on_message)

    def send_snapshot(self) -> None:
        """Send a new snapshot, which replaces all rows in the browser."""
        if self.comm is not None:
            self.send_state("_snapshot")

    def send_message(self, message: Message, buffers: Sequence[bytes] = ()) -> None:
        """Send a message, unless the widget is closed.

        Parameters
        ----------
        message : mapping
        buffers : sequence of bytes
            Secrets; ipywidgets logs the message, but not its buffers.
        """
        if self.comm is not None:
            self.send(message, list(buffers))

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(msg, buffers)
        self._reset_route()

    def _reset_route(self) -> None:
        """Let ipykernel 7.4 pass the browser's messages to the subshell that they name.

        It passes them to the shell that last published on the comm. A thread publishes for the shell of the running
        cell, which would handle clicks only after the cell.
        """
        if self.comm is not None:
            self.comm.__dict__.pop("_reply_subshell_id", None)

    def _on_message(self, widget: object, content: Any, buffers: Sequence[bytes] | None) -> None:
        if not isinstance(content, dict):
            return
        if buffers:
            content = {**content, "form": msgspec.json.decode(buffers[0])}
        self._callback(content)

    def __repr__(self) -> str:
        return "The control panel of yotta_jupyter. Run %yotta panel to see it live."
