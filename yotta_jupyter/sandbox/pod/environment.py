"""The environment variables of SSH sessions."""

import os
import shlex
from collections.abc import Mapping
from typing import Final

from ..runtime.pod_config import PodConfig
from .storage import Storage

_EXPORTED_PREFIX: Final = "YOTTA_"  # The start script of the official images exports only these to SSH sessions.
_ACCEPTED_PREFIXES: Final = ("LANG", "LC_")  # As Debian's sshd: AcceptEnv LANG LC_*.
_REMOVED_VARIABLES: Final = ("PYTHONPATH", "HOME", "TMPDIR")  # They are for the process of the pod itself.

# A template for `str.format`. It sets PATH again because a login shell resets it.
_BASHRC: Final = """\
PATH="$VIRTUAL_ENV/bin:${{PATH#"$VIRTUAL_ENV/bin:"}}"
if [ -n "$PS1" ]; then PS1={prompt}; fi
"""
_PROFILE: Final = '. "$HOME/.bashrc"\n'


def session_environment(
    config: PodConfig, storage: Storage, *, shell: str, username: str, requested: Mapping[str, str], connection: str
) -> dict[str, str]:
    """Return the environment of a session.

    Parameters
    ----------
    config : PodConfig
        The configuration of the pod.
    storage : Storage
        The files of the pod.
    shell : str
        The login shell.
    username : str
        The name with which the client logged in.
    requested : mapping of str to str
        The variables that the client requests. Only those of the locale are accepted.
    connection : str
        The addresses and ports of client and server, as in ``SSH_CONNECTION``.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}
    environment.setdefault("LANG", "C.UTF-8")
    client_address, client_port, _, server_port = connection.split()
    return (
        environment
        | {name: value for name, value in requested.items() if name.startswith(_ACCEPTED_PREFIXES)}
        | {name: value for name, value in config.environment.items() if name.startswith(_EXPORTED_PREFIX)}
        | {
            "HOME": str(storage.home),
            "LOGNAME": username,
            "PATH": os.pathsep.join([str(storage.venv / "bin"), os.environ.get("PATH", os.defpath)]),
            "PWD": str(storage.home),
            "SHELL": shell,
            "SSH_CLIENT": f"{client_address} {client_port} {server_port}",
            "SSH_CONNECTION": connection,
            "TMPDIR": str(storage.temporary),
            "USER": username,
            "VIRTUAL_ENV": str(storage.venv),
            "YOTTA_CONTAINER_ENVIRON": str(storage.environ),
        }
    )


def write_shell_files(config: PodConfig, storage: Storage) -> None:
    """Write ``.bashrc`` and ``.profile``, which set PATH and a prompt with the pod's id."""
    prompt = shlex.quote(f"\\u@pod-{config.pod_id}:\\w\\$ ")
    (storage.home / ".bashrc").write_text(_BASHRC.format(prompt=prompt), encoding="utf-8")
    (storage.home / ".profile").write_text(_PROFILE, encoding="utf-8")


def write_container_environment(config: PodConfig, storage: Storage) -> None:
    """Write the environment of the pod's process 1, which the sandbox does not start, as ``/proc/1/environ`` has it."""
    entries = [f"{name}={value}\0" for name, value in config.environment.items()]
    storage.environ.touch(0o600)
    storage.environ.write_text("".join(entries), encoding="utf-8")
