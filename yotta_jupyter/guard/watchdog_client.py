"""Install, extend, read and remove the watchdog on a pod, over SSH."""

from __future__ import annotations

import json
import shlex
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..api import V1Backend
from ..api.v1.responses import SUCCESS
from ..errors import RemoteUnavailable, YottaError
from ..models import Pod
from ..remote import endpoint_of
from ..remote.callbacks import print_notice
from ..remote.connecting import wait_for_connection
from ..remote.connection import PodConnection
from ..remote.loop import background_loop, wait_for
from ..remote.queues import EventQueues
from ..sanitize import single_line
from ..secret import Secret
from .watchdog import MARKER

if TYPE_CHECKING:
    import asyncssh

_TIMEOUT: Final = 60.0  # seconds


class WatchdogState(msgspec.Struct, frozen=True):
    """The state of the watchdog on a pod.

    Attributes
    ----------
    alive : bool
    left : float or None
        Seconds until it pauses the pod.
    error : str
        Why its last request failed.
    attempts : int
        Pauses that it has requested.
    """

    alive: bool = False
    left: float | None = None
    error: str = ""
    attempts: int = 0


def install(pod: Pod, seconds: float, base_url: str, api_key: Secret, ssh_key: str | None) -> WatchdogState:
    """Start a watchdog on a pod, in place of an earlier one. The key goes over SSH into the memory of the pod.

    Parameters
    ----------
    pod : Pod
    seconds : float
        The time until it pauses the pod.
    base_url : str
    api_key : Secret
    ssh_key : str or None
        A private key file.

    Returns
    -------
    WatchdogState

    Raises
    ------
    YottaError
        The pod cannot be reached, has no Python, or no file system in memory.
    """
    method, path = V1Backend.pause_request(pod.id)
    # No variable holds the key as plain text, because a verbose traceback shows variables.
    settings = Secret(
        json.dumps(
            {
                "pod_id": pod.id,
                "seconds": seconds,
                "method": method,
                "url": base_url + path,
                "headers": {"x-api-key": api_key.reveal(), "User-Agent": "yotta-jupyter-watchdog"},
                "success": SUCCESS,
            }
        )
    )
    return _parse_state(_run(pod, ["install"], ssh_key, settings), pod)


def extend(pod: Pod, seconds: float, ssh_key: str | None) -> WatchdogState:
    """Put off the limit of the watchdog on a pod by `seconds`; other parameters as in `install`."""
    return _parse_state(_run(pod, ["extend", pod.id, str(seconds)], ssh_key), pod)


def read(pod: Pod, ssh_key: str | None) -> WatchdogState:
    """Return the state of the watchdog on a pod; parameters as in `install`."""
    return _parse_state(_run(pod, ["status", pod.id], ssh_key), pod)


def remove(pod: Pod, ssh_key: str | None) -> None:
    """End the watchdog on a pod and delete its files; parameters as in `install`."""
    _run(pod, ["remove", pod.id], ssh_key)


def _run(pod: Pod, arguments: list[str], ssh_key: str | None, payload: Secret | None = None) -> str:
    """Run a command of the watchdog on a pod; return its output."""
    source = files(__package__).joinpath("watchdog.py").read_text()
    # The program needs its own source, to write it into a file on the pod.
    program = f"SOURCE = {source!r}\nexec(compile(SOURCE, 'watchdog', 'exec'))"
    command = shlex.join(["python3", "-c", program, *arguments])
    queues = EventQueues(background_loop())
    connection = PodConnection(endpoint_of(pod, ssh_key), on_notice=queues.send_notice, on_status=queues.send_status)
    try:
        ssh = wait_for_connection(connection.get(), queues, pod.label, on_notice=print_notice, on_status=print_notice)
        return wait_for(_execute(ssh, command, payload, pod.id))
    finally:
        wait_for(connection.close())


def _parse_state(output: str, pod: Pod) -> WatchdogState:
    line = next((line for line in output.splitlines() if line.startswith(MARKER)), "")
    try:
        result = msgspec.json.decode(line.removeprefix(MARKER), type=dict[str, Any])
        if "alive" not in result and "error" in result:  # The watchdog could not be installed.
            raise YottaError(f"No watchdog runs on pod {pod.label}: {single_line(result['error'], 100)}.")
        return msgspec.convert(result, WatchdogState)
    except msgspec.MsgspecError:
        raise YottaError(f"No watchdog runs on pod {pod.label}: its python3 printed no answer.") from None


async def _execute(ssh: asyncssh.SSHClientConnection, command: str, payload: Secret | None, pod_id: str) -> str:
    import asyncssh

    try:
        process = await ssh.run(command, input=payload.reveal() if payload else "", timeout=_TIMEOUT)
        return str(process.stdout or "")
    except (OSError, asyncssh.Error, TimeoutError) as error:
        reason = single_line(type(error).__name__, 40)
    # Raised here, so that no traceback contains the payload.
    raise RemoteUnavailable(f"The pod could not be reached over SSH ({reason}).", pod_id=pod_id)
