"""Which pods run code: their listening sockets, their processes and the limit on both."""

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

from .channel import Boot, Disconnect, Freeze, Halt, Thaw
from .process import PodProcess
from .refusal import refuse

HOST: Final = "127.0.0.1"
"""The address on which all SSH servers listen."""

MAX_SERVERS: Final = 16
"""How many pods can have a running SSH server at once."""

MAX_LISTENERS: Final = 64
"""How many pods can have a port of their own. Their servers start at the first connection."""

ACCOUNT_KEY_FILE: Final = Path("~/.yotta/ssh/id_ed25519.pub")
"""The default for the public keys of the sandbox's account."""

_STOP_SECONDS: Final = 10.0
_NO_SERVER_LEFT: Final = (
    f"This sandbox runs code on at most {MAX_SERVERS} pods at once. Pause or delete one of the others, then try again."
)
_NO_PORT_LEFT: Final = (
    "This sandbox has no port left for this pod. Delete other pods, then pause and resume this one, and try again."
)
_PUBLIC_KEY: Final = "PUBLIC_KEY"
_EXPORTED_PREFIX: Final = "YOTTA_"

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


def missing_requirement() -> str | None:
    """Return why pods can run no code here, or None if they can."""
    if os.name != "posix":
        return "it needs Linux or macOS"
    for module in ("asyncssh", "psutil"):
        # Not imported, because the process of a pod imports them, and only when the first pod needs it.
        if importlib.util.find_spec(module) is None:
            return f'{module} is not installed: pip install "yotta-jupyter[sandbox]"'
    return None


@dataclass
class _Pod:
    """A pod whose SSH port is healthy, or a paused pod that keeps files.

    The listener is there until the first connection, the process from then on.
    """

    boot: Boot
    port: int | None = None
    listener: socket.socket | None = None
    process: PodProcess | None = None


class PodRuntimes:
    """Run SSH servers for pods, each in a process of its own that starts at the first connection. Thread-safe.

    Parameters
    ----------
    public_keys : sequence of str, optional
        The keys of the account, as lines of ``authorized_keys``. They are accepted by pods without the environment
        variable ``PUBLIC_KEY``. The default is what `ACCOUNT_KEY_FILE` contains at the time of a login.
    """

    host = HOST

    def __init__(self, public_keys: Sequence[str] | None = None) -> None:
        self._public_keys = list(public_keys or ())
        self._key_file = str(ACCOUNT_KEY_FILE.expanduser()) if public_keys is None else None
        self._pods: dict[str, _Pod] = {}
        self._ending: set[PodProcess] = set()
        self._refusals: set[asyncio.Task[None]] = set()
        self._refusing_server: asyncio.Server | None = None
        self._all_ended = asyncio.Event()
        # All state but this is used only on the thread of the loop.
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yotta-sandbox-pods", daemon=True)
        self._thread.start()

    def open(self, records: Sequence[Mapping[str, Any]], *, spare: int = 0) -> list[int]:
        """Return a new port for SSH connections to each pod.

        Parameters
        ----------
        records : sequence of mapping
            The pods as in a listing.
        spare : int
            How many of the `MAX_LISTENERS` ports must remain for other pods. A pod for which no port is left gets one
            that refuses connections with a reason.

        Raises
        ------
        OSError
            If no port can be opened.
        """
        messages = [_boot_message(record, self._public_keys, self._key_file) for record in records[:MAX_LISTENERS]]
        return self._call(self._open(messages, len(records), spare))

    def pause(self, pod_id: str) -> None:
        """End the server and all processes of a pod, and erase all its files outside a persistent volume."""
        self._call(self._pause(pod_id))

    def end(self, pod_id: str) -> None:
        """End the server and all processes of a pod, and erase all its files."""
        self._call(self._end(pod_id))

    def end_all(self) -> None:
        """End all pods."""
        self._call(self._end_all())

    def close(self) -> None:
        """End all pods, wait until their processes have ended, and end the thread."""
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
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _running_process(self, pod_id: str) -> PodProcess:
        """Return the process of a pod, started if necessary, or raise LookupError."""
        process = self._call(self._start(pod_id))
        if process is None:
            raise LookupError(f"pod {pod_id} has no SSH server")
        return process

    async def _open(self, messages: Sequence[Boot], count: int, spare: int) -> list[int]:
        left = MAX_LISTENERS - spare - sum(pod.port is not None for pod in self._pods.values())
        ports = []
        for boot in messages[: max(left, 0)]:
            pod = self._pods.setdefault(boot.pod_id, _Pod(boot))
            self._close_port(pod)
            pod.boot = boot
            pod.listener = _listen()
            pod.port = pod.listener.getsockname()[1]
            self._loop.add_reader(pod.listener, self._on_connection, pod)
            ports.append(pod.port)
        missing = count - len(ports)
        return ports + ([await self._refusing_port()] * missing if missing else [])

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

    async def _start(self, pod_id: str) -> PodProcess | None:
        pod = self._pods.get(pod_id)
        if pod is None or pod.port is None:
            return None
        if pod.listener is not None:
            self._boot(pod)
        return pod.process

    def _on_connection(self, pod: _Pod) -> None:
        """Handle a connection to a pod whose server does not run."""
        servers = sum(other.port is not None and other.listener is None for other in self._pods.values())
        if servers < MAX_SERVERS:
            try:
                self._boot(pod)
            except OSError:
                # Without this the connection would be handled again and again.
                self._close_port(pod)
                _log.exception("cannot start the process of pod %s", pod.boot.pod_id)
            return
        assert pod.listener is not None
        with contextlib.suppress(OSError):  # The client may have disconnected already.
            connection, _ = pod.listener.accept()
            task = self._loop.create_task(_refuse_connection(connection))
            self._refusals.add(task)
            task.add_done_callback(self._refusals.discard)

    def _boot(self, pod: _Pod) -> None:
        """Hand over the listener of a pod to its process, with the connections that wait there."""
        assert pod.listener is not None
        if pod.process is None:
            pod.process = PodProcess()
            self._loop.add_reader(pod.process, self._on_message, pod, pod.process)
        pod.process.send(pod.boot, pod.listener.fileno())
        self._close_listener(pod)

    def _on_message(self, pod: _Pod, process: PodProcess) -> None:
        if process.receive():
            return
        self._loop.remove_reader(process)
        process.clean_up()
        self._ending.discard(process)
        if not self._ending:
            self._all_ended.set()
        if pod.process is process:  # It has ended unexpectedly.
            pod.process = None
            pod.port = None

    async def _pause(self, pod_id: str) -> None:
        pod = self._pods.get(pod_id)
        if pod is None:
            return
        if pod.process is None or pod.boot.volume is None:
            await self._end(pod_id)
            return
        self._close_port(pod)
        pod.process.send(Halt())

    async def _end(self, pod_id: str) -> None:
        pod = self._pods.pop(pod_id, None)
        if pod is None:
            return
        self._close_port(pod)
        process, pod.process = pod.process, None
        if process is not None:
            self._ending.add(process)
            self._all_ended.clear()
            process.end()

    async def _end_all(self) -> None:
        for pod_id in list(self._pods):
            await self._end(pod_id)

    async def _close(self) -> None:
        await self._end_all()
        if self._refusing_server is not None:
            self._refusing_server.close()
        refusals = asyncio.all_tasks() - {asyncio.current_task()}
        for task in refusals:
            task.cancel()
        await asyncio.gather(*refusals, return_exceptions=True)
        if self._ending:
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


async def _refuse_connection(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    await refuse(reader, writer, _NO_SERVER_LEFT)


def _boot_message(record: Mapping[str, Any], account_keys: list[str], account_key_file: str | None) -> Boot:
    environment = _environment(record.get("environmentVars"))
    public_key = environment.get(_PUBLIC_KEY, "").strip()
    volume = record.get("persistentMountPath") if record.get("persistentVolumeInGb") else None
    return Boot(
        pod_id=str(record.get("id")),
        pod_name=str(record.get("podName") or ""),
        # The start script of the official images exports only these to SSH sessions.
        environment={name: value for name, value in environment.items() if name.startswith(_EXPORTED_PREFIX)},
        authorized_keys=public_key.splitlines() if public_key else account_keys,
        account_key_file=None if public_key else account_key_file,
        volume=str(volume) if volume else None,
    )


def _environment(variables: object) -> dict[str, str]:
    """Return the environment variables of a record. Malformed ones are ignored."""
    if not isinstance(variables, list):
        return {}
    pairs = [(var.get("key"), var.get("value")) for var in variables if isinstance(var, dict)]
    return {
        key: value
        for key, value in pairs
        if isinstance(key, str) and isinstance(value, str) and key and not {"=", "\0"} & set(key) and "\0" not in value
    }
