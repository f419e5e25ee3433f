"""The kernel of a pod: the part of `Remote` that runs code and moves values."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..errors import InvalidRequest, RemoteDetached, RunInterrupted
from ..sanitize import single_line
from .agent_client import AgentClient
from .callbacks import (
    Callbacks,
    OnInput,
    OnInterrupt,
    OnNotice,
    OnOutput,
    OnQueued,
    OnStatus,
    always_interrupt,
    ask_user,
    never_interrupt,
    print_output,
)
from .connecting import wait_for_connection
from .execution import Execution
from .framing import MAX_REQUEST
from .loop import background_loop, wait_for
from .outputs import RunResult
from .queues import EventQueues
from .runs import RunInfo, digest_of, title_of
from .values import MAX_PULLED_BYTES, ValueTransfer, check_variable_name

if TYPE_CHECKING:
    from .connection import PodConnection
    from .launcher import AgentLauncher
    from .progress import OnProgress

Result = TypeVar("Result")

_SHUTDOWN_DELAY: Final = 0.2
"""Seconds in which the request to shut down leaves this machine before the channel is closed."""


class RemoteKernel:
    """The kernel of a pod. The base class of `Remote`.

    Parameters
    ----------
    pod_id : str
    connection : PodConnection
    launcher : AgentLauncher
    queues : EventQueues
    on_notice : callable
    on_status : callable, optional
        By default `on_notice`.
    """

    def __init__(
        self,
        pod_id: str,
        connection: PodConnection,
        launcher: AgentLauncher,
        queues: EventQueues,
        on_notice: OnNotice,
        on_status: OnStatus | None = None,
    ) -> None:
        self.pod_id = pod_id
        self.on_notice = on_notice
        self.on_status = on_status or on_notice
        self.on_queued: OnQueued = self._report_queued
        self._connection = connection
        self._launcher = launcher
        self._queues = queues
        self._loop = background_loop()
        self._agent = AgentClient(connection, launcher)
        self._values = ValueTransfer(connection, launcher, self._run_hidden, self._wait_for_connection)

    # Cells

    def run(
        self,
        code: str,
        push: Mapping[str, Any] | None = None,
        pull: Iterable[str] = (),
        *,
        on_output: OnOutput = print_output,
        on_input: OnInput = ask_user,
        on_progress: OnProgress | None = None,
        on_interrupt: OnInterrupt = always_interrupt,
    ) -> RunResult:
        """Run code in the pod's kernel and wait for it.

        If the kernel is busy, the run is queued. Ctrl-C interrupts the code; a second Ctrl-C leaves it running and
        raises `RemoteDetached`.

        What code prints after its end, such as from a thread, is shown once: by the call of `run` that is active at
        that time, or else by the next one before its own output. `attach` shows it, too.

        Parameters
        ----------
        code : str
            IPython code: magics and ``!command`` work.
        push : mapping, optional
            Values by name, assigned on the pod before the code runs; see `push`.
        pull : iterable of str
            Names whose values are returned in ``result.pulled``; see `pull`.
        on_output : callable, optional
            Called with each output on this thread, in order, once; by default text is printed. See `OutputMessage`.
        on_input : callable, optional
            Called with the prompt and whether it is a password, on this thread, for ``input()`` and ``getpass()``.
        on_progress : callable, optional
            Called with a `Progress` while values are moved.
        on_interrupt : callable, optional
            Called at the first Ctrl-C; returns whether to interrupt the code. If not, `RemoteDetached` is raised.

        Returns
        -------
        RunResult

        Raises
        ------
        RemoteError
            The code raised an exception, or the kernel ended. ``error.result`` has the outputs before it.
        RemoteUnavailable
            The pod cannot be reached or has no Python.
        RemoteDetached
            Ctrl-C was pressed twice.
        RunInterrupted
            Ctrl-C was pressed, but the code ended before it was interrupted.
        InvalidRequest
            A value cannot be pushed, or the code is too large; nothing was run. Or a value cannot be pulled.
        """
        names = _check_names(pull)
        if push:
            self.push_values(push, on_progress=on_progress)
        result = self._execute(code, self._callbacks(on_output, on_input, on_interrupt))
        result.pulled = self.pull_values(names, on_progress=on_progress)
        return result

    async def run_async(
        self,
        code: str,
        push: Mapping[str, Any] | None = None,
        pull: Iterable[str] = (),
        *,
        on_output: OnOutput = print_output,
        on_input: OnInput = ask_user,
    ) -> RunResult:
        """Run code as `run` does, without blocking the event loop. The callbacks are called on a thread.

        Parameters
        ----------
        code, push, pull, on_output, on_input
            As for `run`.
        """
        return await asyncio.to_thread(self.run, code, push, pull, on_output=on_output, on_input=on_input)

    def submit(self, code: str, push: Mapping[str, Any] | None = None) -> str:
        """Start code in the pod's kernel without waiting for its end.

        Parameters
        ----------
        code, push
            As for `run`.

        Returns
        -------
        str
            The id of the run, for `attach`. The pod has accepted it.
        """
        if push:
            self.push_values(push)
        return self._execute(code, self._callbacks(), until="accepted").request_id

    def attach(
        self,
        request_id: str | None = None,
        *,
        on_output: OnOutput = print_output,
        on_input: OnInput = ask_user,
    ) -> RunResult:
        """Wait for a run, with all of its output from the start, also what it printed after its end.

        Ctrl-C ends the wait and leaves the code running; `interrupt` stops it.

        Parameters
        ----------
        request_id : str, optional
            By default the run in progress, or else the last run.
        on_output, on_input
            As for `run`.

        Returns
        -------
        RunResult

        Raises
        ------
        InvalidRequest
            There is no such run.
        RemoteError, RemoteUnavailable, RemoteDetached, RunInterrupted
            As for `run`.
        """
        run = self._find_run(request_id)
        events = self._queues.create()
        # A client of its own reads the log again from the start of the run.
        client = AgentClient(self._connection, self._launcher, after=run.first - 1, epoch=self._agent.epoch)

        async def connect() -> None:
            client.subscribe(run.request_id, events, with_late_output=True)
            await client.connect()

        async def disconnect() -> None:
            await client.close()
            last_shown = client.late.last_shown(run.request_id)
            if last_shown is not None:
                self._agent.late.mark_shown(run.request_id, last_shown)

        callbacks = self._callbacks(on_output, on_input, never_interrupt)
        endpoint = self._connection.endpoint
        execution = Execution(client, self._loop, events, run.request_id, endpoint, callbacks, is_caught_up=False)
        try:
            wait_for(connect())
            return execution.wait()
        except (RemoteDetached, RunInterrupted):  # Each is a `KeyboardInterrupt`, too.
            raise
        except KeyboardInterrupt:
            raise RemoteDetached(run.request_id, self.pod_id, label=endpoint.full_label) from None
        finally:
            self._queues.close(events)
            wait_for(disconnect())

    def runs(self) -> list[RunInfo]:
        """Return the runs that the pod knows, in order; the agent is started if it does not run.

        Returns
        -------
        list of RunInfo
        """
        self._wait_for_connection(self._agent.connect())
        return self._agent.runs.all()

    @property
    def running_title(self) -> str | None:
        """The title of the cell that runs on the pod, or None, as known without a request."""
        run = self._agent.runs.running() if self._agent.is_connected else None
        return run.title if run is not None else None

    def interrupt(self, request_id: str | None = None) -> None:
        """Interrupt a run as Ctrl-C does; a queued run is removed from the queue.

        Parameters
        ----------
        request_id : str, optional
            By default the run in progress.
        """
        self._request({"type": "interrupt", "target": request_id})

    def restart(self) -> None:
        """Replace the pod's kernel by a new one. The current and the queued runs end with an error."""
        self._request({"type": "restart"})

    def shutdown(self) -> None:
        """End the agent and the kernel on the pod and delete the log. A later run starts them again."""

        async def end() -> None:
            self._agent.send({"type": "shutdown", "request": uuid.uuid4().hex})
            await asyncio.sleep(_SHUTDOWN_DELAY)
            await self._agent.close()
            self._agent = AgentClient(self._connection, self._launcher)

        self._wait_for_connection(self._agent.connect())
        wait_for(end())

    # Values

    def push(self, **values: Any) -> None:
        """Assign values to variables of the pod's kernel: ``remote.push(frame=frame, rate=0.1)``.

        DataFrames, Series, arrays without Python objects, and plain values (None, numbers, text, bytes, dates, and
        lists, tuples, sets and dicts of them) are moved as data. Other values are refused.

        Parameters
        ----------
        **values
            By variable name.

        Raises
        ------
        InvalidRequest
            A value cannot be pushed. Nothing was assigned.
        RemoteUnavailable
            The pod cannot be reached or lacks a package.
        """
        self.push_values(values)

    def push_values(self, values: Mapping[str, Any], *, on_progress: OnProgress | None = None) -> None:
        """Assign values as `push` does, with progress.

        Parameters
        ----------
        values : mapping
            By variable name.
        on_progress : callable, optional
            Called with a `Progress` on this thread.
        """
        self._values.push(values, on_progress)

    def pull(self, name: str) -> Any:
        """Return the value of a variable of the pod's kernel. It is moved as data: nothing that the pod sends is run.

        Parameters
        ----------
        name : str

        Returns
        -------
        object
            Of the types that `push` accepts.

        Raises
        ------
        InvalidRequest
            There is no such variable, or its value cannot be pulled.
        RemoteUnavailable
            The pod cannot be reached, lacks a package, or sent something else.
        """
        return self.pull_values([name])[name]

    def pull_values(
        self, names: Iterable[str], *, on_progress: OnProgress | None = None, max_bytes: int = MAX_PULLED_BYTES
    ) -> dict[str, Any]:
        """Return several values as `pull` does, with progress.

        Parameters
        ----------
        names : iterable of str
        on_progress : callable, optional
            Called with a `Progress` on this thread.
        max_bytes : int, optional
            The limit for one value.
        """
        return self._values.pull(_check_names(names), on_progress, max_bytes)

    # Requests to the agent

    def _callbacks(
        self,
        on_output: OnOutput = print_output,
        on_input: OnInput = ask_user,
        on_interrupt: OnInterrupt = always_interrupt,
    ) -> Callbacks:
        return Callbacks(on_output, on_input, self.on_notice, self.on_status, self.on_queued, on_interrupt)

    def _report_queued(self, earlier: RunInfo, is_same: bool) -> None:
        which = "the same code" if is_same else "other code"
        text = f"Waiting for {which} that was sent before: {earlier.title}."
        self.on_notice(f'{text} See its output with remote.attach("{earlier.short_id}").')

    def _wait_for_connection(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Wait for a coroutine that connects, and report the attempts."""
        label = self._connection.endpoint.label
        return wait_for_connection(coroutine, self._queues, label, self.on_notice, self.on_status)

    def _execute(self, code: str, callbacks: Callbacks, *, hidden: bool = False, until: str = "done") -> RunResult:
        """Send code and wait as `Execution.wait` does. Hidden code has no history and shows no late output."""
        body = code.encode("utf-8", "surrogatepass")
        if len(body) > MAX_REQUEST:
            raise InvalidRequest(
                f"The code has {len(body) / 1e6:.0f} MB, and the limit is {MAX_REQUEST / 1e6:.0f} MB.",
                advice="Move data with push or put.",
            )
        head = {"type": "execute", "title": title_of(code), "digest": digest_of(body), "hidden": hidden}
        return self._send_and_wait(head, body, callbacks, until, with_late_output=not hidden)

    def _run_hidden(self, code: str, on_output: OnOutput) -> None:
        self._execute(code, self._callbacks(on_output), hidden=True)

    def _request(self, head: dict[str, Any]) -> None:
        """Send a request and wait until the agent has accepted it."""
        self._send_and_wait(head, b"", self._callbacks(), "accepted")

    def _send_and_wait(
        self, head: dict[str, Any], body: bytes, callbacks: Callbacks, until: str, *, with_late_output: bool = False
    ) -> RunResult:
        request_id = uuid.uuid4().hex
        events = self._queues.create()

        def send() -> None:
            self._agent.subscribe(request_id, events, with_late_output=with_late_output)
            self._agent.send({**head, "request": request_id}, body)

        self._loop.call_soon_threadsafe(send)
        try:
            endpoint, is_transfer = self._connection.endpoint, bool(head.get("hidden"))
            execution = Execution(
                self._agent, self._loop, events, request_id, endpoint, callbacks, is_transfer=is_transfer
            )
            return execution.wait(until)
        finally:
            self._queues.close(events)

    def _find_run(self, request_id: str | None) -> RunInfo:
        """Return the only run whose id begins with `request_id`; by default the current or the last run."""
        runs = self.runs()
        if request_id is None:
            started = [run for run in runs if run.state != "not_run"]
            candidates = [run for run in started if run.state == "running"] or started
        else:
            candidates = [run for run in runs if run.request_id.startswith(request_id)]
            if len(candidates) != 1:
                number = "several runs that begin with" if candidates else "no run"
                message = f"The pod has {number} {single_line(request_id, 40)!r}."
                raise InvalidRequest(message, advice="See its runs with remote.runs().")
        if not candidates:
            raise InvalidRequest("The pod has no run since it was started.")
        return candidates[-1]


def _check_names(names: Iterable[str]) -> list[str]:
    """Return variable names as a list; raise `InvalidRequest` if one is invalid."""
    result = [names] if isinstance(names, str) else list(names)
    for name in result:
        check_variable_name(name)
    return result
