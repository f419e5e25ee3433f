"""A sandbox over real HTTP, small clients that know only the routes and SSH, and what pods leave behind."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncssh
import psutil
import pytest
import requests

from yotta_jupyter.sandbox import Sandbox

CREATE_BODY = {
    "image": "made/up:1",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "expose": [{"port": 22, "protocol": "SSH"}],
}


class Api:
    """The routes as methods. `request` and `create` return the response, the others its data."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["x-api-key"] = sandbox.api_key

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 20)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, f"{self.sandbox.base_url}/openapi/v1/pods/{path}", **options)

    def create(self, *, timeout: Any = 20, **fields: Any) -> requests.Response:
        return self.request("POST", "create", json=CREATE_BODY | fields, timeout=timeout)

    def create_pod(self, **fields: Any) -> str:
        return str(self._data(self.create(**fields)))

    def list(self, *params: tuple[str, str]) -> list[dict[str, Any]]:
        pods = self._data(self.request("GET", "list", params=params))
        assert isinstance(pods, list)
        return pods

    def get(self, pod_id: str) -> dict[str, Any]:
        pod = self._data(self.request("GET", pod_id))
        assert isinstance(pod, dict)
        return pod

    def status(self, pod_id: str) -> str:
        return str(self.get(pod_id)["status"])

    @staticmethod
    def _data(response: requests.Response) -> Any:
        envelope = response.json()
        assert envelope["code"] == 10000
        return envelope["data"]


@pytest.fixture
def serve() -> Iterator[Callable[..., Api]]:
    """Start sandboxes, stop them at the end, and check that no thread is left."""
    started: list[Api] = []
    before = set(threading.enumerate())

    def start(**options: Any) -> Api:
        started.append(Api(Sandbox(**options).start()))
        return started[-1]

    yield start
    for api in started:
        api.sandbox.stop()
        api.session.close()
    new_threads = set(threading.enumerate()) - before
    assert [thread for thread in new_threads if thread.name.startswith("yotta-sandbox")] == []


@pytest.fixture
def api(serve: Callable[..., Api]) -> Api:
    """A sandbox with its three sample pods."""
    return serve()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a condition is true; fail after ``seconds``."""

    def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not become true"
            time.sleep(0.005)

    return wait


POD_MODULE = "yotta_jupyter.sandbox.pod"


class Ssh:
    """SSH with the key of the sandbox's account, by asyncssh and by the OpenSSH client."""

    def __init__(self, directory: Path) -> None:
        self.key_file = directory / "id_ed25519"
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(self.key_file))
        self.key_file.chmod(0o600)
        self.public_key = key.export_public_key().decode().strip()

    def connect(self, port: int, **options: Any) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
        options = {"client_keys": [str(self.key_file)], "username": "root"} | options
        return asyncssh.connect(
            "127.0.0.1", port, config=None, known_hosts=None, agent_path=None, login_timeout=20, **options
        )

    def command(self, program: str, port: int, *arguments: str) -> list[str]:
        """Return the command line of ``ssh``, ``scp`` or ``sftp``."""
        if shutil.which(program) is None:
            if os.environ.get("CI"):
                pytest.fail(f"{program} is not installed")
            pytest.skip(f"{program} is not installed")
        options = {
            "IdentitiesOnly": "yes",
            "IdentityFile": self.key_file,
            "IdentityAgent": "none",
            # Servers of several tests may get the same port, with other host keys.
            "UserKnownHostsFile": os.devnull,
            "StrictHostKeyChecking": "no",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        flags = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
        return [program, "-F", "none", *flags, "-p" if program == "ssh" else "-P", str(port), *arguments]

    def run(self, port: int, *arguments: str, user: str = "root", **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command with the OpenSSH client."""
        command = self.command("ssh", port, f"{user}@127.0.0.1", *arguments)
        return subprocess.run(
            command, **{"capture_output": True, "text": True, "timeout": 30, "check": False} | options
        )


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Ssh:
    return Ssh(tmp_path_factory.mktemp("ssh"))


@pytest.fixture
def pod_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory in which pods put their files. It is empty at the end, and no process of a pod is left."""
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        monkeypatch.setenv("TMPDIR", directory)
        yield Path(directory)
        assert os.listdir(directory) == []
        assert pod_processes(directory) == []


def pod_processes(directory: object) -> list[str]:
    """Return the command lines of processes on pods with their files in a directory, and of their servers."""
    found = []
    for process in psutil.process_iter():
        try:
            environment, command = process.environ(), process.cmdline()
        except psutil.Error:
            continue
        on_pod = environment.get("HOME", "").startswith(f"{directory}/")
        if on_pod or (environment.get("TMPDIR") == str(directory) and POD_MODULE in command):
            found.append(" ".join(command))
    return found


@pytest.fixture
def serve_pods(pod_directory: Path, ssh: Ssh, serve: Callable[..., Api]) -> Iterator[Callable[..., Api]]:
    """Start sandboxes with the key of `ssh`, and check that they leave nothing behind."""
    apis: list[Api] = []

    def start(**options: Any) -> Api:
        apis.append(serve(**{"public_keys": [ssh.public_key], "speed": 1000} | options))
        return apis[-1]

    yield start
    for api in apis:
        api.sandbox.stop()


@pytest.fixture
def pods(serve_pods: Callable[..., Api]) -> Api:
    """A sandbox without sample pods."""
    return serve_pods(pods=0)


@pytest.fixture
def port(pods: Api) -> int:
    """The SSH port of a pod."""
    return ssh_port_of(pods, create_running_pod(pods))


def create_running_pod(api: Api, **fields: Any) -> str:
    """Create a pod and return its id when its SSH port is healthy."""
    pod_id = api.create_pod(**fields)
    api.sandbox.advance(8)
    return pod_id


def ssh_port_of(api: Api, pod_id: str) -> int:
    """Return the port of a pod according to the listing."""
    (entry,) = (entry for entry in api.get(pod_id)["expose"] if entry["protocol"] == "SSH")
    assert (entry["healthy"], entry["host"]) == (True, "127.0.0.1")
    assert entry["ingressUrl"] == f"ssh user@127.0.0.1 -p {entry['proxyPort']} -i <private key file>"
    return int(entry["proxyPort"])
