"""Benchmarks of ``%%yotta run``: a real OpenSSH server on loopback, against a local kernel."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import patch

from IPython.core.interactiveshell import InteractiveShell

from tests.benchmarks.remote import ROUND_TRIP, alternate, execute, local_kernel
from tests.remote.sshd import Sshd, running

POD_ID = "331864222263676928"
CELL = f"%%yotta run {POD_ID}\n1"


@contextmanager
def api_of(server: Sshd) -> Iterator[str]:
    """Serve the API of an account whose only pod is an SSH server; give its address."""
    port = {"port": 22, "protocol": "SSH", "host": "127.0.0.1", "proxyPort": server.port, "healthy": True}
    address = {"ingressUrl": f"ssh {server.user}@127.0.0.1 -p {server.port}"}
    pod = {"id": POD_ID, "podName": "train", "status": "RUNNING", "expose": [port | address]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = pod if self.path.endswith(POD_ID) else [pod]
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

    def run_in_shell() -> None:
        assert shell.run_cell(CELL).success

    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as server,
        api_of(server) as address,
        local_kernel() as notebook,
        local_kernel() as client,
        contextlib.redirect_stdout(io.StringIO()),
        patch.dict(os.environ),
    ):
        assert shell.run_cell(setup(server, address)).success
        execute(notebook, setup(server, address))
        run_in_shell()
        execute(notebook, CELL)
        in_shell, in_notebook, base = alternate(
            200, run_in_shell, lambda: execute(notebook, CELL), lambda: execute(client, "1")
        )
        shell.run_line_magic("unload_ext", "yotta_jupyter")
    yield "round trip of 1 through %%yotta run in a shell / a local kernel", (in_shell, base), 2.0
    # The cell goes through the notebook's own kernel and the pod's.
    title = "round trip of 1 through %%yotta run in a notebook / a local kernel"
    yield title, (in_notebook, base), 1.0 + ROUND_TRIP
