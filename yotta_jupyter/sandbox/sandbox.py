"""The `Sandbox` class, with which a user starts, changes and inspects the sandbox."""

import getpass
import hashlib
import math
import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .bill import BillItem
from .faults import Faults, parse_fault
from .recorder import RecordedRequest
from .runtime import PodRuntimes, missing_requirement
from .simulator import Simulator

if TYPE_CHECKING:
    from .server import ServerThread

_MAX_REQUESTS = 10_000
"""Recorded requests that are kept."""
_MAX_PODS = 100_000
_MAX_CLOCK_OFFSET_SECONDS = 10 * 365 * 86400


class Sandbox:
    """A Pods API on this machine, served from a thread. Also a context manager, which starts and stops it.

    Its pods run code on this machine, as the user who starts the sandbox. Each pod with a healthy SSH port has an SSH
    server on 127.0.0.1. The first connection creates its home directory and its Python environment. They are erased
    when the pod is deleted, the sandbox is stopped or this process ends. A pause erases all files outside the pod's
    persistent volume.

    Parameters
    ----------
    port : int
        The port on 127.0.0.1; 0 for a free one.
    pods : int
        The number of sample pods at the start.
    seed : int
        The same seed gives the same pods and the same random faults.
    speed : float
        How many times faster than real time pods change status.
    faults : iterable of str
        The faults at the start, each as in `add_fault`.
    records : iterable of dict, str or bytes, optional
        JSON objects to serve as pods instead of sample pods. Each is served unchanged until an action changes the
        pod; str and bytes are served byte for byte.
    api_key : str, optional
        The valid API key. The default is derived from the seed and contains the word ``sandbox``.
    get_endpoint : bool
        Whether ``GET /openapi/v1/pods/{podId}`` exists. Some deployments lack it.
    clock_offset : float
        The seconds by which the sandbox's time of day is ahead of this machine's; negative if it is behind.
    public_keys : iterable of str, optional
        The SSH keys of the account, as lines of ``authorized_keys``. Pods without the environment variable
        ``PUBLIC_KEY`` accept them. The default is what ``~/.yotta/ssh/id_ed25519.pub`` contains at the time of a
        login.
    verbose : bool
        Write one line per request to stderr.

    Raises
    ------
    ValueError
        If an argument is invalid.

    Examples
    --------
    >>> with Sandbox(speed=100) as sandbox:
    ...     print(len(sandbox.pods()))
    3
    """

    def __init__(
        self,
        *,
        port: int = 0,
        pods: int = 3,
        seed: int = 0,
        speed: float = 1.0,
        faults: Iterable[str] = (),
        records: Iterable[Mapping[str, Any] | str | bytes] | None = None,
        api_key: str | None = None,
        get_endpoint: bool = True,
        clock_offset: float = 0.0,
        public_keys: Iterable[str] | None = None,
        verbose: bool = False,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be 0 to 65535, not {port}")
        if not 0 <= pods <= _MAX_PODS:
            raise ValueError(f"pods must be 0 to {_MAX_PODS}, not {pods}")
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be more than 0, not {speed}")
        if not -_MAX_CLOCK_OFFSET_SECONDS <= clock_offset <= _MAX_CLOCK_OFFSET_SECONDS:
            allowed = f"-{_MAX_CLOCK_OFFSET_SECONDS} to {_MAX_CLOCK_OFFSET_SECONDS} seconds"
            raise ValueError(f"clock_offset must be {allowed}, not {clock_offset}")
        if api_key is not None and not re.fullmatch(r"[!-~]+", api_key):
            raise ValueError("api_key must be printable ASCII without spaces")
        if isinstance(faults, str):
            raise ValueError("faults must be a list of strings, not one string")
        if isinstance(public_keys, str):
            raise ValueError("public_keys must be a list of strings, not one string")
        self._port = port
        self._faults = Faults(faults, seed)
        self._simulator = Simulator(pod_count=pods, seed=seed, speed=speed, records=records, clock_offset=clock_offset)
        self._api_key = api_key or f"sandbox-not-a-secret-{hashlib.sha256(str(seed).encode()).hexdigest()[:8]}"
        self._get_endpoint = get_endpoint
        self._verbose = verbose
        self._public_keys = None if public_keys is None else list(public_keys)
        self._server: ServerThread | None = None
        self._runtimes: PodRuntimes | None = None
        self._start_lock = threading.Lock()
        self._requests: deque[RecordedRequest] = deque(maxlen=_MAX_REQUESTS)

    def start(self) -> Self:
        """Start serving and return the sandbox. Has no effect if it is already running.

        After a stop it serves on the same port again, and its pods are kept, but not their files.

        Raises
        ------
        ImportError
            If the extra ``sandbox`` is not installed.
        OSError
            If the port is in use.
        """
        try:
            from .fault_middleware import FaultMiddleware
            from .gateway import Gateway
            from .handlers import PodsApp
            from .server import ServerThread
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "werkzeug":
                raise
            raise ImportError('The sandbox needs its extra: pip install "yotta-jupyter[sandbox]"') from None
        with self._start_lock:
            if self._server is None:
                app = Gateway(
                    FaultMiddleware(PodsApp(self._simulator), self._faults),
                    api_key=self._api_key,
                    has_get_endpoint=self._get_endpoint,
                    on_request=self._requests.append,
                )
                self._server = ServerThread(app, self._port, verbose=self._verbose)
                self._port = self._server.port
                can_run_code = missing_requirement() is None
                if can_run_code:
                    self._runtimes = PodRuntimes(self._public_keys)
                    self._simulator.attach(self._runtimes)
        return self

    def stop(self) -> None:
        """Stop serving, close all connections, end all threads and everything that runs on pods, and erase their files.

        Has no effect if it is not running.
        """
        with self._start_lock:
            server = self._server
            runtimes = self._runtimes
            self._server = None
            self._runtimes = None
            if server is not None:
                server.stop()
            if runtimes is not None:
                self._simulator.detach()
                runtimes.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        address = f"http://127.0.0.1:{self._port}" if self._port else "no address yet"
        return f"<Sandbox {address} ({state})>"

    @property
    def base_url(self) -> str:
        """The address, such as ``http://127.0.0.1:8765``. It stays the same after a stop.

        Raises
        ------
        RuntimeError
            If the sandbox has never been started and its port is not fixed.
        """
        if not self._port:
            raise RuntimeError("The sandbox has no address before its first start()")
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        """The valid API key."""
        return self._api_key

    @property
    def running(self) -> bool:
        """Whether the sandbox is serving."""
        return self._server is not None

    @property
    def notice(self) -> str:
        """One sentence about where the pods run code. Show it to a user who starts a sandbox."""
        problem = missing_requirement()
        if problem is not None:
            return f"Its pods run no code: {problem}."
        return f"Code that you run on its pods runs on this machine, as the user {getpass.getuser()}."

    @property
    def requests(self) -> list[RecordedRequest]:
        """The latest requests, oldest first."""
        return list(self._requests)

    def reset(self) -> None:
        """Return to the initial pods and faults, and clear the recorded requests."""
        self._simulator.reset()
        self._faults.reset()
        self._requests.clear()

    def add_fault(self, spec: str) -> None:
        """Activate a fault. ``python -m yotta_jupyter.sandbox --help`` explains the syntax and lists the kinds.

        Parameters
        ----------
        spec : str
            The fault, such as ``create:lost`` or ``list:slow=2@0.5``.

        Raises
        ------
        ValueError
            If the fault is invalid. The message is one line with the allowed values.
        """
        self._faults.add(parse_fault(spec))

    def clear_faults(self) -> None:
        """Deactivate all faults."""
        self._faults.clear()

    def add_pods(self, count: int) -> None:
        """Add sample pods that were created some time before."""
        self._simulator.add_samples(count)

    def pods(self) -> list[dict[str, Any]]:
        """Return the records of all pods, most recently updated first, with the values of environment variables."""
        return self._simulator.snapshot()

    def bill(self) -> dict[str, BillItem]:
        """Return what each pod would have cost since the start or the last reset.

        Returns
        -------
        dict of str to BillItem
            The bill of each pod by its id. Deleted pods are included.
        """
        return self._simulator.bill()

    def advance(self, seconds: float) -> None:
        """Move the pods' clock forward without waiting.

        Parameters
        ----------
        seconds : float
            Sandbox seconds, 0 or more.

        Raises
        ------
        ValueError
            If ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError("seconds must be 0 or more")
        self._simulator.advance(seconds)

    def ssh_port(self, pod_id: str) -> int:
        """Return the port on 127.0.0.1 on which a pod accepts SSH connections.

        Raises
        ------
        LookupError
            If the pod has no SSH server.
        """
        return self._require_runtimes(pod_id).port(pod_id)

    def kill_connections(self, pod_id: str) -> None:
        """Cut all SSH connections to a pod. Its SSH server and its processes go on.

        Raises
        ------
        LookupError
            If the pod has no SSH server, or its server cannot start because too many others run.
        """
        self._require_runtimes(pod_id).disconnect(pod_id)

    def freeze(self, pod_id: str) -> None:
        """Make all SSH connections to a pod half-open: nothing is read or written any more, and nothing is closed.

        New connections are accepted, but get no response. The processes on the pod go on. `kill_connections` works
        during a freeze as well.

        Raises
        ------
        LookupError
            If the pod has no SSH server, or its server cannot start because too many others run.
        """
        self._require_runtimes(pod_id).freeze(pod_id)

    def thaw(self, pod_id: str) -> None:
        """End a freeze: what was sent during it is handled now.

        Raises
        ------
        LookupError
            If the pod has no SSH server, or its server cannot start because too many others run.
        """
        self._require_runtimes(pod_id).thaw(pod_id)

    def _require_runtimes(self, pod_id: str) -> PodRuntimes:
        self._simulator.advance(0)  # The SSH server of the pod may be due by now.
        runtimes = self._runtimes
        if runtimes is None:
            raise LookupError(f"pod {pod_id} has no SSH server")
        return runtimes
