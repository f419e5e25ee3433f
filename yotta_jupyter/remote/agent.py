"""The agent: runs on the pod, keeps a Jupyter kernel there, and logs each message that the kernel sends.

This one file is sent to the pod and needs only Python 3.9, pyzmq and ipykernel. The agent and the kernel survive the
SSH connection. Clients connect to a Unix socket, send requests, and follow the log from the last entry that they have.
A request has an id, so that it is executed once, however often it is sent.

A frame on the socket and in the log is: the lengths of head and body (two 32-bit big-endian integers), the head (a JSON
object), the body. The head of a log entry has a sequence number in ``seq``, one more than that of the entry before.

==============  =======================================================================================================
client sends    ``follow`` (the log after a number), ``execute``, ``input`` (the reply to an ``input()``),
                ``interrupt``, ``restart`` (the kernel), ``shutdown`` (the kernel and the agent)
agent sends     ``hello`` (its state, at first), ``gap`` (entries that were deleted), then the log
log entries     ``accepted`` (a request), ``started``, ``message`` (of the kernel), ``input_done``, ``done``,
                ``kernel`` (its state), ``agent_restarted``
==============  =======================================================================================================

The status in ``done`` is ``ok``, ``error``, ``not_run``, ``kernel_died``, ``kernel_restarted``, ``kernel_failed`` (it
did not start), or ``lost`` (unknown, because the agent was restarted).

Usage: ``start`` starts the agent unless it runs, ``serve`` is the agent, ``relay`` connects stdin and stdout to it,
``require`` installs packages that are missing.
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
import threading
import time
import uuid
import zlib
from array import array
from collections import deque

if False:  # For type checkers. `typing` is slow to import.
    from collections.abc import Iterator, Sequence
    from typing import Any

PROTOCOL = 1

# Sizes in bytes.
MAX_HEAD = 1 << 20
MAX_REQUEST = 64 << 20
MAX_MESSAGE = 128 << 20
MAX_STREAM_TEXT = 1 << 20
"""A longer text of a stream is logged in several entries."""
SEGMENT_SIZE = 8 << 20
SOFT_LIMIT = 64 << 20
"""In a larger log, the entries before the last request are deleted."""
HARD_LIMIT = 4 << 30
"""In a larger log, the oldest entries are deleted. With little free disk space, half of the free space is the limit."""
MEMORY_LIMIT = 64 << 20
"""The part of the log that is kept in memory if the disk is full."""
BLOCK = 1 << 18
MIN_SPACE = 1 << 20
"""Free space that the agent's folder must have."""

# Times in seconds, unless named otherwise.
KERNEL_START_TIMEOUT = 120.0
KERNEL_STOP_TIMEOUT = 3.0
AGENT_START_TIMEOUT = 20.0
PROBE_INTERVAL = 0.25
INTERRUPT_DELAY = 0.05
"""From the start of the code until an interrupt: the kernel ignores an interrupt that arrives before the code runs."""
POLL_MS = 250
FAST_POLL_MS = 20

DELIMITER = b"<IDS|MSG>"
CHANNELS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4}
"""The channels of the Jupyter protocol and their ``ipc://`` port numbers."""
PROBE_PREFIX = "probe-"
IMAGE_PYTHON_VARIABLES = ("PATH", "PYTHON", "VIRTUAL_ENV", "CONDA")
"""Prefixes of variables that are for the Python of the image, not for one that was chosen."""
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
MESSAGE_PREFIX = "yotta-agent:"
"""Begins the lines for the client. Login scripts print other lines."""


# --- Frames ----------------------------------------------------------------------------------------------------------

LENGTHS = struct.Struct(">II")


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a frame."""
    data = json.dumps(head, separators=(",", ":")).encode()
    return LENGTHS.pack(len(data), len(body)) + data + body


def parse_json(data: bytes) -> dict[str, Any]:
    """Return a JSON object of the kernel. It may contain invalid UTF-8."""
    value: dict[str, Any] = json.loads(data.decode("utf-8", "replace"))
    return value


# --- The log ---------------------------------------------------------------------------------------------------------


class Segment:
    """A part of the log: consecutive entries in one file, or in memory if `path` is None."""

    def __init__(self, first: int, path: str | None) -> None:
        self.first = first  # The sequence number of the first entry.
        self.path = path
        self.offsets = array("Q")  # Where each entry begins.
        self.size = 0
        if path is None:
            self.fd = os.memfd_create("yotta-log")
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def end(self) -> int:
        """The sequence number after the last entry."""
        return self.first + len(self.offsets)

    def write(self, frame: bytes) -> None:
        """Append an entry, whole or not at all."""
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
        """Read the file of an earlier agent; yield the heads and cut off an incomplete last entry."""
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
        """Delete the file. Clients that read it still have its descriptor."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.fd)


class MessageLog:
    """The log: everything that the kernel sent, in segments of some megabytes."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        half_of_free = shutil.disk_usage(folder).free // 2
        self.hard_limit = max(SOFT_LIMIT, min(HARD_LIMIT, half_of_free))
        self.last_request_start = 0  # Entries before this sequence number are deleted first.
        self.segments: list[Segment] = []
        self.next = 0  # The sequence number of the next entry.
        self._size = 0
        self._memory_size = 0

    @property
    def first(self) -> int:
        """The sequence number of the oldest entry."""
        return self.segments[0].first if self.segments else self.next

    def load(self) -> Iterator[dict[str, Any]]:
        """Read the log of an earlier agent; yield the heads."""
        for name in sorted(os.listdir(self.folder)):
            segment = Segment(int(name), os.path.join(self.folder, name))
            if segment.first != self.next:  # The entries between were kept in memory only.
                self.segments.clear()
            yield from segment.load()
            self.segments.append(segment)
            self.next = segment.end
        self._size = sum(segment.size for segment in self.segments)

    def append(self, head: dict[str, Any], body: bytes = b"") -> int:
        """Add an entry and return its sequence number."""
        sequence = self.next
        head["seq"] = sequence
        frame = pack(head, body)
        if not self.segments or self.segments[-1].size + len(frame) > SEGMENT_SIZE:
            self._add_segment()
        try:
            self.segments[-1].write(frame)
        except OSError as error:
            if error.errno not in DISK_ERRORS:
                raise
            self.segments.append(Segment(sequence, None))
            self.segments[-1].write(frame)
        self.next = sequence + 1
        self._add_size(self.segments[-1], len(frame))
        self._delete_old_segments()
        return sequence

    def append_message(self, head: dict[str, Any], parts: list[bytes]) -> None:
        """Add a message of the kernel. A long text becomes several entries.

        Any other message that is too large is replaced by a note. `parts` are metadata, content and buffers.
        """
        size = sum(len(part) for part in parts)
        if head["msg_type"] == "stream" and size > MAX_STREAM_TEXT:
            content = parse_json(parts[1])
            text = content["text"]
            for start in range(0, len(text), MAX_STREAM_TEXT):
                part = {**content, "text": text[start : start + MAX_STREAM_TEXT]}
                self._append_parts(head, [b"{}", json.dumps(part).encode()])
        elif size > MAX_MESSAGE:
            limit = MAX_MESSAGE / 1e6
            note = f"[An output of {size / 1e6:.0f} MB is not shown: the limit is {limit:.0f} MB.]\n"
            content = {"name": "stderr", "text": note}
            self._append_parts({**head, "msg_type": "stream"}, [b"{}", json.dumps(content).encode()])
        else:
            self._append_parts(head, parts)

    def _append_parts(self, head: dict[str, Any], parts: list[bytes]) -> None:
        self.append({**head, "parts": [len(part) for part in parts]}, b"".join(parts))

    def find(self, sequence: int) -> tuple[Segment | None, int]:
        """Return the segment of an entry and its offset there; (None, 0) if there is no such entry yet."""
        for segment in self.segments:
            if segment.first <= sequence < segment.end:
                return segment, segment.offsets[sequence - segment.first]
        return None, 0

    def _add_segment(self) -> None:
        path = os.path.join(self.folder, f"{self.next:020d}")
        try:
            self.segments.append(Segment(self.next, path))
        except OSError:
            self.segments.append(Segment(self.next, None))

    def _delete_old_segments(self) -> None:
        while len(self.segments) > 1:
            oldest = self.segments[0]
            limit = SOFT_LIMIT if oldest.end <= self.last_request_start else self.hard_limit
            if self._size <= limit and self._memory_size <= MEMORY_LIMIT:
                return
            self.segments.pop(0).delete()
            self._add_size(oldest, -oldest.size)

    def _add_size(self, segment: Segment, size: int) -> None:
        self._size += size
        if segment.path is None:
            self._memory_size += size


# --- Clients ---------------------------------------------------------------------------------------------------------


class Client:
    """A connection of a client: requests come in; after its ``follow``, the log goes out."""

    def __init__(self, connection: socket.socket, log: MessageLog) -> None:
        connection.setblocking(False)
        self.socket = connection
        self._log = log
        self._received = bytearray()
        self._out = bytearray()  # Frames to send that are not of the log.
        self._next: int | None = None  # The next entry to send; None before ``follow``.
        self._segment: Segment | None = None
        self._offset = 0

    def send(self, head: dict[str, Any]) -> None:
        """Send a frame that is not of the log. Not called while entries are sent: the frame would divide one."""
        self._out += pack(head)

    def follow(self, after: int) -> None:
        """Send the entries after a sequence number, now and as they are added. A second call has no effect."""
        if self._next is None:
            self._next = after + 1
            self._seek(self._next)

    def receive(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Read from the socket; yield whole requests. Raises EOFError at the end and after an invalid frame."""
        while True:
            try:
                data = self.socket.recv(BLOCK)
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

    def send_pending(self) -> bool:
        """Send as much as the socket takes; return whether there is more. Raises OSError if the client is gone."""
        try:
            while True:
                if self._out:
                    del self._out[: self.socket.send(self._out)]
                elif self._segment is not None and self._offset < self._segment.size:
                    count = min(BLOCK, self._segment.size - self._offset)
                    self._offset += self.socket.send(os.pread(self._segment.fd, count, self._offset))
                elif not self._go_to_next_segment():
                    return False
        except (BlockingIOError, InterruptedError):
            return True

    def _go_to_next_segment(self) -> bool:
        """Go on after the present segment; return False if there is no entry to send."""
        if self._next is None:
            return False
        if self._segment is not None:
            self._next = self._segment.end
        if self._next >= self._log.next:
            return False
        self._seek(self._next)
        return True

    def _seek(self, sequence: int) -> None:
        """Send an entry next, or the oldest one if the entry was deleted."""
        first = self._log.first
        if sequence < first:
            self.send({"type": "gap", "from": sequence, "to": first - 1})
        self._next = max(sequence, first)
        self._segment, self._offset = self._log.find(self._next)


# --- The kernel ------------------------------------------------------------------------------------------------------


class Kernel:
    """An ipykernel process in a session of its own, connected by ``ipc://`` sockets in a folder."""

    def __init__(self, folder: str, socket_folder: str) -> None:
        import zmq

        self.channels: dict[str, Any] = {}
        self._zmq = zmq
        self._context = zmq.Context()
        self._folder = folder
        self._socket_folder = socket_folder
        self._log_path = os.path.join(folder, "kernel.log")
        self._session = uuid.uuid4().hex
        self._generation = 0  # The number of kernels so far: each has sockets of its own.
        self._pid = 0
        self._start_time = ""  # Of the process; see `process_start_time`.
        self._process: subprocess.Popen[bytes] | None = None  # None for the kernel of an earlier agent.

    # The process

    def start(self) -> None:
        """Start a new kernel."""
        self._generation += 1
        self._session = uuid.uuid4().hex
        connection_file = self._write_connection_file()
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=working_folder(),
                env=self._environment(),
                start_new_session=True,
            )
        self._pid = self._process.pid
        self._start_time = process_start_time(self._pid)
        self._connect()

    def adopt(self, state: dict[str, Any]) -> bool:
        """Take over the kernel of an earlier agent; return False if it does not run any more."""
        self._generation = state["generation"]
        self._pid, self._start_time, self._session = state["pid"], state["started"], state["session"]
        if not self.is_alive():
            return False
        self._connect()
        return True

    def state(self) -> dict[str, Any]:
        """Return what `adopt` needs."""
        process = {"pid": self._pid, "started": self._start_time}
        return {"generation": self._generation, "session": self._session, **process}

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        if self._process is not None:
            return self._process.poll() is None
        return self._start_time != "" and process_start_time(self._pid) == self._start_time

    def signal(self, number: int) -> None:
        """Send a signal to the kernel and to the processes that it started."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, number)

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

    def last_log_line(self) -> str:
        """Return the last line that the process wrote to stdout or stderr."""
        return last_line(self._log_path)

    def _write_connection_file(self) -> str:
        settings = {"transport": "ipc", "ip": self._socket_prefix(), "key": "", "signature_scheme": "hmac-sha256"}
        ports = {f"{name}_port": number for name, number in CHANNELS.items()}
        path = os.path.join(self._folder, "kernel.json")
        with open(path, "w") as file:
            json.dump({**settings, **ports, "hb_port": 5}, file)
        return path

    def _environment(self) -> dict[str, str]:
        environment = pod_environment()
        library = library_folder(self._folder)
        if os.path.isdir(library):
            paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
            environment["PYTHONPATH"] = os.pathsep.join([*paths, library])
        if self._folder == fallback_folder():  # The home is full, and IPython must write its history.
            environment["IPYTHONDIR"] = os.path.join(self._folder, "ipython")
        return environment

    # Messages

    def send(self, channel: str, kind: str, message_id: str, content: dict[str, Any], parent: bytes = b"{}") -> None:
        """Send a message of the Jupyter protocol."""
        header = {
            "msg_id": message_id,
            "msg_type": kind,
            "session": self._session,
            "username": "yotta",
            "date": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
            "version": "5.3",
        }
        parts = [json.dumps(header).encode(), parent, b"{}", json.dumps(content).encode()]
        self.channels[channel].send_multipart([DELIMITER, b"", *parts])  # Without a signature: `key` is empty.

    def receive(self, channel: str, limit: int) -> Iterator[list[bytes]]:
        """Yield waiting messages as a list of header, parent header, metadata, content, and buffers."""
        for _ in range(limit):
            try:
                frames = self.channels[channel].recv_multipart(self._zmq.NOBLOCK)
            except self._zmq.Again:
                return
            if DELIMITER in frames:
                parts = frames[frames.index(DELIMITER) + 2 :]  # After the delimiter and the signature.
                if len(parts) >= 4:
                    yield parts

    def disconnect(self) -> None:
        """Close the sockets."""
        for channel in self.channels.values():
            channel.close()
        self.channels.clear()

    def _connect(self) -> None:
        self.disconnect()
        zmq = self._zmq
        for name, number in CHANNELS.items():
            channel = self._context.socket(zmq.SUB if name == "iopub" else zmq.DEALER)
            channel.linger = 0
            channel.rcvhwm = channel.sndhwm = 0  # No limit: zmq drops messages beyond it.
            channel.reconnect_ivl = 10  # Milliseconds.
            if name == "iopub":
                channel.setsockopt(zmq.SUBSCRIBE, b"")
            else:
                channel.setsockopt(zmq.IDENTITY, self._session.encode())
            channel.connect(f"ipc://{self._socket_prefix()}-{number}")
            self.channels[name] = channel

    def _socket_prefix(self) -> str:
        return os.path.join(self._socket_folder, f"k{self._generation}")


class Probe:
    """Finds out when a new kernel is ready: it replies on the shell channel, and its published messages arrive."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._started_at = time.monotonic()
        self._sent_at = 0.0
        self._replied = False
        self._published = False

    @property
    def is_complete(self) -> bool:
        """Whether the kernel is ready."""
        return self._replied and self._published

    @property
    def is_timed_out(self) -> bool:
        """Whether the kernel should be ready by now."""
        return time.monotonic() - self._started_at > KERNEL_START_TIMEOUT

    def send_if_due(self) -> None:
        """Send a request if none was sent recently, or if the last one has a reply but no published message."""
        if self._replied or time.monotonic() - self._sent_at > PROBE_INTERVAL:
            self._sent_at = time.monotonic()
            self._replied = False
            self._kernel.send("shell", "kernel_info_request", PROBE_PREFIX + uuid.uuid4().hex, {})

    def process(self, channel: str) -> None:
        """Process a message about a request of the probe."""
        if channel == "shell":
            self._replied = True
        elif channel == "iopub":
            self._published = True


def process_start_time(pid: int) -> str:
    """Return the start time of a process, which tells processes of the same id apart; empty if it does not run."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()  # After the name, which may contain spaces.
    except OSError:
        return ""
    state, start_time = fields[0], fields[19]
    return "" if state in "ZX" else start_time


def pod_environment() -> dict[str, str]:
    """Return the environment for the kernel.

    An SSH session lacks the variables of the image and of the pod. Process 1 has them.
    """
    environment = dict(os.environ)
    is_python_chosen = bool(environment.pop("YOTTA_PYTHON", ""))
    inherited = container_environment()
    if is_python_chosen:
        inherited = {name: value for name, value in inherited.items() if not name.startswith(IMAGE_PYTHON_VARIABLES)}
    paths = [*inherited.get("PATH", "").split(":"), *environment.get("PATH", "").split(":")]
    unique_paths = dict.fromkeys(path for path in paths if path)
    return {**inherited, **environment, "PATH": ":".join(unique_paths)}


def container_environment() -> dict[str, str]:
    """Return the environment of process 1; empty if this user may not read it."""
    try:
        with open(os.environ.get("YOTTA_CONTAINER_ENVIRON", "/proc/1/environ"), "rb") as file:
            entries = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if entry.find("=") > 0)


def working_folder() -> str:
    """Return the folder in which cells run: the home."""
    home = os.path.expanduser("~")
    return home if os.path.isdir(home) else "/"


# --- The agent -------------------------------------------------------------------------------------------------------


class Request:
    """An execute request, made from the head in which it was sent or logged."""

    def __init__(self, head: dict[str, Any], code: str = "") -> None:
        self.id = str(head["request"])
        self.title = str(head.get("title", ""))
        self.digest = str(head.get("digest", ""))  # Of the code, from the client.
        self.hidden = bool(head.get("hidden"))  # Moves values: not in the history, not shown to clients.
        self.code = code
        self.first = 0  # The sequence number of its first log entry.
        self.started: float | None = None  # Seconds since the epoch.
        self.must_interrupt = False
        self.was_interrupted = False
        self.code_started_at: float | None = None  # By the monotonic clock.
        self.reply: dict[str, Any] | None = None  # The last message about it on the shell channel.
        self.is_idle = False  # Whether the last message about it on the iopub channel has arrived.

    def summary(self) -> dict[str, Any]:
        """Return what clients show of the request."""
        description = {"title": self.title, "digest": self.digest, "hidden": self.hidden}
        return {"request": self.id, "first": self.first, "started": self.started, **description}


class ReceivedIds:
    """The ids of all requests that were received, kept in a file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ids: set[str] = set()
        with contextlib.suppress(OSError), open(path) as file:
            self._ids.update(file.read().split())

    def add(self, request_id: str) -> bool:
        """Add an id; return False if it was received before."""
        if request_id in self._ids:
            return False
        self._ids.add(request_id)
        with contextlib.suppress(OSError), open(self._path, "a") as file:
            file.write(request_id + "\n")
        return True


class Agent:
    """Executes requests one after another in a kernel and logs everything."""

    def __init__(self, folder: str) -> None:
        import zmq

        self.folder = folder
        self.zmq = zmq
        self.poller = zmq.Poller()
        self.log = MessageLog(os.path.join(folder, "record"))
        self.clients: dict[int, Client] = {}  # By file descriptor.
        self.received_ids = ReceivedIds(os.path.join(folder, "requests"))
        self.queue: deque[Request] = deque()
        self.running: Request | None = None
        self.recent: deque[dict[str, Any]] = deque(maxlen=50)  # Summaries of requests that are not hidden.
        self.input: tuple[str, bytes] | None = None  # The id and the header of the kernel's open input request.
        self.kernel_state = "starting"  # Or ready, stopping, failed.
        self.kernel_deadline = 0.0  # When a stopping kernel is killed.
        self.quit = False

        unfinished = self._load_log()
        state = read_state(folder)
        self.epoch = state.get("epoch") or uuid.uuid4().hex  # The id of the log.
        self.socket_folder = state.get("sockets", "")
        if not self.socket_folder or not os.path.isdir(self.socket_folder):
            self.socket_folder = make_socket_folder()
        self.listener = listen(os.path.join(self.socket_folder, "agent"))
        self.poller.register(self.listener.fileno(), zmq.POLLIN)
        self.kernel = Kernel(folder, self.socket_folder)
        self.probe = Probe(self.kernel)
        if "kernel" in state and self.kernel.adopt(state["kernel"]):
            self._resume(unfinished)
        else:
            self._finish_lost(unfinished)
            self._start_kernel()
        self._save_state()

    def run(self) -> None:
        """Serve until a client requests the shutdown or the folder is deleted."""
        while not self.quit:
            is_interrupting = self.running is not None and self.running.must_interrupt
            is_busy = self.kernel_state == "starting" or is_interrupting
            events = dict(self.poller.poll(FAST_POLL_MS if is_busy else POLL_MS))
            for name, channel in list(self.kernel.channels.items()):
                if channel in events:
                    self._read_kernel(name)
            if self.listener.fileno() in events:
                self._accept_connection()
            for fd in list(self.clients):
                if events.get(fd, 0) & ~self.zmq.POLLOUT:  # Data, the end, or an error.
                    self._read_client(fd)
            self._check_kernel()
            self._execute_next()
            self._send_interrupt()
            for fd in list(self.clients):
                self._send_to_client(fd)
            if not os.path.isdir(self.folder):
                self.quit = True
        self.kernel.signal(signal.SIGKILL)
        shutil.rmtree(self.socket_folder, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # The state of an earlier agent

    def _load_log(self) -> dict[str, Request]:
        """Read the log of an earlier agent; return the requests that it did not finish."""
        unfinished: dict[str, Request] = {}
        for head in self.log.load():
            kind, request_id = head.get("type"), head.get("request")
            if kind == "accepted" and head.get("kind") == "execute":
                request = Request(head)
                request.first = head["seq"]
                unfinished[request.id] = request
                self._remember(request)
            elif kind == "started" and request_id in unfinished:
                unfinished[request_id].started = head.get("time", 0.0)
                self._update_recent(str(request_id), started=head.get("time"))
            elif kind == "done":
                unfinished.pop(str(request_id), None)
                if head.get("status") == "not_run":
                    self._update_recent(str(request_id), not_run=True)
        return unfinished

    def _resume(self, unfinished: dict[str, Request]) -> None:
        """Continue with the kernel of an earlier agent, and with the request that it runs."""
        self._register_kernel()
        self.log.append({"type": "agent_restarted"})
        started = [request for request in unfinished.values() if request.started is not None]
        if started:
            self.running = unfinished.pop(started[-1].id)
            self.running.code_started_at = time.monotonic()
        self._finish_lost(unfinished)

    def _finish_lost(self, unfinished: dict[str, Request]) -> None:
        for request_id in unfinished:
            self._finish(request_id, "lost", "the agent on the pod ended")

    def _save_state(self) -> None:
        state = {
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "epoch": self.epoch,
            "sockets": self.socket_folder,
            "kernel": self.kernel.state(),
        }
        path = os.path.join(self.folder, "state.json")
        try:
            with open(path + ".new", "w") as file:
                json.dump(state, file)
            os.replace(path + ".new", path)
        except OSError as error:
            print(f"state not saved: {error}", file=sys.stderr, flush=True)

    # Clients

    def _accept_connection(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection = self.listener.accept()[0]
            client = Client(connection, self.log)
            client.send(self._hello())
            self.clients[connection.fileno()] = client
            self.poller.register(connection.fileno(), self.zmq.POLLIN)

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "epoch": self.epoch,
            "first": self.log.first,
            "last": self.log.next - 1,
            "kernel": self.kernel_state,
            "python": python_version(),
            "running": self.running.summary() if self.running else None,
            "queued": [request.summary() for request in self.queue],
            "recent": list(self.recent),
        }

    def _read_client(self, fd: int) -> None:
        client = self.clients[fd]
        try:
            for head, body in client.receive():
                self._process_request(client, head, body)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            self._disconnect(fd)

    def _send_to_client(self, fd: int) -> None:
        try:
            has_more = self.clients[fd].send_pending()
        except OSError:
            self._disconnect(fd)
        else:
            self.poller.register(fd, self.zmq.POLLIN | (self.zmq.POLLOUT if has_more else 0))

    def _disconnect(self, fd: int) -> None:
        client = self.clients.pop(fd)
        self.poller.unregister(fd)
        client.socket.close()

    def _process_request(self, client: Client, head: dict[str, Any], body: bytes) -> None:
        kind = head["type"]
        if kind == "follow":
            client.follow(int(head["after"]))
            return
        request_id = str(head["request"])
        if not self.received_ids.add(request_id):
            return
        if kind == "execute":
            self._accept_execute(Request(head, body.decode("utf-8", "surrogatepass")))
            return
        self.log.append({"type": "accepted", "request": request_id, "kind": kind})
        if kind == "input":
            self._send_input(str(head["to"]), body.decode("utf-8", "surrogatepass"))
        elif kind == "interrupt":
            self._interrupt(head.get("target"))
        elif kind == "restart":
            self._stop_kernel("kernel_restarted", "the kernel was restarted")
        elif kind == "shutdown":
            self.quit = True

    # Requests

    def _accept_execute(self, request: Request) -> None:
        head = {"type": "accepted", "request": request.id, "kind": "execute"}
        description = {"title": request.title, "digest": request.digest, "hidden": request.hidden}
        request.first = self.log.append({**head, **description})
        self._remember(request)
        self.queue.append(request)
        if self.kernel_state == "failed":
            self._start_kernel()

    def _remember(self, request: Request) -> None:
        """Show a request to clients and keep its output, unless it is hidden."""
        if not request.hidden:
            self.log.last_request_start = request.first
            self.recent.append(request.summary())

    def _execute_next(self) -> None:
        if self.running is not None or not self.queue or self.kernel_state != "ready":
            return
        request = self.running = self.queue.popleft()
        request.started = time.time()
        self.log.append({"type": "started", "request": request.id, "time": request.started})
        self._update_recent(request.id, started=request.started)
        content = {
            "code": request.code,
            "silent": request.hidden,
            "store_history": not request.hidden,
            "user_expressions": {},
            "allow_stdin": not request.hidden,
            "stop_on_error": False,
        }
        self.kernel.send("shell", "execute_request", request.id, content)

    def _finish(self, request_id: str, status: str, detail: str = "", **more: Any) -> None:
        if status == "not_run":
            self._update_recent(request_id, not_run=True)
        self.log.append({"type": "done", "request": request_id, "status": status, "detail": detail, **more})

    def _update_recent(self, request_id: str, **changes: Any) -> None:
        for summary in self.recent:
            if summary["request"] == request_id:
                summary.update(changes)

    def _finish_running(self, status: str, detail: str = "", **more: Any) -> None:
        if self.running is not None:
            self._finish(self.running.id, status, detail, **more)
        self.running = None
        self.input = None

    def _finish_all(self, status: str, detail: str) -> None:
        self._finish_running(status, detail)
        queued_status = "kernel_failed" if status == "kernel_failed" else "not_run"
        while self.queue:
            self._finish(self.queue.popleft().id, queued_status, detail)

    def _interrupt(self, target: str | None) -> None:
        """Interrupt a request, or the running one if `target` is None."""
        for request in list(self.queue):
            if request.id == target:
                self.queue.remove(request)
                self._finish(request.id, "not_run", "it was interrupted before it started")
                return
        if self.running is not None and target in (None, self.running.id):
            self.running.must_interrupt = True

    def _send_interrupt(self) -> None:
        """Interrupt the running request if that was requested and its code runs."""
        request = self.running
        if request is None or not request.must_interrupt or request.code_started_at is None:
            return
        if time.monotonic() - request.code_started_at > INTERRUPT_DELAY:
            request.must_interrupt = False
            request.was_interrupted = True
            self.kernel.signal(signal.SIGINT)

    def _send_input(self, to: str, value: str) -> None:
        """Reply to the kernel's input request, unless another client did."""
        if self.input is None or self.input[0] != to:
            return
        header = self.input[1]
        self.input = None
        self.log.append({"type": "input_done", "request": self.running.id if self.running else "", "to": to})
        self.kernel.send("stdin", "input_reply", uuid.uuid4().hex, {"value": value, "status": "ok"}, header)

    # The kernel's process

    def _start_kernel(self) -> None:
        self.kernel_state = "starting"
        self._unregister_kernel()
        self.probe = Probe(self.kernel)
        try:
            self.kernel.start()
        except OSError as error:
            self._fail_kernel(str(error))
            return
        self._register_kernel()
        self.log.append({"type": "kernel", "state": "starting"})
        self._save_state()

    def _register_kernel(self) -> None:
        for channel in self.kernel.channels.values():
            self.poller.register(channel, self.zmq.POLLIN)

    def _unregister_kernel(self) -> None:
        for channel in self.kernel.channels.values():
            with contextlib.suppress(KeyError):
                self.poller.unregister(channel)
        self.kernel.disconnect()

    def _stop_kernel(self, status: str, detail: str) -> None:
        """Request the end of the kernel. `_check_kernel` starts a new one."""
        self._finish_all(status, detail)
        self.kernel_state = "stopping"
        self.kernel_deadline = time.monotonic() + KERNEL_STOP_TIMEOUT
        self.kernel.signal(signal.SIGINT)
        self.kernel.send("control", "shutdown_request", uuid.uuid4().hex, {"restart": True})

    def _check_kernel(self) -> None:
        if self.kernel_state == "failed":
            return
        if not self.kernel.is_alive():
            self._replace_kernel()
        elif self.kernel_state == "stopping" and time.monotonic() > self.kernel_deadline:
            self.kernel.signal(signal.SIGKILL)
        elif self.kernel_state == "starting":
            self._check_start()

    def _check_start(self) -> None:
        if self.probe.is_complete:
            self.kernel_state = "ready"
            self.log.append({"type": "kernel", "state": "ready"})
            # Only a request of an earlier agent can be running. It has ended, because the kernel replies in order.
            self._finish_running("lost", "it ended while the agent on the pod was restarted")
        elif self.probe.is_timed_out and self.running is None:  # A kernel that runs a request replies later.
            self.kernel.signal(signal.SIGKILL)
        else:
            self.probe.send_if_due()

    def _replace_kernel(self) -> None:
        """Replace a kernel that has ended. If it never became ready, the next request starts another one."""
        for channel in ("iopub", "shell"):
            self._read_kernel(channel)  # Its last messages.
        self.kernel.signal(signal.SIGKILL)  # The processes that it started.
        if self.kernel_state == "starting":
            self._fail_kernel(self.kernel.last_log_line() or self.kernel.describe_exit())
            return
        if self.kernel_state == "ready":
            reason = f"the kernel on the pod ended: {self.kernel.describe_exit()}"
            self.log.append({"type": "kernel", "state": "dead", "detail": reason})
            self._finish_all("kernel_died", reason)
        self._start_kernel()

    def _fail_kernel(self, reason: str) -> None:
        reason = reason[-500:]
        self.kernel_state = "failed"
        self.log.append({"type": "kernel", "state": "failed", "detail": reason})
        self._finish_all("kernel_failed", f"the kernel on the pod does not start: {reason}")

    # The kernel's messages

    def _read_kernel(self, channel: str) -> None:
        for parts in self.kernel.receive(channel, limit=500):
            try:
                self._process_message(channel, parts)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"unreadable message on {channel}: {error!r}", file=sys.stderr, flush=True)

    def _process_message(self, channel: str, parts: list[bytes]) -> None:
        header, parent_header, _metadata, content = parts[:4]
        kind = str(parse_json(header)["msg_type"])
        parent = str(parse_json(parent_header).get("msg_id", ""))
        if parent.startswith(PROBE_PREFIX):
            self.probe.process(channel)
            return
        request = self.running if self.running is not None and self.running.id == parent else None
        if request is not None:
            self._update_request(request, channel, kind, content)
        if channel in ("iopub", "stdin") and parent and kind not in ("status", "execute_input"):
            self._log_output(channel, kind, parent, parts)
        if request is not None and request.reply is not None and request.is_idle:
            status = "ok" if request.reply.get("status") == "ok" else "error"
            count = request.reply.get("execution_count")
            self._finish_running(status, execution_count=count, interrupted=request.was_interrupted)

    def _update_request(self, request: Request, channel: str, kind: str, content: bytes) -> None:
        # The kernel sends a status before the code runs. Hidden code sends no other message.
        if request.code_started_at is None and (kind != "status" or request.hidden):
            request.code_started_at = time.monotonic()
        if channel == "iopub" and kind == "status" and parse_json(content).get("execution_state") == "idle":
            request.is_idle = True
        elif channel == "shell" and kind == "execute_reply":
            request.reply = parse_json(content)
            self._log_pages(request.id, request.reply.get("payload") or [])

    def _log_output(self, channel: str, kind: str, request_id: str, parts: list[bytes]) -> None:
        """Log an output or an input request."""
        head: dict[str, Any] = {"type": "message", "channel": channel, "request": request_id, "msg_type": kind}
        if channel == "stdin":
            self.input = (uuid.uuid4().hex, parts[0])
            head["to"] = self.input[0]
        self.log.append_message(head, parts[2:])

    def _log_pages(self, request_id: str, payload: list[dict[str, Any]]) -> None:
        """Log the text that a notebook would show in a pager, such as that of ``name?``, as an output."""
        for entry in payload:
            if entry.get("source") == "page" and "text/plain" in entry.get("data", {}):
                content = {"data": entry["data"], "metadata": {}, "transient": {}}
                head = {"type": "message", "channel": "iopub", "request": request_id, "msg_type": "display_data"}
                self.log.append_message(head, [b"{}", json.dumps(content).encode()])


def listen(path: str) -> socket.socket:
    """Return a Unix socket that listens."""
    with contextlib.suppress(OSError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    listener.setblocking(False)
    return listener


# --- The agent's folder ----------------------------------------------------------------------------------------------


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
    reason = "it belongs to another user"  # If no folder is private.
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
    raise OSError(f"neither the home nor /tmp can be written: {reason}")


def fallback_folder() -> str:
    """Return the folder of the agent if the home cannot be used."""
    home = zlib.crc32(os.path.expanduser("~").encode())
    return f"/tmp/yotta-agent-{os.getuid()}-{home:08x}"


def library_folder(folder: str) -> str:
    """Return the folder for packages that cannot be installed into the environment of the pod's Python."""
    return os.path.join(folder, "lib")


def make_socket_folder() -> str:
    """Return a new private folder with a path short enough for Unix sockets."""
    base = tempfile.gettempdir()
    if len(base) >= 60:  # The path of a Unix socket has at most 107 characters.
        base = "/tmp"
    return tempfile.mkdtemp(prefix="yotta-", dir=base)


def is_private(folder: str) -> bool:
    """Return whether a path is a folder of this user, and no link."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def is_locked(folder: str) -> bool:
    """Return whether an agent runs: it keeps the lock file of the folder locked."""
    try:
        with open(os.path.join(folder, "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    return False


def read_state(folder: str) -> dict[str, Any]:
    """Return the state that an agent saved, or an empty dict."""
    try:
        with open(os.path.join(folder, "state.json")) as file:
            state: dict[str, Any] = json.load(file)
            return state
    except (OSError, ValueError):
        return {}


def find_socket(folder: str) -> str | None:
    """Return the path of the socket of a running agent that accepts connections, or None."""
    state = read_state(folder)
    if state.get("protocol") != PROTOCOL or not is_locked(folder):
        return None
    path = os.path.join(state["sockets"], "agent")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(path)
        return path
    return None


def last_line(path: str) -> str:
    """Return the last line of a file that is not empty."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text.strip().rpartition("\n")[2].strip()


# --- Commands --------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str], source: bytes = b"") -> int:
    """Run a command. `source` is the text of this file, which ``start`` writes to the pod."""
    command, rest = arguments[0], arguments[1:]
    install_allowed = "--no-install" not in rest
    try:
        if command == "start":
            return start(source, install_allowed)
        if command == "require":
            return require([name for name in rest if not name.startswith("-")], install_allowed)
    except OSError as error:
        report(error="os", detail=str(error))
        return 1
    return serve(rest[0]) if command == "serve" else relay(rest[0])


def report(**message: Any) -> None:
    """Print a message for the client: ``ready``, ``error`` or ``notice``."""
    print(MESSAGE_PREFIX + json.dumps(message), flush=True)


def python_version() -> str:
    """Return the version of this Python, such as 3.11.7."""
    return ".".join(str(number) for number in sys.version_info[:3])


def start(source: bytes, install_allowed: bool) -> int:
    """Start the agent unless it runs, and report the path of its socket."""
    folder = choose_folder()
    path = find_socket(folder)
    if path is None:
        # ipykernel requires pyzmq.
        if find_missing(folder, ["ipykernel", "zmq"]) and not install_packages(folder, ["ipykernel"], install_allowed):
            return 1
        end_other_version(folder)
        path = start_server(folder, source)
    if path is None:
        report(error="failed", detail=last_line(os.path.join(folder, "agent.log")) or "the agent does not start")
        return 1
    report(ready=True, socket=path, folder=folder, python=python_version(), executable=sys.executable)
    return 0


def end_other_version(folder: str) -> None:
    """End a running agent that speaks another version of the protocol."""
    state = read_state(folder)
    if state.get("protocol") != PROTOCOL and is_locked(folder):
        with contextlib.suppress(OSError, KeyError):
            os.kill(state["pid"], signal.SIGTERM)


def start_server(folder: str, source: bytes) -> str | None:
    """Start ``serve`` and wait for it; return the path of its socket, or None if it does not start."""
    program = os.path.join(folder, "agent.py")
    with open(program + ".new", "wb") as file:
        file.write(source)
    os.replace(program + ".new", program)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + AGENT_START_TIMEOUT
    while time.monotonic() < deadline:
        if process is None:
            process = spawn_server(folder, program)
        elif process.poll() is not None and not is_locked(folder):
            if process.returncode != 0:
                return None
            process = spawn_server(folder, program)  # Another agent held the lock, and has ended since.
        path = find_socket(folder)
        if path is not None:
            return path
        time.sleep(0.01)
    return None


def spawn_server(folder: str, program: str) -> subprocess.Popen[bytes]:
    """Run ``serve`` in a session of its own."""
    with open(os.path.join(folder, "agent.log"), "ab") as log:
        return subprocess.Popen(
            [sys.executable, program, "serve", folder],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def serve(folder: str) -> int:
    """Run the agent, unless another one runs in the same folder."""
    sys.path.append(library_folder(folder))
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
    """Connect stdin and stdout to the agent's socket, for SSH servers that forward no Unix sockets."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)

    def copy_input() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(sys.stdin.fileno(), BLOCK):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=copy_input, daemon=True).start()
    with contextlib.suppress(OSError):
        while data := connection.recv(BLOCK):
            view = memoryview(data)
            while view:
                view = view[os.write(sys.stdout.fileno(), view) :]
    return 0


def require(names: Sequence[str], install_allowed: bool) -> int:
    """Install the packages that are missing."""
    folder = choose_folder()
    missing = find_missing(folder, names)
    if missing and not install_packages(folder, missing, install_allowed):
        return 1
    report(ready=True, folder=folder)
    return 0


def find_missing(folder: str, modules: Sequence[str]) -> list[str]:
    """Return the modules that this Python does not find."""
    sys.path.append(library_folder(folder))
    return [name for name in modules if importlib.util.find_spec(name) is None]


def install_packages(folder: str, names: Sequence[str], install_allowed: bool) -> bool:
    """Install packages with pip, or report the error and return False."""
    detail = " and ".join(names)
    if not install_allowed:
        report(error="missing", detail=detail)
        return False
    if importlib.util.find_spec("pip") is None:
        report(error="no_pip", detail=detail)
        return False
    report(notice="install", detail=detail)
    result = run_pip(names)
    if result.returncode and "externally-managed-environment" in result.stderr:
        result = run_pip(["--target", library_folder(folder), *names])
    if result.returncode:
        report(error="pip", detail=describe_pip_error(result.stderr))
        return False
    importlib.invalidate_caches()
    return True


def run_pip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run ``pip install``."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def describe_pip_error(stderr: str) -> str:
    """Return the last error that pip printed, or else its last line."""
    lines = [line for line in stderr.splitlines() if line.strip()] or ["pip failed"]
    errors = [line[len("ERROR: ") :] for line in lines if line.startswith("ERROR: ")]
    return (errors or lines)[-1][:300]


if __name__ == "__main__":
    # Sent over SSH, the program has no file: the launcher defines SOURCE.
    sys.exit(main(sys.argv[1:], globals().get("SOURCE", b"")))
