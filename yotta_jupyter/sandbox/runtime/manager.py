"""Which pods run code: their listening sockets, their processes and the limits on both."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import socket
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from .channel import Disconnect, Freeze, Pause, Start, Thaw
from .pod_config import PodConfig, parse_pod_config
from .process import PodProcess
from .refusal import refuse

HOST: Final = "127.0.0.1"
"""The address on which all SSH servers listen."""

MAX_SERVERS: Final = 16
"""How many pods can have a running SSH server at once."""

MAX_PORTS: Final = 64
"""How many pods can have an SSH port of their own. Their servers start at the first connection."""

ACCOUNT_KEY_FILE: Final = Path("~/.yotta/ssh/id_ed25519.pub")
"""The default for the public keys of the sandbox's account."""

_STOP_SECONDS: Final = 10.0
_NO_SERVER_LEFT: Final = (
    f"This sandbox runs code on at most {MAX_SERVERS} pods at once. Pause or delete one of the others, then try again."
)
_NO_PORT_LEFT: Final = (
    "This sandbox has no port left for this pod. Delete other pods, then pause and resume this one, and try again."
)

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


def missing_requirement() -> str | None:
    """Return why pods can run no code here, or None if they can."""
    if os.name != "posix":
        return "it needs Linux or macOS"
    for module in ("asyncssh", "psutil"):
        # Only the process of a pod imports them, when the first pod needs it.
        if importlib.util.find_spec(module) is None:
            return f'{module} is not installed: pip install "yotta-jupyter[sandbox]"'
    return None


@dataclass
class _Pod:
    """A pod whose SSH port is healthy, or a paused pod with a persistent volume.

    Attributes
    ----------
    config : PodConfig
        What its process needs.
    port : int or None
        Its SSH port; None while it is paused.
    listener : socket or None
        The listening socket, until the first connection. Its process has the socket from then on.
    process : PodProcess or None
        Its process, from the first connection on. A pause does not end the process of a pod with a volume.
    """

    config: PodConfig
    port: int | None = None
    listener: socket.socket | None = None
    process: PodProcess | None = None

    def has_server(self) -> bool:
        return self.port is not None and self.listener is None


class PodRuntimes:
    """Run SSH servers for pods, each in a process of its own that starts at the first connection. Thread-safe.

    Parameters
    ----------
    public_keys : sequence of str, optional
        As for `Sandbox`.
    """

    host = HOST

    def __init__(self, public_keys: Sequence[str] | None = None) -> None:
        self._account_keys = list(public_keys or ())
        self._account_key_file = str(ACCOUNT_KEY_FILE.expanduser()) if public_keys is None else None
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yotta-sandbox-pods", daemon=True)
        # Only the thread of the loop uses these.
        self._pods: dict[str, _Pod] = {}
        self._ending: set[PodProcess] = set()  # Processes of deleted pods that still run.
        self._all_ended = asyncio.Event()
        self._refusals: set[asyncio.Task[None]] = set()  # Keeps the tasks alive until they are done.
        self._refusing_server: asyncio.Server | None = None
        self._thread.start()

    def open(self, records: Sequence[Mapping[str, Any]], *, reserved: int = 0) -> list[int]:
        """Return a new port for SSH connections to each pod.

        Parameters
        ----------
        records : sequence of mapping
            The pods as in a listing.
        reserved : int
            How many of the `MAX_PORTS` ports to leave for other pods. Pods for which no port is left share a port
            that refuses connections with a reason.

        Raises
        ------
        OSError
            If no port can be opened.
        """
        return self._call(self._open(records, reserved))

    def pause(self, pod_id: str) -> None:
        """End the server and all processes of a pod, and erase all its files outside a persistent volume."""
        self._call(self._pause(pod_id))

    def delete(self, pod_id: str) -> None:
        """End the server and all processes of a pod, and erase all its files."""
        self._call(self._delete(pod_id))

    def delete_all(self) -> None:
        """Delete all pods."""
        self._call(self._delete_all())

    def close(self) -> None:
        """Delete all pods, wait until their processes have ended, and end the thread."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def port(self, pod_id: str) -> int:
        """Return the port of a pod, or raise LookupError."""
        port = self._call(self._port(pod_id))
        if port is None:
            raise LookupError(f"pod {pod_id} has no SSH server")
        return port

    def disconnect(self, pod_id: str) -> None:
        """Cut all SSH connections to a pod. Its server remains."""
        self._running_process(pod_id).request(Disconnect())

    def freeze(self, pod_id: str) -> None:
        """Stop reading from and writing to all connections of a pod, also of new ones, until `thaw`."""
        self._running_process(pod_id).request(Freeze())

    def thaw(self, pod_id: str) -> None:
        """End a freeze."""
        self._running_process(pod_id).request(Thaw())

    def _call(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine on the thread of the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _running_process(self, pod_id: str) -> PodProcess:
        """Return the process of a pod, started if necessary, or raise LookupError, also if `MAX_SERVERS` run."""
        process = self._call(self._ensure_started(pod_id))
        if process is None:
            raise LookupError(f"pod {pod_id} has no SSH server")
        return process

    async def _open(self, records: Sequence[Mapping[str, Any]], reserved: int) -> list[int]:
        used = sum(pod.port is not None for pod in self._pods.values())
        available = max(MAX_PORTS - reserved - used, 0)
        ports = [self._open_port(record) for record in records[:available]]
        without_port = len(records) - len(ports)
        if without_port > 0:
            ports += [await self._refusing_port()] * without_port
        return ports

    def _open_port(self, record: Mapping[str, Any]) -> int:
        config = parse_pod_config(record, self._account_keys, self._account_key_file)
        pod = self._pods.setdefault(config.pod_id, _Pod(config))
        self._close_port(pod)
        pod.config = config
        pod.listener = _listen()
        port: int = pod.listener.getsockname()[1]
        pod.port = port
        self._loop.add_reader(pod.listener, self._on_connection, pod)
        return port

    async def _refusing_port(self) -> int:
        """Return the port that is shared by all pods without a port of their own."""
        if self._refusing_server is None:
            self._refusing_server = await asyncio.start_server(
                lambda reader, writer: refuse(reader, writer, _NO_PORT_LEFT), HOST, 0
            )
        port: int = self._refusing_server.sockets[0].getsockname()[1]
        return port

    async def _port(self, pod_id: str) -> int | None:
        pod = self._pods.get(pod_id)
        return pod.port if pod is not None else None

    async def _ensure_started(self, pod_id: str) -> PodProcess | None:
        pod = self._pods.get(pod_id)
        if pod is None or pod.port is None:
            return None
        if pod.listener is not None:
            if self._has_maximum_servers():
                raise LookupError(_NO_SERVER_LEFT)
            self._start_server(pod, pod.listener)
        return pod.process

    def _on_connection(self, pod: _Pod) -> None:
        """Handle a connection to a pod whose server does not run."""
        assert pod.listener is not None
        if self._has_maximum_servers():
            self._refuse_connection(pod.listener)
            return
        try:
            self._start_server(pod, pod.listener)
        except OSError:
            self._close_port(pod)  # Otherwise the loop calls this again and again.
            _log.exception("cannot start the process of pod %s", pod.config.pod_id)

    def _has_maximum_servers(self) -> bool:
        return sum(pod.has_server() for pod in self._pods.values()) >= MAX_SERVERS

    def _refuse_connection(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # The client may have disconnected already.
            connection, _ = listener.accept()
            task = self._loop.create_task(_refuse_without_server(connection))
            self._refusals.add(task)
            task.add_done_callback(self._refusals.discard)

    def _start_server(self, pod: _Pod, listener: socket.socket) -> None:
        """Pass the listener of a pod to its process, with the pending connections."""
        if pod.process is None:
            pod.process = PodProcess()
            self._loop.add_reader(pod.process, self._on_readable, pod, pod.process)
        pod.process.send(Start(config=pod.config), listener.fileno())
        self._close_listener(pod)

    def _on_readable(self, pod: _Pod, process: PodProcess) -> None:
        """Handle the messages of a process, or its end."""
        is_running = process.receive()
        if is_running:
            return
        self._loop.remove_reader(process)
        process.clean_up()
        self._ending.discard(process)
        if not self._ending:
            self._all_ended.set()
        ended_unexpectedly = pod.process is process
        if ended_unexpectedly:
            pod.process = None
            pod.port = None

    async def _pause(self, pod_id: str) -> None:
        pod = self._pods.get(pod_id)
        if pod is None:
            return
        if pod.process is not None and pod.config.mount_path is not None:
            self._close_port(pod)
            pod.process.send(Pause())
        else:  # The pod has no files to keep.
            await self._delete(pod_id)

    async def _delete(self, pod_id: str) -> None:
        pod = self._pods.pop(pod_id, None)
        if pod is None:
            return
        self._close_port(pod)
        process = pod.process
        pod.process = None
        if process is not None:
            self._ending.add(process)
            self._all_ended.clear()
            process.end()

    async def _delete_all(self) -> None:
        for pod_id in list(self._pods):
            await self._delete(pod_id)

    async def _close(self) -> None:
        await self._delete_all()
        if self._refusing_server is not None:
            self._refusing_server.close()
        refusals = asyncio.all_tasks() - {asyncio.current_task()}  # Also those of the refusing server.
        for task in refusals:
            task.cancel()
        await asyncio.gather(*refusals, return_exceptions=True)
        if self._ending:
            await self._wait_for_ending()

    async def _wait_for_ending(self) -> None:
        try:
            await asyncio.wait_for(self._all_ended.wait(), _STOP_SECONDS)
        except TimeoutError:
            for process in self._ending:
                process.kill()
            await self._all_ended.wait()

    def _close_port(self, pod: _Pod) -> None:
        self._close_listener(pod)
        pod.port = None

    def _close_listener(self, pod: _Pod) -> None:
        if pod.listener is not None:
            self._loop.remove_reader(pod.listener)
            pod.listener.close()
            pod.listener = None


def _listen() -> socket.socket:
    listener = socket.socket()
    try:
        listener.setblocking(False)
        listener.bind((HOST, 0))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


async def _refuse_without_server(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    await refuse(reader, writer, _NO_SERVER_LEFT)
