"""Benchmarks of ``%%yotta run``: a real OpenSSH server on loopback, against a local kernel."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import patch

from IPython.core.interactiveshell import InteractiveShell

from tests.benchmarks.proxy import Proxy
from tests.benchmarks.remote import DELAY, ROUND_TRIP, execute, local_kernel
from tests.benchmarks.timing import best_of
from tests.remote.sshd import Sshd, run_sshd

IN_SHELL = 2.0
"""The limit of the round trip of a cell with ``%%yotta run``, as a multiple of a local kernel's."""
NEAR, FAR = "331864222263676928", "331864222263676929"
"""The ids of the pods; the connection to the second one is delayed."""


@contextmanager
def api_of(server: Sshd, ports: Mapping[str, int]) -> Iterator[str]:
    """Serve the API of an account whose pods are one SSH server, reached on a port for each pod id."""

    def pod(pod_id: str) -> dict[str, object]:
        port = {"port": 22, "protocol": "SSH", "host": "127.0.0.1", "proxyPort": ports[pod_id], "healthy": True}
        address = {"ingressUrl": f"ssh {server.user}@127.0.0.1 -p {ports[pod_id]}"}
        return {"id": pod_id, "status": "RUNNING", "expose": [port | address]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            data = pod(name) if name in ports else [pod(pod_id) for pod_id in ports]
            body = json.dumps({"code": 10000, "message": "", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{api.server_port}"
        api.shutdown()


def setup(server: Sshd, address: str) -> str:
    """Return a cell that connects a notebook to the pod. Its home is not that of the user."""
    home = server.folder / "notebook"
    home.mkdir(exist_ok=True)
    variables = {"HOME": str(home), "YOTTA_BASE_URL": address, "YOTTA_API_KEY": "unused"}
    key = f"%config YottaMagics.ssh_key = {str(server.key_file)!r}"
    return f"import os\nos.environ |= {variables!r}\n%load_ext yotta_jupyter\n{key}"


def rows() -> Iterator[tuple[str, tuple[float, float], float]]:
    """Measure, and give a row of the table for each: what, ours and the baseline in seconds, and the limit."""
    shell = InteractiveShell.instance()

    def run_in_shell(pod_id: str) -> None:
        assert shell.run_cell(f"%%yotta run {pod_id}\n1").success

    def run_in_notebook() -> None:
        execute(notebook, f"%%yotta run {NEAR}\n1")

    with (
        tempfile.TemporaryDirectory() as folder,
        run_sshd(Path(folder)) as server,
        Proxy(server.port, DELAY / 2) as proxy,
        api_of(server, {NEAR: server.port, FAR: proxy.port}) as address,
        local_kernel() as notebook,
        local_kernel() as client,
        contextlib.redirect_stdout(io.StringIO()),
        patch.dict(os.environ),
    ):
        assert shell.run_cell(setup(server, address)).success
        execute(notebook, setup(server, address))
        run_in_shell(NEAR)
        run_in_shell(FAR)
        run_in_notebook()
        near, far, in_notebook, base = best_of(
            100, lambda: run_in_shell(NEAR), lambda: run_in_shell(FAR), run_in_notebook, lambda: execute(client, "1")
        )
        shell.run_line_magic("unload_ext", "yotta_jupyter")
    yield "round trip of 1 through %%yotta run in a shell / a local kernel", (near, base), IN_SHELL
    yield f"{DELAY * 1000:.0f} ms of delay: the same less the delay / a local kernel", (far - DELAY, base), IN_SHELL
    # The cell goes through the notebook's own kernel and the pod's.
    title = "round trip of 1 through %%yotta run in a notebook / a local kernel"
    yield title, (in_notebook, base), 1.0 + ROUND_TRIP
