"""Wait on the caller's thread for a request to the agent: outputs, input and Ctrl-C."""

from __future__ import annotations

import asyncio
import uuid
from typing import Final

from ..errors import RemoteDetached, RemoteError, RemoteUnavailable, RunInterrupted
from ..sanitize import single_line
from .agent_client import AgentClient
from .callbacks import Callbacks
from .endpoint import Endpoint
from .events import Event
from .interrupts import InterruptHandler
from .outputs import OutputCollector, RunResult
from .queues import BoundedQueue

_ERROR_NAMES: Final = {
    "kernel_died": "KernelDied",
    "kernel_restarted": "KernelRestarted",
    "not_run": "NotRun",
    "lost": "OutcomeUnknown",
}
"""The `RemoteError.ename` for each status of a run that did not end by itself."""

_MAX_ERROR_NAME: Final = 100
_MAX_ERROR_VALUE: Final = 10_000
_MAX_DETAIL: Final = 500


class Execution:
    """Processes the events of one request.

    Parameters
    ----------
    client : AgentClient
    loop : asyncio.AbstractEventLoop
        The background loop, on which the client runs.
    events : BoundedQueue
        The events of the request.
    request_id : str
    endpoint : Endpoint
        That of the pod.
    callbacks : Callbacks
    is_caught_up : bool, default True
        False if past events come first. An ``input`` among them is answered only if it is still open at ``caught_up``.
    is_transfer : bool, default False
        Whether the request moves values. After Ctrl-C, its end raises `KeyboardInterrupt`, even if it succeeded.
    """

    def __init__(
        self,
        client: AgentClient,
        loop: asyncio.AbstractEventLoop,
        events: BoundedQueue[Event],
        request_id: str,
        endpoint: Endpoint,
        callbacks: Callbacks,
        is_caught_up: bool = True,
        is_transfer: bool = False,
    ) -> None:
        self._client = client
        self._loop = loop
        self._events = events
        self._request_id = request_id
        self._endpoint = endpoint
        self._callbacks = callbacks
        self._is_caught_up = is_caught_up
        self._is_transfer = is_transfer
        self._pending_input: Event | None = None
        self._error: RemoteError | None = None  # The exception that the code raised.
        self._interrupt_id: str | None = None  # Of the interrupt that Ctrl-C sends.
        self._interrupts = InterruptHandler(self._receive_interrupt)
        self._pending_interrupts = 0  # Presses of Ctrl-C that are still in the queue.
        self._result = RunResult(request_id)
        self._collector = OutputCollector(self._result)

    def wait(self, until: str = "done") -> RunResult:
        """Process events until the request ends.

        Parameters
        ----------
        until : {"done", "accepted"}, default "done"
            With ``accepted``, return as soon as the agent has accepted the request.

        Returns
        -------
        RunResult

        Raises
        ------
        RemoteError
            The code raised an exception.
        RemoteUnavailable
            The pod cannot be reached any more.
        RemoteDetached
            Ctrl-C was pressed twice.
        RunInterrupted
            Ctrl-C was pressed, but the code ended before it was interrupted.
        KeyboardInterrupt
            Ctrl-C was pressed during a transfer.
        """
        try:
            with self._interrupts.active():
                while True:
                    event = self._events.get()
                    self._process(event)
                    if event.kind in ("done", until):
                        break
            return self._finish(event) if event.kind == "done" else self._result
        finally:
            self._loop.call_soon_threadsafe(self._client.unsubscribe, self._request_id)

    def _process(self, event: Event) -> None:
        match event.kind:
            case "output":
                self._process_output(event)
            case "input":
                self._pending_input = event
            case "input_done":
                self._pending_input = None
            case "caught_up":
                self._is_caught_up = True
            case "interrupt":
                self._pending_interrupts -= 1
                self._interrupt()
            case "accepted":
                self._notify_if_queued(event)
            case "notice":
                self._callbacks.on_notice(event.data["detail"])
            case "status":
                self._callbacks.on_status(event.data["detail"])
            case "not_connected":
                raise self._detached(is_confirmed=False)
            case "output_lost":
                self._result.lost.append(event.data["detail"])
                self._callbacks.on_notice(event.data["detail"])
            case "failed":
                assert event.error is not None
                raise event.error
        if self._pending_input is not None and self._is_caught_up:
            self._answer(self._pending_input)
            self._pending_input = None

    def _process_output(self, event: Event) -> None:
        message = event.message
        assert message is not None
        self._collector.add(message, event.size)
        if message["msg_type"] != "error":
            self._callbacks.on_output(message)
            return
        content = message["content"]
        lines = content.get("traceback")
        self._error = RemoteError(
            single_line(content.get("ename") or "Error", _MAX_ERROR_NAME),
            str(content.get("evalue") or "")[:_MAX_ERROR_VALUE],
            [str(line) for line in lines] if isinstance(lines, list) else [],
        )

    def _notify_if_queued(self, event: Event) -> None:
        if event.queued_behind is not None:
            is_same = event.queued_behind.digest == event.data.get("digest")
            self._callbacks.on_queued(event.queued_behind, is_same)

    def _answer(self, event: Event) -> None:
        assert event.message is not None
        content = event.message["content"]
        try:
            # The end of the input cancels `on_input` by a KeyboardInterrupt.
            with self._interrupts.paused():
                self._loop.call_soon_threadsafe(
                    self._client.watch_input, self._request_id, event.sequence, self._interrupts.cancel_paused
                )
                value = self._callbacks.on_input(str(content.get("prompt", "")), bool(content.get("password")))
        except KeyboardInterrupt:
            if self._interrupts.take_cancelled():
                self._callbacks.on_notice("This prompt was answered elsewhere, or its cell has ended.")
            else:
                self._interrupt()
            return
        head = {"type": "input", "request": uuid.uuid4().hex, "to": event.data.get("to")}
        self._loop.call_soon_threadsafe(self._client.send, head, value.encode("utf-8", "surrogatepass"))

    def _receive_interrupt(self) -> None:
        self._pending_interrupts += 1
        self._events.put_nowait(Event("interrupt"))

    def _interrupt(self) -> None:
        """Interrupt the cell at the first Ctrl-C; leave it running at the second one."""
        if self._interrupt_id is not None:
            is_confirmed = self._client.is_accepted(self._interrupt_id)
            raise self._detached(was_interrupted=True, is_confirmed=is_confirmed)
        if not self._callbacks.on_interrupt():
            raise self._detached()
        self._interrupt_id = uuid.uuid4().hex
        self._loop.call_soon_threadsafe(self._send_interrupt, self._interrupt_id)

    def _detached(self, was_interrupted: bool = False, is_confirmed: bool = True) -> KeyboardInterrupt:
        if self._is_transfer:
            return KeyboardInterrupt()
        endpoint = self._endpoint
        return RemoteDetached(
            self._request_id, endpoint.pod_id, was_interrupted, is_confirmed, label=endpoint.full_label
        )

    def _send_interrupt(self, interrupt_id: str) -> None:
        """Interrupt the request, or end it at once if it was never sent. Runs on the background loop."""
        if self._client.withdraw(self._request_id):
            detail = "it was interrupted before it was sent"
            self._events.put_nowait(Event("done", data={"status": "not_run", "detail": detail}))
        elif not self._client.is_connected:
            self._events.put_nowait(Event("not_connected"))
        else:
            if not self._is_transfer:
                text = "Interrupting the cell on the pod; interrupt again to leave it running."
                self._events.put_nowait(Event("notice", data={"detail": text}))
            self._client.send({"type": "interrupt", "request": interrupt_id, "target": self._request_id})

    def _finish(self, done: Event) -> RunResult:
        """Return the result, or raise the error, of a request that ended."""
        self._collector.finish()
        was_interrupted = self._interrupt_id is not None or self._pending_interrupts > 0
        if self._is_transfer and was_interrupted:
            raise KeyboardInterrupt
        count = done.data.get("execution_count")
        self._result.execution_count = count if isinstance(count, int) else None
        status = str(done.data.get("status", "ok"))
        detail = single_line(done.data.get("detail") or "", _MAX_DETAIL)
        if status == "ok":
            # The code may also have caught the interrupt. An agent of an earlier version does not say that.
            if was_interrupted and done.data.get("interrupted") is False:
                raise RunInterrupted(self._endpoint.full_label)
            return self._result
        if status == "kernel_failed":
            raise RemoteUnavailable(detail[:1].upper() + detail[1:], pod_id=self._endpoint.pod_id)
        error = self._error
        if error is None or status in _ERROR_NAMES:
            error = RemoteError(_ERROR_NAMES.get(status, "Error"), _explain(status, detail))
        error.result = self._result
        raise error


def _explain(status: str, detail: str) -> str:
    if status == "kernel_died":
        return f"{detail}. A new kernel was started; the variables of the old one are gone."
    if status == "not_run":
        return f"The cell did not run: {detail}."
    return detail or "the cell failed"
