"""Outputs of a remote cell, collected as in a notebook file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

KEPT_BYTES: Final = 64 << 20
"""Size of the outputs that a result keeps. All outputs are passed to the callback."""


class OutputMessage(TypedDict):
    """A message of the Jupyter protocol about an output.

    ``msg_type`` is ``stream``, ``display_data``, ``update_display_data``, ``execute_result``, ``clear_output``, or a
    ``comm_…`` message of a widget.
    """

    msg_type: str
    content: dict[str, Any]
    metadata: dict[str, Any]
    buffers: list[bytes]


@dataclass
class RunResult:
    """What a remote cell produced.

    Attributes
    ----------
    request_id : str
        The id of the run, for `Remote.attach`.
    outputs : list of dict
        Outputs as in a notebook file (``output_type``, ``data``, ``metadata``, ``text``, …), after updates of displays
        and ``clear_output``. At most 64 MB.
    value : dict
        The data of the cell's value by MIME type; empty if the cell has no value.
    pulled : dict
        The values requested by ``pull``, by name.
    execution_count : int or None
    truncated : bool
        Whether `outputs` lacks some of the outputs.
    lost : list of str
        One line for each part of the output that the pod no longer had. Empty unless the log on the pod exceeded
        its limit or its disk.
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
        return "".join(o["text"] for o in self.outputs if o["output_type"] == "stream" and o["name"] == name)

    def __repr__(self) -> str:
        pulled = f", pulled: {', '.join(self.pulled)}" if self.pulled else ""
        return f"<RunResult {self.request_id[:8]}: {len(self.outputs)} outputs{pulled}>"


class OutputCollector:
    """Builds the outputs of a `RunResult` from messages.

    Parameters
    ----------
    result : RunResult
        Changed in place.
    limit : int, optional
        Bytes of outputs that are kept.
    """

    def __init__(self, result: RunResult, limit: int = KEPT_BYTES) -> None:
        self._result = result
        self._limit = limit
        self._size = 0
        self._clear_next = False
        self._parts: list[str] = []
        self._displays: dict[str, list[dict[str, Any]]] = {}

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
            self._clear_next = bool(content.get("wait"))
            if not self._clear_next:
                self._clear()
            return
        if kind.startswith("comm_"):
            return
        if kind == "update_display_data":
            self._update(content)
            return
        if self._clear_next:
            self._clear()
        if kind == "execute_result" and isinstance(content.get("data"), dict):
            self._result.value = content["data"]
        self._size += size
        if self._size > self._limit:
            self._result.truncated = True
        elif kind == "stream":
            self._add_text(str(content.get("name", "stdout")), str(content.get("text", "")))
        else:
            self._add_output(kind, content)

    def finish(self) -> None:
        """Complete the outputs."""
        self._join_text()

    def _add_text(self, name: str, text: str) -> None:
        outputs = self._result.outputs
        if not outputs or outputs[-1]["output_type"] != "stream" or outputs[-1]["name"] != name:
            self._join_text()
            outputs.append({"output_type": "stream", "name": name, "text": ""})
        self._parts.append(text)

    def _join_text(self) -> None:
        if self._parts:
            self._result.outputs[-1]["text"] += "".join(self._parts)
            self._parts.clear()

    def _add_output(self, kind: str, content: dict[str, Any]) -> None:
        self._join_text()
        if kind == "error":
            fields = {name: content.get(name) for name in ("ename", "evalue", "traceback")}
            self._result.outputs.append({"output_type": "error", **fields})
            return
        output: dict[str, Any] = {"output_type": kind, "data": content.get("data", {})}
        output["metadata"] = content.get("metadata", {})
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        if display_id := _display_id(content):
            self._displays.setdefault(display_id, []).append(output)
        self._result.outputs.append(output)

    def _update(self, content: dict[str, Any]) -> None:
        for output in self._displays.get(_display_id(content) or "", ()):
            output["data"], output["metadata"] = content.get("data", {}), content.get("metadata", {})

    def _clear(self) -> None:
        self._parts.clear()
        self._result.outputs.clear()
        self._size = 0
        self._clear_next = False


def _display_id(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    display_id = transient.get("display_id") if isinstance(transient, Mapping) else None
    return str(display_id) if display_id else None
