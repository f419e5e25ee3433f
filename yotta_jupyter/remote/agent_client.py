"""The client of the agent: sends requests once and receives its record in order, across connections.

Runs on the background loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable, YottaError
from .events import Event, decode_message
from .framing import Frame, FrameReader, pack
from .late import LateOutput
from .queues import BoundedQueue

if TYPE_CHECKING:
    from .connection import PodConnection
    from .launcher import AgentLauncher

PROTOCOL: Final = 1
HELLO_TIMEOUT: Final = 20.0
_MAX_REQUESTS: Final = 200


@dataclass(frozen=True)
class RequestInfo:
    """A run that the agent knows.

    Attributes
    ----------
    request_id : str
    title : str
        The first line of its code.
    first : int
        The position of its first event in the record.
    state : str
        ``queued``, ``running``, ``done``, or ``not_run`` if it was cancelled before it started.
    """

    request_id: str
    title: str
    first: int
    state: str


@dataclass
class _Outgoing:
    """A request that is sent on each new connection until it is accepted."""

    frame: bytes
    request_id: str
    was_sent: bool = False


class AgentClient:
    """A client of a pod's agent.

    Late output is delivered with a run that waits when it arrives, else with the next one before its own output.

    Parameters
    ----------
    connection : PodConnection
    launcher : AgentLauncher
    after : int, optional
        Receive the record from the position after this one; by default from its end.
    epoch : str, optional
        The record to which `after` belongs.
    """

    def __init__(
        self,
        connection: PodConnection,
        launcher: AgentLauncher,
        *,
        after: int | None = None,
        epoch: str | None = None,
    ) -> None:
        self._connection = connection
        self._launcher = launcher
        self.position = after
        self.epoch = epoch
        self._last_at_hello = -1
        self._is_caught_up = False
        self.python = ""
        self.requests: OrderedDict[str, RequestInfo] = OrderedDict()
        self._queues: dict[str, BoundedQueue[Event]] = {}
        self._shows_late: set[str] = set()
        self.late = LateOutput()
        self._replay_end = -1
        self._done_in_replay: dict[str, Event] = {}
        self._outgoing: OrderedDict[str, _Outgoing] = OrderedDict()
        self._writer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._attached = asyncio.Event()

    async def attach(self) -> None:
        """Connect to the agent, which is started if it does not run.

        Raises
        ------
        YottaError
            The pod or the agent cannot be reached.
        """
        self._start()
        assert self._task is not None
        attached = asyncio.ensure_future(self._attached.wait())
        await asyncio.wait([attached, self._task], return_when=asyncio.FIRST_COMPLETED)
        attached.cancel()
        if self._task.done():
            self._task.result()

    def receive(self, request_id: str, queue: BoundedQueue[Event], *, shows_late: bool = False) -> None:
        """Deliver the events of a request to a queue.

        Parameters
        ----------
        request_id : str
        queue : BoundedQueue
        shows_late : bool, default False
            Whether the queue gets the late output of earlier requests, too.
        """
        self._queues[request_id] = queue
        if not shows_late:
            return
        self._shows_late.add(request_id)
        events, skipped = self.late.take()
        for event in events:
            queue.put_nowait(event, event.size)
        if skipped:
            text = f"{skipped:,} messages of earlier cells are not shown; attach to those cells to see them."
            queue.put_nowait(Event("notice", data={"detail": text}))

    def forget(self, request_id: str) -> None:
        """Deliver no more events of a request. The request itself continues.

        Parameters
        ----------
        request_id : str
        """
        self._shows_late.discard(request_id)
        self._done_in_replay.pop(request_id, None)
        events = self._queues.pop(request_id, None)
        if events is not None:
            events.close()

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a request, again after each reconnect until the agent has accepted it.

        Parameters
        ----------
        head : dict
            With ``type`` and a unique ``request``.
        body : bytes, optional
        """
        outgoing = _Outgoing(pack(head, body), head["request"])
        self._outgoing[outgoing.request_id] = outgoing
        if self._writer is not None:
            self._write(outgoing)
        self._start()

    def withdraw(self, request_id: str) -> bool:
        """Withdraw a request that was never sent; return whether it was.

        Parameters
        ----------
        request_id : str
        """
        outgoing = self._outgoing.get(request_id)
        if outgoing is None or outgoing.was_sent:
            return False
        del self._outgoing[request_id]
        return True

    async def close(self) -> None:
        """Disconnect from the agent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for events in self._queues.values():
            events.put_nowait(Event("failed", error=RemoteUnavailable("The connection to the pod was closed.")))
        self._queues.clear()

    # Connections

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._attached.clear()
            self._task = asyncio.ensure_future(self._follow())
            self._task.add_done_callback(_retrieve_exception)

    async def _follow(self) -> None:
        """Receive the record until there is nothing to wait for."""
        try:
            while await self._follow_connection():
                pass
        except YottaError as error:
            await self._fail(error)
            raise
        except Exception as error:
            failure = RemoteUnavailable(f"The connection to the agent failed: {type(error).__name__}: {error}")
            await self._fail(failure)
            raise failure from error
        finally:
            self._writer = None
            self._attached.clear()

    async def _follow_connection(self) -> bool:
        """Receive on one connection until it is lost; return whether to connect again."""
        connection = await self._connection.get()
        writer: Any = None
        try:
            reader, writer = await self._launcher.open(connection)
            frames = FrameReader(reader)
            await self._greet(frames, writer)
            while (frame := await frames.next()) is not None:
                await self._dispatch(frame)
                if not self._is_caught_up:
                    await self._announce_replay_end()
                if self._done_in_replay and (self.position or 0) >= self._replay_end:
                    await self._end_replay()
        except Exception as error:
            if not isinstance(error, EOFError) and not await self._connection.is_lost(connection, error):
                raise
        finally:
            self._writer = None
            self._attached.clear()
            if writer is not None:
                writer.close()
        if not connection.is_closed():
            await asyncio.sleep(0.05)  # The agent ended, or the connection is about to be closed.
        return bool(self._queues or self._outgoing)

    async def _greet(self, frames: FrameReader, writer: Any) -> None:
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
        epoch = str(hello.get("epoch"))
        if self.epoch is not None and epoch != self.epoch:
            await self._start_anew()
        if self.epoch != epoch or self.position is None:
            self.position = hello["last"]
        self.epoch = epoch
        self._last_at_hello = self._replay_end = hello["last"]
        self.python = str(hello.get("python", ""))[:20]
        self._read_requests(hello)
        self._is_caught_up = False
        await self._announce_replay_end()
        writer.write(pack({"type": "follow", "after": self.position}))
        self._writer = writer
        for outgoing in self._outgoing.values():
            self._write(outgoing)
        self._attached.set()

    async def _start_anew(self) -> None:
        """Fail the requests that were sent to an agent that is gone with its record."""
        error = RemoteUnavailable(
            f"Pod {self._connection.endpoint.label} was started again while the cell ran:"
            " the cell did not end, or its output is gone.",
            advice="Run it again if that is safe.",
            pod_id=self._connection.endpoint.pod_id,
        )
        await self._end_replay()
        unsent = {outgoing.request_id for outgoing in self._outgoing.values() if not outgoing.was_sent}
        for request_id in [name for name in self._queues if name not in unsent]:
            await self._queues.pop(request_id).put(Event("failed", error=error))
        for request_id in [name for name in self._outgoing if name not in unsent]:
            del self._outgoing[request_id]
        self.requests.clear()
        self.late.clear()

    def _write(self, outgoing: _Outgoing) -> None:
        outgoing.was_sent = True
        try:
            self._writer.write(outgoing.frame)
        except (OSError, EOFError):
            self._writer = None  # The reader finds the same and connects again.

    async def _fail(self, error: YottaError) -> None:
        await self._end_replay()
        self._outgoing.clear()
        queues, self._queues = self._queues, {}
        for events in queues.values():
            events.put_nowait(Event("failed", error=error))

    # The record

    async def _dispatch(self, frame: Frame) -> None:
        head, kind = frame.head, frame.head.get("type")
        if kind == "gap":
            await self._skip(head)
            return
        sequence = head.get("seq")
        if sequence != (self.position or 0) + 1 and not (self.position == -1 and sequence == 0):
            raise RemoteUnavailable("The agent on the pod sent messages out of order.", advice="Run the cell again.")
        request_id = str(head.get("request"))
        if kind == "accepted" and head.get("kind") == "execute" and sequence > self._last_at_hello:
            head["behind"] = next((info.title for info in self.requests.values() if info.state == "running"), None)
        self._update_requests(request_id, head)
        size = len(frame.body) + 200
        if kind == "message":
            event = decode_message(frame, size)
            if event is not None:
                await self._deliver(request_id, event)
        elif kind == "agent":
            text = "The agent on the pod was restarted; output during that time may be missing."
            for name in list(self._queues):
                await self._deliver(name, Event("lost", sequence, {"detail": text}))
        elif kind in ("accepted", "started", "done", "input_done"):
            await self._deliver(request_id, Event(str(kind), sequence, head, size=size))
        self.position = sequence

    async def _skip(self, head: dict[str, Any]) -> None:
        first, last = head.get("from"), head.get("to")
        if not isinstance(first, int) or not isinstance(last, int) or last < first:
            raise RemoteUnavailable("The agent on the pod sent an invalid message.")
        text = f"{last - first + 1:,} messages of the output are no longer on the pod: its record has a limit."
        for name in list(self._queues):
            await self._deliver(name, Event("lost", -1, {"detail": text}))
        self.position = last

    async def _deliver(self, request_id: str, event: Event) -> None:
        events = self._queues.get(request_id)
        if events is None:
            if self.late.includes(request_id, event):
                await self._deliver_late(request_id, event)
        elif event.kind == "done" and event.sequence < self._replay_end:
            self._done_in_replay[request_id] = event  # Late output may follow.
        else:
            await events.put(event, event.size)
            if event.kind == "done":
                self._queues.pop(request_id, None)
                if request_id in self._shows_late:
                    self._shows_late.discard(request_id)
                    self.late.mark_shown(request_id, max(event.sequence, self.position or 0))

    async def _deliver_late(self, request_id: str, event: Event) -> None:
        current = next((name for name in self._queues if name in self._shows_late), None)
        if current is not None:
            await self._queues[current].put(event, event.size)
        else:
            self.late.keep(request_id, event)

    async def _announce_replay_end(self) -> None:
        """Tell the receivers that an input request from before the connection is still unanswered.

        The last recorded event may belong to another request, such as a cell that waits for this one.
        """
        if (self.position or 0) >= self._last_at_hello:
            self._is_caught_up = True
            for events in list(self._queues.values()):
                await events.put(Event("caught_up"), 0)

    async def _end_replay(self) -> None:
        """Deliver the ends of requests that were held back for late output."""
        self._replay_end = -1
        ended, self._done_in_replay = self._done_in_replay, {}
        for request_id, event in ended.items():
            await self._deliver(request_id, event)

    def _read_requests(self, hello: dict[str, Any]) -> None:
        running = hello.get("running")
        running_id = running.get("request") if isinstance(running, dict) else None
        queued = {entry.get("request") for entry in _dicts(hello.get("queued"))}
        for entry in [*_dicts(hello.get("recent")), *_dicts([running] if running else [])]:
            name = str(entry.get("request"))
            ended = "not_run" if entry.get("not_run") is True else "done"
            state = "running" if name == running_id else "queued" if name in queued else ended
            first = entry.get("first")
            if isinstance(first, int):
                self._remember(RequestInfo(name, str(entry.get("title") or "")[:200], first, state))

    def _update_requests(self, request_id: str, head: dict[str, Any]) -> None:
        kind = head.get("type")
        if kind == "accepted":
            self._outgoing.pop(request_id, None)
            if head.get("kind") == "execute" and not head.get("hidden"):
                title = str(head.get("title") or "")[:200]
                self._remember(RequestInfo(request_id, title, int(head["seq"]), "queued"))
        elif kind in ("started", "done") and request_id in self.requests:
            info = self.requests[request_id]
            ended = "not_run" if head.get("status") == "not_run" else "done"
            state = "running" if kind == "started" else ended
            self.requests[request_id] = RequestInfo(request_id, info.title, info.first, state)

    def _remember(self, info: RequestInfo) -> None:
        self.requests[info.request_id] = info
        while len(self.requests) > _MAX_REQUESTS:
            self.requests.popitem(last=False)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _retrieve_exception(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
