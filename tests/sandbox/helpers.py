"""Clients that know only the routes of the API and SSH, and the processes of pods."""

import os
import shutil
import subprocess
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncssh
import psutil
import pytest
import requests

from yotta_jupyter.sandbox import Sandbox

POD_MODULE = "yotta_jupyter.sandbox.pod"
CREATE_BODY = {
    "image": "made/up:1",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "expose": [{"port": 22, "protocol": "SSH"}],
}
TIME_TO_HEALTHY_PORTS = 8.0  # Sandbox seconds after a create or a resume.
TIME_TO_PAUSED = 3.0  # Sandbox seconds after a pause.


class Api:
    """The routes as methods. `request` and `create` return the response, the other methods its data."""

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


class Ssh:
    """SSH with the key of the sandbox's account, by asyncssh and by the OpenSSH client."""

    def __init__(self, directory: Path) -> None:
        self.key_file = directory / "id_ed25519"
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(self.key_file))
        self.key_file.chmod(0o600)
        self.public_key = key.export_public_key().decode().strip()

    def connect(self, port: int, **options: Any) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
        """Connect with asyncssh. The options replace the key and the user."""
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
        flags = [f"-o{name}={value}" for name, value in options.items()]
        port_flag = "-p" if program == "ssh" else "-P"
        return [program, "-F", "none", *flags, port_flag, str(port), *arguments]

    def run(self, port: int, *arguments: str, user: str = "root", **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command with the OpenSSH client."""
        command = self.command("ssh", port, f"{user}@127.0.0.1", *arguments)
        options = {"capture_output": True, "text": True, "timeout": 30, "check": False} | options
        return subprocess.run(command, **options)


def pod_processes(directory: object) -> list[str]:
    """Return the command lines of all processes of pods whose files are in a directory."""
    command_lines = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            command = process.cmdline()
        except psutil.Error:
            continue
        runs_on_pod = environment.get("HOME", "").startswith(f"{directory}/")
        is_server = POD_MODULE in command and environment.get("TMPDIR") == str(directory)
        if runs_on_pod or is_server:
            command_lines.append(" ".join(command))
    return command_lines


def create_running_pod(api: Api, **fields: Any) -> str:
    """Create a pod and return its id when its SSH port is healthy."""
    pod_id = api.create_pod(**fields)
    api.sandbox.advance(TIME_TO_HEALTHY_PORTS)
    return pod_id


def pause_and_resume(api: Api, pod_id: str) -> None:
    """Pause a pod, resume it, and wait until its SSH port is healthy."""
    api.request("POST", f"pause/{pod_id}")
    api.sandbox.advance(TIME_TO_PAUSED)
    api.request("POST", f"resume/{pod_id}")
    api.sandbox.advance(TIME_TO_HEALTHY_PORTS)


def ssh_port_of(api: Api, pod_id: str) -> int:
    """Return the SSH port of a pod according to the API."""
    (entry,) = (entry for entry in api.get(pod_id)["expose"] if entry["protocol"] == "SSH")
    assert (entry["healthy"], entry["host"]) == (True, "127.0.0.1")
    assert entry["ingressUrl"] == f"ssh user@127.0.0.1 -p {entry['proxyPort']} -i <private key file>"
    return int(entry["proxyPort"])
