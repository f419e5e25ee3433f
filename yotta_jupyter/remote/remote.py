"""The Python API of a pod: cells, shell commands, data, files and port forwards."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import InvalidRequest
from ..sanitize import single_line
from .agent_client import AgentClient, RequestInfo
from .connection import PodConnection
from .endpoint import Endpoint, Lookup, endpoint_of
from .events import Event
from .execution import (
    Callbacks,
    Execution,
    OnInput,
    OnInterrupt,
    OnNotice,
    OnOutput,
    always_interrupt,
    ask_user,
    never_interrupt,
    print_notice,
)
from .framing import MAX_REQUEST
from .host_keys import HostKeys
from .keys import decrypt
from .launcher import AgentLauncher
from .loop import background_loop, submit, wait_for
from .outputs import RunResult, print_output
from .password_login import accepts_password
from .queues import BoundedQueue
from .shell import OnText, ShellResult, run_shell
from .values import MAX_PULLED_BYTES, ValueTransfer

if TYPE_CHECKING:
    from ..models import Pod
    from .files import Transferred
    from .forwards import Forward
    from .jupyter import JupyterServer
    from .progress import OnProgress


class Remote:
    """A pod that runs code. Connects when first used. Thread-safe. A context manager.

    Parameters
    ----------
    endpoint : Endpoint
        The pod's SSH server.
    lookup : callable, optional
        Returns the pod's present endpoint, or raises an error if the pod is paused or gone. Called on a thread of its
        own when the connection was lost.
    install : bool, default True
        Whether missing Python packages may be installed on the pod.
    python : str, optional
        The pod's Python; by default it is looked for.
    host_keys : HostKeys, optional
        The pinned host keys; by default those in ``~/.yotta/ssh/known_hosts``.
    on_notice : callable, optional
        Called with one line about the connection or the pod, on the thread that waits; by default printed to stderr.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lookup: Lookup | None = None,
        install: bool = True,
        python: str | None = None,
        host_keys: HostKeys | None = None,
        on_notice: OnNotice = print_notice,
    ) -> None:
        self.pod_id = endpoint.pod_id
        self.on_notice = on_notice
        self._python = python
        self._loop = background_loop()
        self._queues: set[BoundedQueue[Any]] = set()
        self._lock = threading.Lock()
        self._connection = PodConnection(
            endpoint,
            lookup=lookup,
            host_keys=host_keys,
            notice=self._publish_notice,
        )
        self._launcher = AgentLauncher(self._connection, install=install, python=python, notice=self._publish_notice)
        self._kernel = AgentClient(self._connection, self._launcher)
        self._values = ValueTransfer(self._connection, self._launcher, self._run_hidden)
        self._forwards: set[Forward] = set()

    @classmethod
    def for_pod(cls, pod: Pod, ssh_key: str | Path | None = None, **options: Any) -> Self:
        """Return the `Remote` of a pod.

        Parameters
        ----------
        pod : Pod
        ssh_key : str or Path, optional
            A private key file.
        **options
            As for `Remote`.

        Raises
        ------
        InvalidPodState
            The pod exposes no SSH port, or SSH is not ready.
        """
        return cls(endpoint_of(pod, ssh_key), **options)

    def __repr__(self) -> str:
        return f"<Remote {self.pod_id}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

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

        A run of a busy kernel waits until the runs before it have ended. Ctrl-C interrupts the code; a second Ctrl-C
        leaves it running and raises `RemoteDetached`.

        What a run prints after its end, such as from a thread, is shown once: with a run that waits at that time, else
        with the next one, before its own output. `attach` shows it, too.

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
        InvalidRequest
            A value cannot be pushed, or the code is larger than 67 MB; nothing was run. Or a value cannot be pulled.
        """
        names = _check_names(pull)
        if push:
            self.push_values(push, on_progress=on_progress)
        result = self._execute(code, Callbacks(on_output, on_input, self.on_notice, on_interrupt)).wait()
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
        return self._execute(code, Callbacks(on_notice=self.on_notice)).wait("accepted").request_id

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
            By default the running run, or the last one.
        on_output, on_input
            As for `run`.

        Returns
        -------
        RunResult

        Raises
        ------
        InvalidRequest
            There is no such run.
        RemoteError, RemoteUnavailable, RemoteDetached
            As for `run`.
        """
        info = self._find_request(request_id)
        events = self._new_queue()

        async def follow() -> AgentClient:
            client = AgentClient(self._connection, self._launcher, after=info.first - 1, epoch=self._kernel.epoch)
            client.receive(info.request_id, events, shows_late=True)
            try:
                await client.attach()
            except BaseException:
                await client.close()
                raise
            return client

        client = wait_for(follow())
        callbacks = Callbacks(on_output, on_input, self.on_notice, never_interrupt)
        execution = Execution(client, self._loop, events, info.request_id, self.pod_id, callbacks, is_caught_up=False)
        try:
            return execution.wait()
        finally:
            self._discard(events)
            wait_for(self._end_attach(client, info.request_id))

    async def _end_attach(self, client: AgentClient, request_id: str) -> None:
        await client.close()
        if (until := client.late.shown_until(request_id)) is not None:
            self._kernel.late.mark_shown(request_id, until)

    def requests(self) -> list[RequestInfo]:
        """Return the runs that the pod knows, in order; the agent is started if it does not run.

        Returns
        -------
        list of RequestInfo
        """
        wait_for(self._kernel.attach())
        return list(self._kernel.requests.values())

    def interrupt(self, request_id: str | None = None) -> None:
        """Interrupt a run as Ctrl-C does; one that waits is removed from the queue.

        Parameters
        ----------
        request_id : str, optional
            By default whatever runs.
        """
        self._request({"type": "interrupt", "target": request_id})

    def restart(self) -> None:
        """Replace the pod's kernel by a new one. What runs and what waits ends with an error."""
        self._request({"type": "restart"})

    def shutdown(self) -> None:
        """End the agent and the kernel on the pod and delete the record. A later run starts them again."""

        async def end() -> None:
            await self._kernel.attach()
            self._kernel.send({"type": "shutdown", "request": uuid.uuid4().hex})
            await asyncio.sleep(0.2)
            await self._kernel.close()
            self._kernel = AgentClient(self._connection, self._launcher)

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
        max_bytes : int, default 4 GiB
            The limit for one value.
        """
        return self._values.pull(_check_names(names), on_progress, max_bytes)

    # Files and ports

    def put(self, local: str | Path, remote: str, *, on_progress: OnProgress | None = None) -> Transferred:
        """Copy a file or a folder to the pod.

        Each file is compared by SHA-256. Equal files are not sent again, and an interrupted copy is resumed. A folder's
        contents go into the destination folder; a file goes into an existing folder. Permissions and times are
        kept. Links within the folder stay links; of links to files elsewhere the content is copied.

        Parameters
        ----------
        local : str or Path
        remote : str
            A path on the pod, relative to the home.
        on_progress : callable, optional
            Called with a `Progress` on this thread.

        Returns
        -------
        Transferred

        Raises
        ------
        InvalidRequest
            A path does not exist, or the destination is of another kind. What exists there is unchanged.
        RemoteUnavailable
            The pod cannot be reached, has no Python, or its disk is full.
        """
        from .files import put

        return put(self._connection, local, remote, self._python, on_progress)

    def get(self, remote: str, local: str | Path, *, on_progress: OnProgress | None = None) -> Transferred:
        """Copy a file or a folder from the pod, as `put` does in the other direction.

        Parameters
        ----------
        remote : str
            A path on the pod, relative to the home.
        local : str or Path
        on_progress : callable, optional
            Called with a `Progress` on this thread.

        Returns
        -------
        Transferred

        Raises
        ------
        InvalidRequest, RemoteUnavailable
            As for `put`; also if the pod sent a path outside the destination.
        """
        from .files import get

        return get(self._connection, remote, local, self._python, on_progress)

    def forward(self, port: int, local_port: int = 0) -> Forward:
        """Open a local port that leads to a port of the pod.

        Parameters
        ----------
        port : int
            On the pod's 127.0.0.1.
        local_port : int, default 0
            On this machine's 127.0.0.1; 0 chooses a free one.

        Returns
        -------
        Forward
            With ``local_port``, ``url`` and ``close()``; a context manager.

        Raises
        ------
        InvalidRequest
            The local port is in use.
        RemoteUnavailable
            The pod cannot be reached.
        """
        from .forwards import Forward

        forward = Forward(self._connection, port, local_port, self._forwards.discard)
        self._forwards.add(forward)
        return forward

    def start_jupyter(self, base_url: str = "/", reuse: str = "/") -> JupyterServer | None:
        """Start JupyterLab on the pod, or find the one that this method started before.

        It listens on the pod's 127.0.0.1 with a token of its own, and ends after a day in which nothing used it.

        Parameters
        ----------
        base_url : str, default "/"
            The path under which a browser reaches it.
        reuse : str, default "/"
            One that was started before is used if its path begins with this; empty to use none.

        Returns
        -------
        JupyterServer or None
            None if the pod's Python has no JupyterLab.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached or has no Python, or JupyterLab does not start.
        """
        from .jupyter import start_jupyter

        return start_jupyter(self._connection, base_url, reuse, self._python)

    # Shell

    def shell(self, command: str, *, on_text: OnText | None = None) -> ShellResult:
        """Run a shell command or script and wait for it. Needs no Python on the pod.

        Ctrl-C sends SIGINT to its process group; a second one SIGKILL.

        Parameters
        ----------
        command : str
            Run by bash, or by sh where there is no bash.
        on_text : callable, optional
            Called with ``"stdout"`` or ``"stderr"`` and text as it arrives, on this thread.

        Returns
        -------
        ShellResult
            With ``returncode``, ``stdout`` and ``stderr``.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached, or the connection was lost while the command ran.
        """
        events = self._new_queue()
        try:
            return run_shell(self._connection, self._loop, events, command, on_text, self.on_notice)
        finally:
            self._discard(events)

    async def shell_async(self, command: str, *, on_text: OnText | None = None) -> ShellResult:
        """Run a shell command as `shell` does, without blocking the event loop.

        Parameters
        ----------
        command, on_text
            As for `shell`.
        """
        return await asyncio.to_thread(self.shell, command, on_text=on_text)

    # Connection

    def connect(self) -> None:
        """Connect now. Other methods connect when they need to.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached, accepts no key, or has another host key than before. ``error.locked_keys`` names
            the key files that were not tried because they need a passphrase; see `unlock`.
        """
        wait_for(self._connection.get())

    def unlock(self, key_file: str | Path, passphrase: str) -> bool:
        """Use a key file that needs a passphrase, after a connection failed without it.

        Parameters
        ----------
        key_file : str or Path
            One of ``error.locked_keys``.
        passphrase : str

        Returns
        -------
        bool
            False if the passphrase is wrong.
        """
        path = Path(key_file).expanduser()
        key = decrypt(path, passphrase)
        if key is not None:
            wait_for(self._connection.add_key(path, key))
        return key is not None

    def check_password(self, user: str, password: str) -> Future[bool]:
        """Start to check whether the pod accepts a password by SSH. A server may take seconds to refuse one.

        Parameters
        ----------
        user, password : str

        Returns
        -------
        concurrent.futures.Future
        """
        return submit(accepts_password(self._connection, user, password))

    @property
    def user(self) -> str | None:
        """The user name that the pod accepted; None before the first connection."""
        return self._connection.user

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now. A connection that broke counts until its keepalive fails."""
        return self._connection.is_connected

    def allow_install(self, allowed: bool) -> None:
        """Set whether missing Python packages may be installed on the pod.

        Parameters
        ----------
        allowed : bool
        """
        self._launcher.install_allowed = allowed

    def close(self) -> None:
        """Close the connection and the forwards. What runs on the pod continues."""
        for forward in list(self._forwards):
            forward.close()

        async def disconnect() -> None:
            await self._kernel.close()
            await self._connection.close()

        wait_for(disconnect())

    # Parts

    def _execute(self, code: str, callbacks: Callbacks, hidden: bool = False) -> Execution:
        """Send code and return its execution."""
        request_id = uuid.uuid4().hex
        title = single_line(next((line for line in code.splitlines() if line.strip()), ""), 80)
        head = {"type": "execute", "request": request_id, "title": title, "hidden": hidden}
        body = code.encode("utf-8", "surrogatepass")
        if len(body) > MAX_REQUEST:
            raise InvalidRequest(
                f"The code has {len(body) / 1e6:.0f} MB, and the limit is {MAX_REQUEST / 1e6:.0f} MB.",
                advice="Move data with push or put.",
            )
        events = self._new_queue()

        def send() -> None:
            self._kernel.receive(request_id, events, shows_late=not hidden)
            self._kernel.send(head, body)

        self._loop.call_soon_threadsafe(send)
        return Execution(self._kernel, self._loop, events, request_id, self.pod_id, callbacks, on_end=self._discard)

    def _run_hidden(self, code: str, on_output: OnOutput) -> None:
        self._execute(code, Callbacks(on_output, on_notice=self.on_notice), hidden=True).wait()

    def _request(self, head: dict[str, Any]) -> None:
        """Send a request and wait until the agent has accepted it."""
        request_id = uuid.uuid4().hex
        events = self._new_queue()

        async def send() -> None:
            self._kernel.receive(request_id, events)
            self._kernel.send({**head, "request": request_id})

        wait_for(send())
        Execution(
            self._kernel,
            self._loop,
            events,
            request_id,
            self.pod_id,
            Callbacks(on_notice=self.on_notice),
            on_end=self._discard,
        ).wait("accepted")

    def _find_request(self, request_id: str | None) -> RequestInfo:
        requests = self.requests()
        if request_id is None:
            started = [info for info in requests if info.state != "not_run"]
            chosen = [info for info in started if info.state == "running"] or started
        else:
            chosen = [info for info in requests if info.request_id.startswith(request_id)]
        if not chosen:
            which = f"no run {single_line(request_id, 40)!r}" if request_id else "no run yet"
            raise InvalidRequest(f"The pod has {which}.")
        return chosen[-1]

    def _new_queue(self) -> BoundedQueue[Any]:
        events: BoundedQueue[Any] = BoundedQueue(self._loop)
        with self._lock:
            self._queues.add(events)
        return events

    def _discard(self, events: BoundedQueue[Any]) -> None:
        with self._lock:
            self._queues.discard(events)
        events.close()

    def _publish_notice(self, text: str) -> None:
        """Pass a notice to every thread that waits. Runs on the background loop."""
        with self._lock:
            queues = list(self._queues)
        for events in queues:
            events.put_nowait(Event("notice", data={"detail": text}))


def _check_names(names: Iterable[str]) -> list[str]:
    result = [names] if isinstance(names, str) else list(names)
    for name in result:
        if not name.isidentifier():
            raise InvalidRequest(f"{single_line(name, 40)!r} is not the name of a variable.")
    return result
