"""What each engine needs on the pod, and a tunnel that is opened again when it ends."""

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
"""What a client needs to reach its kernel."""
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


class Tunnel:
    """``ssh -L`` for some ports, started again whenever it ends. Dead connections are found after 12 s.

    Parameters
    ----------
    server : Sshd
    port : int
        Where the server is reached.
    ports : sequence of int
        Ports of the pod.

    Attributes
    ----------
    local_ports : list of int
        In the order of `ports`.
    """

    def __init__(self, server: Sshd, port: int, ports: Sequence[int]) -> None:
        self.local_ports = [free_port() for _ in ports]
        pairs = zip(self.local_ports, ports, strict=True)
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        options += ["ServerAliveInterval=4", "ServerAliveCountMax=2", "ExitOnForwardFailure=yes"]
        self._command = ["ssh", "-N", "-i", str(server.key_file), "-p", str(port)]
        self._command += [word for option in options for word in ("-o", option)]
        self._command += [word for here, there in pairs for word in ("-L", f"{here}:127.0.0.1:{there}")]
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
def _started(server: Sshd, *words: str) -> Iterator[None]:
    """Run a Python module in the pod's environment."""
    environment = os.environ | {"HOME": str(server.home), "IPYTHONDIR": str(server.home / ".ipython")}
    with (server.folder / "module.log").open("wb") as log:
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, cwd=server.home, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def remote_pod(server: Sshd, port: int) -> Iterator[Settings]:
    """Give the settings of `Remote`, which starts what it needs itself."""
    yield {
        "port": str(port),
        "user": server.user,
        "key_file": str(server.key_file),
        "host_keys": str(server.folder / "known_hosts"),
    }


@contextmanager
def jupyter_client_pod(server: Sshd, port: int) -> Iterator[Settings]:
    """Run an ipykernel on TCP ports; give the connection file for its forwarded ports."""
    connection = {name: free_port() for name in PORTS}
    common = {"ip": "127.0.0.1", "transport": "tcp", "key": secrets.token_hex(), "signature_scheme": "hmac-sha256"}
    there, here = server.home / "kernel.json", server.folder / "client.json"
    there.write_text(json.dumps(connection | common))
    tunnel = Tunnel(server, port, list(connection.values()))
    here.write_text(json.dumps(dict(zip(PORTS, tunnel.local_ports, strict=True)) | common))
    with contextlib.closing(tunnel), _started(server, "ipykernel_launcher", "-f", str(there)):
        yield {"connection_file": str(here)}


@contextmanager
def kernel_client_pod(server: Sshd, port: int, reconnect_interval: int = 0) -> Iterator[Settings]:
    """Run a Jupyter Server with a kernel; give the address of its forwarded port."""
    own_port, token = free_port(), secrets.token_hex()
    options = [f"--ServerApp.port={own_port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    tunnel = Tunnel(server, port, [own_port])
    with (
        contextlib.closing(tunnel),
        _started(server, "jupyter_server", "--ServerApp.ip=127.0.0.1", "--ServerApp.allow_root=True", *options),
    ):
        kernels: list[str] = []

        def start_kernel() -> bool:
            url, headers = f"http://127.0.0.1:{own_port}/api/kernels", {"Authorization": f"token {token}"}
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
    """Do as `kernel_client_pod` for a client that connects again after a second."""
    with kernel_client_pod(server, port, reconnect_interval=1) as settings:
        yield settings


Pod = Callable[[Sshd, int], AbstractContextManager[Settings]]
