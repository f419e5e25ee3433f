"""Cells on a pod behave like cells of a local kernel."""

import asyncio
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import pytest

from tests.remote.sshd import wait_until
from yotta_jupyter.errors import InvalidRequest, RemoteDetached, RemoteError, RunInterrupted
from yotta_jupyter.remote import late
from yotta_jupyter.remote.execution import Execution


def test_state_lasts_across_runs(remote):
    remote.run("x = 20")
    result = remote.run("x + 22")
    assert result.text == "42"
    assert result.execution_count == remote.run("1").execution_count - 1


def test_streams_arrive_in_order_while_the_cell_runs(remote, outputs):
    code = "import sys\nfor i in range(100):\n    print(i, file=sys.stderr if i % 10 == 0 else sys.stdout, flush=True)"
    result = remote.run(code, on_output=outputs)
    assert [line for line in outputs.lines if int(line) % 10] == result.stdout.split()
    assert sorted(map(int, outputs.lines)) == list(range(100))
    assert result.stderr.split() == [str(i) for i in range(0, 100, 10)]


def test_output_arrives_while_the_cell_runs(remote, outputs):
    def reply(prompt, password):
        assert outputs.lines[0] == "first"
        return "value"

    assert remote.run("print('first'); input()", on_output=outputs, on_input=reply).text == "'value'"


def test_rich_displays_have_all_their_formats(remote, outputs):
    code = """
from IPython.display import display, HTML
class Rich:
    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"text/plain": "plain", "text/html": "<b>rich</b>", "image/png": "iVBORw0KGgo="}
        return data, {"image/png": {"width": 9}}
display(Rich())
HTML("<i>value</i>")
"""
    result = remote.run(code, on_output=outputs)
    display, value = result.outputs
    assert display["output_type"] == "display_data"
    assert display["data"]["text/html"] == "<b>rich</b>"
    assert display["metadata"]["image/png"] == {"width": 9}
    assert value["output_type"] == "execute_result"
    assert result.value["text/html"] == "<i>value</i>"
    assert [m["msg_type"] for m in outputs.messages] == ["display_data", "execute_result"]


def test_a_display_is_updated_and_outputs_are_cleared(remote, outputs):
    code = """
from IPython.display import display, clear_output
print("before"); clear_output()
handle = display("one", display_id=True)
handle.update("two")
"""
    result = remote.run(code, on_output=outputs)
    assert [o["data"]["text/plain"] for o in result.outputs] == ["'two'"]
    kinds = [kind for kind, _ in groupby(m["msg_type"] for m in outputs.messages)]  # The stream may come in parts.
    assert kinds == ["stream", "clear_output", "display_data", "update_display_data"]
    first, update = outputs.messages[-2:]
    assert first["content"]["transient"] == update["content"]["transient"]


def test_an_exception_has_the_remote_traceback_alone(remote, outputs):
    with pytest.raises(RemoteError) as caught:
        remote.run("def f():\n    return 1 / 0\nprint('before')\nf()", on_output=outputs)
    error = caught.value
    assert (error.ename, error.evalue) == ("ZeroDivisionError", "division by zero")
    assert str(error) == "ZeroDivisionError: division by zero"
    assert error._render_traceback_() == error.traceback
    assert "return 1 / 0" in re.sub(r"\x1b\[[0-9;]*m", "", "".join(error.traceback))
    assert "yotta_jupyter" not in "".join(error.traceback)
    assert error.result.stdout == "before\n"
    assert outputs.text == "before\n"


def test_input_and_getpass_ask_on_the_callers_thread(remote):
    prompts = []

    def reply(prompt, password):
        prompts.append((prompt, password, threading.current_thread() is threading.main_thread()))
        return f"reply {len(prompts)} é"

    result = remote.run("import getpass\nprint(input('Name: '), getpass.getpass('Secret: '))", on_input=reply)
    assert prompts == [("Name: ", False, True), ("Secret: ", True, True)]
    assert result.stdout.splitlines()[-1].endswith("reply 1 é reply 2 é")


def test_magics_and_shell_commands_work_in_a_remote_cell(remote):
    result = remote.run("!echo from $((1 + 1)) shells\n%who_ls int\n%timeit -n1 -r1 None")
    assert "from 2 shells" in result.stdout


def test_a_syntax_error_is_an_error(remote):
    with pytest.raises(RemoteError, match="SyntaxError"):
        remote.run("def")


def test_text_that_is_not_utf8_and_a_large_cell(remote):
    assert "x" in remote.run("!printf '\\377x'").stdout
    assert remote.run(f"len({'x' * 10_000_000!r})").text == "10000000"


def test_interrupt_ends_the_cell_and_keeps_the_state(remote):
    remote.run("kept = 1")
    for _ in range(5):
        request_id = remote.submit("import time\nwhile True: time.sleep(0.01)")
        remote.interrupt(request_id)
        with pytest.raises(RemoteError, match="KeyboardInterrupt"):
            remote.attach(request_id)
    assert remote.run("kept").text == "1"


def interrupt_on(text):
    """Return an ``on_output`` that sends SIGINT to this process when a text arrives."""

    def on_output(message):
        if message["msg_type"] == "stream" and text in message["content"]["text"]:
            os.kill(os.getpid(), signal.SIGINT)

    return on_output


def test_ctrl_c_interrupts_the_remote_cell(remote):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RemoteError, match="KeyboardInterrupt"):
        remote.run(
            "import time\nprint('ready', flush=True)\nwhile True: time.sleep(0.01)", on_output=interrupt_on("ready")
        )
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_detaches(remote):
    code = """
import time
from itertools import groupby
try:
    print("ready", flush=True)
    time.sleep(20)
except KeyboardInterrupt:
    print("caught", flush=True)
time.sleep(0.5)
print("end")
"""
    with pytest.raises(RemoteDetached) as caught:
        remote.run(code, on_output=lambda m: interrupt_on("ready")(m) or interrupt_on("caught")(m))
    assert caught.value.request_id in str(caught.value)
    assert remote.attach(caught.value.request_id).stdout.split() == ["ready", "caught", "end"]


def test_runs_of_a_busy_kernel_wait_and_can_be_cancelled(remote):
    first = remote.submit("import time; time.sleep(30)")
    second = remote.submit("print('never')")
    states = {run.request_id: run.state for run in remote.runs()}
    assert (states[first], states[second]) == ("running", "queued")
    assert next(run.title for run in remote.runs() if run.request_id == first) == "import time; time.sleep(30)"
    remote.interrupt(second)
    with pytest.raises(RemoteError, match="did not run"):
        remote.attach(second)
    remote.interrupt()
    with pytest.raises(RemoteError, match="KeyboardInterrupt"):
        remote.attach(first)


def test_an_error_does_not_cancel_the_runs_that_wait(remote):
    first = remote.submit("import time; time.sleep(0.3); 1/0")
    assert remote.run("'after'").text == "'after'"
    with pytest.raises(RemoteError, match="ZeroDivision"):
        remote.attach(first)


PRINT_LATE = """
import threading, time
def work():
    gate.wait()
    for number in range(3): print("late", number)
gate = threading.Event()
thread = threading.Thread(target=work)
thread.start()
threading.Timer(0.2, gate.set).start()
print("first")
"""


def wait_for_late_output(remote):
    wait_until(lambda: any("late 2" in event.message["content"]["text"] for _, event in remote._agent.late.events))


def test_what_a_thread_prints_after_the_end_of_its_cell_is_shown_with_the_next_one(remote):
    first = remote.run(PRINT_LATE)
    wait_for_late_output(remote)
    remote.push(value=2)  # Shows nothing.
    assert first.stdout == "first\n"
    assert remote.run("thread.join(); print('next', value)").stdout == "late 0\nlate 1\nlate 2\nnext 2\n"
    assert remote.run("1").stdout == ""
    assert remote.attach(first.request_id).stdout == "first\nlate 0\nlate 1\nlate 2\n"


def test_late_output_is_not_lost_with_the_connection(sshd, make_remote):
    remote = make_remote(sshd, on_notice=lambda text: None)
    remote.run(PRINT_LATE)
    sshd.drop()
    time.sleep(0.5)
    assert remote.run("thread.join(); print('next')").stdout == "late 0\nlate 1\nlate 2\nnext\n"


def test_late_output_that_attach_has_shown_is_not_shown_again(remote):
    remote.run(PRINT_LATE)
    wait_for_late_output(remote)
    assert "late 2" in remote.attach().stdout
    assert "late" not in remote.run("print('next')").stdout


def test_late_output_beyond_the_limit_is_counted(remote, monkeypatch):
    monkeypatch.setattr(late, "MAX_LATE", 1000)
    notices = []
    monkeypatch.setattr(remote, "on_notice", notices.append)
    remote.run(PRINT_LATE.replace('print("late", number)', "print('x' * 300, flush=True); time.sleep(0.1)"))
    wait_until(lambda: remote._agent.late.skipped > 1)
    assert 0 < len(remote.run("1").stdout) < 1000
    assert "messages of earlier cells are not shown" in notices[0]


def test_attach_repeats_the_last_run_from_the_start(remote, outputs):
    remote.run("for i in range(50): print(i)")
    assert remote.attach(on_output=outputs).stdout.split() == [str(i) for i in range(50)]
    assert outputs.lines == [str(i) for i in range(50)]


def test_attach_answers_only_an_open_input_request(remote):
    remote.run("name = input('Name: ')", on_input=lambda prompt, password: "first")
    remote.attach(on_input=lambda prompt, password: pytest.fail("answered before"))
    request_id = remote.submit("name = input('Name: ')")
    remote.attach(request_id, on_input=lambda prompt, password: "second")
    assert remote.run("name").text == "'second'"


def test_attach_asks_for_no_input_of_a_run_that_ended(remote):
    def interrupt(prompt, password):
        raise KeyboardInterrupt

    with pytest.raises(RemoteError, match="KeyboardInterrupt") as caught:
        remote.run("input('Name: ')", on_input=interrupt)
    remote.run("1")
    with pytest.raises(RemoteError, match="KeyboardInterrupt"):
        remote.attach(caught.value.result.request_id, on_input=lambda prompt, password: pytest.fail("asked again"))


def test_a_push_that_runs_is_not_listed_as_a_run(remote, shared_sshd, make_remote):
    started, gate = shared_sshd.folder / "started", shared_sshd.folder / "gate"
    code = f"import os, time\nopen({str(started)!r}, 'w')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    with ThreadPoolExecutor(1) as executor:
        hidden = executor.submit(remote._run_hidden, code, lambda message: None)
        wait_until(started.exists)
        other = make_remote(shared_sshd)
        states = [run.state for run in other.runs()]
        gate.touch()
        hidden.result()
    assert "running" not in states


def test_an_unknown_run_cannot_be_attached(remote):
    with pytest.raises(InvalidRequest, match="no run 'nothing'"):
        remote.attach("nothing")


def test_restart_gives_a_fresh_kernel(remote):
    remote.run("gone = 1")
    running = remote.submit("import time; time.sleep(30)")
    remote.restart()
    with pytest.raises(RemoteError, match="KernelRestarted"):
        remote.attach(running)
    with pytest.raises(RemoteError, match="NameError"):
        remote.run("gone")


def test_a_kernel_that_dies_is_an_error_and_is_replaced(remote):
    with pytest.raises(RemoteError, match=r"KernelDied.*SIGKILL.*memory.*variables.*gone") as caught:
        remote.run("import os, time\nprint('last words', flush=True)\ntime.sleep(0.2)\nos.kill(os.getpid(), 9)")
    assert caught.value.result.stdout == "last words\n"
    assert remote.run("1").text == "1"


def test_the_kernel_takes_its_children_along(remote, shared_sshd):
    remote.run("import subprocess; p = subprocess.Popen(['sleep', '987'])")
    remote.restart()
    remote.run("1")
    wait_until(lambda: not any("987" in p.cmdline() for p in shared_sshd.processes() if p.is_running()))


def test_threads_and_tasks_run_cells(remote):
    results = {}

    def work(number):
        results[number] = remote.run(f"{number} * 2").text

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: str(n * 2) for n in range(8)}

    async def both():
        return await asyncio.gather(remote.run_async("'a'"), remote.shell_async("echo b"))

    first, second = asyncio.run(both())
    assert (first.text, second.stdout) == ("'a'", "b\n")


def test_a_cell_that_prints_much_keeps_the_beginning(remote, monkeypatch):
    monkeypatch.setattr("yotta_jupyter.remote.outputs.OutputCollector.__init__.__defaults__", (10_000,))
    received = []
    code = "for i in range(200): print('x' * 1000)"
    result = remote.run(code, on_output=lambda m: received.append(m["content"]["text"]))
    assert result.truncated
    assert len("".join(received)) == 200 * 1001


def test_nothing_of_ours_is_in_the_kernels_namespace(remote):
    remote.push(pushed=1)
    assert remote.pull("pushed") == 1
    names = remote.run("sorted(n for n in dir() if 'yotta' in n.lower() or 'codec' in n)").text
    assert names == "[]"


def test_an_interrupt_after_the_end_of_the_code_is_reported(remote):
    """The end waits in the queue while the output before it is displayed."""

    def interrupt(message):
        wait_until(lambda: remote.runs()[-1].state == "done")
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(RunInterrupted, match=r"The cell on pod 1001 ended before it was interrupted"):
        remote.run("print(1)", on_output=interrupt)


def test_code_that_handles_the_interrupt_ends_normally(remote):
    outputs = []

    def interrupt(message):
        outputs.append(message)
        if len(outputs) == 1:
            signal.raise_signal(signal.SIGINT)

    code = "import time\ntry:\n    print('begun', flush=True)\n    time.sleep(60)\nexcept KeyboardInterrupt: x = 42"
    assert remote.run(code, pull=["x"], on_output=interrupt).pulled == {"x": 42}


def test_an_interrupt_of_a_transfer_raises_even_if_it_succeeds(remote, monkeypatch):
    remote.run("x = 42")
    process = Execution._process

    def interrupt_after(self, event):
        process(self, event)
        if event.kind == "output":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Execution, "_process", interrupt_after)
    with pytest.raises(KeyboardInterrupt):
        remote.pull("x")
    monkeypatch.undo()
    assert remote.pull("x") == 42
