"""The agent: runs on the pod, with the pod's own Python, and keeps a kernel and everything that it sends.

This file is sent to the pod and needs only Python 3.9, pyzmq and ipykernel. It starts an ipykernel that survives the
connection, records each message of the kernel with a sequence number in files, and serves one Unix socket. A client
follows the record from the last number that it has. A request has an id and is executed once, however often it
arrives.

A frame on the socket and in the record is: length of the head and of the body (two 32-bit big-endian integers), the
head (a JSON object), the body. Frames of the record have a ``seq``, one more than the frame before.

Commands: ``start`` starts the agent unless it runs, ``serve`` is the agent, ``relay`` connects stdin and stdout to
it, ``install`` installs packages.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import uuid
import zlib
from array import array
from collections import deque

if False:  # TYPE_CHECKING, without importing typing.
    from collections.abc import Iterator, Sequence
    from typing import Any

PROTOCOL = 1
LENGTHS = struct.Struct(">II")
MAX_HEAD = 1 << 20
MAX_REQUEST = 64 << 20
MAX_TEXT = 1 << 20
"""Characters of a stream in one frame; a longer text is recorded in several."""
MAX_MESSAGE = 128 << 20
SEGMENT_SIZE = 8 << 20
KEPT_SIZE = 64 << 20
"""Bytes of the record that are kept although their requests are not the last one."""
MAX_RECORD = 4 << 30
MAX_IN_MEMORY = 64 << 20
"""Bytes of the record that are kept in memory where the disk is full."""
MAX_SEND = 1 << 18
MIN_SPACE = 1 << 20
"""Bytes that the agent's folder must have room for."""
KERNEL_START_TIMEOUT = 120.0
KERNEL_STOP_TIMEOUT = 3.0
ENTRY_TIME = 0.05
"""Seconds from the kernel's first message about a request until its code can be interrupted."""
DELIMITER = b"<IDS|MSG>"
CHANNELS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4}


def parse(part: bytes) -> dict[str, Any]:
    """Return a part of a message; what is not valid Unicode in a text arrives as other bytes."""
    value: dict[str, Any] = json.loads(part.decode("utf-8", "replace"))
    return value


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a frame."""
    data = json.dumps(head, separators=(",", ":")).encode()
    return LENGTHS.pack(len(data), len(body)) + data + body


# --- The record ------------------------------------------------------------------------------------------------------


class Segment:
    """A file of consecutive frames."""

    def __init__(self, first: int, path: str | None) -> None:
        self.first = first
        self.path = path
        self.offsets = array("Q")
        self.size = 0
        if path is None:
            self.fd = os.memfd_create("yotta-record")
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def end(self) -> int:
        """The sequence number after the last frame."""
        return self.first + len(self.offsets)

    def write(self, frame: bytes) -> None:
        """Append a frame, whole or not at all."""
        view = memoryview(frame)
        try:
            while view:
                view = view[os.write(self.fd, view) :]
        except OSError:
            os.ftruncate(self.fd, self.size)
            raise
        self.offsets.append(self.size)
        self.size += len(frame)

    def load(self) -> Iterator[dict[str, Any]]:
        """Read the heads of the frames in the file and cut off an incomplete last frame."""
        length = os.fstat(self.fd).st_size
        while self.size + LENGTHS.size <= length:
            head_size, body_size = LENGTHS.unpack(os.pread(self.fd, LENGTHS.size, self.size))
            end = self.size + LENGTHS.size + head_size + body_size
            if end > length or head_size > MAX_HEAD:
                break
            yield json.loads(os.pread(self.fd, head_size, self.size + LENGTHS.size))
            self.offsets.append(self.size)
            self.size = end
        os.ftruncate(self.fd, self.size)

    def delete(self) -> None:
        """Delete the file. Clients that still read it keep its descriptor."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.fd)


class Record:
    """Everything that the kernel sent, in segments of some megabytes.

    Segments before the last request are deleted beyond `KEPT_SIZE`, and the oldest of all beyond `limit`.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.limit = max(KEPT_SIZE, min(MAX_RECORD, shutil.disk_usage(folder).free // 2))
        self.protected = 0
        self.segments: list[Segment] = []
        self.next = 0
        self._total = 0
        self._in_memory = 0

    def load(self) -> Iterator[dict[str, Any]]:
        """Read what an earlier agent recorded; yield the heads."""
        for name in sorted(os.listdir(self.folder)):
            segment = Segment(int(name), os.path.join(self.folder, name))
            if self.segments and segment.first != self.next:  # An earlier agent kept frames in memory.
                self.segments.clear()
            yield from segment.load()
            self.segments.append(segment)
            self.next = segment.end
        self._total = sum(segment.size for segment in self.segments)

    @property
    def first(self) -> int:
        """The lowest sequence number that is still recorded."""
        return self.segments[0].first if self.segments else self.next

    def append(self, head: dict[str, Any], body: bytes = b"") -> int:
        """Record a frame and return its sequence number."""
        sequence = self.next
        head["seq"] = sequence
        frame = pack(head, body)
        if not self.segments or self.segments[-1].size + len(frame) > SEGMENT_SIZE:
            self._add_segment()
        try:
            self.segments[-1].write(frame)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO):
                raise
            self.segments.append(Segment(sequence, None))
            self.segments[-1].write(frame)
        self._total += len(frame)
        self._in_memory += len(frame) if self.segments[-1].path is None else 0
        self.next = sequence + 1
        self._trim()
        return sequence

    def _add_segment(self) -> None:
        path = os.path.join(self.folder, f"{self.next:020d}")
        try:
            self.segments.append(Segment(self.next, path))
        except OSError:
            self.segments.append(Segment(self.next, None))

    def _trim(self) -> None:
        while len(self.segments) > 1:
            limit = KEPT_SIZE if self.segments[0].end <= self.protected else self.limit
            if self._total <= limit and self._in_memory <= MAX_IN_MEMORY:
                return
            segment = self.segments.pop(0)
            self._total -= segment.size
            self._in_memory -= segment.size if segment.path is None else 0
            segment.delete()

    def find(self, sequence: int) -> tuple[Segment | None, int]:
        """Return the segment and the offset of a frame; (None, 0) if it is not recorded yet."""
        for segment in self.segments:
            if segment.first <= sequence < segment.end:
                return segment, segment.offsets[sequence - segment.first]
        return None, 0


# --- Clients ---------------------------------------------------------------------------------------------------------


class Client:
    """A connection to the socket: requests come in; after ``follow``, the record goes out."""

    def __init__(self, connection: socket.socket, record: Record) -> None:
        connection.setblocking(False)
        self.socket = connection
        self._record = record
        self._received = bytearray()
        self._out = bytearray()
        self._next: int | None = None
        self._segment: Segment | None = None
        self._offset = 0

    def send(self, head: dict[str, Any]) -> None:
        """Send a frame that is not of the record. Only before `follow` or between segments."""
        self._out += pack(head)

    def follow(self, after: int) -> None:
        """Send the record from a sequence number on."""
        if self._next is None:
            self._next = after + 1
            self._seek()

    def _seek(self) -> None:
        assert self._next is not None
        if self._next < self._record.first:
            self.send({"type": "gap", "from": self._next, "to": self._record.first - 1})
            self._next = self._record.first
        self._segment, self._offset = self._record.find(self._next)

    def receive(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Read from the socket; yield whole requests. Raises EOFError at the end."""
        while True:
            try:
                data = self.socket.recv(MAX_SEND)
            except (BlockingIOError, InterruptedError):
                return
            if not data:
                raise EOFError
            self._received += data
            while len(self._received) >= LENGTHS.size:
                head_size, body_size = LENGTHS.unpack_from(self._received)
                if head_size > MAX_HEAD or body_size > MAX_REQUEST:
                    raise EOFError
                end = LENGTHS.size + head_size + body_size
                if len(self._received) < end:
                    break
                frame = bytes(self._received[LENGTHS.size : end])
                del self._received[:end]
                yield json.loads(frame[:head_size]), frame[head_size:]

    def pump(self) -> bool:
        """Send what can be sent; return whether more is waiting. Raises OSError when the client is gone."""
        try:
            while True:
                if self._out:
                    del self._out[: self.socket.send(self._out)]
                elif self._segment is not None and self._offset < self._segment.size:
                    data = os.pread(self._segment.fd, min(MAX_SEND, self._segment.size - self._offset), self._offset)
                    self._offset += self.socket.send(data)
                elif self._next is not None and self._has_more():
                    self._seek()
                else:
                    return False
        except (BlockingIOError, InterruptedError):
            return True

    def _has_more(self) -> bool:
        if self._segment is not None:
            self._next = self._segment.end
        return self._next is not None and self._next < self._record.next


# --- The kernel ------------------------------------------------------------------------------------------------------


class Kernel:
    """An ipykernel in a session of its own, over ``ipc://`` sockets."""

    def __init__(self, folder: str, sockets: str) -> None:
        import zmq

        self.zmq = zmq
        self.context = zmq.Context()
        self.folder = folder
        self.sockets = sockets
        self.session = uuid.uuid4().hex
        self.generation = 0
        self.pid = 0
        self.started = ""
        self.channels: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, library: str) -> None:
        """Start a new kernel."""
        self.generation += 1
        self.session = uuid.uuid4().hex
        prefix = os.path.join(self.sockets, f"k{self.generation}")
        settings = {"transport": "ipc", "ip": prefix, "key": "", "signature_scheme": "hmac-sha256"}
        ports = {f"{name}_port": number for name, number in CHANNELS.items()}
        path = os.path.join(self.folder, "kernel.json")
        with open(path, "w") as file:
            json.dump({**settings, **ports, "hb_port": 5}, file)
        environment = kernel_environment()
        if os.path.isdir(library):
            paths = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
            environment["PYTHONPATH"] = os.pathsep.join([*paths, library])
        if self.folder == fallback_folder():  # IPython fails on a full disk.
            environment["IPYTHONDIR"] = os.path.join(self.folder, "ipython")
        with open(os.path.join(self.folder, "kernel.log"), "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ipykernel_launcher", "-f", path],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=working_folder(),
                env=environment,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.started = process_start(self.pid)
        self._connect()

    def adopt(self, state: dict[str, Any]) -> bool:
        """Take over the kernel of an earlier agent if it still runs."""
        self.generation = state["generation"]
        self.pid, self.started, self.session = state["pid"], state["started"], state["session"]
        if not self.is_alive():
            return False
        self._connect()
        return True

    def state(self) -> dict[str, Any]:
        """Return what `adopt` needs."""
        return {"generation": self.generation, "pid": self.pid, "started": self.started, "session": self.session}

    def _connect(self) -> None:
        self.disconnect()
        zmq = self.zmq
        prefix = os.path.join(self.sockets, f"k{self.generation}")
        for name, number in CHANNELS.items():
            channel = self.context.socket(zmq.SUB if name == "iopub" else zmq.DEALER)
            channel.linger = 0
            channel.rcvhwm = channel.sndhwm = 0
            channel.reconnect_ivl = 10
            if name == "iopub":
                channel.setsockopt(zmq.SUBSCRIBE, b"")
            else:
                channel.setsockopt(zmq.IDENTITY, self.session.encode())
            channel.connect(f"ipc://{prefix}-{number}")
            self.channels[name] = channel

    def disconnect(self) -> None:
        """Close the sockets."""
        for channel in self.channels.values():
            channel.close()
        self.channels.clear()

    def send(self, channel: str, kind: str, message_id: str, content: dict[str, Any], parent: bytes = b"{}") -> None:
        """Send a message of the Jupyter protocol."""
        header = {
            "msg_id": message_id,
            "msg_type": kind,
            "session": self.session,
            "username": "yotta",
            "date": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
            "version": "5.3",
        }
        parts = [json.dumps(header).encode(), parent, b"{}", json.dumps(content).encode()]
        self.channels[channel].send_multipart([DELIMITER, b"", *parts])

    def receive(self, channel: str, limit: int) -> Iterator[list[bytes]]:
        """Yield waiting messages as header, parent header, metadata, content and buffers."""
        for _ in range(limit):
            try:
                frames = self.channels[channel].recv_multipart(self.zmq.NOBLOCK)
            except self.zmq.Again:
                return
            if DELIMITER in frames:
                parts = frames[frames.index(DELIMITER) + 2 :]
                if len(parts) >= 4:
                    yield parts

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        if self._process is not None and self._process.pid == self.pid:
            return self._process.poll() is None
        return bool(self.pid) and bool(self.started) and process_start(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal to the kernel and what it started."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, number)

    def describe_exit(self) -> str:
        """Return how the process ended, in a few words."""
        code = self._process.returncode if self._process is not None else None
        if code is None:
            return "it is gone"
        if code == -signal.SIGKILL:
            return "killed by SIGKILL, as when memory is exhausted"
        if code < 0:
            return f"killed by signal {-code} ({signal.strsignal(-code)})"
        return f"exit status {code}"

    def log_tail(self) -> str:
        """Return the last line that the kernel wrote to its log."""
        try:
            with open(os.path.join(self.folder, "kernel.log"), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4000))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def process_start(pid: int) -> str:
    """Return the start time of a process that is no zombie, else an empty text."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def kernel_environment() -> dict[str, str]:
    """Return the environment of the kernel.

    An SSH session in a container lacks the variables of the image and of the pod, which process 1 has.
    """
    environment = dict(os.environ)
    in_container = os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")
    if environment.pop("YOTTA_PYTHON", "") or not (in_container or os.environ.get("KUBERNETES_SERVICE_HOST")):
        return environment
    try:
        with open("/proc/1/environ", "rb") as file:
            pairs = (entry.decode("utf-8", "surrogateescape").partition("=") for entry in file.read().split(b"\0"))
            inherited = {name: value for name, _, value in pairs if name}
    except OSError:
        return environment
    paths = [*inherited.get("PATH", "").split(":"), *environment.get("PATH", "").split(":")]
    return {**inherited, **environment, "PATH": ":".join(dict.fromkeys(path for path in paths if path))}


def python_version() -> str:
    """Return the version of this Python, such as 3.11.7."""
    return ".".join(str(number) for number in sys.version_info[:3])


def working_folder() -> str:
    """Return the folder in which cells run: the home."""
    home = os.path.expanduser("~")
    return home if os.path.isdir(home) else "/"


# --- The agent -------------------------------------------------------------------------------------------------------


class Request:
    """An execute request."""

    def __init__(self, head: dict[str, Any], code: str) -> None:
        self.id: str = head["request"]
        self.head = head
        self.code = code
        self.first = 0
        self.replied: dict[str, Any] | None = None
        self.idle = False
        self.entered_at: float | None = None
        self.interrupt = False

    def summary(self) -> dict[str, Any]:
        """Return what clients show of a request."""
        return {"request": self.id, "title": self.head.get("title", ""), "first": self.first}


class Agent:
    """Executes requests one after another in a kernel and records everything."""

    def __init__(self, folder: str) -> None:
        import zmq

        self.folder = folder
        self.library = os.path.join(folder, "lib")
        self.zmq = zmq
        self.poller = zmq.Poller()
        self.record = Record(os.path.join(folder, "record"))
        self.clients: dict[int, Client] = {}
        self.queue: deque[Request] = deque()
        self.running: Request | None = None
        self.recent: deque[dict[str, Any]] = deque(maxlen=50)
        self.input: tuple[str, bytes] | None = None
        self.kernel_state = "starting"
        self.stop_at: float | None = None
        self.quit = False
        self._started_at = 0.0
        self._probed_at = 0.0
        self._probe_replied = False
        self._probe_published = False
        self._restore()

    # Start and end

    def _restore(self) -> None:
        state = read_state(self.folder)
        unfinished: dict[str, dict[str, Any]] = {}
        for head in self.record.load():
            self._restore_request(head, unfinished)
        self.epoch = state.get("epoch") or uuid.uuid4().hex
        self.received_path = os.path.join(self.folder, "requests")
        self.received = set()
        with contextlib.suppress(OSError), open(self.received_path) as file:
            self.received = set(file.read().split())
        self.sockets = state.get("sockets", "")
        if not self.sockets or not os.path.isdir(self.sockets):
            self.sockets = make_socket_folder()
        path = os.path.join(self.sockets, "agent")
        with contextlib.suppress(OSError):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.poller.register(self.listener.fileno(), self.zmq.POLLIN)
        self.kernel = Kernel(self.folder, self.sockets)
        adopted = "kernel" in state and self.kernel.adopt(state["kernel"])
        if adopted:
            self._register_kernel()
            self.record.append({"type": "agent", "state": "restarted"})
            self._started_at = time.monotonic()
            for head in unfinished.values():
                if head.get("started"):
                    self.running = Request(head, "")
                    self.running.first = head["first"]
                    self.running.entered_at = self._started_at
        for head in unfinished.values():
            if self.running is None or head["request"] != self.running.id:
                self._finish(head["request"], "lost", "the agent on the pod ended")
        if not adopted:
            self._start_kernel()
        self._save()

    def _restore_request(self, head: dict[str, Any], unfinished: dict[str, dict[str, Any]]) -> None:
        kind = head.get("type")
        if kind == "accepted" and head.get("kind") == "execute":
            unfinished[head["request"]] = {**head, "first": head["seq"]}
            if not head.get("hidden"):
                self.recent.append({"request": head["request"], "title": head.get("title"), "first": head["seq"]})
                self.record.protected = head["seq"]
        elif kind == "started" and head["request"] in unfinished:
            unfinished[head["request"]]["started"] = True
        elif kind == "done":
            unfinished.pop(head["request"], None)
            if head.get("status") == "not_run":
                self._mark_not_run(head["request"])

    def _save(self) -> None:
        state = {
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "epoch": self.epoch,
            "sockets": self.sockets,
            "kernel": self.kernel.state(),
        }
        path = os.path.join(self.folder, "state.json")
        try:
            with open(path + ".new", "w") as file:
                json.dump(state, file)
            os.replace(path + ".new", path)
        except OSError as error:
            print(f"state not saved: {error}", file=sys.stderr, flush=True)

    def run(self) -> None:
        """Serve until a client requests the end or the folder is deleted."""
        while not self.quit:
            soon = self.kernel_state == "starting" or (self.running is not None and self.running.interrupt)
            events = dict(self.poller.poll(20 if soon else 250))
            for name, channel in list(self.kernel.channels.items()):
                if channel in events:
                    self._read_kernel(name)
            if self.listener.fileno() in events:
                self._accept()
            for number in list(self.clients):
                if events.get(number, 0) & ~self.zmq.POLLOUT:
                    self._read_client(number)
            self._check_kernel()
            self._execute_next()
            self._send_interrupt()
            for number in list(self.clients):
                self._pump(number)
            if not os.path.isdir(self.folder):
                self.quit = True
        self.kernel.signal(signal.SIGKILL)
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Clients

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection = self.listener.accept()[0]
            client = Client(connection, self.record)
            client.send(self._hello())
            self.clients[connection.fileno()] = client
            self.poller.register(connection.fileno(), self.zmq.POLLIN)

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "epoch": self.epoch,
            "first": self.record.first,
            "last": self.record.next - 1,
            "kernel": self.kernel_state,
            "python": python_version(),
            "running": self.running.summary() if self.running else None,
            "queued": [request.summary() for request in self.queue],
            "recent": list(self.recent),
        }

    def _read_client(self, number: int) -> None:
        try:
            for head, body in self.clients[number].receive():
                self._handle(self.clients[number], head, body)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            self._drop(number)

    def _pump(self, number: int) -> None:
        try:
            waiting = self.clients[number].pump()
        except OSError:
            self._drop(number)
        else:
            self.poller.register(number, self.zmq.POLLIN | (self.zmq.POLLOUT if waiting else 0))

    def _drop(self, number: int) -> None:
        client = self.clients.pop(number)
        self.poller.unregister(number)
        client.socket.close()

    def _handle(self, client: Client, head: dict[str, Any], body: bytes) -> None:
        kind = head["type"]
        if kind == "follow":
            client.follow(int(head["after"]))
            return
        request = str(head["request"])
        if request in self.received:
            return
        self.received.add(request)
        with contextlib.suppress(OSError), open(self.received_path, "a") as file:
            file.write(request + "\n")
        if kind == "execute":
            self._accept_execute(head, body)
            return
        self.record.append({"type": "accepted", "request": request, "kind": kind})
        if kind == "input":
            self._send_input(str(head["to"]), body.decode("utf-8", "surrogatepass"))
        elif kind == "interrupt":
            self._interrupt(head.get("target"))
        elif kind == "restart":
            self._stop_kernel("kernel_restarted", "the kernel was restarted")
        elif kind == "shutdown":
            self.quit = True

    # Requests

    def _accept_execute(self, head: dict[str, Any], body: bytes) -> None:
        request = Request(head, body.decode("utf-8", "surrogatepass"))
        hidden = bool(head.get("hidden"))
        event = {"type": "accepted", "request": request.id, "kind": "execute", "title": head.get("title", "")}
        event["hidden"] = hidden
        request.first = self.record.append(event)
        if not hidden:
            self.record.protected = request.first
            self.recent.append(request.summary())
        self.queue.append(request)
        if self.kernel_state == "failed":
            self._start_kernel()

    def _execute_next(self) -> None:
        if self.running is not None or not self.queue or self.kernel_state != "ready":
            return
        request = self.running = self.queue.popleft()
        self.record.append({"type": "started", "request": request.id})
        hidden = bool(request.head.get("hidden"))
        content = {
            "code": request.code,
            "silent": hidden,
            "store_history": not hidden,
            "user_expressions": {},
            "allow_stdin": bool(request.head.get("allow_stdin", True)) and not hidden,
            "stop_on_error": False,
        }
        self.kernel.send("shell", "execute_request", request.id, content)

    def _finish(self, request: str, status: str, detail: str = "", **more: Any) -> None:
        if status == "not_run":
            self._mark_not_run(request)
        self.record.append({"type": "done", "request": request, "status": status, "detail": detail, **more})

    def _mark_not_run(self, request: str) -> None:
        for entry in self.recent:
            if entry["request"] == request:
                entry["not_run"] = True

    def _finish_all(self, status: str, detail: str) -> None:
        if self.running is not None:
            self._finish(self.running.id, status, detail)
            self.running = None
        while self.queue:
            self._finish(self.queue.popleft().id, status if status == "kernel_failed" else "not_run", detail)
        self.input = None

    def _interrupt(self, target: str | None) -> None:
        for request in list(self.queue):
            if request.id == target:
                self.queue.remove(request)
                self._finish(request.id, "not_run", "it was interrupted before it started")
                return
        if self.running is not None and target in (None, self.running.id):
            self.running.interrupt = True

    def _send_interrupt(self) -> None:
        """Send a requested SIGINT once the code runs: the kernel ignores one that comes before."""
        request = self.running
        if request is None or not request.interrupt or request.entered_at is None:
            return
        if time.monotonic() - request.entered_at > ENTRY_TIME:
            request.interrupt = False
            self.kernel.signal(signal.SIGINT)

    def _send_input(self, to: str, value: str) -> None:
        if self.input is None or self.input[0] != to:
            return
        header = self.input[1]
        self.input = None
        self.record.append({"type": "input_done", "request": self.running.id if self.running else "", "to": to})
        self.kernel.send("stdin", "input_reply", uuid.uuid4().hex, {"value": value, "status": "ok"}, header)

    # The kernel

    def _start_kernel(self) -> None:
        self.kernel_state = "starting"
        self._unregister_kernel()
        self._started_at = time.monotonic()
        self._probe_replied = self._probe_published = False
        try:
            self.kernel.start(self.library)
        except OSError as error:
            self._kernel_failed(str(error))
            return
        self._register_kernel()
        self.record.append({"type": "kernel", "state": "starting"})
        self._save()

    def _register_kernel(self) -> None:
        for channel in self.kernel.channels.values():
            self.poller.register(channel, self.zmq.POLLIN)

    def _unregister_kernel(self) -> None:
        for channel in self.kernel.channels.values():
            with contextlib.suppress(KeyError):
                self.poller.unregister(channel)
        self.kernel.disconnect()

    def _stop_kernel(self, status: str, detail: str) -> None:
        """Ask the kernel to end; `_check_kernel` starts a new one."""
        self._finish_all(status, detail)
        self.kernel_state = "stopping"
        self.stop_at = time.monotonic() + KERNEL_STOP_TIMEOUT
        self.kernel.signal(signal.SIGINT)
        self.kernel.send("control", "shutdown_request", uuid.uuid4().hex, {"restart": True})

    def _check_kernel(self) -> None:
        if self.kernel_state == "failed":
            return
        if not self.kernel.is_alive():
            self._kernel_ended()
        elif self.kernel_state == "stopping" and self.stop_at is not None and time.monotonic() > self.stop_at:
            self.kernel.signal(signal.SIGKILL)
        elif self.kernel_state == "starting":
            self._probe()

    def _kernel_ended(self) -> None:
        for name in ("iopub", "shell"):  # What it sent before its end.
            self._read_kernel(name)
        self.kernel.signal(signal.SIGKILL)  # What it started.
        if self.kernel_state == "starting":
            self._kernel_failed(self.kernel.log_tail() or self.kernel.describe_exit())
            return
        if self.kernel_state == "ready":
            reason = f"the kernel on the pod ended: {self.kernel.describe_exit()}"
            self.record.append({"type": "kernel", "state": "dead", "detail": reason})
            self._finish_all("kernel_died", reason)
        self._start_kernel()

    def _kernel_failed(self, reason: str) -> None:
        self.kernel_state = "failed"
        self.record.append({"type": "kernel", "state": "failed", "detail": reason[-500:]})
        self._finish_all("kernel_failed", f"the kernel on the pod does not start: {reason[-500:]}")

    def _probe(self) -> None:
        """Send kernel_info requests until the kernel replies and its published messages arrive."""
        now = time.monotonic()
        if self._probe_replied and self._probe_published:
            self.kernel_state = "ready"
            self.record.append({"type": "kernel", "state": "ready"})
            if self.running is not None:  # The kernel of an earlier agent, which is idle now.
                self._finish(self.running.id, "lost", "it ended while the agent on the pod was restarted")
                self.running = None
        elif now - self._started_at > KERNEL_START_TIMEOUT and self.running is None:
            self.kernel.signal(signal.SIGKILL)
        elif now - self._probed_at > 0.25 or self._probe_replied:
            self._probed_at = now
            self._probe_replied = False
            self.kernel.send("shell", "kernel_info_request", "probe-" + uuid.uuid4().hex, {})

    def _read_kernel(self, name: str) -> None:
        for parts in self.kernel.receive(name, 500):
            try:
                kind = str(parse(parts[0])["msg_type"])
                parent = str(parse(parts[1]).get("msg_id", ""))
                self._handle_message(name, kind, parent, parts)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"unreadable message on {name}: {error!r}", file=sys.stderr, flush=True)

    def _handle_message(self, channel: str, kind: str, parent: str, parts: list[bytes]) -> None:
        if parent.startswith("probe-"):
            self._probe_published = self._probe_published or channel == "iopub"
            self._probe_replied = self._probe_replied or channel == "shell"
            return
        if channel == "control":
            return
        request = self.running if self.running is not None and self.running.id == parent else None
        if request is not None and request.entered_at is None and (kind != "status" or request.head.get("hidden")):
            request.entered_at = time.monotonic()
        if channel == "iopub" and kind == "status":
            if request is not None and parse(parts[3]).get("execution_state") == "idle":
                request.idle = True
        elif channel == "shell":
            if request is not None and kind == "execute_reply":
                request.replied = parse(parts[3])
                self._record_pages(request.id, request.replied.get("payload") or [])
        elif parent and kind != "execute_input":
            head: dict[str, Any] = {"type": "message", "channel": channel, "request": parent, "msg_type": kind}
            if channel == "stdin":
                self.input = (uuid.uuid4().hex, parts[0])
                head["to"] = self.input[0]
            self._record_message(head, parts[2:])
        if request is not None and request.idle and request.replied is not None:
            reply = request.replied
            status = "ok" if reply.get("status") == "ok" else "error"
            self._finish(request.id, status, execution_count=reply.get("execution_count"))
            self.running = None
            self.input = None

    def _record_pages(self, request: str, payload: list[dict[str, Any]]) -> None:
        """Record the text that a notebook would show in a pager, such as that of ``name?``, as an output."""
        for entry in payload:
            if entry.get("source") == "page" and "text/plain" in entry.get("data", {}):
                parts = [b"{}", json.dumps({"data": entry["data"], "metadata": {}, "transient": {}}).encode()]
                head = {"type": "message", "channel": "iopub", "request": request, "msg_type": "display_data"}
                self._record_message(head, parts)

    def _record_message(self, head: dict[str, Any], parts: list[bytes]) -> None:
        """Record a message; a long text in several frames, and another message that is too large as a remark."""
        size = sum(len(part) for part in parts)
        texts: list[str] = []
        if head["msg_type"] == "stream" and size > MAX_TEXT:
            content = parse(parts[1])
            text = content["text"]
            texts = [text[start : start + MAX_TEXT] for start in range(0, len(text), MAX_TEXT)]
        elif size > MAX_MESSAGE:
            content = {"name": "stderr"}
            limit = MAX_MESSAGE / 1e6
            texts = [f"[An output of {size / 1e6:.0f} MB is not shown: the limit is {limit:.0f} MB.]\n"]
            head["msg_type"] = "stream"
        bodies = [[b"{}", json.dumps({**content, "text": text}).encode()] for text in texts] if texts else [parts]
        for body in bodies:
            self.record.append({**head, "parts": [len(part) for part in body]}, b"".join(body))


# --- Commands --------------------------------------------------------------------------------------------------------


def say(**message: Any) -> None:
    """Print a line for the client, which ignores what login scripts print."""
    print("yotta-agent:" + json.dumps(message), flush=True)


def choose_folder() -> str:
    """Return the folder of the agent: in the home, or below /tmp if the home has no space or cannot be written.

    A folder in which an agent runs comes first, even if its disk is full now.
    """
    override = os.environ.get("YOTTA_AGENT_FOLDER")
    default = os.path.join(os.path.expanduser("~"), ".cache", "yotta-agent")
    folders = [folder for folder in (override, default, fallback_folder()) if folder]
    for folder in folders:
        if is_private(folder) and is_locked(folder):
            return folder
    reason = ""
    for folder in folders:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            if is_private(folder):
                os.chmod(folder, 0o700)
                with tempfile.TemporaryFile(dir=folder) as file:
                    file.write(bytes(MIN_SPACE))
                return folder
        except OSError as error:
            reason = error.strerror or str(error)
    raise OSError(f"neither the home nor /tmp can be written: {reason or 'it belongs to another user'}")


def fallback_folder() -> str:
    """Return the folder of the agent where the home cannot be used."""
    return f"/tmp/yotta-agent-{os.getuid()}-{zlib.crc32(os.path.expanduser('~').encode()):08x}"


def is_private(folder: str) -> bool:
    """Return whether a path is a folder of this user."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def make_socket_folder() -> str:
    """Return a new private folder with a path short enough for Unix sockets."""
    base = tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="yotta-", dir=base if len(base) < 60 else "/tmp")


def read_state(folder: str) -> dict[str, Any]:
    """Return the state that an agent saved, or an empty dict."""
    try:
        with open(os.path.join(folder, "state.json")) as file:
            state: dict[str, Any] = json.load(file)
            return state
    except (OSError, ValueError):
        return {}


def is_locked(folder: str) -> bool:
    """Return whether an agent runs."""
    try:
        with open(os.path.join(folder, "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    return False


def socket_path(folder: str) -> str | None:
    """Return the path of the running agent's socket, or None."""
    state = read_state(folder)
    if state.get("protocol") != PROTOCOL or not is_locked(folder):
        return None
    path = os.path.join(state["sockets"], "agent")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(path)
        return path
    return None


def start(source: bytes, install: bool) -> int:
    """Start the agent unless it runs, and print the path of its socket."""
    folder = choose_folder()
    path = socket_path(folder)
    if path is None:
        sys.path.append(os.path.join(folder, "lib"))
        missing = [name for name in ("ipykernel", "zmq") if importlib.util.find_spec(name) is None]
        if missing and not install_packages(folder, ["ipykernel"], install):
            return 1
        state = read_state(folder)
        if state.get("protocol") != PROTOCOL and is_locked(folder):  # An agent of another version of this file.
            with contextlib.suppress(OSError, KeyError):
                os.kill(state["pid"], signal.SIGTERM)
        path = spawn(folder, source)
    if path is None:
        say(error="failed", detail=tail(os.path.join(folder, "agent.log")) or "the agent does not start")
        return 1
    say(ready=path, folder=folder, python=python_version(), executable=sys.executable)
    return 0


def spawn(folder: str, source: bytes) -> str | None:
    """Start ``serve`` in a session of its own and wait for its socket."""
    program = os.path.join(folder, "agent.py")
    with open(program + ".new", "wb") as file:
        file.write(source)
    os.replace(program + ".new", program)
    deadline = time.monotonic() + 20
    process: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        if process is None or (process.poll() is not None and not is_locked(folder)):
            if process is not None and process.returncode:
                return None
            with open(os.path.join(folder, "agent.log"), "ab") as log:
                process = subprocess.Popen(
                    [sys.executable, program, "serve", folder],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,
                )
        path = socket_path(folder)
        if path is not None:
            return path
        time.sleep(0.01)
    return None


def serve(folder: str) -> int:
    """Run the agent, unless another one runs in the same folder."""
    sys.path.append(os.path.join(folder, "lib"))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.path.join(folder, "lock"), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        Agent(folder).run()
    return 0


def relay(path: str) -> int:
    """Connect stdin and stdout to the socket, where the SSH server forwards no Unix sockets."""
    import threading

    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)

    def copy_input() -> None:
        with contextlib.suppress(OSError):
            while True:
                data = os.read(0, MAX_SEND)
                if not data:
                    break
                connection.sendall(data)
            connection.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=copy_input, daemon=True).start()
    with contextlib.suppress(OSError):
        while True:
            data = connection.recv(MAX_SEND)
            if not data:
                break
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
    return 0


def install_packages(folder: str, names: Sequence[str], allowed: bool) -> bool:
    """Install packages with pip; print why not."""
    if not allowed:
        say(error="missing", detail=" and ".join(names))
        return False
    if importlib.util.find_spec("pip") is None:
        say(error="no_pip", detail=" and ".join(names))
        return False
    say(notice="install", detail=" and ".join(names))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run([*command, *names], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode and "externally-managed-environment" in result.stderr:
        target = ["--target", os.path.join(folder, "lib")]
        result = subprocess.run([*command, *target, *names], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")]
        reason = (errors or lines or ["pip failed"])[-1]
        say(error="pip", detail=(reason[len("ERROR: ") :] if reason.startswith("ERROR: ") else reason)[:300])
        return False
    importlib.invalidate_caches()
    return True


def install(names: Sequence[str], allowed: bool) -> int:
    """Install those of some packages that are missing."""
    folder = choose_folder()
    sys.path.append(os.path.join(folder, "lib"))
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing and not install_packages(folder, missing, allowed):
        return 1
    say(ready="", folder=folder)
    return 0


def tail(path: str) -> str:
    """Return the last line of a file."""
    try:
        with open(path, errors="replace") as file:
            return file.read()[-4000:].strip().rpartition("\n")[2]
    except OSError:
        return ""


def main(arguments: Sequence[str], source: bytes = b"") -> int:
    """Run a command."""
    command, rest = arguments[0], arguments[1:]
    try:
        if command == "start":
            return start(source, "--no-install" not in rest)
        if command == "install":
            return install([name for name in rest if not name.startswith("-")], "--no-install" not in rest)
    except OSError as error:
        say(error="os", detail=str(error))
        return 1
    return serve(rest[0]) if command == "serve" else relay(rest[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], globals().get("SOURCE", b"")))
