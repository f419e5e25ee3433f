"""Starts JupyterLab on a pod."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from ..secret import Secret
from .launcher import raise_missing_python, run_python
from .loop import wait_for
from .pod_jupyter import PREFIX, START_TIMEOUT

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_SOURCE: Final = Path(__file__).with_name("pod_jupyter.py")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_MAX_OUTPUT: Final = 1 << 16


class JupyterServer(msgspec.Struct, frozen=True):
    """A JupyterLab that was started on a pod.

    Attributes
    ----------
    port : int
        On the pod's 127.0.0.1.
    token : Secret
    base_url : str
        The path of its pages; ends in a slash.
    """

    port: int
    token: Secret
    base_url: str


def start_jupyter(connection: PodConnection, base_url: str, reuse: str, python: str | None) -> JupyterServer | None:
    """Start JupyterLab on a pod; see `Remote.start_jupyter`."""

    async def run(ssh: asyncssh.SSHClientConnection) -> bytes:
        process = await run_python(ssh, _SOURCE.read_bytes(), [base_url, reuse], python)
        process.stdin.write_eof()
        output = bytearray()
        try:
            async with asyncio.timeout(START_TIMEOUT + 30):
                while len(output) < _MAX_OUTPUT and (data := await process.stdout.read(_MAX_OUTPUT)):
                    output += data
        finally:
            process.close()
        return bytes(output)

    try:
        output = wait_for(connection.retry(run))
    except TimeoutError:
        output = b""
    raise_missing_python(connection, output)
    return _parse(connection, output, base_url, reuse)


def _parse(connection: PodConnection, output: bytes, base_url: str, reuse: str) -> JupyterServer | None:
    label, pod_id = connection.endpoint.label, connection.endpoint.pod_id
    message = _find_message(output)
    if message.get("error") == "missing":
        return None
    port, token, found_url = message.get("port"), message.get("token"), message.get("base_url")
    is_valid = (
        isinstance(port, int)
        and 0 < port < 65536
        and isinstance(token, str)
        and _TOKEN.fullmatch(token)
        and isinstance(found_url, str)
        and (found_url == base_url or (reuse and re.fullmatch(re.escape(reuse) + r"(\d{1,5}/)?", found_url)))
    )
    if not is_valid:
        detail = single_line(message.get("detail") or "no answer", 200).rstrip(".")
        raise RemoteUnavailable(f"JupyterLab does not start on pod {label}: {detail}.", pod_id=pod_id)
    return JupyterServer(message["port"], Secret(message["token"]), message["base_url"])


def _find_message(output: bytes) -> dict[str, Any]:
    for line in output.decode("utf-8", "replace").splitlines():
        if line.startswith(PREFIX):
            try:
                message = json.loads(line[len(PREFIX) :])
            except (ValueError, RecursionError):
                continue
            return message if isinstance(message, dict) else {}
    return {}
