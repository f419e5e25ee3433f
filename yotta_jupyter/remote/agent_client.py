"""The client of the agent on a pod: sends requests and receives the agent's log. Runs on the background loop.

Each entry of the log has a sequence number, one more than the entry before. After a reconnect, the agent sends the
entries after the last one that the client received. The entries that were in the log before the reconnect are the
replay. Late output is what a cell prints after its end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable, YottaError
from .events import Event, decode_message
from .framing import Frame, FrameReader, pack
from .late import LateOutput
from .queues import BoundedQueue
from .runs import RunList

if TYPE_CHECKING:
    from .connection import PodConnection
    from .launcher import AgentLauncher

PROTOCOL: Final = 1
HELLO_TIMEOUT: Final = 20.0
"""Seconds until the first frame of the agent."""

_RECONNECT_DELAY: Final = 0.05
"""Seconds before a new channel after the agent closed the last one."""
_EVENT_OVERHEAD: Final = 200
"""Bytes that are counted for an event in a queue, besides its body."""


@dataclass
class _PendingRequest:
    """A request that is sent on each new connection until the agent accepts it."""

    frame: bytes
    request_id: str
    was_sent: bool = False


class AgentClient:
    """A client of a pod's agent.

    It connects when there is something to send, and again after a lost connection while a request is unfinished.

    Parameters
    ----------
    connection : PodConnection
    launcher : AgentLauncher
    after : int, optional
        Receive the log after this sequence number; by default only new entries.
    epoch : str, optional
        The id of the log to which `after` belongs.

    Attributes
    ----------
    epoch : str or None
        The id of the present log. An agent that finds no log starts one with a new id.
    runs : RunList
    late : LateOutput
    """

    def __init__(
        self,
        connection: PodConnection,
        launcher: AgentLauncher,
        *,
        after: int = -1,
        epoch: str | None = None,
    ) -> None:
        self._connection = connection
        self._launcher = launcher
        self._last_received = after
        self.epoch = epoch
        self.runs = RunList()
        self.late = LateOutput()
        self._queues: dict[str, BoundedQueue[Event]] = {}  # By request id.
        self._late_receivers: set[str] = set()  # Ids of requests whose queues also receive late output.
        self._is_replaying = False
        self._replay_end = -1
        self._held_ends: dict[str, Event] = {}  # ``done`` events that wait for the end of the replay.
        self._unaccepted: OrderedDict[str, _PendingRequest] = OrderedDict()
        self._input_ends: dict[str, int] = {}  # The sequence number at which an input ended last, by request id.
        self._input_watchers: dict[str, Callable[[], None]] = {}  # By request id.
        self._writer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._connect_calls = 0  # Calls of `connect` that wait.

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to the agent."""
        return self._connected.is_set()

    def is_accepted(self, request_id: str) -> bool:
        """Return whether the agent has accepted a request that was sent. May be called from any thread.

        Parameters
        ----------
        request_id : str
        """
        return request_id not in self._unaccepted

    async def connect(self) -> None:
        """Connect to the agent, which is started if it does not run.

        Raises
        ------
        YottaError
            The pod or the agent cannot be reached.
        """
        task = self._ensure_receiving()
        connected = asyncio.ensure_future(self._connected.wait())
        self._connect_calls += 1
        try:
            await asyncio.wait([connected, task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            connected.cancel()
            self._connect_calls -= 1
            self._stop_unused_attempts()
        if task.done():
            task.result()

    def subscribe(self, request_id: str, queue: BoundedQueue[Event], *, with_late_output: bool = False) -> None:
        """Put the events of a request into a queue.

        Parameters
        ----------
        request_id : str
        queue : BoundedQueue
        with_late_output : bool, default False
            Whether the queue also receives the late output of earlier requests.
        """
        self._queues[request_id] = queue
        if not with_late_output:
            return
        self._late_receivers.add(request_id)
        events, skipped = self.late.take()
        for event in events:
            queue.put_nowait(event, event.size)
        if skipped:
            text = f"{skipped:,} messages of earlier cells are not shown; attach to those cells to see them."
            queue.put_nowait(Event("notice", data={"detail": text}))

    def unsubscribe(self, request_id: str) -> None:
        """Receive no more events of a request, which continues.

        Parameters
        ----------
        request_id : str
        """
        self._late_receivers.discard(request_id)
        self._held_ends.pop(request_id, None)
        self._input_ends.pop(request_id, None)
        self._input_watchers.pop(request_id, None)
        queue = self._queues.pop(request_id, None)
        if queue is not None:
            queue.close()
        self._stop_unused_attempts()

    def watch_input(self, request_id: str, sequence: int, on_end: Callable[[], None]) -> None:
        """Call a function when an input of a request is answered by any client, or the request ends.

        Parameters
        ----------
        request_id : str
        sequence : int
            That of the ``input`` event.
        on_end : callable
        """
        if request_id not in self._queues or self._input_ends.get(request_id, -1) > sequence:
            on_end()
        else:
            self._input_watchers[request_id] = on_end

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a request, again after each reconnect until the agent has accepted it.

        Parameters
        ----------
        head : dict
            With ``type`` and a unique ``request``.
        body : bytes, optional
        """
        request = _PendingRequest(pack(head, body), head["request"])
        self._unaccepted[request.request_id] = request
        if self._writer is not None:
            self._write(request)
        self._ensure_receiving()

    def withdraw(self, request_id: str) -> bool:
        """Withdraw a request that was not sent yet.

        Parameters
        ----------
        request_id : str

        Returns
        -------
        bool
            Whether it was withdrawn.
        """
        request = self._unaccepted.get(request_id)
        if request is None or request.was_sent:
            return False
        del self._unaccepted[request_id]
        return True

    async def close(self) -> None:
        """Disconnect from the agent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail_requests(self._queues.keys(), RemoteUnavailable("The connection to the pod was closed."))

    # The connection

    def _ensure_receiving(self) -> asyncio.Task[None]:
        """Return the task that receives the log; start it unless it runs."""
        if self._task is None or self._task.done():
            self._connected.clear()
            self._task = asyncio.ensure_future(self._receive())
            self._task.add_done_callback(_retrieve_exception)
        return self._task

    def _stop_unused_attempts(self) -> None:
        """End the attempts to connect if nothing waits for them, so that a later request gets its own deadline."""
        is_used = self._queues or self._unaccepted or self._connect_calls
        if self._task is not None and not self._task.done() and not self.is_connected and not is_used:
            self._task.cancel()
            self._task = None

    async def _receive(self) -> None:
        """Receive the log, on one connection after another, until no request is unfinished."""
        try:
            while True:
                await self._receive_on_one_connection()
                if not self._queues and not self._unaccepted:
                    return
        except YottaError as error:
            await self._fail(error)
            raise
        except Exception as error:
            failure = RemoteUnavailable(f"The connection to the agent failed: {type(error).__name__}: {error}")
            await self._fail(failure)
            raise failure from error

    async def _receive_on_one_connection(self) -> None:
        """Receive the log until the connection is lost or the agent ends."""
        connection = await self._connection.get(after_loss=self._has_sent_requests())
        writer: Any = None
        try:
            reader, writer = await self._launcher.open(connection)
            frames = FrameReader(reader, "The agent on the pod", "Restart it: remote.shutdown(), then run again.")
            await self._handshake(frames, writer)
            while (frame := await frames.next()) is not None:
                await self._process(frame)
                if self._is_replaying:
                    await self._end_replay_when_complete()
        except Exception as error:
            if not isinstance(error, EOFError) and not await self._connection.is_caused_by_loss(connection, error):
                raise
        finally:
            self._writer = None
            self._connected.clear()
            if writer is not None:
                writer.close()
        if not connection.is_closed():
            await asyncio.sleep(_RECONNECT_DELAY)

    async def _handshake(self, frames: FrameReader, writer: Any) -> None:
        """Receive the agent's ``hello``; request the log and send the requests that it has not accepted."""
        hello = await self._read_hello(frames)
        epoch = str(hello.get("epoch"))
        if epoch != self.epoch:
            if self.epoch is not None:
                await self._fail_requests_of_old_log()
            self._last_received = hello["last"]
        self.epoch = epoch
        self.runs.update_from_hello(hello)
        self._is_replaying = True
        self._replay_end = hello["last"]
        await self._end_replay_when_complete()
        writer.write(pack({"type": "follow", "after": self._last_received}))
        self._writer = writer
        for request in self._unaccepted.values():
            self._write(request)
        self._connected.set()

    async def _read_hello(self, frames: FrameReader) -> dict[str, Any]:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT):
                frame = await frames.next()
        except TimeoutError:
            raise RemoteUnavailable("The agent on the pod does not answer.", advice="Try again.") from None
        if frame is None:
            raise EOFError
        hello = frame.head
        if hello.get("type") != "hello" or hello.get("protocol") != PROTOCOL or not isinstance(hello.get("last"), int):
            raise RemoteUnavailable("The agent on the pod speaks another protocol.", advice="Update yotta_jupyter.")
        return hello

    def _write(self, request: _PendingRequest) -> None:
        request.was_sent = True
        try:
            self._writer.write(request.frame)
        except (OSError, EOFError):
            self._writer = None  # The reader fails, too, and connects again.

    # Failures

    async def _fail_requests_of_old_log(self) -> None:
        """Fail the requests that were sent to an agent whose log is gone."""
        endpoint = self._connection.endpoint
        error = RemoteUnavailable(
            f"Pod {endpoint.label} was started again while the cell ran: the cell did not end, or its output is gone.",
            advice="Run it again if that is safe.",
            pod_id=endpoint.pod_id,
        )
        await self._end_replay()
        unsent = self._unsent_ids()
        self._fail_requests(self._queues.keys() - unsent, error)
        for request_id in self._unaccepted.keys() - unsent:
            del self._unaccepted[request_id]
        self.runs.clear()
        self.late.forget_requests()

    def _unsent_ids(self) -> set[str]:
        """Return the ids of the requests that were not sent."""
        return {request.request_id for request in self._unaccepted.values() if not request.was_sent}

    def _has_sent_requests(self) -> bool:
        """Return whether an unfinished request was sent."""
        return bool((self._queues.keys() | self._unaccepted.keys()) - self._unsent_ids())

    async def _fail(self, error: YottaError) -> None:
        """Fail all requests."""
        await self._end_replay()
        self._unaccepted.clear()
        self._fail_requests(self._queues.keys(), error)

    def _fail_requests(self, request_ids: Iterable[str], error: YottaError) -> None:
        """Put an error into the queues of requests, and end their inputs."""
        for request_id in list(request_ids):
            self._queues.pop(request_id).put_nowait(Event("failed", error=error))
            self._end_watched_input(request_id)

    # The log

    async def _process(self, frame: Frame) -> None:
        head, kind = frame.head, frame.head.get("type")
        if kind == "gap":
            await self._process_gap(head)
            return
        sequence = head.get("seq")
        if sequence != self._last_received + 1:
            raise RemoteUnavailable("The agent on the pod sent messages out of order.", advice="Run the cell again.")
        request_id = str(head.get("request"))
        size = len(frame.body) + _EVENT_OVERHEAD
        queued_behind = None
        if kind == "accepted":
            self._unaccepted.pop(request_id, None)
            if head.get("kind") == "execute" and not self._is_replaying:
                queued_behind = self.runs.find_earlier(head.get("digest"))
        self.runs.update_from_event(request_id, head)
        if kind == "message":
            event = decode_message(frame, size)
            if event is not None:
                await self._deliver(request_id, event)
        elif kind == "agent_restarted":
            await self._report_loss("The agent on the pod was restarted; output during that time may be missing.")
        elif kind in ("accepted", "started", "done", "input_done"):
            event = Event(kind, sequence, head, size=size, queued_behind=queued_behind)
            await self._deliver(request_id, event)
        self._last_received = sequence

    async def _process_gap(self, head: dict[str, Any]) -> None:
        """Skip entries that the agent has deleted."""
        first, last = head.get("from"), head.get("to")
        if not isinstance(first, int) or not isinstance(last, int) or last < first:
            raise RemoteUnavailable("The agent on the pod sent an invalid message.")
        count = last - first + 1
        await self._report_loss(f"{count:,} messages of the output are no longer on the pod: its log has a limit.")
        self._last_received = last

    async def _report_loss(self, text: str) -> None:
        for queue in list(self._queues.values()):
            await queue.put(Event("output_lost", data={"detail": text}))

    async def _deliver(self, request_id: str, event: Event) -> None:
        if event.kind in ("input_done", "done"):
            self._end_input(request_id, event.sequence)
        queue = self._queues.get(request_id)
        if queue is None:
            if self.late.is_late(request_id, event):
                await self._deliver_late(request_id, event)
        elif event.kind == "done" and self._is_replaying:
            self._held_ends[request_id] = event  # Its late output may follow in the replay.
        else:
            await queue.put(event, event.size)
            if event.kind == "done":
                self._end_subscription(request_id, event.sequence)

    def _end_input(self, request_id: str, sequence: int) -> None:
        if request_id in self._queues:
            self._input_ends[request_id] = sequence
        self._end_watched_input(request_id)

    def _end_watched_input(self, request_id: str) -> None:
        """Call the function that was passed to `watch_input`, if any."""
        if (watcher := self._input_watchers.pop(request_id, None)) is not None:
            watcher()

    def _end_subscription(self, request_id: str, sequence: int) -> None:
        self._queues.pop(request_id, None)
        if request_id in self._late_receivers:
            self._late_receivers.discard(request_id)
            # A replay shows late output up to `_last_received` before it delivers the end.
            self.late.mark_shown(request_id, max(sequence, self._last_received))

    async def _deliver_late(self, request_id: str, event: Event) -> None:
        """Deliver late output to a request that waits now, or keep it for the next one."""
        receiver = next((other for other in self._queues if other in self._late_receivers), None)
        if receiver is not None:
            await self._queues[receiver].put(event, event.size)
        else:
            self.late.add(request_id, event)

    async def _end_replay_when_complete(self) -> None:
        if self._last_received < self._replay_end:
            return
        await self._end_replay()
        for queue in list(self._queues.values()):
            await queue.put(Event("caught_up"))

    async def _end_replay(self) -> None:
        """Deliver the ``done`` events that waited for the end of the replay."""
        self._is_replaying = False
        held, self._held_ends = self._held_ends, {}
        for request_id, event in held.items():
            await self._deliver(request_id, event)


def _retrieve_exception(task: asyncio.Task[None]) -> None:
    """Keep asyncio from logging an exception that the queues have received."""
    if not task.cancelled():
        task.exception()
