"""Where a pod's SSH server is, as plain data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import InvalidRequest, RemoteUnavailable
from ..models import Pod
from ..sanitize import single_line
from ..urls import is_valid_host

FALLBACK_USERS: Final = ("root", "ubuntu")
"""Users tried after those that the API names."""

_USER_IN_COMMAND: Final = re.compile(r"ssh (?:-\S+ \S+ )*([a-z_][a-z0-9_-]{0,31})@")


@dataclass(frozen=True)
class Endpoint:
    """The SSH server of one pod.

    Parameters
    ----------
    pod_id : str
        Host keys are pinned under this id.
    host : str
    port : int
    users : tuple of str
        User names in the order in which they are tried.
    key_file : str or Path, optional
        A private key file. If given, no other key is tried.
    name : str, optional
        How messages name the pod; by default its id.
    """

    pod_id: str
    host: str
    port: int
    users: tuple[str, ...] = FALLBACK_USERS
    key_file: str | Path | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", self.pod_id):
            raise InvalidRequest(f"{single_line(self.pod_id, 40)!r} is not a pod id.")
        if not is_valid_host(self.host) or not 0 < self.port < 65536:
            raise InvalidRequest(f"{single_line(f'{self.host}:{self.port}', 80)!r} is not an SSH address.")

    @property
    def label(self) -> str:
        """How messages name the pod."""
        return f"Pod {single_line(self.name or self.pod_id, 60)}"


Lookup = Callable[[], Endpoint]
"""Returns the present endpoint of a pod. Raises `YottaError` if the pod cannot be reached for good, such as when it is
paused. Called on a thread of its own after a connection was lost."""


def endpoint_of(pod: Pod, key_file: str | Path | None = None) -> Endpoint:
    """Return the endpoint of a pod.

    Parameters
    ----------
    pod : Pod
    key_file : str or Path, optional
        A private key file.

    Returns
    -------
    Endpoint

    Raises
    ------
    RemoteUnavailable
        The pod exposes no SSH port, or SSH is not ready.
    """
    label = f"Pod {single_line(pod.name or pod.id, 60)} ({pod.id})"
    port = pod.ssh_port
    if port is None:
        raise RemoteUnavailable(
            f"{label} exposes no SSH port.",
            advice="Create it with port 22 exposed.",
            pod_id=pod.id,
            pod_status=pod.status,
        )
    if not pod.ssh_ready or port.host is None or port.proxy_port is None:
        status = single_line(pod.status, 40)
        raise RemoteUnavailable(f"{label} is {status} and not reachable by SSH.", pod_id=pod.id, pod_status=pod.status)
    named = [_user_of(port.ingress_url), _user_of(pod.ssh_cmd)]
    users = tuple(dict.fromkeys(user for user in (*named, *FALLBACK_USERS) if user))
    return Endpoint(pod.id, port.host, port.proxy_port, users, key_file, pod.name)


def _user_of(command: str | None) -> str | None:
    match = _USER_IN_COMMAND.match(command or "")
    return match[1] if match else None
