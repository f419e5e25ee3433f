"""The create command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidRequest, Sandbox
from yotta_jupyter.launch import DEFAULT_EXPOSE

Run = Callable[[str], Any]
Output = Callable[[str], str]
Requests = Callable[[str], list[Any]]


def test_create_resolves_short_names_and_exposes_ssh_and_jupyter(run: Run, requests_to: Requests) -> None:
    pod = run("%yotta create pytorch --gpu L4 --name mine --env MODE=fast --region us-west-1")
    (request,) = requests_to("create")
    assert pod.name == "mine"
    assert request.json["image"] == "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"
    assert request.json["gpuType"] == "NVIDIA_L4_24G"
    assert request.json["region"] == "us-west-1"
    assert request.json["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]
    assert {"key": "MODE", "value": "fast"} in request.json["environmentVars"]


def test_create_reads_secrets_from_the_environment(
    captured_output: Output, requests_to: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-environment")
    monkeypatch.setenv("REGISTRY", "canary-registry")
    line = "create me/own:1 --gpu L4 --private --registry-username me --registry-token-env REGISTRY --env-from HF_TOKEN"
    output = captured_output(f"%yotta {line}") + captured_output(f"%yotta {line} --dry-run")
    (request,) = requests_to("create")
    assert request.json["imagePublicType"] == "PRIVATE"
    assert request.json["imageRegistryToken"] == "canary-registry"
    assert {"key": "HF_TOKEN", "value": "canary-environment"} in request.json["environmentVars"]
    assert "HF_TOKEN" in output
    assert "canary" not in output


def test_every_flag_sets_its_field(run: Run) -> None:
    body = run(
        "%yotta create pytorch --gpu L4 --gpus 2 --name mine --region us-west-1 --cloud secure --init 'sleep 1' "
        "--container-volume 50 --persistent-volume 100 --mount /workspace --expose 80 --expose 2222/ssh --dry-run"
    )
    expected = {
        "gpuCount": 2,
        "podName": "mine",
        "region": "us-west-1",
        "cloudType": "SECURE",
        "initializationCommand": "sleep 1",
        "containerVolumeInGb": 50,
        "persistentVolumeInGb": 100,
        "persistentMountPath": "/workspace",
        "expose": [{"port": 80, "protocol": "HTTP"}, {"port": 2222, "protocol": "SSH"}],
    }
    assert {name: body[name] for name in expected} == expected


def test_dry_run_sends_no_request(run: Run, sandbox: Sandbox) -> None:
    body = run("%yotta create pytorch --gpu L4 --dry-run")
    assert body["gpuCount"] == 1
    assert sandbox.requests == []


def test_dry_run_needs_no_api_key(shell: InteractiveShell) -> None:
    body = shell.run_cell("%yotta create pytorch --gpu L4 --dry-run").result
    assert body["gpuType"] == "NVIDIA_L4_24G"


def test_an_unknown_gpu_type_is_sent_unchanged_with_a_note(captured_output: Output, requests_to: Requests) -> None:
    output = captured_output("%yotta create pytorch --gpu NVIDIA_L5_24G")
    assert "Note: " in output
    assert "NVIDIA_L4_24G" in output
    assert requests_to("create")[0].json["gpuType"] == "NVIDIA_L5_24G"


def test_a_region_without_listed_pods_is_noted(captured_output: Output) -> None:
    captured_output("%yotta list")
    line = "%yotta create pytorch --gpu L4 --dry-run --region"
    note = captured_output(f"{line} us-wst-1")
    assert "us-wst-1" in note
    assert "us-west-1" in note
    assert "us-west-1" not in captured_output(f"{line} us-west-1").partition("{")[0]


def test_create_with_wait_ends_when_ssh_is_healthy(captured_output: Output, run: Run) -> None:
    output = captured_output("%yotta create pytorch --gpu L4 --name mine --wait")
    assert "until SSH" in output
    assert "Status    RUNNING" in output
    assert run("%yotta ssh mine").startswith("ssh user@")


def test_create_with_wait_returns_a_pod_that_ssh_accepts(run: Run) -> None:
    assert run("%yotta create pytorch --gpu L4 --wait").ssh_ready


def test_create_with_wait_ends_at_running_without_an_ssh_port(captured_output: Output) -> None:
    output = captured_output("%yotta create pytorch --gpu L4 --expose 8888 --wait")
    assert "until RUNNING" in output
    assert "Status    RUNNING" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--count 0", "1, 2, 4, 8"),
        ("--count 3", "1, 2, 4, 8"),
        ("--count -1", "1, 2, 4, 8"),
        ("--count two", "1, 2, 4, 8"),
        ("--expose 0", "from 1 to 65535"),
        ("--expose 70000", "from 1 to 65535"),
        ("--expose ssh", "from 1 to 65535"),
        ("--expose 22/SHS", "SSH, HTTP or TCP"),
        ("--env MODE", "NAME=VALUE"),
        ("--env HF_TOKEN=x", "--env-from HF_TOKEN"),
        ("--env-from NOT_THERE", "no environment variable NOT_THERE"),
        ("--private", "--registry-username"),
        ("--persistent-volume 10", "--mount"),
        ("--cloud SECURED", "Did you mean SECURE"),
        ("--gpu H100", "NVIDIA_H100_PCIe_80G"),
        ("--nmae x", "Did you mean --name"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_request(
    run: Run, sandbox: Sandbox, arguments: str, expected: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta create pytorch --gpu L4 {arguments}")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sandbox.requests == []


def test_a_secret_value_in_the_line_is_rejected(
    captured_output: Output, requests_to: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-of-a-token")
    output = captured_output("import os\n%yotta create pytorch --gpu L4 --init \"echo {os.environ['HF_TOKEN']}\"")
    assert "This line contains the value of HF_TOKEN" in output
    assert "canary" not in output + captured_output("%yotta create pytorch --gpu L4 --env-from OTHER=canary-of-a-token")
    assert requests_to("create") == []


def test_a_duplicate_name_is_noted(captured_output: Output) -> None:
    captured_output("%yotta list")
    assert "there is a pod of that name already" in captured_output("%yotta create pytorch --gpu L4 --name train-1")
    assert "already" not in captured_output("%yotta create pytorch --gpu L4 --name other")


def test_the_price_of_a_listed_gpu_is_noted(captured_output: Output, run: Run) -> None:
    price = run("%yotta list --wide").set_index("name").loc["train-1", "single_card_price"]
    output = captured_output("%yotta create pytorch --gpu L4 --gpus 2 --dry-run")
    assert f"${2 * price:.2f} an hour for 2 × NVIDIA_L4_24G" in output


def test_the_note_about_jupyter_is_for_official_images_without_a_password(
    captured_output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PASSWORD", "canary-password")
    line = "%yotta create pytorch --gpu L4 --dry-run"
    assert "start Jupyter only" in captured_output(line)
    assert "start Jupyter only" not in captured_output(f"{line} --env-from JUPYTER_PASSWORD")
    assert "start Jupyter only" not in captured_output(f"{line} --expose 22")
    assert "start Jupyter only" not in captured_output("%yotta create me/own:1 --gpu L4 --dry-run")


def test_create_names_the_next_command(captured_output: Output) -> None:
    assert "Next: %yotta wait" in captured_output("%yotta create pytorch --gpu L4")


def test_help_names_the_default_ports(captured_output: Output) -> None:
    output = captured_output("%yotta create -h")
    assert all(port in output for port in DEFAULT_EXPOSE)
