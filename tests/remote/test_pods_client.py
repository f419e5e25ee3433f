"""`PodsClient.remote` on a pod of the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from yotta_jupyter import Client, Sandbox, connect
from yotta_jupyter.errors import InvalidPodState, PodNotFound, RemoteError, WaitTimeout


@pytest.fixture
def client() -> Iterator[Client]:
    with Sandbox(speed=200) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as client:
        yield client


def test_run_push_and_pull_on_a_pod_with_the_own_key(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[22])
    client.pods.wait(pod.id, until="SSH")
    with client.pods.remote(pod.id) as remote:
        remote.push(numbers=[1, 2, 3])
        remote.run("total = sum(numbers); print('total', total)")
        assert remote.pull("total") == 6
        with pytest.raises(RemoteError, match="ZeroDivisionError"):
            remote.run("1 / 0")
    assert "total 6" in capsys.readouterr().out


def test_a_pod_with_another_key_of_the_user_is_reached(client: Client, home: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    key.write_private_key(home / ".ssh" / "id_ed25519")
    client.pods.create(image="pytorch", gpu_type="L4", expose=[22])  # Creates the default key.
    public_key = key.export_public_key().decode()
    pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[22], environment_vars={"PUBLIC_KEY": public_key})
    client.pods.wait(pod.id, until="SSH")
    with client.pods.remote(pod.id) as remote:
        assert remote.shell("echo here").stdout == "here\n"


def test_a_pod_that_is_starting_is_waited_for_also_by_an_existing_remote(make_client: Callable[..., Client]) -> None:
    client = make_client(speed=20)
    statuses: list[str] = []
    pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[22])
    progress = lambda pods: statuses.extend(pod.status for pod in pods.values())  # noqa: E731
    with client.pods.remote(pod.id, progress=progress) as remote:
        assert remote.shell("echo 1").stdout == "1\n"
        assert statuses[-1] == "RUNNING"
        assert len(statuses) > 1
        client.pods.pause(pod.id)
        client.pods.wait(pod.id, "PAUSED")
        with pytest.raises(InvalidPodState, match=r"is PAUSED and not reachable by SSH\. Resume it") as caught:
            client.pods.remote(pod.id)
        assert caught.value.ssh_problem == "not ready"
        with pytest.raises(InvalidPodState, match="is PAUSED"):
            remote.run("1")
        client.pods.resume(pod.id)
        assert remote.shell("echo 2").stdout == "2\n"
    client.pods.delete(pod.id)
    with pytest.raises((InvalidPodState, PodNotFound)):
        client.pods.remote(pod.id)


def test_a_pod_that_does_not_become_ready_ends_the_wait() -> None:
    with Sandbox(speed=0.001) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as client:
        pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[22])
        with pytest.raises(WaitTimeout, match="Not SSH after"):
            client.pods.remote(pod.id, timeout=0)


def test_a_pod_without_an_ssh_port_is_refused_at_once(client: Client) -> None:
    pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[8888])
    with pytest.raises(InvalidPodState, match="exposes no SSH port") as caught:
        client.pods.remote(pod.id)
    assert caught.value.ssh_problem == "not exposed"


def test_a_pod_of_a_sandbox_that_was_started_again_is_reached() -> None:
    for _ in range(2):
        with Sandbox(speed=200) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as client:
            pod = client.pods.create(image="pytorch", gpu_type="L4", expose=[22])
            with client.pods.remote(pod.id) as remote:
                assert remote.shell("echo here").stdout == "here\n"
