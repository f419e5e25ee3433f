"""The processes of a pod: start them, wait for them, and kill them all."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

_PR_SET_CHILD_SUBREAPER: Final = 36
_KILL_TIMEOUT_SECONDS: Final = 5.0
_POLL_INTERVAL_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Child:
    """A process that was started with a session of its own.

    Attributes
    ----------
    pid : int
        The id of the process, of its process group and of its session.
    exited : future of int
        The exit status; negative if a signal ended the process.
    """

    pid: int
    exited: "asyncio.Future[int]"


class Processes:
    """All processes of a pod, also daemons.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The loop of the main thread, which starts the processes.
    home : str
        The home directory of the pod.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, home: str) -> None:
        self._loop = loop
        self._home = home
        self._children: dict[int, asyncio.Future[int]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._is_subreaper = _become_subreaper()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def start(self, argv: Sequence[str], environment: Mapping[str, str], stdin: int, stdout: int, stderr: int) -> Child:
        """Start a process in the home directory, as the leader of a new session.

        Raises
        ------
        OSError
            If it cannot be started, or if the pod is about to end.
        """
        with self._lock:
            if self._closed:
                raise ConnectionAbortedError("the pod is stopping")
            process = subprocess.Popen(
                argv,
                cwd=self._home,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            process.returncode = 0  # Makes Popen assume the process has ended, because `_reap` waits for it.
        exited: asyncio.Future[int] = self._loop.create_future()
        self._children[process.pid] = exited
        return Child(process.pid, exited)

    def signal_group(self, child: Child, signal_number: int) -> None:
        """Send a signal to the process group of a child. Has no effect after the end of the child."""
        if not child.exited.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal_number)

    def hang_up(self, child: Child) -> None:
        """Send SIGHUP to all processes of a child's session, as a disconnected terminal does."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == child.pid:
                    os.kill(pid, signal.SIGHUP)
                    os.kill(pid, signal.SIGCONT)  # A stopped process handles SIGHUP only after SIGCONT.

    def kill_all(self) -> None:
        """Kill all processes and start no more, until `reopen`. May be called on any thread."""
        with self._lock:
            self._closed = True
        _kill(self._pids)

    def reopen(self) -> None:
        """Allow processes again."""
        with self._lock:
            self._closed = False

    def _pids(self) -> list[int]:
        descendants = [process.pid for process in psutil.Process().children(recursive=True) if _is_alive(process)]
        if self._is_subreaper:
            return descendants
        # Without a subreaper, a daemon is no descendant of this process.
        return list({*descendants, *_pids_by_home(self._home)})

    def _reap(self) -> None:
        """Reap all children that have ended. A subreaper also has the daemons as children."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                exited = self._children.pop(pid, None)
                if exited is not None and not exited.done():
                    exited.set_result(os.waitstatus_to_exitcode(status))


def kill_by_home(home: str) -> None:
    """Kill all processes of this user whose environment variable HOME is that directory."""
    _kill(lambda: _pids_by_home(home))


def _kill(find_pids: Callable[[], Iterable[int]]) -> None:
    """Kill processes until none is found any more."""
    deadline = time.monotonic() + _KILL_TIMEOUT_SECONDS
    # One empty search is not enough: it misses a process whose parent ends during the search.
    empty_searches = 0
    while empty_searches < 2 and time.monotonic() < deadline:
        pids = list(find_pids())
        if not pids:
            empty_searches += 1
            continue
        empty_searches = 0
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_INTERVAL_SECONDS)


def _pids_by_home(home: str) -> list[int]:
    pids = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME") == home and _is_alive(process):
                pids.append(process.pid)
    return pids


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _become_subreaper() -> bool:
    """Become the new parent of all descendants whose parent ends. Return False where that is not possible."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
