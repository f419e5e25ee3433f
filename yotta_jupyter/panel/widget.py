"""The panel's one widget: what of the kernel's side travels to the browser, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import anywidget
import msgspec
from traitlets import Bytes, Unicode

_FRONT: Final = files("yotta_jupyter.panel").joinpath("front")
_SCRIPTS: Final = ("dom.js", "store.js", "table.js", "form.js", "panel.js")

Message = Mapping[str, Any]


class PanelWidget(anywidget.AnyWidget):
    """An anywidget whose rows are asked for when they are sent, so that no copy of them is kept.

    Parameters
    ----------
    snapshot : callable
        Returns all that the browser needs to draw the panel.
    received : callable
        Called with each message of the browser; may be called on any thread.
    """

    # One module, so that the panel opens with one comm; in files that each are about one thing.
    _esm = "\n".join(_FRONT.joinpath(name).read_text("utf-8") for name in _SCRIPTS)
    _css = _FRONT.joinpath("panel.css").read_text("utf-8")
    _key = Unicode().tag(sync=True)
    _rows = Bytes().tag(sync=True, to_json=lambda value, widget: widget._snapshot())

    def __init__(self, key: str, snapshot: Callable[[], bytes], received: Callable[[Message], None]) -> None:
        self._snapshot = snapshot
        self._received = received
        super().__init__(_key=key)
        self.on_msg(self._on_message)

    def send_rows(self) -> None:
        """Send all rows anew."""
        if self.comm is not None:
            self.send_state("_rows")

    def send_message(self, message: Message) -> None:
        """Send a message, where there is a browser to hear it."""
        if self.comm is not None:
            self.send(message)

    def _on_message(self, widget: object, content: Any, buffers: Sequence[bytes] | None) -> None:
        if isinstance(content, dict):
            self._received({**content, "form": msgspec.json.decode(buffers[0])} if buffers else content)

    def __repr__(self) -> str:
        return "The control panel of yotta_jupyter. Run %yotta panel to see it live."
