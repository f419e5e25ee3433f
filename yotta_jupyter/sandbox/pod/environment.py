"""The environment variables of SSH sessions."""

import os
import shlex
from collections.abc import Mapping
from typing import Final

from ..runtime.channel import Boot
from .storage import Storage

_FROM_CLIENT: Final = ("LANG", "LC_")  # What Debian's sshd accepts (AcceptEnv LANG LC_*).
_NOT_PASSED_ON: Final = ("PYTHONPATH", "HOME", "TMPDIR")

_BASHRC: Final = """\
PATH="$VIRTUAL_ENV/bin:${{PATH#"$VIRTUAL_ENV/bin:"}}"
if [ -n "$PS1" ]; then PS1={prompt}; fi
"""
_PROFILE: Final = '. "$HOME/.bashrc"\n'


def session_environment(
    boot: Boot, storage: Storage, *, shell: str, username: str, requested: Mapping[str, str], connection: str
) -> dict[str, str]:
    """Return the environment of a session.

    Parameters
    ----------
    boot : Boot
        The pod.
    storage : Storage
        The files of the pod.
    shell : str
        The login shell.
    username : str
        The name with which the client logged in.
    requested : mapping of str to str
        The variables that the client wants to set. As in Debian, only those of the locale are accepted.
    connection : str
        The addresses and ports of client and server, as in ``SSH_CONNECTION``.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    environment.setdefault("LANG", "C.UTF-8")
    client_address, client_port, _, server_port = connection.split()
    return (
        environment
        | {name: value for name, value in requested.items() if name.startswith(_FROM_CLIENT)}
        | boot.environment
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
        }
    )


def write_shell_files(boot: Boot, storage: Storage) -> None:
    """Write ``.bashrc`` and ``.profile``: a login shell resets PATH, and its prompt should name the pod."""
    prompt = shlex.quote(f"\\u@pod-{boot.pod_id}:\\w\\$ ")
    (storage.home / ".bashrc").write_text(_BASHRC.format(prompt=prompt), encoding="utf-8")
    (storage.home / ".profile").write_text(_PROFILE, encoding="utf-8")
