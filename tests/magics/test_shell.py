"""``%yotta sh``: shell commands on a pod."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests.remote.sshd import wait_until
from yotta_jupyter import CommandFailed, InvalidRequest
from yotta_jupyter.remote import ShellResult


def interrupt_when_exists(path: Path) -> None:
    """Press Ctrl-C when a file appears."""

    def interrupt() -> None:
        wait_until(path.exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()


def test_a_line_streams_and_returns_the_result(pod_shell: Any) -> None:
    result, output = pod_shell.run('result = %yotta sh train -- echo "$HOME" {a}; echo err >&2')
    assert result is None
    result = pod_shell.shell.user_ns["result"]
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{pod_shell.home} {{a}}\n", "err\n")
    assert sorted(output.splitlines()) == sorted([f"{pod_shell.home} {{a}}", "err"])


def test_a_cell_is_a_script_and_returns_nothing(pod_shell: Any) -> None:
    script = "for n in 1 2; do\n  echo $n\ndone\nprintf 'a\\rb'  # kept\n"
    assert pod_shell.run(f"%%yotta sh train\n{script}") == (None, "1\n2\na\rb")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("exit 3", "The command ended with exit status 3."),
        ("kill -TERM $$", "The command was ended by SIGTERM."),
        ("(kill -9 $BASHPID) 2>/dev/null; exit $?", "The command ended with exit status 137 (SIGKILL)."),
    ],
)
def test_a_failing_command_fails_the_cell(pod_shell: Any, command: str, message: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        pod_shell.run(f"x = %yotta sh train -- echo before; {command}")
    assert str(caught.value) == message
    assert caught.value.result is not None
    assert caught.value.result.stdout == "before\n"


def test_ctrl_c_ends_the_process_group(pod_shell: Any, tmp_path: Path) -> None:
    interrupt_when_exists(tmp_path / "started")
    with pytest.raises(CommandFailed, match="ended by SIGINT"):
        pod_shell.run(f"%%yotta sh train\ntouch {tmp_path}/started\nsleep 654.3 | cat; echo after")
    wait_until(
        lambda: not any("654.3" in (process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    )


@pytest.mark.parametrize("line", ["sh", "sh train", "sh train ls -l", "run train"])
def test_without_code_the_error_shows_both_forms(pod_shell: Any, line: str) -> None:
    name = line.partition(" ")[0]
    with pytest.raises(InvalidRequest) as caught:
        pod_shell.run(f"%yotta {line}")
    assert str(caught.value) == (
        f"%yotta {name} needs code. Write %%yotta {name} POD with the code below it, or %yotta {name} POD -- CODE"
    )


def test_the_repr_of_a_result_is_short() -> None:
    assert repr(ShellResult("ls", 0, "a\n", "")) == "ShellResult(args='ls', returncode=0, stdout='a\\n', stderr='')"
    assert len(repr(ShellResult("ls", 0, "x" * 1_000_000, "y" * 1_000_000))) < 1000


@pytest.fixture
def kernel() -> Iterator[tuple[Any, BlockingKernelClient]]:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    try:
        client.execute_interactive(
            "%load_ext yotta_jupyter\n%yotta sandbox start --speed 200\n"
            "%yotta create pytorch --gpu L4 --name train --wait\n%yotta use train",
            output_hook=lambda message: None,
            timeout=60,
        )
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_notebook_shows_the_text_once_and_interrupts_the_command(kernel: tuple[Any, BlockingKernelClient]) -> None:
    manager, client = kernel

    def run(cell: str, interrupt_at: str = "") -> list[tuple[str, str]]:
        shown: list[tuple[str, str]] = []

        def receive(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                shown.append((content["name"], content["text"]))
                if interrupt_at and interrupt_at in content["text"]:
                    manager.interrupt_kernel()
            elif message["msg_type"] == "error":
                shown.append(("error", "\n".join(content["traceback"])))
            elif message["msg_type"] == "execute_result":
                shown.append(("value", content["data"]["text/plain"]))

        client.execute_interactive(cell, output_hook=receive, timeout=60)
        return shown

    assert run("%yotta sh -- echo out; sleep 0.3; echo err >&2") == [("stdout", "out\n"), ("stderr", "err\n")]
    assert run("_") == [
        (
            "value",
            "ShellResult(args='echo out; sleep 0.3; echo err >&2', returncode=0, stdout='out\\n', stderr='err\\n')",
        )
    ]
    failed = run("%%yotta sh\necho started; sleep 60", interrupt_at="started")
    assert failed == [("stdout", "started\n"), ("error", "CommandFailed: The command was ended by SIGINT.")]
