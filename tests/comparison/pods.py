"""Start what each engine needs on the pod, and a tunnel to it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from tests.remote.sshd import Sshd, free_port, wait_until

Settings = dict[str, str]
"""How a client reaches its kernel."""
StartPod = Callable[[Sshd, int], AbstractContextManager[Settings]]
"""Called with a server and the port of a proxy to it."""
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


class Tunnel:
    """``ssh -L`` for some ports, started again whenever it ends. It ends 12 s after its connection broke.

    Parameters
    ----------
    server : Sshd
    port : int
        Of a proxy to the server.
    ports : sequence of int
        On the server.

    Attributes
    ----------
    local_ports : list of int
        In the order of `ports`.
    """

    def __init__(self, server: Sshd, port: int, ports: Sequence[int]) -> None:
        self.local_ports = [free_port() for _ in ports]
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        options += ["ServerAliveInterval=4", "ServerAliveCountMax=2", "ExitOnForwardFailure=yes"]
        self._command = ["ssh", "-N", "-i", str(server.key_file), "-p", str(port)]
        for option in options:
            self._command += ["-o", option]
        for local_port, remote_port in zip(self.local_ports, ports, strict=True):
            self._command += ["-L", f"{local_port}:127.0.0.1:{remote_port}"]
        self._command.append(f"{server.user}@127.0.0.1")
        self._closed = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_open)
        self._thread.start()

    def _keep_open(self) -> None:
        while not self._closed.is_set():
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._process.wait()
            self._closed.wait(0.2)

    def close(self) -> None:
        """End the tunnel."""
        self._closed.set()
        if self._process is not None:
            self._process.kill()
        self._thread.join()


@contextmanager
def _run_module(server: Sshd, *arguments: str) -> Iterator[None]:
    """Run a Python module with arguments in the pod's environment until the end of the block."""
    environment = os.environ | {"HOME": str(server.home), "IPYTHONDIR": str(server.home / ".ipython")}
    with (server.folder / "module.log").open("wb") as log:
        command = [sys.executable, "-m", *arguments]
        process = subprocess.Popen(command, cwd=server.home, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def remote_pod(server: Sshd, port: int) -> Iterator[Settings]:
    """Give the settings of `Remote`, which itself starts what it needs."""
    yield {
        "port": str(port),
        "user": server.user,
        "key_file": str(server.key_file),
        "host_keys": str(server.folder / "known_hosts"),
    }


@contextmanager
def jupyter_client_pod(server: Sshd, port: int) -> Iterator[Settings]:
    """Run an ipykernel on TCP ports, and give a connection file with their forwarded ports."""
    ports = {name: free_port() for name in PORTS}
    connection = {"ip": "127.0.0.1", "transport": "tcp", "key": secrets.token_hex(), "signature_scheme": "hmac-sha256"}
    kernel_file, client_file = server.home / "kernel.json", server.folder / "client.json"
    kernel_file.write_text(json.dumps(ports | connection))
    tunnel = Tunnel(server, port, list(ports.values()))
    forwarded_ports = dict(zip(PORTS, tunnel.local_ports, strict=True))
    client_file.write_text(json.dumps(forwarded_ports | connection))
    with contextlib.closing(tunnel), _run_module(server, "ipykernel_launcher", "-f", str(kernel_file)):
        yield {"connection_file": str(client_file)}


@contextmanager
def kernel_client_pod(server: Sshd, port: int, reconnect_interval: int = 0) -> Iterator[Settings]:
    """Run a Jupyter Server with a kernel, and give the address of its forwarded port."""
    server_port, token = free_port(), secrets.token_hex()
    options = [f"--ServerApp.port={server_port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    tunnel = Tunnel(server, port, [server_port])
    with (
        contextlib.closing(tunnel),
        _run_module(server, "jupyter_server", "--ServerApp.ip=127.0.0.1", "--ServerApp.allow_root=True", *options),
    ):
        kernels: list[str] = []

        def start_kernel() -> bool:
            url, headers = f"http://127.0.0.1:{server_port}/api/kernels", {"Authorization": f"token {token}"}
            request = urllib.request.Request(url, b"{}", headers, method="POST")
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=30) as response:
                kernels.append(str(json.load(response)["id"]))
            return bool(kernels)

        wait_until(start_kernel, 60)
        yield {
            "server_url": f"http://127.0.0.1:{tunnel.local_ports[0]}",
            "token": token,
            "kernel_id": kernels[0],
            "reconnect_interval": str(reconnect_interval),
        }


@contextmanager
def reconnecting_kernel_client_pod(server: Sshd, port: int) -> Iterator[Settings]:
    """As `kernel_client_pod`, for a client that reconnects after a second."""
    with kernel_client_pod(server, port, reconnect_interval=1) as settings:
        yield settings
