"""The sandbox as a user meets it: start it, ask it, break it, stop it."""

import hashlib
import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from yotta_jupyter.sandbox.faults import Faults, parse_fault
from yotta_jupyter.sandbox.fleet import Fleet
from yotta_jupyter.sandbox.seen import SeenRequest

if TYPE_CHECKING:
    from yotta_jupyter.sandbox.server import ServerThread

_REQUESTS_KEPT = 10_000
_MOST_PODS = 100_000
_MOST_OFFSET = 10 * 365 * 86400


class Sandbox:
    """A Pods API on this machine, served from a thread; also a context manager.

    Parameters
    ----------
    port : int
        The port on 127.0.0.1; 0 takes a free one.
    pods : int
        How many invented pods there are at the start.
    seed : int
        The same seed gives the same pods, and the same faults at random.
    speed : float
        How many times faster than real the pods change status.
    faults : iterable of str
        Faults from the start, each as in `add_fault`.
    records : iterable of dict, str or bytes, optional
        Raw JSON objects to serve as pods instead of invented ones, as given until they are acted upon (text and bytes
        byte for byte).
    api_key : str, optional
        The key to take; without it, one that says what it is.
    get_endpoint : bool
        Whether there is ``GET /openapi/v1/pods/{podId}``; some deployments lack it.
    clock_offset : float
        Seconds by which its time of day is ahead of this machine's; less than 0 where it is behind.
    verbose : bool
        Write a line a request to stderr.

    Raises
    ------
    ValueError
        If an argument cannot be right.

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
        verbose: bool = False,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be 0 to 65535, not {port}")
        if not 0 <= pods <= _MOST_PODS:
            raise ValueError(f"pods must be 0 to {_MOST_PODS}, not {pods}")
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be more than 0, not {speed}")
        if not abs(clock_offset) <= _MOST_OFFSET:
            raise ValueError(f"clock_offset must be -{_MOST_OFFSET} to {_MOST_OFFSET} seconds, not {clock_offset}")
        if api_key is not None and not (api_key and api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise ValueError("api_key must be printable ASCII without spaces")
        if isinstance(faults, str):
            raise ValueError("faults must be a list of texts, not one text")
        self._port = port
        self._first_faults = [parse_fault(spec) for spec in faults]
        self._faults = Faults(seed)
        for fault in self._first_faults:
            self._faults.add(fault)
        self._fleet = Fleet(pods=pods, seed=seed, speed=speed, records=records, clock_offset=clock_offset)
        self._api_key = api_key or f"sandbox-not-a-secret-{hashlib.sha256(str(seed).encode()).hexdigest()[:8]}"
        self._get_endpoint = get_endpoint
        self._verbose = verbose
        self._server: ServerThread | None = None
        self._starting = threading.Lock()
        self._requests: deque[SeenRequest] = deque(maxlen=_REQUESTS_KEPT)

    def start(self) -> Self:
        """Start serving and return the sandbox itself; nothing happens where it serves already.

        After a stop it serves on the same port again, with the pods as they have become.

        Raises
        ------
        ImportError
            If the extra of the sandbox is not installed.
        OSError
            If the port is taken.
        """
        try:
            from yotta_jupyter.sandbox.app import PodsApp
            from yotta_jupyter.sandbox.server import ServerThread
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "werkzeug":
                raise
            raise ImportError('The sandbox needs its extra: pip install "yotta-jupyter[sandbox]"') from None
        with self._starting:
            if self._server is None:
                app = PodsApp(
                    self._fleet,
                    self._faults,
                    api_key=self._api_key,
                    get_endpoint=self._get_endpoint,
                    seen=self._requests.append,
                )
                self._server = ServerThread(app, self._port, verbose=self._verbose)
                self._port = self._server.port
        return self

    def stop(self) -> None:
        """Stop serving: every connection is closed and no thread is left. Stopping twice is fine."""
        with self._starting:
            server, self._server = self._server, None
            if server is not None:
                server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        where = f"http://127.0.0.1:{self._port}" if self._port else "no address yet"
        return f"<Sandbox {where} ({state})>"

    @property
    def base_url(self) -> str:
        """The address, such as ``http://127.0.0.1:8765``. Stays the same after a stop."""
        if not self._port:
            raise RuntimeError("The sandbox has no address before its first start()")
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        """The key that it takes."""
        return self._api_key

    @property
    def running(self) -> bool:
        """Whether it is serving."""
        return self._server is not None

    @property
    def requests(self) -> list[SeenRequest]:
        """The last 10,000 requests that arrived, oldest first."""
        return list(self._requests)

    def reset(self) -> None:
        """Go back to the pods and the faults of the start, and forget the requests."""
        self._fleet.reset()
        self._faults.clear()
        for fault in self._first_faults:
            self._faults.add(fault)
        self._requests.clear()

    def add_fault(self, spec: str) -> None:
        """Let something go wrong from now on: ``ENDPOINT:KIND[=VALUE][@PROBABILITY][xTIMES]``.

        ``python -m yotta_jupyter.sandbox --help`` explains every kind.

        Raises
        ------
        ValueError
            With one line that says what is allowed.
        """
        self._faults.add(parse_fault(spec))

    def clear_faults(self) -> None:
        """Let nothing go wrong from now on."""
        self._faults.clear()

    def add_pods(self, count: int) -> None:
        """Add that many invented pods, as if they had long been there."""
        self._fleet.add(count)

    def pods(self) -> list[dict[str, Any]]:
        """Return every pod as the server knows it, with the values of its environment variables, newest first."""
        return self._fleet.snapshot()

    def advance(self, seconds: float) -> None:
        """Move the pods' clock forward by that many sandbox seconds, without waiting."""
        if seconds < 0:
            raise ValueError("seconds must be 0 or more")
        self._fleet.advance(seconds)
