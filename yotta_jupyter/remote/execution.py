"""Wait on the caller's thread for a remote cell: outputs, input, Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..errors import RemoteDetached, RemoteError, RemoteUnavailable
from ..sanitize import single_line
from .agent_client import AgentClient
from .events import Event
from .interrupts import InterruptHandler
from .outputs import OutputCollector, OutputMessage, RunResult, print_output
from .queues import BoundedQueue

OnOutput = Callable[[OutputMessage], None]
OnInput = Callable[[str, bool], str]
"""Returns a line for ``input()`` on the pod, given the prompt and whether it is a password."""
OnNotice = Callable[[str], None]
"""Called with one line about the connection or the pod."""
OnInterrupt = Callable[[], bool]
"""Called at the first Ctrl-C. Returns whether to interrupt the code on the pod, instead of leaving it running."""


def ask_user(prompt: str, password: bool) -> str:
    """Ask the user on the terminal or in the notebook: the default of `Remote.run`.

    Parameters
    ----------
    prompt : str
    password : bool
        Whether to hide what is typed.
    """
    import getpass

    return getpass.getpass(prompt) if password else input(prompt)


def print_notice(text: str) -> None:
    """Print a notice to stderr: the default of `Remote`.

    Parameters
    ----------
    text : str
    """
    print(text, file=sys.stderr, flush=True)


def always_interrupt() -> bool:
    """Interrupt the code on the pod: the default of `Remote.run`."""
    return True


def never_interrupt() -> bool:
    """Leave the code on the pod running: the default of `Remote.attach`."""
    return False


@dataclass
class Callbacks:
    """What is called while a cell runs, on the thread that waits for it."""

    on_output: OnOutput = print_output
    on_input: OnInput = ask_user
    on_notice: OnNotice = print_notice
    on_interrupt: OnInterrupt = always_interrupt


_ENDINGS: Final = {
    "kernel_died": "KernelDied",
    "kernel_restarted": "KernelRestarted",
    "not_run": "NotRun",
    "lost": "OutcomeUnknown",
}
"""Statuses of a cell that did not end by itself, and the `ename` of the error."""


class Execution:
    """Consumes the events of one request.

    Parameters
    ----------
    client : AgentClient
    loop : asyncio.AbstractEventLoop
    events : BoundedQueue
        Of the request.
    request_id : str
    pod_id : str
    callbacks : Callbacks
    is_caught_up : bool, default True
        False if a replay of the record comes first. Until its end, an input request may already have its answer.
    on_end : callable, optional
        Called with the queue when the wait ends.
    """

    def __init__(
        self,
        client: AgentClient,
        loop: asyncio.AbstractEventLoop,
        events: BoundedQueue[Event],
        request_id: str,
        pod_id: str,
        callbacks: Callbacks,
        is_caught_up: bool = True,
        on_end: Callable[[BoundedQueue[Any]], None] | None = None,
    ) -> None:
        self._client = client
        self._loop = loop
        self._events = events
        self._callbacks = callbacks
        self._pod_id = pod_id
        self._is_caught_up = is_caught_up
        self._on_end = on_end
        self._pending_input: Event | None = None
        self._error: RemoteError | None = None
        self._interrupted = False
        self._interrupts = InterruptHandler(lambda: events.put_nowait(Event("interrupt")))
        self.result = RunResult(request_id)
        self._collector = OutputCollector(self.result)

    def wait(self, until: str = "done") -> RunResult:
        """Process events until the request ends.

        Parameters
        ----------
        until : str, default "done"
            The kind of event at which to return; ``accepted`` does not wait for the end.

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
        """
        try:
            with self._interrupts.active():
                while True:
                    event = self._events.get()
                    self._process(event)
                    if event.kind in (until, "done"):
                        return self._finish(event)
        finally:
            self._loop.call_soon_threadsafe(self._client.forget, self.result.request_id)
            if self._on_end is not None:
                self._on_end(self._events)

    def _process(self, event: Event) -> None:
        if event.kind == "output":
            self._output(event)
        elif event.kind == "input":
            self._pending_input = event
        elif event.kind == "interrupt":
            self._interrupt()
        elif event.kind == "accepted" and event.data.get("behind") is not None:
            self._callbacks.on_notice(f"Waiting for the cell that runs on the pod: {event.data['behind'] or '(empty)'}")
        elif event.kind == "input_done":
            self._pending_input = None
        elif event.kind == "notice":
            self._callbacks.on_notice(str(event.data["detail"]))
        elif event.kind == "lost":
            self.result.lost.append(str(event.data["detail"]))
            self._callbacks.on_notice(str(event.data["detail"]))
        elif event.kind == "failed":
            assert event.error is not None
            raise event.error
        elif event.kind == "caught_up":
            self._is_caught_up = True
        if self._pending_input is not None and self._is_caught_up:
            self._answer()

    def _output(self, event: Event) -> None:
        message = event.message
        assert message is not None
        self._collector.add(message, event.size)
        if message["msg_type"] == "error":
            content = message["content"]
            lines = content.get("traceback")
            traceback = [str(line) for line in lines] if isinstance(lines, list) else []
            self._error = RemoteError(
                single_line(content.get("ename") or "Error", 100), str(content.get("evalue") or "")[:10_000], traceback
            )
        else:
            self._callbacks.on_output(message)

    def _answer(self) -> None:
        event, self._pending_input = self._pending_input, None
        assert event is not None
        assert event.message is not None
        content = event.message["content"]
        try:
            with self._interrupts.paused():
                value = self._callbacks.on_input(str(content.get("prompt", "")), bool(content.get("password")))
        except KeyboardInterrupt:
            self._interrupt()
            return
        head = {"type": "input", "request": uuid.uuid4().hex, "to": event.data.get("to")}
        self._loop.call_soon_threadsafe(self._client.send, head, value.encode("utf-8", "surrogatepass"))

    def _interrupt(self) -> None:
        if self._interrupted or not self._callbacks.on_interrupt():
            raise RemoteDetached(self.result.request_id, self._pod_id, self._interrupted) from None
        self._interrupted = True
        self._callbacks.on_notice("Interrupting the cell on the pod; interrupt again to leave it running.")
        self._loop.call_soon_threadsafe(interrupt, self._client, self.result.request_id, self._events)

    def _finish(self, event: Event) -> RunResult:
        self._collector.finish()
        status, detail = str(event.data.get("status", "ok")), single_line(event.data.get("detail") or "", 500)
        count = event.data.get("execution_count")
        self.result.execution_count = count if isinstance(count, int) else None
        if event.kind != "done" or status == "ok":
            return self.result
        if status == "kernel_failed":
            raise RemoteUnavailable(detail[:1].upper() + detail[1:], pod_id=self._pod_id)
        error = self._error
        if error is None or status in _ENDINGS:
            error = RemoteError(_ENDINGS.get(status, "Error"), _explain(status, detail))
        error.result = self.result
        raise error


def _explain(status: str, detail: str) -> str:
    if status == "kernel_died":
        return f"{detail}. A new kernel was started; the variables of the old one are gone."
    if status == "not_run":
        return f"The cell did not run: {detail}."
    return detail or "the cell failed"


def interrupt(client: AgentClient, request_id: str | None, events: BoundedQueue[Event] | None = None) -> None:
    """Interrupt a request, or the running one. Runs on the background loop.

    Parameters
    ----------
    client : AgentClient
    request_id : str or None
        None interrupts whatever runs.
    events : BoundedQueue, optional
        Of the request: if the request was never sent, it ends there at once.
    """
    if request_id is not None and events is not None and client.withdraw(request_id):
        done: dict[str, Any] = {"status": "not_run", "detail": "it was interrupted before it was sent"}
        events.put_nowait(Event("done", -1, done))
        return
    client.send({"type": "interrupt", "request": uuid.uuid4().hex, "target": request_id})
