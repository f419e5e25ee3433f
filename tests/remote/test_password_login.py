"""The check whether a pod accepts a published password."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from yotta_jupyter.remote import Endpoint, Remote
from yotta_jupyter.remote.host_keys import HostKeys
from yotta_jupyter.remote.loop import wait_for


class PasswordServer(asyncssh.SSHServer):
    """Accepts each key, and the password ``ubuntu`` of the user ``ubuntu``."""

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("ubuntu", "ubuntu")


@pytest.fixture
def remote(tmp_path):
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    user_key.write_private_key(tmp_path / "key")

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=[host_key], server_factory=PasswordServer)

    server = wait_for(listen())
    endpoint = Endpoint("1001", "127.0.0.1", server.get_port(), ("root",), tmp_path / "key")
    with Remote(endpoint, host_keys=HostKeys(tmp_path / "known_hosts")) as remote:
        yield remote

    async def close() -> None:
        server.close()
        await asyncio.wait_for(server.wait_closed(), 5)

    wait_for(close())


def test_an_accepted_password_is_recognized(remote: Remote) -> None:
    assert remote.check_password("ubuntu", "ubuntu").result(20) is True
    assert remote.check_password("ubuntu", "another").result(20) is False
    assert remote.check_password("root", "ubuntu").result(20) is False


def test_a_pod_that_cannot_be_reached_accepts_no_password(remote: Remote) -> None:
    remote.close()
    assert remote.check_password("ubuntu", "ubuntu").result(20) is False
