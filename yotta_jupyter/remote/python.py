"""Find the pod's Python and run a program with it. Runs on the background loop."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable
from ..sanitize import single_line

if TYPE_CHECKING:
    import asyncssh

    from .connection import PodConnection

_MESSAGE_PREFIX: Final = "yotta-agent:"
"""Begins each message: a line of JSON from `_SCRIPT` or from the agent. Login scripts print other lines."""

# Reads a program of the announced length from stdin and runs it, with the rest of stdin as its input.
_LOADER: Final = (
    "import sys; f = sys.stdin.buffer; s = f.read(int(f.readline())); "
    'exec(compile(s, "program", "exec"), {"__name__": "__main__", "SOURCE": s})'
)

# Runs the first Python of at least version 3.9. If one was chosen, no other is tried. Process 1 of a container has the
# PATH of the image, which an SSH session lacks.
_SCRIPT: Final = """
too_old=
try() {
    [ -n "$1" ] && p=$(command -v "$1" 2>/dev/null) && [ -n "$p" ] || return 0
    if "$p" -c "import sys; sys.exit(sys.version_info < (3, 9))" </dev/null >/dev/null 2>&1; then
        exec "$p" -c @LOADER@ @ARGUMENTS@
    fi
    too_old=$p
}
chosen=@PYTHON@
chosen=${chosen:-$YOTTA_PYTHON}
if [ -n "$chosen" ]; then
    try "$chosen"
else
    environ=${YOTTA_CONTAINER_ENVIRON:-/proc/1/environ}
    image_path=$(tr "\\0" "\\n" 2>/dev/null <"$environ" | sed -n "s/^PATH=//p")
    if [ -n "$image_path" ]; then
        try "$(PATH=$image_path; command -v python3 2>/dev/null)"
    fi
    try python3
    try python
    try "$(bash -lc "command -v python3" 2>/dev/null </dev/null | tail -n 1)"
fi
reason=none
if [ -n "$too_old" ]; then reason=old; fi
echo "@PREFIX@{\\"error\\": \\"$reason\\"}"
"""


async def run_python(
    connection: asyncssh.SSHClientConnection, source: bytes, arguments: Sequence[str], python: str | None = None
) -> asyncssh.SSHClientProcess[bytes]:
    """Start a program on the pod. What is written to its stdin afterwards is the program's own input.

    If there is no Python of at least version 3.9, the output is an ``error`` message; see `raise_if_python_missing`.

    Parameters
    ----------
    connection : asyncssh.SSHClientConnection
    source : bytes
        The text of the program.
    arguments : sequence of str
        ``sys.argv[1:]`` of the program.
    python : str, optional
        The pod's Python; by default ``YOTTA_PYTHON`` on the pod, or the first that is found.
    """
    script = (
        _SCRIPT.replace("@LOADER@", shlex.quote(_LOADER))
        .replace("@ARGUMENTS@", shlex.join(arguments))
        .replace("@PYTHON@", shlex.quote(python or ""))
        .replace("@PREFIX@", _MESSAGE_PREFIX)
    )
    process = await connection.create_process(f"exec sh -c {shlex.quote(script)}", encoding=None)
    with suppress(BrokenPipeError):  # Without a Python, the script can end first. Its output says so.
        process.stdin.write(b"%d\n" % len(source) + source)
    return process


def raise_if_python_missing(connection: PodConnection, output: bytes) -> None:
    """Raise `RemoteUnavailable` if the output of `run_python` says that there is no Python.

    Parameters
    ----------
    connection : PodConnection
    output : bytes
    """
    for line in output.splitlines():
        message = parse_message(line)
        if "error" in message:
            raise to_error(connection, message)


def parse_message(line: bytes) -> dict[str, Any]:
    """Return the message in a line of output, or an empty dict.

    Parameters
    ----------
    line : bytes
    """
    text = line.decode("utf-8", "replace").strip()
    if not text.startswith(_MESSAGE_PREFIX):
        return {}
    try:
        message = json.loads(text.removeprefix(_MESSAGE_PREFIX))
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def to_error(connection: PodConnection, message: dict[str, Any]) -> RemoteUnavailable:
    """Return the exception for an ``error`` message.

    Parameters
    ----------
    connection : PodConnection
    message : dict
        ``error`` is a code, ``detail`` the packages or the reason.
    """
    label = connection.endpoint.label
    detail = single_line(message.get("detail") or "", 300).rstrip(".")
    texts = {
        "none": (f"Pod {label} has no Python, which cells, data and files need.", "Shell commands still work."),
        "old": (f"Pod {label} has no Python of version 3.9 or later.", "Shell commands still work."),
        "missing": (f"Pod {label} lacks {detail}, and installing is not allowed.", f"Run there: pip install {detail}"),
        "no_pip": (f"Pod {label} lacks {detail}, and its Python has no pip.", f"Install {detail} there."),
        "pip": (f"Installing a package on pod {label} failed: {detail}.", "Install it there by hand."),
    }
    other = (f"The agent cannot be started on pod {label}: {detail}.", "")
    text, advice = texts.get(str(message["error"]), other)
    return RemoteUnavailable(text, advice=advice, pod_id=connection.endpoint.pod_id)
