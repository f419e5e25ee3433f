"""The result of a run, with outputs as in a notebook file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

MAX_KEPT: Final = 64 << 20
"""Bytes of outputs that a result keeps."""


class OutputMessage(TypedDict):
    """A message of the Jupyter protocol about an output.

    ``msg_type`` is ``stream``, ``display_data``, ``update_display_data``, ``execute_result``, ``clear_output``,
    ``error``, or a ``comm_…`` message of a widget. `on_output` gets no ``error``.
    """

    msg_type: str
    content: dict[str, Any]
    metadata: dict[str, Any]
    buffers: list[bytes]


@dataclass
class RunResult:
    """The result of a run.

    Attributes
    ----------
    request_id : str
        The id of the run, for `Remote.attach`.
    outputs : list of dict
        As in a notebook file (``output_type``, ``data``, ``metadata``, ``text``, …), after updates of displays and
        ``clear_output``. At most `MAX_KEPT` bytes.
    value : dict
        The data of the cell's value by MIME type; empty if the cell has no value.
    pulled : dict
        The values requested by ``pull``, by name.
    execution_count : int or None
    truncated : bool
        Whether `outputs` lacks some of the outputs.
    lost : list of str
        One line for each part of the output that is missing, because the log on the pod was full or the agent there
        was restarted.
    """

    request_id: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    value: dict[str, Any] = field(default_factory=dict)
    pulled: dict[str, Any] = field(default_factory=dict)
    execution_count: int | None = None
    truncated: bool = False
    lost: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the cell's value; empty if the cell has no value."""
        return str(self.value.get("text/plain", ""))

    @property
    def stdout(self) -> str:
        """All text written to stdout."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """All text written to stderr."""
        return self._stream("stderr")

    def _stream(self, name: str) -> str:
        streams = [output for output in self.outputs if output["output_type"] == "stream"]
        return "".join(output["text"] for output in streams if output["name"] == name)

    def __repr__(self) -> str:
        pulled = f", pulled: {', '.join(self.pulled)}" if self.pulled else ""
        return f"<RunResult {self.request_id[:8]}: {len(self.outputs)} outputs{pulled}>"


class OutputCollector:
    """Builds the outputs of a `RunResult` from messages, as a notebook does.

    Parameters
    ----------
    result : RunResult
        Changed in place.
    max_bytes : int, optional
        Later outputs are not kept.
    """

    def __init__(self, result: RunResult, max_bytes: int = MAX_KEPT) -> None:
        self._result = result
        self._max_bytes = max_bytes
        self._size = 0
        self._clear_before_next = False
        self._text_parts: list[str] = []  # Further text of the last output, which is a stream.
        self._displays: dict[str, list[dict[str, Any]]] = {}  # Outputs by display id.

    def add(self, message: OutputMessage, size: int) -> None:
        """Add a message.

        Parameters
        ----------
        message : OutputMessage
        size : int
            Bytes.
        """
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._clear_before_next = bool(content.get("wait"))
            if not self._clear_before_next:
                self._clear()
            return
        if kind.startswith("comm_"):
            return
        if kind == "update_display_data":
            self._update(content)
            return
        if self._clear_before_next:
            self._clear()
        if kind == "execute_result" and isinstance(content.get("data"), dict):
            self._result.value = content["data"]
        self._size += size
        if self._size > self._max_bytes:
            self._result.truncated = True
        elif kind == "stream":
            self._add_text(str(content.get("name", "stdout")), str(content.get("text", "")))
        else:
            self._add_output(kind, content)

    def finish(self) -> None:
        """Complete the text of the last output."""
        self._join_text()

    def _add_text(self, name: str, text: str) -> None:
        outputs = self._result.outputs
        if not outputs or outputs[-1]["output_type"] != "stream" or outputs[-1]["name"] != name:
            self._join_text()
            outputs.append({"output_type": "stream", "name": name, "text": ""})
        self._text_parts.append(text)

    def _join_text(self) -> None:
        if self._text_parts:
            self._result.outputs[-1]["text"] += "".join(self._text_parts)
            self._text_parts.clear()

    def _add_output(self, kind: str, content: dict[str, Any]) -> None:
        self._join_text()
        if kind == "error":
            fields = {name: content.get(name) for name in ("ename", "evalue", "traceback")}
            self._result.outputs.append({"output_type": "error", **fields})
            return
        data, metadata = content.get("data", {}), content.get("metadata", {})
        output: dict[str, Any] = {"output_type": kind, "data": data, "metadata": metadata}
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        if display_id := _display_id(content):
            self._displays.setdefault(display_id, []).append(output)
        self._result.outputs.append(output)

    def _update(self, content: dict[str, Any]) -> None:
        display_id = _display_id(content)
        if display_id is None:
            return
        for output in self._displays.get(display_id, []):
            output["data"], output["metadata"] = content.get("data", {}), content.get("metadata", {})

    def _clear(self) -> None:
        self._text_parts.clear()
        self._result.outputs.clear()
        self._size = 0
        self._clear_before_next = False


def _display_id(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    display_id = transient.get("display_id") if isinstance(transient, Mapping) else None
    return str(display_id) if display_id else None
