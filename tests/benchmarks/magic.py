"""Benchmarks of ``%%yotta run`` with an OpenSSH server on loopback, against a local kernel."""

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
from tests.benchmarks.remote import DELAY, ROUND_TRIP_LIMIT, execute, local_kernel
from tests.benchmarks.timing import Row, best_of
from tests.remote.sshd import Sshd, run_sshd

MAGIC_LIMIT = 2.0
"""The limit of the round trip of a cell with ``%%yotta run``, as a multiple of a local kernel's."""
POD, DELAYED_POD = "331864222263676928", "331864222263676929"
"""The ids of two pods. The connection to the second one is delayed."""


@contextmanager
def serve_api(server: Sshd, ports: Mapping[str, int]) -> Iterator[str]:
    """Serve an API and give its address. All pods are one SSH server, with a port for each pod id."""

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


def setup_cell(server: Sshd, address: str) -> str:
    """Return a cell that loads the extension for an API address, with a home of its own."""
    home = server.folder / "notebook"
    home.mkdir(exist_ok=True)
    variables = {"HOME": str(home), "YOTTA_BASE_URL": address, "YOTTA_API_KEY": "unused"}
    key = f"%config YottaMagics.ssh_key = {str(server.key_file)!r}"
    return f"import os\nos.environ |= {variables!r}\n%load_ext yotta_jupyter\n{key}"


def rows() -> Iterator[Row]:
    """Measure, and yield the rows of the table."""
    shell = InteractiveShell.instance()

    def run_in_shell(pod_id: str) -> None:
        assert shell.run_cell(f"%%yotta run {pod_id}\n1").success

    def run_in_notebook() -> None:
        execute(notebook, f"%%yotta run {POD}\n1")

    with (
        tempfile.TemporaryDirectory() as folder,
        run_sshd(Path(folder)) as server,
        Proxy(server.port, DELAY / 2) as proxy,
        serve_api(server, {POD: server.port, DELAYED_POD: proxy.port}) as address,
        local_kernel() as notebook,
        local_kernel() as client,
        contextlib.redirect_stdout(io.StringIO()),
        patch.dict(os.environ),
    ):
        assert shell.run_cell(setup_cell(server, address)).success
        execute(notebook, setup_cell(server, address))
        run_in_shell(POD)
        run_in_shell(DELAYED_POD)
        run_in_notebook()
        in_shell, delayed, in_notebook, baseline = best_of(
            100,
            lambda: run_in_shell(POD),
            lambda: run_in_shell(DELAYED_POD),
            run_in_notebook,
            lambda: execute(client, "1"),
        )
        shell.run_line_magic("unload_ext", "yotta_jupyter")
    yield Row("round trip of 1 through %%yotta run in a shell / a local kernel", in_shell, baseline, MAGIC_LIMIT)
    title = f"{DELAY * 1000:.0f} ms of delay: the same less the delay / a local kernel"
    yield Row(title, delayed - DELAY, baseline, MAGIC_LIMIT)
    title = "round trip of 1 through %%yotta run in a notebook / a local kernel"
    # Through the notebook's own kernel and then the pod's.
    yield Row(title, in_notebook, baseline, 1.0 + ROUND_TRIP_LIMIT)
