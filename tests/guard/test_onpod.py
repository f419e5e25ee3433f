"""The watchdog on a pod, on pods of the sandbox. No enforcer runs here."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Client, InvalidPodState, InvalidRequest, Pod, Sandbox, connect
from yotta_jupyter.guard import process

KEY = "canary-of-the-key-5f1e"


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ensure_running", lambda *_: (process.Reply(1, []), False))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(speed=200, api_key=KEY) as sandbox:
        yield sandbox


@pytest.fixture
def yotta(sandbox: Sandbox) -> Iterator[Client]:
    with connect(KEY, base_url=sandbox.base_url) as yotta:
        yield yotta


@pytest.fixture
def pod(yotta: Client) -> Iterator[Pod]:
    pod = yotta.pods.create(image="a/b:1", gpu_type="L4", expose=["22/SSH"], pod_name="p").wait("SSH")
    yield pod
    for path in folder(pod).glob("*"):
        path.unlink()
    if folder(pod).exists():
        folder(pod).rmdir()


def folder(pod: Pod) -> Path:
    return Path(f"/dev/shm/yotta-guard-{os.getuid()}-{pod.id}")


def wait_for(condition: Callable[[], object], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes(pod: Pod) -> dict[int, bytes]:
    """Return the command lines of the watchdog's processes."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder(pod)).encode() in line and b"run" in line:
            found[int(path.name)] = line
    return found


@pytest.mark.usefixtures("long")
def test_it_pauses_the_pod_alone(yotta: Client, sandbox: Sandbox, pod: Pod) -> None:
    sandbox.add_fault("pause:500-beforex1")
    assert yotta.guards.set(pod.id, after="2s", on_pod=True).on_pod is not None
    assert "on the pod" in yotta.guards.frame()["enforcer"].iloc[0]
    wait_for(lambda: pod.refresh().status == "PAUSED")
    assert sum(request.endpoint == "pause" for request in sandbox.requests) == 2


@pytest.mark.usefixtures("long")
def test_it_survives_the_kill_of_each_process_and_ends_with_the_guard(yotta: Client, pod: Pod) -> None:
    yotta.guards.set(pod.id, after="8h", on_pod=True)
    for is_loop in (False, True, False):
        wait_for(lambda: len(processes(pod)) == 2)
        pid = next(pid for pid, line in processes(pod).items() if line.startswith(b"sh\0") == is_loop)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: pid not in processes(pod))  # type: ignore[misc]
    wait_for(lambda: yotta.guards.read_watchdog(pod.id).alive)
    yotta.guards.extend(pod.id, "2h")
    left = yotta.guards.read_watchdog(pod.id).left
    assert left is not None
    assert 9.9 < left / 3600 <= 10
    yotta.guards.off(pod.id)
    wait_for(lambda: not processes(pod))
    assert not folder(pod).exists()


def test_the_key_is_in_a_private_file_and_nowhere_else(yotta: Client, pod: Pod) -> None:
    yotta.guards.set(pod.id, after="8h", on_pod=True)
    assert folder(pod).stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder(pod).iterdir() if KEY.encode() in path.read_bytes()] == ["settings"]
    assert (folder(pod) / "settings").stat().st_mode & 0o777 == 0o600
    for pid, line in processes(pod).items():
        assert KEY.encode() not in line + Path(f"/proc/{pid}/environ").read_bytes()
    yotta.guards.off(pod.id)


def test_it_needs_ssh_and_a_limit_and_a_yes(
    yotta: Client, pod: Pod, shell_of: Callable[[], InteractiveShell], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequest, match="needs a limit in hours or dollars"):
        yotta.guards.set(pod.id, idle="30m", on_pod=True)
    bare = yotta.pods.create(image="a/b:1", gpu_type="L4", expose=["8888/HTTP"], pod_name="q").wait()
    with pytest.raises(InvalidPodState, match="exposes no SSH port"):
        yotta.guards.set(bare.id, after="1h", on_pod=True)
    assert yotta.guards.list() == []
    shell = shell_of()

    def no_input(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_input)
    with pytest.raises(InvalidRequest, match="add --yes"):
        shell.run_line_magic("yotta", "guard p --after 1h --on-pod")
    answers: list[Any] = []
    monkeypatch.setattr("builtins.input", lambda question: answers.append(question) or "n")
    shell.run_line_magic("yotta", "guard p --after 1h --on-pod")
    assert "root on the pod can read it" in answers[0]
    assert yotta.guards.list() == []


@pytest.fixture
def shell_of(
    bare_shell: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], InteractiveShell]:
    def start() -> InteractiveShell:
        monkeypatch.setenv("YOTTA_API_KEY", KEY)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        bare_shell.run_line_magic("load_ext", "yotta_jupyter")
        return bare_shell

    return start
