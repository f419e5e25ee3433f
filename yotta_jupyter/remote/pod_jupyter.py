"""Start JupyterLab on this pod, or find the one started before. Runs on the pod and imports no package but JupyterLab.

``pod_jupyter.py BASE_URL REUSE`` prints a line of JSON with the port, the token and the base URL of a JupyterLab that
listens on 127.0.0.1. An earlier JupyterLab of this program is reused if its base URL begins with REUSE, unless REUSE is
empty.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

PREFIX = "yotta-jupyter:"
"""The beginning of the line."""
START_TIMEOUT = 60.0
"""Seconds until the server must accept connections."""
IDLE_TIMEOUT = 24 * 3600
"""Seconds without a kernel, a terminal or a request after which the server ends by itself."""
CONNECT_TIMEOUT = 2.0
"""Seconds."""

# Behind a proxy, JupyterHub or the notebook server sets cookies of the same names for a shorter path. Browsers send the
# cookie of the longest path first, but Tornado uses the last one of a name.
RUN_JUPYTERLAB = """
from tornado import httputil

parse_cookie = httputil.parse_cookie
httputil.parse_cookie = lambda text: parse_cookie(";".join(reversed(text.split(";"))))
from jupyterlab.labapp import main

main()
"""


def main(base_url: str, reuse_prefix: str) -> dict[str, Any]:
    """Return the port, the token and the base URL of a running JupyterLab, or an error.

    Parameters
    ----------
    base_url : str
        Of a new server.
    reuse_prefix : str
        The beginning of the base URL of a server to reuse; empty for none.
    """
    folder = make_folder()
    state_path = os.path.join(folder, "jupyter.json")
    log_path = os.path.join(folder, "jupyter.log")
    running = read_state(state_path)
    if (
        reuse_prefix
        and running
        and running["base_url"].startswith(reuse_prefix)
        and accepts_connections(running["port"])
    ):
        return running
    if importlib.util.find_spec("jupyterlab") is None:
        return {"error": "missing"}
    state: dict[str, Any] = {"port": free_port(), "token": secrets.token_hex(24), "base_url": base_url}
    with open(log_path, "wb") as log:
        process = start(state, log)
    deadline = time.monotonic() + START_TIMEOUT
    while not accepts_connections(state["port"]):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            return {"error": "failed", "detail": last_line(log_path)}
        time.sleep(0.1)
    write_private(state_path, json.dumps(state))
    return state


def start(state: dict[str, Any], log: Any) -> subprocess.Popen[bytes]:
    """Start the server so that it outlives this program.

    The token is passed in the environment, because other users can read arguments.
    """
    root = "/workspace" if os.access("/workspace", os.W_OK) else os.path.expanduser("~")
    options = {
        "ip": "127.0.0.1",
        "port": state["port"],
        "port_retries": 0,
        "base_url": state["base_url"],
        # Behind a proxy the Host header names the proxy. The token protects the server.
        "allow_remote_access": True,
        "allow_root": True,
        "root_dir": root,
        "shutdown_no_activity_timeout": IDLE_TIMEOUT,
    }
    arguments = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    return subprocess.Popen(
        [sys.executable, "-c", RUN_JUPYTERLAB, "--no-browser", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=root,
        env={**os.environ, "JUPYTER_TOKEN": state["token"]},
        start_new_session=True,
    )


def make_folder() -> str:
    """Return a private folder: always the same one, or a new one if the home is not writable."""
    folder = os.path.join(os.path.expanduser("~"), ".cache", "yotta-jupyter")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return tempfile.mkdtemp(prefix="yotta-jupyter-")


def read_state(path: str) -> dict[str, Any] | None:
    """Return the port, the token and the base URL of the server that was started last; None if unknown."""
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        return state if {"port", "token", "base_url"} <= set(state) else None
    except (OSError, ValueError, TypeError):
        return None


def write_private(path: str, text: str) -> None:
    """Write a file that only this user can read."""
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), CONNECT_TIMEOUT).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def last_line(path: str) -> str:
    with open(path, "rb") as log:
        lines = log.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no output"


if __name__ == "__main__":
    print(PREFIX + json.dumps(main(*sys.argv[1:3])), flush=True)
