"""Start JupyterLab on this pod, or find the one started before. Runs with the pod's Python and needs no package.

``pod_jupyter.py BASE_URL REUSE`` prints one line of JSON with the port, the token and the base URL of a JupyterLab that
listens on 127.0.0.1. One that this program started before is used if its base URL begins with REUSE.
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

if False:  # TYPE_CHECKING, without importing typing.
    from typing import Any

PREFIX = "yotta-jupyter:"
START_TIMEOUT = 60.0
IDLE_TIMEOUT = 24 * 3600
"""Seconds without a kernel, a terminal or a request after which the server ends by itself."""

# Behind a proxy, JupyterHub or the notebook server sets cookies of the same names for a shorter path. Browsers send the
# cookie of the longest path first, and Tornado takes the last one.
RUN = """
from tornado import httputil

parse_cookie = httputil.parse_cookie
httputil.parse_cookie = lambda text: parse_cookie(";".join(reversed(text.split(";"))))
from jupyterlab.labapp import main

main()
"""


def main(base_url: str, reuse: str) -> dict[str, Any]:
    """Return the running JupyterLab, or why there is none."""
    folder = make_folder()
    state = read_state(os.path.join(folder, "jupyter.json"))
    if reuse and state and state["base_url"].startswith(reuse) and accepts_connections(state["port"]):
        return state
    if importlib.util.find_spec("jupyterlab") is None:
        return {"error": "missing"}
    state = {"port": free_port(), "token": secrets.token_hex(24), "base_url": base_url}
    log_path = os.path.join(folder, "jupyter.log")
    with open(log_path, "wb") as log:
        process = start(state, log)
    deadline = time.monotonic() + START_TIMEOUT
    while not accepts_connections(state["port"]):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            return {"error": "failed", "detail": last_line(log_path)}
        time.sleep(0.1)
    write_private(os.path.join(folder, "jupyter.json"), json.dumps(state))
    return state


def start(state: dict[str, Any], log: Any) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own. Its token is not among its arguments, which other users can read."""
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
    words = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "--no-browser", *words],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=root,
        env={**os.environ, "JUPYTER_TOKEN": state["token"]},
        start_new_session=True,
    )


def make_folder() -> str:
    """Return a private folder, the same each time unless the home cannot be written."""
    folder = os.path.join(os.path.expanduser("~"), ".cache", "yotta-jupyter")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return tempfile.mkdtemp(prefix="yotta-jupyter-")


def read_state(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        return state if {"port", "token", "base_url"} <= set(state) else None
    except (OSError, ValueError, TypeError):
        return None


def write_private(path: str, text: str) -> None:
    temporary = f"{path}.{os.getpid()}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_line(path: str) -> str:
    with open(path, "rb") as log:
        lines = log.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no output"


if __name__ == "__main__":
    print(PREFIX + json.dumps(main(*sys.argv[1:3])), flush=True)
