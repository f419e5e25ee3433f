"""``%yotta`` in a real kernel and in a real terminal IPython."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from yotta_jupyter import Sandbox


@pytest.fixture
def kernel(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingKernelClient]:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    try:
        run(client, "%load_ext yotta_jupyter")
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, cell: str, reply: str | None = None) -> list[dict[str, Any]]:
    """Run a cell, reply to its prompts, and return the messages that it published."""
    messages: list[dict[str, Any]] = []
    client.execute_interactive(
        cell,
        allow_stdin=reply is not None,
        stdin_hook=lambda message: client.input(reply or ""),
        output_hook=messages.append,
        timeout=60,
    )
    return messages


def contents(messages: list[dict[str, Any]], msg_type: str) -> list[dict[str, Any]]:
    return [message["content"] for message in messages if message["msg_type"] == msg_type]


def test_a_listing_is_an_html_table_in_a_kernel(kernel: BlockingKernelClient) -> None:
    (result,) = contents(run(kernel, "%yotta list"), "execute_result")
    assert "<table" in result["data"]["text/html"]


def test_an_error_is_one_line_in_a_kernel(kernel: BlockingKernelClient) -> None:
    (error,) = contents(run(kernel, "%yotta lsit"), "error")
    assert error["ename"] == "InvalidRequest"
    assert error["traceback"] == ["InvalidRequest: %yotta has no command 'lsit'. Did you mean list? See %yotta -h"]


def test_a_wait_updates_one_output(kernel: BlockingKernelClient) -> None:
    messages = run(kernel, "%yotta pause train-1 --wait")
    assert len(contents(messages, "display_data")) == 1
    updates = [content["data"]["text/plain"] for content in contents(messages, "update_display_data")]
    assert updates
    assert all(text.startswith("until PAUSED") for text in updates)


def test_tab_works_in_a_kernel(kernel: BlockingKernelClient) -> None:
    assert kernel.complete("%yotta list --st", reply=True, timeout=60)["content"]["matches"] == ["--status"]


def test_delete_asks_in_a_kernel_and_fails_without_stdin(kernel: BlockingKernelClient, sandbox: Sandbox) -> None:
    (error,) = contents(run(kernel, "%yotta delete train-1"), "error")
    assert "--yes" in error["evalue"]
    messages = run(kernel, "%yotta delete train-1", reply="y")
    assert re.fullmatch(r"train-1 \(\d+\) is TERMINAT(ING|ED)\.\n", contents(messages, "stream")[0]["text"])
    assert contents(messages, "execute_result") == []
    (deletion,) = [request for request in sandbox.requests if request.endpoint == "delete"]
    assert deletion.method == "DELETE"


def test_an_entered_key_is_in_no_output_and_not_in_the_history(kernel: BlockingKernelClient, sandbox: Sandbox) -> None:
    messages = run(kernel, "%yotta login", reply=sandbox.api_key)
    messages += run(kernel, "%history\n%yotta status")
    assert "accepted the key" in str(messages)
    assert sandbox.api_key not in str(messages)


def test_a_terminal_shows_progress_and_ctrl_c_names_the_cost(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 200),
    )
    try:
        terminal.expect(r"In \[1\]: ")
        terminal.sendline("%load_ext yotta_jupyter")
        terminal.expect(r"In \[2\]: ")
        terminal.sendline("%yotta list --status paused")
        terminal.expect("finetune-1")
        terminal.expect(r"In \[3\]: ")
        terminal.sendline("%yotta wait train-1 --until paused")
        terminal.expect(r"until PAUSED, \d+ s: train-1 RUNNING")
        terminal.sendintr()
        terminal.expect(r"[\r\n]WaitInterrupted: Interrupted: train-1 \(\d+\) is RUNNING\. This still costs money")
        terminal.expect("%yotta pause train-1.* %yotta wait train-1 --until paused")
        terminal.expect(r"In \[4\]: ")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
