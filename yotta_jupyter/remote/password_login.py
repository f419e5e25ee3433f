"""Check whether a pod accepts a password by SSH."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..errors import YottaError

if TYPE_CHECKING:
    from .connection import PodConnection

_TIMEOUT: Final = 15.0
"""Seconds."""


async def accepts_password(connection: PodConnection, user: str, password: str) -> bool:
    """Return whether the pod's SSH server accepts a user's password. Runs nothing on the pod.

    Parameters
    ----------
    connection : PodConnection
        Its address and host key are used.
    user, password : str
    """
    import asyncssh

    try:
        host_key = (await connection.get()).get_server_host_key()
        async with asyncio.timeout(_TIMEOUT):
            login = await asyncssh.connect(
                connection.endpoint.host,
                connection.endpoint.port,
                config=[],
                username=user,
                password=password,
                client_keys=[],
                agent_path=None,
                preferred_auth="password,keyboard-interactive",
                known_hosts=([host_key], [], []),
            )
    except (OSError, asyncssh.Error, TimeoutError, YottaError):
        return False
    login.abort()
    return True
