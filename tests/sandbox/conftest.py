"""Fixtures: sandboxes over real HTTP, whose pods leave nothing behind."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yotta_jupyter.sandbox import Sandbox

from .helpers import Api, Ssh, create_running_pod, pod_processes, ssh_port_of


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


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Ssh:
    return Ssh(tmp_path_factory.mktemp("ssh"))


@pytest.fixture
def pod_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory in which pods put their files. It is empty at the end, and no process of a pod is left."""
    # Not tmp_path, which is too long for Unix sockets on a pod.
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        monkeypatch.setenv("TMPDIR", directory)
        yield Path(directory)
        assert os.listdir(directory) == []
        assert pod_processes(directory) == []


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
def pod_api(serve_pods: Callable[..., Api]) -> Api:
    """A sandbox without sample pods, with the key of `ssh`."""
    return serve_pods(pods=0)


@pytest.fixture
def port(pod_api: Api) -> int:
    """The SSH port of a running pod."""
    return ssh_port_of(pod_api, create_running_pod(pod_api))
