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


def run(client: BlockingKernelClient, cell: str, answer: str | None = None) -> list[dict[str, Any]]:
    """Run a cell, answering its prompts, and return the messages that it published."""
    messages: list[dict[str, Any]] = []
    client.execute_interactive(
        cell,
        allow_stdin=answer is not None,
        stdin_hook=lambda message: client.input(answer or ""),
        output_hook=messages.append,
        timeout=60,
    )
    return messages


def of_type(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message["content"] for message in messages if message["msg_type"] == kind]


def test_a_listing_is_an_html_table_in_a_notebook(kernel: BlockingKernelClient) -> None:
    (result,) = of_type(run(kernel, "%yotta list"), "execute_result")
    assert "<table" in result["data"]["text/html"]


def test_an_error_is_one_line_in_a_notebook(kernel: BlockingKernelClient) -> None:
    (error,) = of_type(run(kernel, "%yotta lsit"), "error")
    assert error["ename"] == "InvalidRequest"
    assert error["traceback"] == ["InvalidRequest: %yotta has no command 'lsit'. Did you mean list? See %yotta -h"]


def test_a_wait_is_one_output_that_changes(kernel: BlockingKernelClient) -> None:
    messages = run(kernel, "%yotta pause train-1 --wait")
    assert len(of_type(messages, "display_data")) == 1
    updates = [content["data"]["text/plain"] for content in of_type(messages, "update_display_data")]
    assert updates
    assert all(text.startswith("until PAUSED") for text in updates)


def test_tab_works_in_a_notebook(kernel: BlockingKernelClient) -> None:
    assert kernel.complete("%yotta list --st", reply=True, timeout=60)["content"]["matches"] == ["--status"]


def test_delete_asks_in_a_notebook_and_fails_where_nobody_can_answer(
    kernel: BlockingKernelClient, sandbox: Sandbox
) -> None:
    (error,) = of_type(run(kernel, "%yotta delete train-1"), "error")
    assert "--yes" in error["evalue"]
    (result,) = of_type(run(kernel, "%yotta delete train-1", answer="y"), "execute_result")
    assert "train-1" in result["data"]["text/plain"]
    (deletion,) = [request for request in sandbox.requests if request.endpoint == "delete"]
    assert deletion.method == "DELETE"


def test_a_typed_key_is_in_no_output_and_not_in_the_history(kernel: BlockingKernelClient, sandbox: Sandbox) -> None:
    messages = run(kernel, "%yotta login", answer=sandbox.api_key)
    messages += run(kernel, "%history\n%yotta status")
    assert "took the key" in str(messages)
    assert sandbox.api_key not in str(messages)


def test_a_terminal_shows_progress_and_ctrl_c_says_what_still_costs(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    pod_id = next(pod["id"] for pod in sandbox.pods() if pod["podName"] == "train-1")
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
        terminal.expect(re.escape(f"%yotta pause {pod_id} or wait on with %yotta wait {pod_id}"))
        terminal.expect(r"In \[4\]: ")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
