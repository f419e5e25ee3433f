"""Start JupyterLab on a pod."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from ..errors import RemoteUnavailable
from ..sanitize import single_line
from ..secret import Secret
from .loop import wait_for
from .pod_jupyter import PREFIX, START_TIMEOUT
from .python import raise_if_python_missing, run_python

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_SOURCE: Final = Path(__file__).with_name("pod_jupyter.py")
_TIMEOUT: Final = START_TIMEOUT + 30
"""Seconds until the program on the pod must have ended."""
_MAX_OUTPUT: Final = 1 << 16
"""Bytes."""


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


class _StartResult(msgspec.Struct):
    """What the program on the pod prints about a server."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    token: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{16,128}\Z")]
    base_url: str


def start_jupyter(
    connection: PodConnection, base_url: str, reuse_prefix: str, python: str | None
) -> JupyterServer | None:
    """Start JupyterLab on a pod; see `Remote.start_jupyter`."""

    async def run(ssh: asyncssh.SSHClientConnection) -> bytes:
        process = await run_python(ssh, _SOURCE.read_bytes(), [base_url, reuse_prefix], python)
        process.stdin.write_eof()
        output = bytearray()
        try:
            async with asyncio.timeout(_TIMEOUT):
                while len(output) < _MAX_OUTPUT and (data := await process.stdout.read(_MAX_OUTPUT)):
                    output += data
        finally:
            process.close()
        return bytes(output)

    try:
        output = wait_for(connection.retry(run))
    except TimeoutError:
        output = b""
    raise_if_python_missing(connection, output)
    message = _find_message(output)
    if message.get("error") == "missing":
        return None
    try:
        result = msgspec.convert(message, _StartResult)
    except msgspec.ValidationError:
        result = None
    if result is None or not _is_allowed_url(result.base_url, base_url, reuse_prefix):
        detail = single_line(message.get("detail") or "no answer", 200).rstrip(".")
        raise RemoteUnavailable(
            f"JupyterLab does not start on pod {connection.endpoint.label}: {detail}.",
            pod_id=connection.endpoint.pod_id,
        )
    return JupyterServer(result.port, Secret(result.token), result.base_url)


def _find_message(output: bytes) -> dict[str, Any]:
    """Return the message of the program on the pod, which may follow output of login scripts."""
    for line in output.decode("utf-8", "replace").splitlines():
        if line.startswith(PREFIX):
            try:
                message = json.loads(line.removeprefix(PREFIX))
            except (ValueError, RecursionError):
                continue
            return message if isinstance(message, dict) else {}
    return {}


def _is_allowed_url(url: str, base_url: str, reuse_prefix: str) -> bool:
    """Return whether a server has the requested base URL, or may be reused.

    The base URL of a server behind a proxy ends in the local port of its tunnel, which may be another one now.
    """
    if url == base_url:
        return True
    return reuse_prefix != "" and re.fullmatch(re.escape(reuse_prefix) + r"(\d{1,5}/)?", url) is not None
