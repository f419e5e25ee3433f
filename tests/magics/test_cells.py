"""``%%yotta run`` in a real kernel, on a pod of the sandbox: what the notebook receives."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from tests.remote.sshd import wait_until
from yotta_jupyter import Sandbox

Messages = list[dict[str, Any]]


class Notebook:
    """A notebook kernel with the extension, and a pod named train.

    Parameters
    ----------
    manager : KernelManager
    client : BlockingKernelClient
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.prompts: list[dict[str, Any]] = []

    def run(self, cell: str, reply: str = "", interrupt_at: str = "", interrupts: int = 1) -> Messages:
        """Run a cell and return the messages that it published.

        Parameters
        ----------
        cell : str
        reply : str
            The reply to its prompts.
        interrupt_at : str
            Interrupt the kernel when this text is printed.
        interrupts : int
            How many. Each further one is sent when the note about the previous one is printed.
        """
        messages: Messages = []
        markers = [interrupt_at, *["interrupt again"] * (interrupts - 1)] if interrupt_at else []

        def receive(message: dict[str, Any]) -> None:
            messages.append(message)
            if markers and markers[0] in message["content"].get("text", ""):
                markers.pop(0)
                self.manager.interrupt_kernel()

        def answer(message: dict[str, Any]) -> None:
            self.prompts.append(message["content"])
            self.client.input(reply)

        self.client.execute_interactive(cell, stdin_hook=answer, output_hook=receive, timeout=60)
        return [message for message in messages if message["msg_type"] not in ("status", "execute_input")]


def contents(messages: Messages, msg_type: str) -> list[dict[str, Any]]:
    return [message["content"] for message in messages if message["msg_type"] == msg_type]


def text(messages: Messages, name: str = "stdout") -> str:
    return "".join(content["text"] for content in contents(messages, "stream") if content["name"] == name)


def error(messages: Messages) -> str:
    (content,) = contents(messages, "error")
    return "\n".join(content["traceback"])


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment variables of kernels that use a sandbox."""
    with Sandbox(speed=200) as sandbox:
        yield {
            **os.environ,
            "HOME": str(tmp_path_factory.mktemp("home")),
            "YOTTA_API_KEY": sandbox.api_key,
            "YOTTA_BASE_URL": sandbox.base_url,
        }


@contextmanager
def start_notebook(environment: dict[str, str]) -> Iterator[Notebook]:
    """Start a kernel and load the extension."""
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60, env=environment)
    try:
        notebook = Notebook(manager, client)
        notebook.run("%load_ext yotta_jupyter")
        yield notebook
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def notebook(environment: dict[str, str]) -> Iterator[Notebook]:
    """A notebook that uses the pod train, for all tests of this file."""
    with start_notebook(environment) as notebook:
        notebook.run("%yotta create pytorch --gpu L4 --name train")
        notebook.run("%yotta use train")
        yield notebook


def test_outputs_are_those_of_a_local_cell(notebook: Notebook) -> None:
    messages = notebook.run(
        "%%yotta run train\n"
        "import sys\n"
        "from IPython.display import HTML, clear_output, display\n"
        "print('erased')\n"
        "clear_output()\n"
        "print('to stdout')\n"
        "print('to stderr', file=sys.stderr)\n"
        "handle = display('first', display_id=True)\n"
        "handle.update('second')\n"
        "HTML('<b>value</b>')"
    )
    kinds = [message["msg_type"] for message in messages if message["content"].get("text") != "erased\n"]
    assert kinds[-6:] == [
        "clear_output",
        "stream",
        "stream",
        "display_data",
        "update_display_data",
        "execute_result",
    ]
    assert text(messages, "stderr") == "to stderr\n"
    (display,), (update,) = contents(messages, "display_data")[-1:], contents(messages, "update_display_data")[-1:]
    assert display["transient"]["display_id"] == update["transient"]["display_id"]
    assert update["data"]["text/plain"] == "'second'"
    (result,) = contents(messages, "execute_result")
    assert result["data"]["text/html"] == "<b>value</b>"


def test_a_widget_of_the_pod_is_shown_as_text(notebook: Notebook) -> None:
    messages = notebook.run("%%yotta run\nimport ipywidgets\ndisplay(ipywidgets.IntSlider(3))\nipywidgets.Text('text')")
    (display,), (result,) = contents(messages, "display_data"), contents(messages, "execute_result")
    assert display["data"] == {"text/plain": "IntSlider(value=3)"}
    assert "Note: a widget of a pod is shown as text that does not change" in text(messages)
    assert result["data"] == {"text/plain": "Text(value='text')"}


def test_text_progress_bars_rewrite_their_line(notebook: Notebook) -> None:
    messages = notebook.run("%%yotta run\nfor i in range(3):\n    print(f'\\r{i} of 2', end='', flush=True)")
    assert text(messages) == "\r0 of 2\r1 of 2\r2 of 2"


def test_state_lasts_and_the_cell_is_sent_unchanged(notebook: Notebook) -> None:
    notebook.run("%%yotta run\nx = 41")
    messages = notebook.run("%%yotta run\nprint('$HOME {x}')\n!echo shell $((x + 1))\n%precision 2\nx + 1")
    assert text(messages).replace("\r", "") == "$HOME {x}\nshell 1\n"
    assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "42"
    assert contents(notebook.run("_"), "execute_result")[0]["data"]["text/plain"] == "42"


def test_a_line_returns_its_result(notebook: Notebook) -> None:
    messages = notebook.run("result = %yotta run -- print('printed'), 6 * 7\nresult.text, result.stdout")
    assert contents(messages, "execute_result")[-1]["data"]["text/plain"] == "('(None, 42)', 'printed\\n')"


def test_a_failing_cell_fails_with_the_remote_traceback_alone(notebook: Notebook) -> None:
    messages = notebook.run("%%yotta run\ndef divide(a):\n    return a / 0\nprint('before')\ndivide(1)\nprint('after')")
    assert "before" in text(messages)
    assert "after" not in text(messages)
    assert "ZeroDivisionError" in error(messages)
    assert "divide" in error(messages)
    assert "yotta_jupyter" not in error(messages)


def test_input_and_getpass_ask_in_the_notebook(notebook: Notebook) -> None:
    notebook.prompts.clear()
    cell = "%%yotta run\nimport getpass\nprint(input('Name: '), len(getpass.getpass('Password: ')))"
    assert text(notebook.run(cell, reply="four")) == "four 4\n"
    assert [(prompt["prompt"], prompt["password"]) for prompt in notebook.prompts] == [
        ("Name: ", False),
        ("Password: ", True),
    ]


def test_values_are_pushed_and_pulled(notebook: Notebook) -> None:
    notebook.run("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]}, index=pd.Index(['x', 'y'], name='key'))")
    notebook.run("%%yotta run --push frame --pull doubled total\ndoubled = frame * 2\ntotal = int(doubled.a.sum())")
    messages = notebook.run("total, doubled.loc['y', 'a'].item(), doubled.index.name")
    assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "(6, 4, 'key')"


def test_a_line_without_code_pushes_and_pulls_only(notebook: Notebook) -> None:
    notebook.run("number = 20\n%yotta run --push number")
    notebook.run("%%yotta run\nnumber += 1")
    messages = notebook.run("%yotta run train --pull number\nnumber")
    assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "21"


def test_values_that_cannot_be_moved_are_refused_before_the_cell_runs(notebook: Notebook) -> None:
    notebook.run("frame = 1\nclass Model: pass\nmodel = Model()")
    missing = notebook.run("%%yotta run --push frme\nprint('ran')")
    assert error(missing) == "InvalidRequest: --push: this notebook has no variable 'frme'. Did you mean frame?"
    refused = notebook.run("%%yotta run --push model\nprint('ran')")
    assert "model cannot be pushed" in error(refused)
    assert "%yotta cp" in error(refused)
    assert text(missing) + text(refused) == ""
    pulled = notebook.run("%%yotta run --pull model\nclass Model: pass\nmodel = Model()\nprint('ran')")
    assert text(pulled) == "ran\n"
    assert "model cannot be pulled" in error(pulled)
    assert "%yotta cp" in error(pulled)


def test_a_pull_with_a_bad_name_says_how_to_pull_the_others(notebook: Notebook) -> None:
    pulled = notebook.run("%%yotta run train --pull good absent\ngood = 1")
    assert "absent cannot be pulled: there is no variable of that name." in error(pulled)
    assert "Nothing was pulled. Pull the others: %yotta run train --pull good" in error(pulled)


def test_an_interrupt_of_a_pull_says_that_the_variables_are_on_the_pod(notebook: Notebook, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    cell = (
        "%%yotta run --pull big\n"
        "import pathlib, time\n"
        "def block():\n"
        "    get_ipython().events.unregister('pre_execute', block)\n"
        f"    pathlib.Path({str(flag)!r}).touch()\n"
        "    time.sleep(60)\n"
        "get_ipython().events.register('pre_execute', block)\n"  # Called when the pull begins.
        "big = 42"
    )

    def interrupt_pull() -> None:
        wait_until(flag.exists)
        notebook.manager.interrupt_kernel()

    thread = threading.Thread(target=interrupt_pull)
    thread.start()
    message = error(notebook.run(cell))
    thread.join()
    assert message.startswith(
        "TransferInterrupted: The cell has ended, but its pull was interrupted. The variables are"
    )
    assert message.endswith("Fetch them with: %yotta run train --pull big")
    fetched = notebook.run("%yotta run train --pull big\nbig")
    assert contents(fetched, "execute_result")[0]["data"]["text/plain"] == "42"


def test_an_interrupt_stops_the_cell_on_the_pod(notebook: Notebook) -> None:
    cell = "%%yotta run\nimport time\nprint('begun', flush=True)\ntime.sleep(60)"
    assert "KeyboardInterrupt" in error(notebook.run(cell, interrupt_at="begun"))
    assert contents(notebook.run("%%yotta run\n1"), "execute_result")


def test_a_second_interrupt_detaches_and_attach_shows_all_output(notebook: Notebook, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    cell = (
        "%%yotta run\n"
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print('begun', flush=True)\n"
        f"while not os.path.exists({str(flag)!r}):\n"
        "    time.sleep(0.01)\n"
        "print('ended')"
    )
    detached = notebook.run(cell, interrupt_at="begun", interrupts=2)
    assert "was interrupted there, and may still run. See all of its output with: %yotta attach train --run" in error(
        detached
    )
    assert text(detached).count("begun") == 1
    flag.touch()
    assert text(notebook.run("%yotta attach")) == "begun\nended\n"


def test_a_restart_of_the_notebook_leaves_the_cell_running(
    notebook: Notebook, environment: dict[str, str], tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    with start_notebook(environment) as other:
        other.client.execute(
            "%%yotta run train\n"
            "import os, time\n"
            "print('begun', flush=True)\n"
            f"while not os.path.exists({str(flag)!r}): time.sleep(0.01)\n"
            "print('ended')"
        )
        while "begun" not in other.client.get_iopub_msg(timeout=30)["content"].get("text", ""):
            pass
        other.manager.restart_kernel(now=False)  # Interrupts the kernel first, as JupyterLab does.
        other.client.wait_for_ready(timeout=60)
        flag.touch()
        other.run("%load_ext yotta_jupyter")
        assert text(other.run("%yotta attach train")) == "begun\nended\n"


def test_an_interrupt_of_attach_leaves_the_cell_running(notebook: Notebook, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    notebook.run(
        "%%yotta run --detach\n"
        "import os, time\n"
        "print('begun', flush=True)\n"
        f"while not os.path.exists({str(flag)!r}): time.sleep(0.01)\n"
        "print('ended')"
    )
    assert "still runs there" in error(notebook.run("%yotta attach", interrupt_at="begun"))
    flag.touch()
    assert text(notebook.run("%yotta attach")) == "begun\nended\n"


def test_attach_asks_for_the_input_of_a_cell_that_others_wait_for(notebook: Notebook) -> None:
    notebook.run("%%yotta run --detach\nprint('got', input('Question: '))")
    notebook.run("%%yotta run --detach\n'queued'")
    assert "got reply" in text(notebook.run("%yotta attach", reply="reply"))
    assert "'queued'" in str(contents(notebook.run("%yotta attach"), "execute_result"))


def test_a_prompt_that_another_notebook_answers_is_closed(notebook: Notebook, environment: dict[str, str]) -> None:
    messages: Messages = []
    with start_notebook(environment) as other:
        notebook.client.execute_interactive(
            "%%yotta run\nprint('got', input('Question: '))",
            stdin_hook=lambda message: other.run("%yotta attach train", reply="reply"),
            output_hook=messages.append,
            timeout=60,
        )
    assert text(messages).splitlines() == [
        "Note: This prompt was answered elsewhere, or its cell has ended.",
        "got reply",
    ]


def test_help_of_an_object_is_shown(notebook: Notebook) -> None:
    messages = notebook.run("%%yotta run\nstr.join?")
    assert "Concatenate any number of strings" in str(contents(messages, "display_data"))


def test_a_detached_cell_is_attached_from_another_notebook(notebook: Notebook, environment: dict[str, str]) -> None:
    started = notebook.run("%%yotta run --detach\nfor i in range(3):\n    print('line', i)\n'value'")
    assert "All of its output: %yotta attach train --run" in text(started)
    with start_notebook(environment) as other:
        messages = other.run("%yotta attach train")
    assert text(messages) == "line 0\nline 1\nline 2\n"
    assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "'value'"


def test_a_run_of_a_busy_pod_says_what_it_waits_for(notebook: Notebook) -> None:
    code = "import time\n# Train.\nprint('begun', flush=True)\ntime.sleep(60)"
    run_id = re.search(r" as (\w+)\.", text(notebook.run(f"%%yotta run --detach\n{code}")))[1]
    attach = f"%yotta attach train --run {run_id}"
    note = "This one starts after it. To see its output instead, interrupt this cell, then: " + attach
    other = notebook.run("%%yotta run\nprint('next')", interrupt_at="This one starts after it")
    assert f" (run {run_id}): print('begun', flush=True). {note}\n" in text(other)
    assert "begun" in text(notebook.run(attach, interrupt_at="begun"))
    same = notebook.run(f"%%yotta run\n{code}", interrupt_at="This one starts after it")
    assert re.search(rf"the same cell is running on train \(\d+\) already \(run {run_id}\)\. {note}\n", text(same))
    assert "The cell did not run: it was interrupted" in error(other)
    assert "The cell did not run: it was interrupted" in error(same)
    listed = notebook.run("runs = %yotta attach train --list\nruns.tail(3).drop(columns='started_at').values.tolist()")
    assert contents(listed, "execute_result")[0]["data"]["text/plain"] == (
        "[['running', \"print('begun', flush=True)\"],\n"
        " ['not_run', \"print('next')\"],\n"
        " ['not_run', \"print('begun', flush=True)\"]]"
    )
    assert "Interrupted on train" in text(notebook.run("%yotta interrupt"))
    assert "Nothing runs on train" in text(notebook.run("%yotta interrupt"))


def test_code_on_a_pod_has_the_variables_of_the_create(notebook: Notebook) -> None:
    notebook.run("import os; os.environ['HF_TOKEN'] = 'token-1'")
    notebook.run("%yotta create pytorch --gpu L4 --name with-env --env FOO=bar --env-from HF_TOKEN --wait")
    assert "The pod has no run since it was started." in error(notebook.run("%yotta attach with-env"))
    cell = "%%yotta run with-env\nimport os\nprint(os.environ.get('FOO'), os.environ.get('HF_TOKEN'))"
    assert text(notebook.run(cell)) == "bar token-1\n"
    assert text(notebook.run("%%yotta sh with-env\necho $FOO $HF_TOKEN")) == "bar token-1\n"


def test_a_restart_forgets_the_variables(notebook: Notebook) -> None:
    notebook.run("%%yotta run\nkept = 1")
    assert "The variables of the old one are gone" in text(notebook.run("%yotta restart"))
    assert "NameError" in error(notebook.run("%%yotta run\nkept"))


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")
def test_the_passphrase_of_a_key_is_prompted_for_and_not_shown(notebook: Notebook, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "locked", passphrase="open sesame", rounds=4)
    (tmp_path / "locked").chmod(0o600)
    key.write_public_key(tmp_path / "locked.pub")
    notebook.prompts.clear()
    notebook.run(f"%config YottaMagics.ssh_key = {str(tmp_path / 'locked')!r}")
    try:
        notebook.run("%yotta create pytorch --gpu L4 --name locked --wait")
        messages = notebook.run("%yotta run locked -- 6 * 7", reply="open sesame")
    finally:
        notebook.run("%config YottaMagics.ssh_key = None")
    assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "42"
    assert [prompt["password"] for prompt in notebook.prompts] == [True]
    assert "sesame" not in str(messages)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%yotta run", "%yotta run needs code. Write %%yotta run POD"),
        ("%yotta run nope -- 1", "There is no pod 'nope'. See your pods with: %yotta list"),
        ("%yotta run --detach --pull x -- 1", "--pull needs the end of the cell"),
        ("%yotta run --detach --push x", "--detach needs code to run."),
        ("%yotta run --push train -- 1", "Write the pod first: %%yotta run train"),
        ("%yotta run --pull 1x -- 1", "'1x' is not the name of a variable"),
        ("%%yotta list\n1", "%yotta list takes no cell"),
        ("%yotta attach --run xyz", "The pod has no run 'xyz'. See its runs with: %yotta attach train --list"),
    ],
)
def test_bad_input_gets_one_line(notebook: Notebook, line: str, expected: str) -> None:
    message = error(notebook.run(line))
    assert expected in message
    assert "\n" not in message


def test_a_name_means_the_live_pod_when_the_other_one_is_being_deleted(notebook: Notebook) -> None:
    notebook.run("%yotta create pytorch --gpu L4 --name again --wait\n%yotta use again")
    try:
        notebook.run("%yotta delete again --yes")
        notebook.run("%yotta create pytorch --gpu L4 --name again")
        messages = notebook.run("%%yotta run\n6 * 7")
        assert "again" in text(messages)
        assert "has ended; commands use again" in text(messages)
        assert contents(messages, "execute_result")[0]["data"]["text/plain"] == "42"
    finally:
        notebook.run("%yotta use train")


def test_pods_that_cannot_run_code_say_what_to_do(notebook: Notebook) -> None:
    notebook.run("%yotta create pytorch --gpu L4 --name no-ssh --expose 8888 --wait")
    assert "--expose 22/SSH" in error(notebook.run("%yotta run no-ssh -- 1"))
    notebook.run("%yotta create pytorch --gpu L4 --name other --wait\n%yotta pause other --wait")
    assert "Resume it with: %yotta resume other --wait" in error(notebook.run("%yotta run other -- 1"))
