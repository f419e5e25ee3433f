"""From a pod to the command, or the block of ``~/.ssh/config``, that reaches it by SSH."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import Final

from .api import ExposedPort, InvalidPodState, InvalidRequest, Pod
from .api.address import is_host
from .api.text import printable

DEFAULT_USER: Final = "user"
_INGRESS: Final = re.compile(r"ssh ([a-z_][a-z0-9_-]{0,31})@")
_USUAL_INGRESS: Final = f"ssh {DEFAULT_USER}@"
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def command(pod: Pod, key_file: str | None = None, user: str | None = None) -> str:
    """Return the command that opens a shell on a pod.

    It is built from the pod's host and port, each checked, and quoted for a POSIX shell; the server's own text is only
    read for the user's name.

    Parameters
    ----------
    pod : Pod
    key_file : str, optional
        The file of the private key; without it ssh takes its usual ones.
    user : str, optional
        The user to log in as; by default the one in the pod's `ingress_url`, else ``user``.

    Returns
    -------
    str
        Such as ``ssh user@192.0.2.7 -p 32002 -i ~/.ssh/id_ed25519``.

    Raises
    ------
    InvalidPodState
        The pod is not reachable by SSH, or not yet.
    InvalidRequest
        `user` or `key_file` cannot be used.
    """
    host, port, name = _parts(pod, user)
    words = ["ssh", f"{name}@{host}", "-p", str(port)]
    shown = shlex.join(words)
    return shown if key_file is None else f"{shown} -i {_quoted_path(_checked_path(key_file))}"


def config_block(pod: Pod, key_file: str | None = None, user: str | None = None) -> str:
    """Return the block of ``~/.ssh/config`` with which ``ssh NAME`` reaches a pod.

    Parameters
    ----------
    pod, key_file, user
        As for `command`.

    Returns
    -------
    str
        Lines without one at the end. The alias is the pod's name where ssh takes it, else ``yotta-ID``.

    Raises
    ------
    InvalidPodState, InvalidRequest
        As for `command`.
    """
    host, port, name = _parts(pod, user)
    alias = pod.name if pod.name and _ALIAS.fullmatch(pod.name) else f"yotta-{pod.id}"
    lines = [f"Host {alias}", f"    HostName {host}", f"    Port {port}", f"    User {name}"]
    if key_file is not None:
        path = _checked_path(key_file)
        if '"' in path:
            raise InvalidRequest(
                "The key file's path holds a quote, which ~/.ssh/config cannot carry; rename the file."
            )
        lines.append(f'    IdentityFile "{path}"' if " " in path else f"    IdentityFile {path}")
    return "\n".join(lines)


def command_or_none(status: str, expose: list[ExposedPort] | None) -> str | None:
    """Return the command for a pod that is reachable now, else None; never raises.

    Parameters
    ----------
    status : str
        The pod's status.
    expose : list of ExposedPort or None
        Its ports.

    Returns
    -------
    str or None
    """
    if status != "RUNNING" or not expose:
        return None
    for port in expose:
        protocol = port.protocol
        if protocol == "SSH" or (protocol and protocol.upper() == "SSH"):
            host, number = port.host, port.proxy_port
            if not port.healthy or host is None or number is None or not 0 < number < 65536 or not _host_is_safe(host):
                return None
            # Neither a checked host nor a checked user holds a character that a shell would see.
            return f"ssh {_user_of(port.ingress_url)}@{host} -p {number}"
    return None


def _parts(pod: Pod, user: str | None) -> tuple[str, int, str]:
    told = f"Pod {printable(pod.name or pod.id, 60)} ({pod.id})"
    port = pod.ssh_port
    if port is None:
        raise InvalidPodState(None, None, f"{told} exposes no SSH port; create it with --expose 22/SSH.")
    if not pod.ssh_ready or port.host is None or port.proxy_port is None:
        raise InvalidPodState(
            None, None, f"{told} is {printable(pod.status, 40)} and not reachable by SSH yet: {_next_step(pod)}"
        )
    if not _host_is_safe(port.host) or not 0 < port.proxy_port < 65536:
        where = printable(f"{port.host}:{port.proxy_port}", 80)
        raise InvalidPodState(
            None, None, f"{told} gives an SSH address that is none: {where!r}. No command is made of it."
        )
    if user is not None and not _USER.fullmatch(user):
        raise InvalidRequest(f"An SSH user is letters, digits, _ . and -, not {printable(user, 40)!r}.")
    return port.host, port.proxy_port, user or _user_of(port.ingress_url)


def _next_step(pod: Pod) -> str:
    if pod.status == "PAUSED":
        return f"%yotta resume {pod.id} --wait"
    if pod.status == "PAUSING":
        return f"%yotta wait {pod.id} --until paused, then %yotta resume {pod.id} --wait"
    return f"%yotta wait {pod.id} --until ssh" if pod.status in ("INITIALIZE", "RUNNING") else "%yotta list"


def _user_of(ingress_url: str | None) -> str:
    if ingress_url is None or ingress_url.startswith(_USUAL_INGRESS):
        return DEFAULT_USER
    match = _INGRESS.match(ingress_url)
    return match[1] if match else DEFAULT_USER


_host_is_safe: Final = lru_cache(maxsize=4096)(is_host)


def _checked_path(path: str) -> str:
    if not path or not path.isprintable():
        raise InvalidRequest("The key file's path is empty or holds a line break or another control character.")
    return path


def _quoted_path(path: str) -> str:
    """Quote a path for a shell, but leave a leading ``~/`` for the shell to expand."""
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") and len(path) > 2 else shlex.quote(path)
