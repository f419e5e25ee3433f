"""The watchdog on pods of the sandbox, without an enforcer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Client, InvalidPodState, InvalidRequest, Pod, Sandbox, connect
from yotta_jupyter.errors import ConnectInterrupted, YottaError
from yotta_jupyter.guard import process, watchdog_client
from yotta_jupyter.remote import Endpoint, connection

from .helpers import wait_for

KEY = "canary-of-the-key-5f1e"


@pytest.fixture(autouse=True)
def without_enforcer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ensure_running", lambda *_: False)


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


@pytest.fixture
def shell(bare_shell: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """A shell with the extension, connected to `sandbox`."""
    monkeypatch.setenv("YOTTA_API_KEY", KEY)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    bare_shell.run_line_magic("load_ext", "yotta_jupyter")
    return bare_shell


def folder(pod: Pod) -> Path:
    """Return the folder of the watchdog; pods of the sandbox run on this machine."""
    return Path(f"/dev/shm/yotta-guard-{os.getuid()}-{pod.id}")


def processes(pod: Pod) -> dict[int, bytes]:
    """Return the command lines of the watchdog's processes."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder(pod)).encode() in line and b"run" in line:  # Not ``install`` and ``status``.
            found[int(path.name)] = line
    return found


@pytest.mark.usefixtures("long")
def test_watchdog_pauses_the_pod_without_an_enforcer(yotta: Client, sandbox: Sandbox, pod: Pod) -> None:
    sandbox.add_fault("pause:500-beforex1")  # One pause request fails.
    assert yotta.guards.set(pod.id, after="2s", on_pod=True).watchdog_started_at is not None
    assert "on the pod" in yotta.guards.frame()["enforcer"].iloc[0]
    wait_for(lambda: pod.refresh().status == "PAUSED")
    assert sum(request.endpoint == "pause" for request in sandbox.requests) == 2


@pytest.mark.usefixtures("long")
def test_watchdog_survives_the_kill_of_each_process_and_ends_with_the_guard(yotta: Client, pod: Pod) -> None:
    yotta.guards.set(pod.id, after="8h", on_pod=True)
    for is_loop in (False, True, False):
        wait_for(lambda: len(processes(pod)) == 2)  # The loop and the watchdog.
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


def test_attempts_to_connect_are_reported_and_end_with_ctrl_c(
    yotta: Client, pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = []

    def interrupt(text: str) -> None:
        statuses.append(text)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(connection, "STATUS_DELAY", 0.05)
    monkeypatch.setattr(
        watchdog_client, "endpoint_of", lambda *_: Endpoint(pod.id, "127.0.0.1", 1)
    )  # Nothing listens there.
    monkeypatch.setattr(watchdog_client, "print_notice", interrupt)
    with pytest.raises(ConnectInterrupted):
        yotta.guards.read_watchdog(pod.id)
    assert "does not answer on its SSH port" in statuses[0]


def test_a_watchdog_that_does_not_start_leaves_the_guard_of_this_machine(
    yotta: Client, pod: Pod, shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "watchdog.py").touch()  # Prints no answer on the pod.
    monkeypatch.setattr(watchdog_client, "files", lambda _: tmp_path)
    with pytest.raises(
        YottaError, match=r"^Pod p \(\d+\) is guarded from this machine, but not on the pod: No watchdog"
    ):
        shell.run_line_magic("yotta", "guard p --after 1h --on-pod --yes")
    assert [guard.rule for guard in yotta.guards.list()] == ["after 1h"]


def test_watchdog_needs_ssh_a_limit_and_consent(
    yotta: Client, pod: Pod, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequest, match="needs a limit in hours or dollars"):
        yotta.guards.set(pod.id, idle="30m", on_pod=True)
    bare = yotta.pods.create(image="a/b:1", gpu_type="L4", expose=["8888/HTTP"], pod_name="q").wait()
    with pytest.raises(InvalidPodState, match="exposes no SSH port"):
        yotta.guards.set(bare.id, after="1h", on_pod=True)
    assert yotta.guards.list() == []

    def no_input(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_input)
    with pytest.raises(InvalidRequest, match="add --yes"):
        shell.run_line_magic("yotta", "guard p --after 1h --on-pod")
    questions = []

    def refuse(question: str) -> str:
        questions.append(question)
        return "n"

    monkeypatch.setattr("builtins.input", refuse)
    shell.run_line_magic("yotta", "guard p --after 1h --on-pod")
    assert "root on the pod can read it" in questions[0]
    assert yotta.guards.list() == []
