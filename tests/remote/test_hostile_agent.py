"""A pod with a malicious agent causes an error: no hang, no code that runs here, and no large use of memory."""

import asyncio
import contextlib
import json
import resource
import socket
import struct
import threading
import time

import asyncssh
import pytest

from tests.remote.conftest import Outputs
from tests.remote.sshd import run_sshd
from yotta_jupyter.errors import RemoteError, RemoteUnavailable, YottaError
from yotta_jupyter.remote import framing
from yotta_jupyter.remote.framing import pack
from yotta_jupyter.remote.loop import background_loop, wait_for
from yotta_jupyter.remote.queues import BoundedQueue

# The log has the entries 0 to 4, so that the next sequence number is 5.
HELLO = {"type": "hello", "protocol": 1, "epoch": "e", "first": 0, "last": 4, "kernel": "ready", "python": "3"}


def read_frame(stream):
    head, body = struct.unpack(">II", stream.read(8))
    return json.loads(stream.read(head)), stream.read(body)


def message_frame(sequence, request, text="x", **changes):
    parts = [b"{}", json.dumps({"name": "stdout", "text": text}).encode()]
    head = {"type": "message", "channel": "iopub", "msg_type": "stream", "request": request, "seq": sequence}
    return pack({**head, "parts": [len(part) for part in parts], **changes}, b"".join(parts))


def done_frame(sequence, request, **changes):
    return pack({"type": "done", "request": request, "status": "ok", "seq": sequence, **changes})


class FakeAgent:
    """A Unix socket in place of the agent's. `serve_client` gets a stream for each connection."""

    def __init__(self, folder, serve_client):
        self.path = str(folder / "s")
        self._serve_client = serve_client
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection):
        with contextlib.suppress(OSError, ValueError, struct.error), connection, connection.makefile("rwb") as stream:
            self._serve_client(stream)
            stream.flush()
            while connection.recv(65536):  # Until the client disconnects.
                pass

    def close(self):
        self._listener.close()


def handshake(stream):
    """Send ``hello``; receive ``follow`` and a request, and return the id of the request."""
    stream.write(pack(HELLO))
    stream.flush()
    read_frame(stream)
    head, _ = read_frame(stream)
    return head["request"]


def write_fake_python(path, script):
    """Write a program that runs a script when the agent is started, and passes the check of its version."""
    path.write_text(f'#!/bin/sh\n[ "$#" = 2 ] && exit 0  # Only the check has two arguments.\n{script}\n')
    path.chmod(0o755)


@pytest.fixture
def hostile_pod(tmp_path_factory, make_remote):
    """Return a function that makes a `Remote` of a pod whose agent serves clients with the given function."""
    folder = tmp_path_factory.mktemp("h")
    agents, stack = [], contextlib.ExitStack()

    def make(serve_client):
        agent = FakeAgent(folder, serve_client)
        agents.append(agent)
        python = folder / "python"
        ready = json.dumps({"ready": True, "socket": agent.path, "folder": "/tmp/nothing", "executable": ""})
        write_fake_python(python, f"echo 'yotta-agent:{ready}'")
        (folder / "pod").mkdir()
        server = stack.enter_context(run_sshd(folder / "pod", {"YOTTA_PYTHON": str(python)}))
        return make_remote(server)

    with stack:
        yield make
        for agent in agents:
            agent.close()


def test_the_fake_agent_works(hostile_pod):
    def serve_client(stream):
        request = handshake(stream)
        stream.write(message_frame(5, request, "hello") + done_frame(6, request))

    assert hostile_pod(serve_client).run("1", on_output=Outputs()).stdout == "hello"


def test_a_program_that_ends_before_its_source_is_sent_is_read(hostile_pod, monkeypatch):
    async def create_ended_process(*arguments, **options):
        process = await create_process(*arguments, **options)
        if "exec sh -c" in arguments[1]:
            await process.wait_closed()
        return process

    create_process = asyncssh.SSHClientConnection.create_process
    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", create_ended_process)
    hostile_pod(handshake).runs()


def reply_with(*frames):
    """Return a `serve_client` that sends frames, each made by a function of the request's id."""

    def serve_client(stream):
        request = handshake(stream)
        for frame in frames:
            stream.write(frame(request))

    return serve_client


INVALID_REPLIES = {
    "no hello": lambda stream: stream.write(pack({"type": "welcome"})),
    "another protocol": lambda stream: stream.write(pack({**HELLO, "protocol": 99})),
    "no sequence number in hello": lambda stream: stream.write(pack({**HELLO, "last": "many"})),
    "not JSON": reply_with(lambda request: struct.pack(">II", 4, 0) + b"nope"),
    "a list": reply_with(lambda request: struct.pack(">II", 2, 0) + b"[]"),
    "deep JSON": reply_with(lambda request: struct.pack(">II", 100_000, 0) + b"[" * 100_000),
    "too large": reply_with(lambda request: struct.pack(">II", 10, 2**31) + b"x" * 1000),
    "a large head": reply_with(lambda request: struct.pack(">II", 2**31, 0)),
    "a repeated sequence number": reply_with(
        lambda request: message_frame(5, request), lambda request: message_frame(5, request)
    ),
    "a missing sequence number": reply_with(lambda request: message_frame(6, request)),
    "a sequence number as text": reply_with(lambda request: message_frame("5", request)),
    "a gap backwards": reply_with(lambda request: pack({"type": "gap", "from": 9, "to": 1})),
    "a kernel that fails": reply_with(
        lambda request: done_frame(5, request, status="kernel_failed", detail="evil\x1b[31m\nline"),
    ),
}


@pytest.mark.parametrize("name", INVALID_REPLIES)
def test_an_invalid_reply_is_an_error(hostile_pod, name):
    remote = hostile_pod(INVALID_REPLIES[name])
    started = time.monotonic()
    with pytest.raises(RemoteUnavailable) as caught:
        remote.run("1", on_output=Outputs())
    assert time.monotonic() - started < 60, str(caught.value)
    assert str(caught.value).isprintable()


def test_malformed_outputs_are_ignored(hostile_pod):
    remote = hostile_pod(
        reply_with(
            lambda request: message_frame(5, request, parts=[1]),
            lambda request: message_frame(6, request, parts=[2, 10**9]),
            lambda request: message_frame(7, request, parts=[-1, 3]),
            lambda request: message_frame(8, request, parts="all"),
            lambda request: message_frame(9, "another request"),
            lambda request: pack({"type": "unknown", "seq": 10}),
            lambda request: message_frame(11, request, "good"),
            lambda request: done_frame(12, request, execution_count="many"),
        )
    )
    result = remote.run("1", on_output=Outputs())
    assert result.stdout == "good"
    assert result.execution_count is None


def test_an_error_with_odd_fields(hostile_pod):
    content = json.dumps({"ename": ["x"], "evalue": "a\nb\x1b[2J", "traceback": "text"}).encode()
    frame = {"type": "message", "channel": "iopub", "msg_type": "error", "seq": 5, "parts": [2, len(content)]}
    remote = hostile_pod(
        reply_with(
            lambda request: pack({**frame, "request": request}, b"{}" + content),
            lambda request: done_frame(6, request, status="error"),
        )
    )
    with pytest.raises(RemoteError) as caught:
        remote.run("1")
    assert str(caught.value).isprintable()


def test_an_invalid_message_of_a_copy_does_not_blame_the_agent(tmp_path, make_remote):
    write_fake_python(tmp_path / "python", r"printf '\nyotta-files\n\0\0\0\4\0\0\0\0nope'")
    (tmp_path / "pod").mkdir()
    message = r"^The copy on the pod sent a message that is not JSON\. Try again\.$"
    with run_sshd(tmp_path / "pod", {"YOTTA_PYTHON": str(tmp_path / "python")}) as server:
        remote = make_remote(server)
        with pytest.raises(RemoteUnavailable, match=message):
            remote.get("x", tmp_path / "x")


def test_a_message_that_never_ends_is_an_error(hostile_pod, monkeypatch):
    monkeypatch.setattr(framing.FrameReader.__init__, "__defaults__", (0.5,))

    def serve_client(stream):
        handshake(stream)
        stream.write(struct.pack(">II", 10, 1000) + b"{")

    with pytest.raises(RemoteUnavailable, match="a message that does not end"):
        hostile_pod(serve_client).run("1")


def test_a_message_that_is_too_slow_is_an_error(monkeypatch):
    monkeypatch.setattr(framing, "MIN_RATE", 1_000_000)

    class SlowReader:
        """Returns the lengths of a frame, then one byte of it at a time."""

        def __init__(self):
            self.data = struct.pack(">II", 1000, 0)

        async def read(self, n=-1):
            await asyncio.sleep(0.05)
            data, self.data = self.data, b"x"
            return data

    async def read():
        return await framing.FrameReader(SlowReader(), "The agent", "", stall_timeout=0.5).next()

    started = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="does not end"):
        wait_for(read())
    assert time.monotonic() - started < 3


def test_the_agent_waits_while_the_consumer_is_slow(hostile_pod):
    """A gigabyte of output waits on the pod and not in this process."""
    sent = []

    def serve_client(stream):
        request = handshake(stream)
        for sequence in range(5, 1005):
            stream.write(message_frame(sequence, request, "x" * 1_000_000))
            sent.append(sequence)
        stream.write(done_frame(1005, request))

    remote = hostile_pod(serve_client)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def slow(output):
        if len(sent) < 300:
            time.sleep(0.5)
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        remote.run("1", on_output=slow)
    assert len(sent) < 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


def test_the_producer_waits_for_a_full_queue_and_not_for_a_closed_one():
    events = BoundedQueue(background_loop(), max_bytes=100)
    finished = threading.Event()

    async def fill():
        for number in range(50):
            await events.put(number, 30)
        finished.set()

    asyncio.run_coroutine_threadsafe(fill(), background_loop())
    time.sleep(0.1)
    assert not finished.is_set()
    assert [events.get(5) for _ in range(20)] == list(range(20))
    events.close()
    assert finished.wait(5)


def test_a_start_that_prints_much_or_ends(tmp_path, make_remote):
    for number, script in enumerate(
        ["exit 1", "head -c 3000000 /dev/zero", 'echo \'yotta-agent:{"error": "x\\u001b"}\'']
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        python = folder / "python"
        write_fake_python(python, script)
        (folder / "pod").mkdir()
        with run_sshd(folder / "pod", {"YOTTA_PYTHON": str(python)}) as server:
            for call in (lambda r: r.run("1"), lambda r: r.get("x", tmp_path / "x")):
                with pytest.raises(YottaError) as caught:
                    call(make_remote(server))
                assert str(caught.value).isprintable()
