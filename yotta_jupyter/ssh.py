"""SSH commands and ``~/.ssh/config`` blocks of pods, built from validated and quoted parts."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import Final, NamedTuple

from .errors import InvalidPodState, InvalidRequest, SshProblem
from .models import ExposedPort, Pod
from .sanitize import single_line
from .urls import is_valid_host

SSH_PENDING_STATUSES: Final = ("INITIALIZE", "RUNNING")
"""Statuses in which an SSH port may become healthy by itself."""

_DEFAULT_USER: Final = "user"
_USER_IN_COMMAND: Final = re.compile(r"ssh (?:-\S+ \S+ )*([a-z_][a-z0-9_-]{0,31})@")
"""An SSH command up to the user, such as ``ssh -p 22 user@``."""

# Accepts more than `_USER_IN_COMMAND`: a caller may choose any user.
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

# Cached, because most pods share a few hosts.
_is_valid_host: Final = lru_cache(maxsize=4096)(is_valid_host)


class Address(NamedTuple):
    """The validated address of a pod's SSH server."""

    host: str
    port: int


def resolve(pod: Pod) -> Address:
    """Return the address of a pod's SSH server.

    Parameters
    ----------
    pod : Pod

    Returns
    -------
    Address

    Raises
    ------
    InvalidPodState
        The pod is not reachable by SSH. The error has ``pod_id``, ``pod_status`` and ``ssh_problem``.
    """
    port = pod.ssh_port
    if port is None:
        raise not_exposed_error(pod)
    if not pod.ssh_ready or port.host is None or port.proxy_port is None:
        raise _not_ready(pod)
    if not has_valid_address(port):
        address = single_line(f"{port.host}:{port.proxy_port}", 80)
        raise _unreachable(pod, f"has an invalid SSH address: {address!r}.")
    return Address(port.host, port.proxy_port)


def not_exposed_error(pod: Pod) -> InvalidPodState:
    """Return the error for a pod that exposes no SSH port.

    Parameters
    ----------
    pod : Pod

    Returns
    -------
    InvalidPodState
    """
    return _unreachable(pod, "exposes no SSH port.", "Create the pod with expose=[22].", "not exposed")


def is_starting(pod: Pod) -> bool:
    """Return whether a pod exposes SSH and becomes reachable by itself.

    Parameters
    ----------
    pod : Pod

    Returns
    -------
    bool
    """
    return pod.status in SSH_PENDING_STATUSES and pod.ssh_port is not None and not pod.ssh_ready


def users(pod: Pod) -> tuple[str, ...]:
    """Return the SSH users in two texts of the server: the ``ingress_url`` of the SSH port, then ``ssh_cmd``.

    Parameters
    ----------
    pod : Pod

    Returns
    -------
    tuple of str
        Without duplicates. The rest of these texts is ignored.
    """
    ingress_url = pod.ssh_port.ingress_url if pod.ssh_port else None
    found = (_user_in(ingress_url), _user_in(pod.ssh_cmd))
    return tuple(dict.fromkeys(user for user in found if user))


def command(pod: Pod, key_file: str | None = None, user: str | None = None) -> str:
    """Return the command that opens a shell on a pod.

    Host and port are validated, and the command is quoted for a POSIX shell. Only the user name is taken from the
    server's text.

    Parameters
    ----------
    pod : Pod
    key_file : str, optional
        The private key file; by default ssh uses its own.
    user : str, optional
        The user name; by default the first of `users`, else ``user``.

    Returns
    -------
    str
        Such as ``ssh user@192.0.2.7 -p 32002 -i ~/.ssh/id_ed25519``.

    Raises
    ------
    InvalidPodState
        The pod is not reachable by SSH.
    InvalidRequest
        `user` or `key_file` is invalid.
    """
    host, port, user = _login(pod, user)
    text = shlex.join(["ssh", f"{user}@{host}", "-p", str(port)])
    return text if key_file is None else text + key_option(key_file)


def key_option(key_file: str) -> str:
    """Return the option of an SSH command that names a key file.

    Parameters
    ----------
    key_file : str

    Returns
    -------
    str
        Quoted, and starts with a space: `` -i ~/.ssh/id_ed25519``.

    Raises
    ------
    InvalidRequest
        The path is empty or contains a control character.
    """
    return f" -i {_quote_path(_validate_path(key_file))}"


def config_block(pod: Pod, key_file: str | None = None, user: str | None = None) -> str:
    """Return a block for ``~/.ssh/config`` that lets ``ssh NAME`` reach a pod.

    Parameters
    ----------
    pod, key_file, user
        As for `command`.

    Returns
    -------
    str
        Without a final line break. The alias is the pod's name if it is a valid alias, else ``yotta-ID``.

    Raises
    ------
    InvalidPodState, InvalidRequest
        As for `command`.
    """
    host, port, user = _login(pod, user)
    alias = pod.name if pod.name and _ALIAS.fullmatch(pod.name) else f"yotta-{pod.id}"
    lines = [f"Host {alias}", f"    HostName {host}", f"    Port {port}", f"    User {user}"]
    if key_file is not None:
        path = _validate_path(key_file)
        if '"' in path:
            raise InvalidRequest(
                "The path of the key file contains a quote, which ~/.ssh/config does not support; rename the file."
            )
        lines.append(f'    IdentityFile "{path}"' if " " in path else f"    IdentityFile {path}")
    return "\n".join(lines)


def try_command(pod: Pod) -> str | None:
    """Return the SSH command of a pod that is reachable now, else None. It does not raise.

    Parameters
    ----------
    pod : Pod

    Returns
    -------
    str or None
    """
    port = pod.ssh_port if pod.status == "RUNNING" else None
    if port is None or not port.healthy or not has_valid_address(port):
        return None
    # Neither the validated host nor the user contains a character that needs quoting.
    return f"ssh {_default_user(pod)}@{port.host} -p {port.proxy_port}"


def has_valid_address(port: ExposedPort) -> bool:
    """Return whether the address of a port consists of a valid host and a valid port number.

    Parameters
    ----------
    port : ExposedPort

    Returns
    -------
    bool
    """
    if port.host is None or port.proxy_port is None:
        return False
    return _is_valid_host(port.host) and 0 < port.proxy_port < 65536


def _login(pod: Pod, user: str | None) -> tuple[str, int, str]:
    """Return the host, the port and the user of a command."""
    host, port = resolve(pod)
    if user is not None and not _USER.fullmatch(user):
        raise InvalidRequest(f"An SSH user consists of letters, digits, _ . and -, not {single_line(user, 40)!r}.")
    return host, port, user or _default_user(pod)


def _default_user(pod: Pod) -> str:
    return next(iter(users(pod)), _DEFAULT_USER)


def _user_in(text: str | None) -> str | None:
    """Return the user of an SSH command."""
    match = _USER_IN_COMMAND.match(text) if text else None
    return match[1] if match else None


def _not_ready(pod: Pod) -> InvalidPodState:
    reason = f"is {single_line(pod.status, 40)} and not reachable by SSH"
    if pod.status in SSH_PENDING_STATUSES:
        return _unreachable(pod, f"{reason} yet.", f'Wait with pods.wait("{pod.id}", "SSH").', "not ready")
    advice = f'Resume it with pods.resume("{pod.id}").' if pod.status == "PAUSED" else ""
    return _unreachable(pod, f"{reason}.", advice, "not ready")


def _unreachable(pod: Pod, reason: str, advice: str = "", ssh_problem: SshProblem | None = None) -> InvalidPodState:
    return InvalidPodState(
        code=None,
        http_status=None,
        message=f"Pod {pod.label} {reason}",
        pod_id=pod.id,
        pod_status=pod.status,
        ssh_problem=ssh_problem,
        advice=advice,
    )


def _validate_path(path: str) -> str:
    if not path or not path.isprintable():
        raise InvalidRequest("The path of the key file is empty or contains a control character.")
    return path


def _quote_path(path: str) -> str:
    """Quote a path for a shell, except for a leading ``~/``, which the shell expands."""
    if path.startswith("~/") and len(path) > 2:
        return "~/" + shlex.quote(path[2:])
    return shlex.quote(path)
