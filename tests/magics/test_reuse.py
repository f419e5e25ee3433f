"""``%yotta create --name``: a live pod of that name is reused, so that running a notebook twice pays once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import Client, CreateOutcomeUnknown, InvalidRequest, Sandbox, connect
from yotta_jupyter.errors import NameTaken

Run = Callable[[str], Any]
Output = Callable[[str], str]
Requests = Callable[[str], list[Any]]

CREATE = "%yotta create pytorch --gpu L4 --name train"


def live_names(sandbox: Sandbox) -> list[str]:
    return [pod["podName"] for pod in sandbox.pods() if pod["status"] not in ("TERMINATED", "TERMINATING", "FAILED")]


def test_a_cell_that_runs_twice_creates_one_pod(
    run: Run, captured_output: Output, requests_to: Requests, sandbox: Sandbox
) -> None:
    first = run(f"{CREATE} --wait")
    output = captured_output(f"{CREATE} --wait")
    assert run(CREATE).id == first.id
    assert len(requests_to("create")) == 1
    assert live_names(sandbox).count("train") == 1
    expected = (
        f"Reused pod train ({first.id}), which is RUNNING: ${first.hourly_rate:.2f} an hour now. Nothing was created."
    )
    assert expected in output


def test_wait_waits_for_the_reused_pod(run: Run, requests_to: Requests) -> None:
    run(CREATE)
    assert run(f"{CREATE} --wait").ssh_ready
    assert len(requests_to("create")) == 1


def test_a_create_without_a_name_always_creates(run: Run, requests_to: Requests) -> None:
    first, second = (run("%yotta create pytorch --gpu L4") for _ in range(2))
    assert first.id != second.id
    assert len(requests_to("create")) == 2


@pytest.mark.parametrize("create", [CREATE, "%yotta create pytorch --gpu L4"], ids=["named", "unnamed"])
def test_a_create_of_unknown_outcome_creates_no_second_pod(
    run: Run, requests_to: Requests, sandbox: Sandbox, create: str, short_lookup_delays: None
) -> None:
    sandbox.add_fault("create:lostx1")
    sandbox.add_fault("list:lag=3600")
    for _ in range(2):
        with pytest.raises(CreateOutcomeUnknown, match="may exist and cost money"):
            run(create)
    sandbox.clear_faults()
    pod = run(create)
    assert len(requests_to("create")) == 1
    assert pod.id in {record["id"] for record in sandbox.pods()}


def test_another_creates_one_more(run: Run, requests_to: Requests, sandbox: Sandbox) -> None:
    first, second = run(CREATE), run(f"{CREATE} --another")
    assert first.id != second.id
    assert live_names(sandbox).count("train") == 2


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ("pytorch --gpu H200", "its GPU type is NVIDIA_L4_24G, not NVIDIA_H200_141G"),
        ("pytorch --gpu L4 --count 2", "its number of GPUs is 1, not 2"),
        ("unsloth --gpu L4", "its image is yottalabsai/pytorch:"),
        ("pytorch --gpu L4 --region us-east-2", "its region is us-west-1, not us-east-2"),
    ],
)
def test_a_different_pod_of_that_name_is_an_error(
    run: Run, requests_to: Requests, arguments: str, difference: str
) -> None:
    pod = run(f"{CREATE} --region us-west-1")
    with pytest.raises(NameTaken) as caught:
        run(f"%yotta create {arguments} --name train")
    message = str(caught.value)
    assert message.startswith(f"Pod train ({pod.id}) exists and differs: {difference}")
    assert "--another" in message
    assert "\n" not in message
    assert len(requests_to("create")) == 1


def test_three_pods_of_that_name_are_listed(run: Run, requests_to: Requests) -> None:
    pods = [run(f"{CREATE} --another") for _ in range(3)]
    with pytest.raises(NameTaken, match="3 live pods are named train") as caught:
        run(CREATE)
    assert all(pod.id in str(caught.value) for pod in pods)
    assert "--another" in str(caught.value)
    assert len(requests_to("create")) == 3


@pytest.mark.parametrize("end", ["failed", "delete"])
def test_a_pod_that_ended_is_not_reused(run: Run, requests_to: Requests, sandbox: Sandbox, end: str) -> None:
    if end == "failed":
        sandbox.add_fault("create:failedx1")
    first = run(CREATE)
    run("%yotta wait train --until failed" if end == "failed" else "%yotta delete train --yes")
    assert run(CREATE).id != first.id
    assert len(requests_to("create")) == 2


def test_a_paused_pod_says_how_to_resume_it(run: Run, captured_output: Output, requests_to: Requests) -> None:
    run(f"{CREATE} --wait\n%yotta pause train --wait")
    output = captured_output(CREATE)
    assert "which is PAUSED: $0.00 an hour now. Nothing was created." in output
    assert "Resume it with %yotta resume train --wait, or add --resume here." in output
    assert requests_to("resume") == []
    with pytest.raises(InvalidRequest, match=r"is PAUSED; nothing was created\. To resume it and wait, add --resume$"):
        run(f"{CREATE} --wait")
    assert len(requests_to("create")) == 1


def test_resume_resumes_a_paused_pod(run: Run, captured_output: Output, requests_to: Requests) -> None:
    run(f"{CREATE} --wait\n%yotta pause train --wait")
    pod = run(f"{CREATE} --resume --wait")
    assert pod.ssh_ready
    assert len(requests_to("create")) == len(requests_to("resume")) == 1
    run("%yotta pause train --wait")
    assert "resuming it: $" in captured_output(f"{CREATE} --resume")
    assert run("%yotta wait train --until ssh")["ok"].all()


def test_resume_waits_for_a_pod_that_is_being_paused(
    run: Run, captured_output: Output, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(speed=20).base_url)
    run(f"{CREATE} --wait\n%yotta pause train")
    output = captured_output(CREATE)
    assert "which is PAUSING" in output
    assert "%yotta wait train --until paused, then %yotta resume train --wait" in output
    assert run(f"{CREATE} --resume --wait").ssh_ready


def test_a_create_during_a_listing_lag_is_not_repeated(run: Run, requests_to: Requests, sandbox: Sandbox) -> None:
    sandbox.add_fault("list:lag=100000")
    first = run(CREATE)
    assert run(CREATE).id == first.id
    assert len(requests_to("create")) == 1


def test_a_race_with_another_notebook_is_noted(
    captured_output: Output, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(sandbox.api_key, base_url=sandbox.base_url) as other:
        create = type(other.pods)._create
        other_id = ""

        def create_at_the_same_time(pods: Any, *specs: Any) -> Any:
            nonlocal other_id
            other_id = create(other.pods, *specs).id
            return create(pods, *specs)

        monkeypatch.setattr(type(other.pods), "_create", create_at_the_same_time)
        output = captured_output(CREATE)
    (note,) = re.findall(r"^Note: Another pod .*$", output, re.MULTILINE)
    assert other_id in note
    assert "Both cost money; delete one." in note
    assert "UserWarning" not in output


def test_variables_and_ports_that_a_reused_pod_lacks_are_noted(
    run: Run, captured_output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-token")
    run(f"{CREATE} --env A=1 --env B=1 --expose 22/SSH --expose 8080")
    same = captured_output(f"{CREATE} --env A=1 --env B=1 --expose 22/SSH --expose 8080")
    assert "Reused" in same
    assert "keeps its own" not in same + captured_output(CREATE)
    output = captured_output(f"{CREATE} --env A=1 --env B=canary-value --env-from HF_TOKEN --expose 8080 --expose 9000")
    note = "Note: train keeps its own variables and ports; requested, but not set on it: B, HF_TOKEN, port 9000.\n"
    assert note in output
    assert "canary" not in output
