"""The address of a pod's SSH server, and what is needed to log in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .. import ssh
from ..errors import InvalidRequest
from ..models import Pod
from ..sanitize import single_line
from ..urls import is_loopback, is_valid_host

FALLBACK_USERS: Final = ("root", "ubuntu")
"""Users that are tried after those that the API names."""


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
        The pod's name in messages; by default its id.
    pin_host_key : bool, default True
        Whether the host key of the first connection is required from then on.
    """

    pod_id: str
    host: str
    port: int
    users: tuple[str, ...] = FALLBACK_USERS
    key_file: str | Path | None = None
    name: str | None = None
    pin_host_key: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", self.pod_id):
            raise InvalidRequest(f"{single_line(self.pod_id, 40)!r} is not a pod id.")
        if not is_valid_host(self.host) or not 0 < self.port < 65536:
            raise InvalidRequest(f"{single_line(f'{self.host}:{self.port}', 80)!r} is not an SSH address.")

    @property
    def label(self) -> str:
        """The pod's name in messages."""
        return single_line(self.name or self.pod_id, 60)

    @property
    def full_label(self) -> str:
        """The pod in messages, such as ``train (331864222263676928)``; only the id if it has no name."""
        return Pod(id=self.pod_id, pod_name=self.name).label


Lookup = Callable[[], Endpoint]
"""Returns the present endpoint of a pod, or raises as `endpoint_of` does. Called on a thread before a reconnect.
An error ends the attempts to connect, unless the pod is starting or the API fails."""


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
        The host key of a pod on loopback is not pinned: each sandbox has the same pod ids with new host keys.

    Raises
    ------
    InvalidPodState
        The pod exposes no SSH port, or SSH is not ready.
    """
    host, port = ssh.resolve(pod)
    users = tuple(dict.fromkeys((*ssh.users(pod), *FALLBACK_USERS)))
    return Endpoint(pod.id, host, port, users, key_file, pod.name, pin_host_key=not is_loopback(host))
