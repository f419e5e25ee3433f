"""A sandbox over real HTTP, and a small client that knows only the routes."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

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
