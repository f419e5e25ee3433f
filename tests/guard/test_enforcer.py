"""The enforcer's process outlives notebooks, is started again, and is the only one."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from platformdirs import user_data_path

from yotta_jupyter import Client, Sandbox
from yotta_jupyter.guard import process
from yotta_jupyter.guard.guards import Guards
from yotta_jupyter.guard.store import GuardStore

from .helpers import enforcer_pid, wait_for

pytestmark = pytest.mark.usefixtures("end_enforcer")

SET_GUARD = """
import sys, time
from yotta_jupyter import connect
base_url, api_key, pod_id, after = sys.argv[1:]
connect(api_key, base_url=base_url).guards.set(pod_id, after=after)
print("set", flush=True)
time.sleep(60)
"""


def start_notebook(sandbox: Sandbox, pod_id: str, after: str) -> subprocess.Popen[str]:
    """Set a guard in a process of its own, as a notebook does."""
    command = [sys.executable, "-c", SET_GUARD, sandbox.base_url, sandbox.api_key, pod_id, after]
    notebook = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert notebook.stdout is not None
    assert notebook.stdout.readline() == "set\n"
    return notebook


def status(sandbox: Sandbox, pod_id: str) -> str:
    """Return the status of a pod, without a request."""
    return str(next(pod["status"] for pod in sandbox.pods() if pod["id"] == pod_id))


def wait_for_limit(guards: Guards) -> None:
    """Wait until the limit of the only guard is reached."""
    wait_for(lambda: guards.frame()["left"].iloc[0] == timedelta(0))


def wait_for_heartbeat() -> None:
    """Wait until the enforcer has stored another heartbeat."""
    before = heartbeat()
    wait_for(lambda: heartbeat() != before)


def heartbeat() -> float:
    """Return the time of the last heartbeat of the enforcer; 0 if there was none."""
    state = GuardStore().read_heartbeat()
    return 0.0 if state is None else state.checked_at


@pytest.fixture
def pod_ids(sandbox: Sandbox) -> list[str]:
    """The ids of the two running pods."""
    return [pod["id"] for pod in sandbox.pods() if pod["status"] == "RUNNING"]


def test_enforcer_outlives_notebooks_and_ends_with_the_last_guard(
    sandbox: Sandbox, yotta: Client, pod_ids: list[str]
) -> None:
    notebooks = [start_notebook(sandbox, pod_ids[0], "2s"), start_notebook(sandbox, pod_ids[1], "8h")]
    for notebook in notebooks:
        os.killpg(notebook.pid, signal.SIGKILL)
        notebook.wait()
    wait_for(lambda: status(sandbox, pod_ids[0]) == "PAUSED")
    wait_for(lambda: yotta.guards.frame()["state"].to_dict() == {pod_ids[0]: "paused", pod_ids[1]: "active"})
    frame = yotta.guards.frame()
    assert frame["enforcer"].unique() == [f"local (pid {enforcer_pid()}): alive"]
    assert process.read_log(50).count("the enforcer started") == 1
    for pod_id in pod_ids:
        yotta.guards.off(pod_id)
    wait_for(lambda: not process.is_running())


def test_no_key_is_on_disk_or_in_arguments_or_variables(
    sandbox: Sandbox, yotta: Client, pod_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    yotta.guards.set(pod_ids[0], after="8h")
    pid, key = enforcer_pid(), sandbox.api_key.encode()
    for name in ("cmdline", "environ"):
        assert key not in Path(f"/proc/{pid}/{name}").read_bytes()
    folder = user_data_path("yotta_jupyter")
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # SQLite deletes its log.
            assert path.is_socket() or key not in path.read_bytes()


def test_a_killed_enforcer_is_started_by_the_next_command_and_acts_at_once(
    sandbox: Sandbox, pod_ids: list[str], bare_shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    bare_shell.run_line_magic("load_ext", "yotta_jupyter")

    def run(line: str) -> str:
        with capture_output() as captured:
            bare_shell.run_cell(f"%yotta {line}").raise_error()
        return str(captured.stdout)

    assert "Enforced by a process on this machine (pid" in run(f"guard {pod_ids[0]} --after 3s")
    os.kill(enforcer_pid(), signal.SIGKILL)
    wait_for(lambda: not process.is_running())
    # Not with %yotta, which would start the enforcer.
    guards = bare_shell.magics_manager.registry["YottaMagics"].session.client.guards
    assert "NOT enforced, not running" in guards.frame()["enforcer"].iloc[0]
    wait_for_limit(guards)
    assert status(sandbox, pod_ids[0]) == "RUNNING"
    note = run("list;")
    assert re.search(r"Note: the guards were not enforced from .* UTC to .* UTC; the enforcer runs again", note)
    wait_for(lambda: status(sandbox, pod_ids[0]) == "PAUSED", timeout=5)
    assert "not enforced" not in run("list;")
    assert "confirmed" in run("guard --log") or "pausing it" in process.read_log(20)


@pytest.mark.usefixtures("long")
def test_a_database_that_is_deleted_loses_no_guard(sandbox: Sandbox, yotta: Client, pod_ids: list[str]) -> None:
    yotta.guards.set(pod_ids[0], after="8h")
    wait_for(lambda: yotta.guards.frame()["enforcer"].iloc[0].endswith("alive"))
    wait_for_heartbeat()  # The enforcer has read the guards.
    for path in user_data_path("yotta_jupyter").glob("guards.db*"):
        path.unlink()
    wait_for(lambda: [guard.rule for guard in yotta.guards.list()] == ["after 8h"])
    wait_for_heartbeat()
    assert process.is_running()


@pytest.mark.usefixtures("long")
def test_a_stopped_enforcer_acts_at_once_when_it_continues(sandbox: Sandbox, yotta: Client, pod_ids: list[str]) -> None:
    yotta.guards.set(pod_ids[0], after="2s")
    pid = enforcer_pid()
    os.kill(pid, signal.SIGSTOP)
    wait_for_limit(yotta.guards)
    assert status(sandbox, pod_ids[0]) == "RUNNING"
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: status(sandbox, pod_ids[0]) == "PAUSED", timeout=6)


@pytest.mark.usefixtures("long")
def test_many_notebooks_start_one_enforcer(sandbox: Sandbox, yotta: Client, pod_ids: list[str]) -> None:
    command = [sys.executable, "-c", SET_GUARD.replace("time.sleep(60)", ""), sandbox.base_url, sandbox.api_key]
    notebooks = [subprocess.Popen([*command, pod_ids[index % 2], f"{index + 5}h"]) for index in range(4)]
    assert [notebook.wait() for notebook in notebooks] == [0] * 4
    assert process.read_log(50).count("the enforcer started") == 1
    assert {guard.rule for guard in yotta.guards.list()} == {"after 5h", "after 6h"}
