"""A sandbox over real HTTP, and a small client of it that knows nothing but the routes."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from yotta_jupyter.sandbox import Sandbox


class Api:
    """The routes as functions that return the plain response."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["x-api-key"] = sandbox.api_key

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 20)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, f"{self.sandbox.base_url}/openapi/v1/pods/{path}", **options)

    def create(self, **changes: Any) -> requests.Response:
        body = {"image": "made/up:1", "gpuType": "NVIDIA_L4_24G", "gpuCount": 1, "expose": [SSH]}
        return self.send("POST", "create", json=body | changes)

    def created(self, **changes: Any) -> str:
        answer = self.create(**changes).json()
        assert answer["code"] == 10000
        return str(answer["data"])

    def list(self, *params: tuple[str, str]) -> list[dict[str, Any]]:
        answer = self.send("GET", "list", params=params).json()
        assert answer["code"] == 10000
        pods = answer["data"]
        assert isinstance(pods, list)
        return pods

    def get(self, pod_id: str) -> dict[str, Any]:
        answer = self.send("GET", pod_id).json()
        assert answer["code"] == 10000
        pod = answer["data"]
        assert isinstance(pod, dict)
        return pod

    def status(self, pod_id: str) -> str:
        return str(self.get(pod_id)["status"])


SSH = {"port": 22, "protocol": "SSH"}


@pytest.fixture
def serve() -> Iterator[Callable[..., Api]]:
    """Start sandboxes; they are stopped at the end, and none of their threads is left."""
    started: list[Api] = []
    before = set(threading.enumerate())

    def start(**options: Any) -> Api:
        started.append(Api(Sandbox(**options).start()))
        return started[-1]

    yield start
    for api in started:
        api.sandbox.stop()
        api.session.close()
    left = set(threading.enumerate()) - before
    assert [thread for thread in left if thread.name.startswith("yotta-sandbox")] == []


@pytest.fixture
def api(serve: Callable[..., Api]) -> Api:
    """A sandbox with its three pods."""
    return serve()
