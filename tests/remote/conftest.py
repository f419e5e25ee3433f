"""Fixtures of a real OpenSSH server on loopback and of `Remote` objects that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.remote.sshd import Sshd, run_sshd
from yotta_jupyter.remote import Endpoint, Remote
from yotta_jupyter.remote.host_keys import HostKeys


@pytest.fixture(autouse=True)
def no_ssh_agent(monkeypatch):
    """Use no keys of the SSH agent of this machine."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def endpoint_of_server(server: Sshd, **changes: Any) -> Endpoint:
    """Return the endpoint of a server."""
    values = {"pod_id": "1001", "host": "127.0.0.1", "port": server.port, "users": (server.user,)}
    return Endpoint(**{**values, "key_file": server.key_file, **changes})


@pytest.fixture(scope="module")
def shared_sshd(tmp_path_factory) -> Iterator[Sshd]:
    """A server for all tests of a module that do not change it."""
    with run_sshd(tmp_path_factory.mktemp("pod")) as server:
        yield server


@pytest.fixture(scope="module")
def remote(shared_sshd) -> Iterator[Remote]:
    """A `Remote` of the shared server, for all tests of a module."""
    with Remote(endpoint_of_server(shared_sshd), host_keys=HostKeys(shared_sshd.folder / "known_hosts")) as remote:
        yield remote


@pytest.fixture
def sshd(tmp_path_factory) -> Iterator[Sshd]:
    """A server for one test."""
    with run_sshd(tmp_path_factory.mktemp("pod")) as server:
        yield server


@pytest.fixture
def make_remote() -> Iterator[Callable[..., Remote]]:
    """A function that returns a `Remote` of a server, by default of pod 1001; all are closed at the end."""
    with ExitStack() as stack:

        def make(server: Sshd, endpoint: Endpoint | None = None, **options: Any) -> Remote:
            options = {"host_keys": HostKeys(server.folder / "known_hosts"), **options}
            return stack.enter_context(Remote(endpoint or endpoint_of_server(server), **options))

        yield make


class Outputs:
    """An ``on_output`` callback that collects the outputs."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def text(self) -> str:
        return "".join(m["content"]["text"] for m in self.messages if m["msg_type"] == "stream")

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.fixture
def outputs() -> Outputs:
    return Outputs()
