"""The commands pause, resume, delete and wait."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from tests.remote.sshd import wait_until
from yotta_jupyter import (
    AuthenticationError,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    Sandbox,
    ServerError,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
)
from yotta_jupyter.magics.dispatch import CommandInterrupted

Run = Callable[[str], Any]
Output = Callable[[str], str]
Requests = Callable[[str], list[Any]]
MakeClient = Callable[..., Any]


def interrupt_when(condition: Callable[[], object]) -> threading.Thread:
    """Press Ctrl-C when a condition holds."""

    def interrupt() -> None:
        wait_until(condition)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread


def raise_keyboard_interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def raise_eof_error(*_: object) -> NoReturn:
    raise EOFError


def test_pause_and_resume_return_a_row_per_pod(run: Run) -> None:
    frame = run("%yotta pause train-1 notebook-1 --wait")
    assert list(frame.columns) == ["name", "action", "ok", "status", "error"]
    assert list(frame["action"]) == ["pause", "pause"]
    assert list(frame["ok"]) == [True, True]
    assert list(frame["status"]) == ["PAUSED", "PAUSED"]
    assert list(run("%yotta resume train-1 notebook-1 --wait")["status"]) == ["RUNNING", "RUNNING"]


def test_resume_with_wait_waits_for_a_pause_to_end(run: Run) -> None:
    run("%yotta pause train-1")
    assert list(run("%yotta resume train-1 --wait")["status"]) == ["RUNNING"]


@pytest.mark.parametrize(
    ("line", "listings"),
    [
        ("resume finetune-1 --wait", 1),
        ("pause train-1 --wait", 1),
        ("delete train-1 --yes --wait", 1),
        ("wait train-1", 1),
        ("resume finetune-1", 2),
    ],
)
def test_a_wait_needs_no_second_listing(run: Run, requests_to: Requests, line: str, listings: int) -> None:
    """One listing finds the pods. Only without a wait does a second one show the new statuses."""
    run(f"%yotta {line}")
    assert len(requests_to("list")) == listings


@pytest.mark.parametrize(
    ("line", "status"),
    [("pause finetune-1", "PAUSED"), ("pause finetune-1 --wait", "PAUSED"), ("resume train-1", "RUNNING")],
)
def test_a_repeated_pause_or_resume_is_no_error(
    run: Run, captured_output: Output, requests_to: Requests, line: str, status: str
) -> None:
    assert f"Note: nothing to {line.split()[0]}: {line.split()[1]} is {status} already." in captured_output(
        f"%yotta {line}"
    )
    frame = run(f"%yotta {line}")
    assert list(frame["ok"]) == [True]
    assert list(frame["status"]) == [status]


def test_pods_in_mixed_states_are_paused_with_a_note(run: Run, captured_output: Output, sandbox: Sandbox) -> None:
    output = captured_output("pods = %yotta list\nresult = %yotta pause $pods.index --wait\nresult")
    assert "Note: nothing to pause: finetune-1 is PAUSED already." in output
    assert list(run("result")["ok"]) == [True] * 3
    assert {pod["status"] for pod in sandbox.pods()} == {"PAUSED"}


def test_cells_with_wait_run_again_in_any_state(run: Run) -> None:
    run("%yotta create pytorch --gpu L4 --name mine")
    assert list(run("%yotta pause mine --wait")["status"]) == ["PAUSED"]
    run("%yotta resume mine")
    assert list(run("%yotta resume mine --wait")["status"]) == ["RUNNING"]
    run("%yotta pause mine")
    assert list(run("%yotta pause mine --wait")["status"]) == ["PAUSED"]


def test_a_pause_of_a_starting_pod_says_what_to_do(
    run: Run, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(speed=0.001).base_url)
    run("%yotta create pytorch --gpu L4 --name q1")
    advice = (
        r"It costs money as soon as it runs\. .* %yotta wait q1, then %yotta pause q1, or delete it: %yotta delete q1$"
    )
    with pytest.raises(InvalidPodState, match=rf"it is INITIALIZE, and must be RUNNING\. {advice}"):
        run("%yotta pause q1")


@pytest.mark.parametrize(
    ("action", "cost"),
    [("pause", "otherwise still costs"), ("resume", "then costs"), ("delete", "otherwise still costs")],
)
def test_a_server_error_says_that_the_request_may_have_been_applied(
    run: Run, sandbox: Sandbox, action: str, cost: str
) -> None:
    sandbox.add_fault(f"{action}:500-afterx1")
    pod = "finetune-1" if action == "resume" else "train-1"
    with pytest.raises(ServerError, match=f"The {action} may have been applied; the pod {cost} money"):
        run(f"%yotta {action} {pod} {'--yes' if action == 'delete' else ''}")


@pytest.mark.parametrize("pods", ["train-1", "train-1 notebook-1"])
@pytest.mark.parametrize("action", ["pause", "delete --yes"])
def test_ctrl_c_during_a_request_is_one_line(
    captured_output: Output, requests_to: Requests, sandbox: Sandbox, action: str, pods: str
) -> None:
    endpoint = action.split()[0]
    sandbox.add_fault(f"{endpoint}:slow=60")
    thread = interrupt_when(lambda: len(requests_to(endpoint)) == len(pods.split()))
    output = captured_output(f"%yotta {action} {pods}")
    thread.join()
    assert "Traceback" not in output
    error = rf"RequestInterrupted: Interrupted: the {endpoint} of train-1 \(\d+\).* may have been applied"
    assert re.search(rf"{error}; the pod otherwise still costs money\. See .*: %yotta (get train-1|list)$", output)


@pytest.fixture
def slow(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox in which q1 stays INITIALIZE, and train-1, once paused, PAUSING."""
    with Sandbox(speed=0.001) as slow:
        monkeypatch.setenv("YOTTA_BASE_URL", slow.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", slow.api_key)
        run("%yotta create pytorch --gpu L4 --name q1")
        run("%yotta pause train-1")
        yield slow


UNSENT = [
    ("pause q1 --wait", "pause", r"q1 \(\d+\) is INITIALIZE", "pause q1 --wait, or stop it with %yotta delete q1"),
    ("resume train-1 --wait", "resume", r"train-1 \(\d+\) is PAUSING", "resume train-1 --wait"),
    ("create $image --gpu L4 --name train-1 --resume", "resume", "PAUSING", "resume train-1 --wait"),
]
"""Commands that wait before they send an action; the action, the pod's state, and the advice."""


def polls(sandbox: Sandbox, action: str) -> int:
    """Return the number of polls of the last command, which the request of an action or the listing precedes."""
    endpoints = [request.endpoint for request in sandbox.requests]
    last = max(index for index, endpoint in enumerate(endpoints) if endpoint in (action, "list"))
    return endpoints[last:].count("get")


@pytest.mark.parametrize("end", ["interrupt", "error"])
@pytest.mark.parametrize(("line", "action", "state", "command"), UNSENT, ids=[row[0].split()[0] for row in UNSENT])
def test_a_wait_before_an_action_that_ends_early_says_that_it_was_not_sent(
    run: Run, slow: Sandbox, line: str, action: str, state: str, command: str, end: str
) -> None:
    run("image = get_ipython().run_line_magic('yotta', 'list').set_index('name')['image']['train-1']")
    count = len(slow.requests)
    is_polling = lambda: len(slow.requests) > count and polls(slow, action) >= 3  # noqa: E731
    if end == "interrupt":
        thread = interrupt_when(is_polling)
    else:
        thread = threading.Thread(target=lambda: (wait_until(is_polling), slow.add_fault("get:status=401")))
        thread.start()
    with pytest.raises(WaitInterrupted if end == "interrupt" else AuthenticationError) as caught:
        run(f"%yotta {line}")
    thread.join()
    message = str(caught.value)
    assert re.search(rf"{state}\. The {action} was not sent\. This (may )?still costs? money\.", message)
    assert f"To wait and send it: %yotta {command}" in message
    assert "%yotta wait" not in message


def test_an_interrupted_wait_before_a_pause_names_the_pods_whose_pause_was_sent(run: Run, slow: Sandbox) -> None:
    thread = interrupt_when(lambda: polls(slow, "pause") >= 3)
    with pytest.raises(WaitInterrupted) as caught:
        run("%yotta pause q1 notebook-1 --wait")
    thread.join()
    assert re.search(
        r"q1 \(\d+\) is INITIALIZE\. The pause was not sent\..* The pause of notebook-1 \(\d+\) was sent\. To wait",
        str(caught.value),
    )


@pytest.mark.parametrize(
    ("fault", "line", "sent", "state"),
    [
        ("500-before", "create pytorch --gpu L4 --name a --wait", "", r"a \(\d+\) is INITIALIZE. This may still cost"),
        ("code=13000", "wait train-1 --until paused", "", r"train-1 \(\d+\) is RUNNING. This still costs"),
        ("code=13000", "pause train-1 --wait", "The pause was sent. ", r"train-1 \(\d+\) is PAUSING. This still costs"),
        (
            "500-before",
            "resume finetune-1 --wait",
            "The resume was sent. ",
            r"finetune-1 \(\d+\) is INITIALIZE. This may still cost",
        ),
    ],
)
def test_an_error_that_ends_a_wait_names_the_pod_its_cost_and_the_next_command(
    run: Run, sandbox: Sandbox, fault: str, line: str, sent: str, state: str
) -> None:
    sandbox.add_fault(f"get:{fault}")
    with pytest.raises((ServerError, PodNotFound)) as caught:
        run(f"%yotta {line}")
    message = str(caught.value)
    assert re.match(rf"{sent}(The API failed|There is no pod).* Last known: {state} money\. ", message)
    name = re.search(r"Last known: (\S+)", message)[1]
    assert re.search(rf"%yotta (wait|delete|pause) {name}", message)
    assert "\n" not in message


def test_ctrl_c_during_a_listing_fails_the_cell_with_one_line(
    captured_output: Output, run: Run, requests_to: Requests, sandbox: Sandbox
) -> None:
    sandbox.add_fault("list:slow=60")
    thread = interrupt_when(lambda: requests_to("list"))
    with pytest.raises(CommandInterrupted) as caught:
        run("%yotta list")
    thread.join()
    (line,) = caught.value._render_traceback_()
    assert line == "CommandInterrupted: The command was interrupted."


@pytest.mark.parametrize("listing", ["list:lag=100000", "list:lag=100000 get:lag=100000"])
def test_a_new_pod_that_the_listing_lacks_is_found(
    run: Run, captured_output: Output, sandbox: Sandbox, listing: str
) -> None:
    for fault in listing.split():
        sandbox.add_fault(fault)
    pod = run("%yotta create pytorch --gpu L4 --name mine")
    assert pod.id in run("%yotta list").index
    assert pod.id not in run("%yotta list --status paused").index
    sandbox.clear_faults()
    run("%yotta wait mine")
    for fault in listing.split():
        sandbox.add_fault(fault)
    assert list(run(f"%yotta pause {pod.id[:-1]}")["ok"]) == [True]
    assert list(run("%yotta delete mine --yes")["status"]) == ["TERMINATING"]


def test_an_accepted_pause_is_shown_although_the_listing_lags(captured_output: Output, sandbox: Sandbox) -> None:
    sandbox.advance(100)
    sandbox.add_fault("list:lag=90")
    output = captured_output("%yotta pause train-1")
    assert "Note: pause requested; the API still shows train-1 as RUNNING." in output
    assert re.search(r"^train-1 \(\d+\) is PAUSING\.$", output, re.MULTILINE)


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_an_unknown_name_suggests_no_other_pod_to_end(run: Run, action: str) -> None:
    with pytest.raises(PodNotFound, match=r"^There is no pod 'train-2'\. A listing may lack a pod .*%yotta list$"):
        run(f"%yotta {action} train-2")
    with pytest.raises(PodNotFound, match="Did you mean train-1"):
        run("%yotta resume train-2")


@pytest.mark.parametrize("wait", ["", "--wait"])
def test_one_failure_does_not_stop_the_others_and_fails_the_cell(
    run: Run, captured_output: Output, sandbox: Sandbox, wait: str
) -> None:
    sandbox.add_fault("create:failedx1")
    run("%yotta create pytorch --gpu L4 --name broken\n%yotta wait broken --until failed")
    output = captured_output(f"%yotta pause train-1 broken notebook-1 {wait}")
    assert "pause failed for 1 of 3 pods" in output
    assert "train-1" in output
    status = {pod["podName"]: pod["status"] for pod in sandbox.pods()}
    assert "RUNNING" not in (status["train-1"], status["notebook-1"])
    with pytest.raises(YottaError):
        run("%yotta pause train-1 broken")


def test_delete_asks_first_and_accepts_no(
    run: Run, captured_output: Output, requests_to: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "n")
    assert "Nothing was deleted." in captured_output("%yotta delete train-1")
    assert "train-1 (RUNNING, $" in questions[0]
    assert requests_to("delete") == []
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert list(run("%yotta delete train-1 --wait")["status"]) == ["TERMINATED"]


def test_delete_without_input_advises_yes(run: Run, requests_to: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", raise_eof_error)
    with pytest.raises(InvalidRequest, match=r"nothing was deleted.*--yes"):
        run("%yotta delete train-1")
    assert requests_to("delete") == []


def test_ctrl_c_at_the_question_deletes_nothing(
    captured_output: Output, requests_to: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", raise_keyboard_interrupt)
    assert "Nothing was deleted." in captured_output("%yotta delete train-1")
    assert requests_to("delete") == []


def test_a_deleted_pod_that_the_api_no_longer_has_is_terminated(
    run: Run, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(speed=1e6).base_url)
    frame = run("%yotta delete train-1 notebook-1 --yes --wait")
    assert list(frame["ok"]) == [True, True]
    assert list(frame["status"]) == ["TERMINATED", "TERMINATED"]


@pytest.mark.parametrize("name", ["''", '"$name"', "' '"])
def test_an_empty_name_matches_no_pod(
    run: Run, make_client: MakeClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(pods=1)
    monkeypatch.setenv("YOTTA_BASE_URL", client.base_url)
    run("name = ''")
    with pytest.raises(InvalidRequest, match="empty"):
        run(f"%yotta delete {name} --yes")
    assert [pod.status for pod in client.pods.list()] == ["RUNNING"]


def test_wait_until_ssh(run: Run) -> None:
    run("%yotta create pytorch --gpu L4 --name mine")
    frame = run("%yotta wait mine --until ssh")
    assert list(frame["status"]) == ["RUNNING"]
    assert run("%yotta ssh mine").startswith("ssh user@")


def test_a_wait_timeout_names_id_status_cost_and_next_commands(run: Run, pod_id: str) -> None:
    with pytest.raises(WaitTimeout) as caught:
        run("%yotta wait train-1 --until paused --timeout 0")
    message = str(caught.value)
    assert f"({pod_id}) is RUNNING. This still costs money" in message
    assert "%yotta pause train-1," in message
    assert "%yotta wait train-1 --until paused" in message


@pytest.mark.parametrize(("action", "target"), [("pause", "paused"), ("delete", "terminated")])
def test_a_wait_timeout_for_a_requested_change_does_not_advise_delete(
    run: Run, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, action: str, target: str
) -> None:
    slow = make_client(speed=0.001)
    monkeypatch.setenv("YOTTA_BASE_URL", slow.base_url)
    getattr(slow.pods, action)(run("%yotta get train-1").id)
    with pytest.raises(WaitTimeout, match=rf"%yotta wait train-1 --until {target}\.?$") as caught:
        run(f"%yotta wait train-1 --until {target} --timeout 0")
    assert "%yotta delete" not in str(caught.value)


def test_a_wait_for_a_pause_that_was_not_requested_says_so(captured_output: Output) -> None:
    note = r"^Note: train-1 \(\d+\) is RUNNING, and a wait does not pause it\. See %yotta pause train-1$"
    line = "%yotta wait train-1 --timeout 0 --until"
    assert re.search(note, captured_output(f"{line} paused"), re.MULTILINE)
    assert "Note" not in captured_output(f"{line} running")
    assert "Note" not in captured_output("%yotta wait finetune-1 --until paused")


def test_pods_that_are_not_ready_yet_have_not_failed(
    run: Run, captured_output: Output, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(speed=0.001).base_url)
    line = "%yotta wait train-1 notebook-1 --until paused --timeout 0"
    with pytest.raises(YottaError, match=r"^2 of 2 pods are not ready yet"):
        run(line)
    assert "failed" not in captured_output(line)


def test_an_invalid_timeout_is_rejected_before_any_request(run: Run, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidRequest, match="number of seconds"):
        run("%yotta wait train-1 --timeout soon")
    assert sandbox.requests == []


def test_a_pause_says_once_per_pod_what_it_may_erase(run: Run, captured_output: Output, sandbox: Sandbox) -> None:
    volume = "--persistent-volume 10 --mount /data"
    for name, flags in (("plain", ""), ("kept", volume), ("second", "")):
        run(f"%yotta create me/own:1 --gpu NVIDIA_L4_24G --name {name} {flags} --wait")
    output = captured_output("%yotta pause plain kept second --wait")
    note = "Note: a pause may erase all files of plain, second. Keep what matters elsewhere, or create the pod with"
    assert f"{note} --persistent-volume GB --mount PATH: files at PATH stay." in output
    assert "Note: a pause may erase all files outside /data of kept.\n" in output
    run("%yotta resume plain --wait")
    assert "erase" not in captured_output("%yotta pause plain kept --wait")


def test_a_pause_of_a_paused_pod_erases_nothing(captured_output: Output) -> None:
    assert "erase" not in captured_output("%yotta pause finetune-1")


def test_the_question_before_a_delete_names_number_and_cost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "n")
    cost = run("%yotta list")["hourly_cost"].sum()
    run("%yotta delete train-1 notebook-1 finetune-1")
    assert questions[0].startswith(f"Delete 3 pods (${cost:.2f} an hour in all) permanently: train-1 (RUNNING, $")


def test_the_question_before_a_delete_does_not_call_an_unknown_price_zero(
    run: Run, record: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = [record(id=str(n), podName=f"p{n}", status="RUNNING", singleCardPrice=None) for n in range(2)]
    questions: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "n")
    with Sandbox(records=pods) as sandbox:
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        run("%yotta delete p0 p1")
    assert questions[0].startswith("Delete 2 pods (of unknown price) permanently: p0 (RUNNING, an unknown price)")
    assert "$" not in questions[0]


def test_one_pod_gets_one_line_and_still_a_dataframe(run: Run, captured_output: Output, pod_id: str) -> None:
    output = captured_output("result = %yotta pause train-1 --wait\nresult")
    assert f"\ntrain-1 ({pod_id}) is PAUSED.\n" in output
    assert "<NA>" not in output
    assert list(run("result")["status"]) == ["PAUSED"]
    assert f"train-1 ({pod_id}) is PAUSED." in captured_output("result")


def test_a_loop_shows_a_line_per_pod(captured_output: Output) -> None:
    output = captured_output("for n in ['train-1', 'notebook-1']:\n    %yotta delete $n --yes")
    assert len([line for line in output.splitlines() if "is TERMINAT" in line]) == 2


def test_several_pods_show_errors_only_if_there_are_any(captured_output: Output) -> None:
    output = captured_output("%yotta pause train-1 notebook-1 --wait")
    assert "error" not in output
    assert "<NA>" not in output
    captured_output("%yotta delete finetune-1 --yes")
    assert "error" in captured_output("%yotta pause train-1 finetune-1")


def test_errors_name_a_pod_by_its_name(run: Run) -> None:
    run("%yotta delete train-1 --yes")
    with pytest.raises(InvalidPodState, match=r"^Cannot pause pod train-1 \(\d+\): it is TERMINAT"):
        run("%yotta pause train-1")
    with pytest.raises(InvalidPodState, match=r"Resume it with: %yotta resume finetune-1 --wait$"):
        run("%yotta ssh finetune-1")


def test_a_paused_pod_costs_no_gpu_while_it_is_deleted(
    run: Run, make_client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(speed=0.1).base_url)
    before = run("%yotta list").set_index("name")["hourly_cost"]["finetune-1"]
    run("%yotta delete finetune-1 --yes")
    after = run("%yotta list").set_index("name").loc["finetune-1"]
    assert after["status"] == "TERMINATING"
    assert after["hourly_cost"] == before


def test_a_running_cell_is_named_before_a_pause_or_delete_ends_it(
    run: Run, captured_output: Output, pod_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("%%yotta run train-1 --detach\nimport time; time.sleep(60)")
    remote = run("get_ipython().magics_manager.registry['YottaMagics'].session").client.remotes.find(pod_id)
    wait_until(lambda: remote.running_title)
    questions: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "n")
    run("%yotta delete train-1")
    assert "; a cell is running on train-1: import time; time.sleep(60)? [y/N]" in questions[0]
    output = captured_output("%yotta pause train-1")
    assert output.startswith("Note: a cell is running on train-1: import time; time.sleep(60); this ends it.\n")
