"""The create command."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Client, InvalidRequest, PodSpec, Sandbox
from yotta_jupyter.api import preview_create
from yotta_jupyter.create_command import to_command
from yotta_jupyter.errors import UnknownName
from yotta_jupyter.launch import DEFAULT_EXPOSE, complete_spec
from yotta_jupyter.spec import parse_ports

PYTORCH = "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"

Run = Callable[[str], Any]
Output = Callable[[str], str]
Requests = Callable[[str], list[Any]]


def test_create_resolves_short_names_and_exposes_ssh_and_jupyter(run: Run, requests_to: Requests) -> None:
    pod = run("%yotta create pytorch --gpu L4 --name mine --env MODE=fast --region us-west-1")
    (request,) = requests_to("create")
    assert pod.name == "mine"
    assert request.json["image"] == PYTORCH
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


def test_dry_run_says_whether_the_name_is_free(run: Run, captured_output: Output, requests_to: Requests) -> None:
    line = "%yotta create pytorch --gpu L4 --name mine --dry-run"
    output = captured_output(line)
    assert "Note: no live pod is named mine.\n" in output
    assert "an estimated $" in output, "the listing for the name also has the price"
    pod = run("%yotta create pytorch --gpu L4 --name mine")
    assert f"Note: pod mine ({pod.id}), which is " in captured_output(line)
    assert "Note: the create would fail. Pod mine " in captured_output(f"{line} --count 2")
    assert "would be reused" in captured_output(line)
    assert "would be reused" not in captured_output(f"{line} --another")
    assert len(requests_to("create")) == 1


def test_dry_run_without_a_key_does_not_know_whether_the_name_is_free(
    captured_output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOTTA_API_KEY")
    output = captured_output("%yotta create pytorch --gpu L4 --name mine --dry-run")
    assert "Note: whether the name mine is free is unknown. There is no API key" in output
    assert "NVIDIA_L4_24G" in output


def test_dry_run_shows_the_rule_of_the_guard(captured_output: Output) -> None:
    output = captured_output("%yotta create pytorch --gpu L4 --guard-after 8h --guard-budget 20 --dry-run")
    assert "Note: a guard would pause the pod: after 8h, budget $20.00.\n" in output


@pytest.mark.parametrize(("is_sandbox", "place"), [(True, "the sandbox"), (False, "your account")])
def test_a_create_says_where(
    captured_output: Output, monkeypatch: pytest.MonkeyPatch, is_sandbox: bool, place: str
) -> None:
    monkeypatch.setattr(Client, "is_sandbox", is_sandbox)
    output = captured_output("%yotta create pytorch --gpu L4 --name demo")
    assert re.search(
        rf"^Created pod demo \(\d+\) in {place}, \$\d+\.\d\d an hour while it runs\. ", output, re.MULTILINE
    )


@pytest.mark.parametrize("image", ["pytroch:latest", "me/pytroch"])
def test_a_misspelt_image_is_sent_with_a_note(captured_output: Output, requests_to: Requests, image: str) -> None:
    note = f"Note: {image} is not in the catalog and is sent unchanged. Closest official image: pytorch.\n"
    assert note in captured_output(f"%yotta create {image} --gpu L4 --dry-run")
    assert note in captured_output(f"%yotta create {image} --gpu L4")
    assert requests_to("create")[0].json["image"] == image


@pytest.mark.parametrize(
    "image", ["me/own:1", "python:3.11", "pytorch/pytorch:2.8.0", "nvidia/cuda:12.4", "ubuntu:22.04"]
)
def test_an_image_of_another_publisher_has_no_note(captured_output: Output, image: str) -> None:
    assert "Closest" not in captured_output(f"%yotta create {image} --gpu L4 --dry-run")


def test_gpus_in_place_of_gpu_says_what_it_is(run: Run) -> None:
    with pytest.raises(InvalidRequest, match=r"required: --gpu\. --gpus is the number of GPUs\. See %yotta gpus"):
        run("%yotta create pytorch --gpus L4")


def test_a_gpu_id_in_the_form_of_the_api_is_sent_with_a_note(captured_output: Output, requests_to: Requests) -> None:
    output = captured_output("%yotta create pytorch --gpu NVIDIA_L5_24G")
    assert "Note: NVIDIA_L5_24G is not in the catalog and is sent unchanged. Closest: NVIDIA_L4_24G." in output
    assert requests_to("create")[0].json["gpuType"] == "NVIDIA_L5_24G"


UNKNOWN_NAMES = [
    ("pytroch --gpu L4", "image", "pytroch", "pytorch"),
    ("pytorch:9.9 --gpu L4", "image", "pytorch:9.9", "pytorch:2.9.0"),
    ("pytorch --gpu T4", "gpuType", "T4", "NVIDIA_L4_24G"),
    ("pytorch --gpu H10", "gpuType", "H10", "NVIDIA_H100"),
    ("pytorch --gpu L4 --region us-wst-1", "region", "us-wst-1", "us-west-1"),
    ("pytorch --gpu L4 --region mars", "region", "mars", "us-"),
]


@pytest.mark.parametrize(("arguments", "field", "name", "closest"), UNKNOWN_NAMES)
def test_an_unknown_name_is_refused_before_any_request(
    run: Run, sandbox: Sandbox, arguments: str, field: str, name: str, closest: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        run(f"%yotta create {arguments}")
    message = str(caught.value)
    assert closest in message
    assert message.endswith("or add --as-typed to send the name unchanged.")
    assert "\n" not in message
    assert sandbox.requests == []


@pytest.mark.parametrize(("arguments", "field", "name", "closest"), UNKNOWN_NAMES)
def test_as_typed_sends_an_unknown_name_unchanged(
    run: Run, requests_to: Requests, arguments: str, field: str, name: str, closest: str
) -> None:
    run(f"%yotta create {arguments} --as-typed")
    (request,) = requests_to("create")
    assert request.json[field] == name
    if field != "image":
        assert request.json["image"].startswith("yottalabsai/pytorch:2.9.0")


@pytest.mark.parametrize("argument", ['"$bad"', 'pytorch --gpu "$bad"', 'pytorch --gpu L4 --region "$bad"'])
@pytest.mark.parametrize("char", ["\x1b[31m", "\n", "\r", "\u202e", "\x00"])
def test_control_characters_are_refused_even_as_typed(
    run: Run, connected: InteractiveShell, sandbox: Sandbox, argument: str, char: str
) -> None:
    connected.user_ns["bad"] = f"L4{char}x"
    gpu = "" if "--gpu" in argument else " --gpu L4"
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta create {argument}{gpu} --as-typed")
    assert str(caught.value).isprintable()
    assert sandbox.requests == []


def test_names_of_a_pod_that_never_ran_stay_unknown(
    run: Run, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(speed=0.001)  # The new pod stays INITIALIZE.
    monkeypatch.setenv("YOTTA_BASE_URL", client.base_url)
    run("%yotta create pytroch --gpu T4 --as-typed")
    assert "pytroch" in set(run("%yotta list")["image"])
    with pytest.raises(UnknownName):
        run("%yotta create pytroch --gpu L4")
    with pytest.raises(UnknownName):
        run("%yotta create pytorch --gpu T4")


def test_a_short_name_of_several_types_is_noted(captured_output: Output, requests_to: Requests) -> None:
    output = captured_output("%yotta create pytorch --gpu H100")
    assert "Note: H100 is NVIDIA_H100_80GB_HBM3_80G; others: NVIDIA_H100_80G, NVIDIA_H100_PCIe_80G." in output
    assert requests_to("create")[0].json["gpuType"] == "NVIDIA_H100_80GB_HBM3_80G"


def test_a_region_without_listed_pods_is_noted(captured_output: Output) -> None:
    captured_output("%yotta list")
    line = "%yotta create pytorch --gpu L4 --dry-run --region"
    assert "No listed pod is in us-north-9" in captured_output(f"{line} us-north-9")
    assert "No listed pod" not in captured_output(f"{line} us-west-1")


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
        ("--gpu RTX", "write one of them"),
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


def test_the_estimate_follows_the_region_and_includes_volumes(captured_output: Output, run: Run) -> None:
    pod = run("%yotta list --wide").reset_index().set_index("name").loc["train-1"]
    line = "%yotta create pytorch --gpu L4 --gpus 2 --dry-run"
    output = captured_output(line)
    expected = f"an estimated ${2 * pod['single_card_price']:.2f} an hour for 2 × NVIDIA_L4_24G"
    assert f"{expected} (by a listed pod in us-west-1; the container volume costs extra).\n" in output
    volumes = captured_output(f"{line} --container-volume 1000 --persistent-volume 2000 --mount /workspace")
    rate = 2 * pod["single_card_price"] + 1000 * pod["container_volume_price"] + 2000 * pod["persistent_volume_price"]
    assert f"an estimated ${rate:.2f} an hour for 2 × NVIDIA_L4_24G (by a listed pod in us-west-1)" in volumes


def test_without_a_listed_pod_the_price_is_unknown_with_a_reason(captured_output: Output) -> None:
    output = captured_output("%yotta create pytorch --gpu B300 --dry-run")
    assert "the price is unknown: the API has no price list, and no listed pod has this GPU type.\n" in output
    assert "$" not in output


def test_create_shows_what_the_new_pod_costs(captured_output: Output, run: Run) -> None:
    output = captured_output("%yotta create pytorch --gpu L4 --name mine")
    rate = run("%yotta get mine").hourly_rate
    assert f", ${rate:.2f} an hour while it runs. Next: %%yotta run mine" in output


def test_dry_run_masks_the_generated_password_and_the_key_and_creates_no_file(run: Run, home: Path) -> None:
    body = run("%yotta create pytorch --gpu L4 --dry-run")
    masked = {variable["key"]: str(variable["value"]) for variable in body["environmentVars"]}
    assert masked == {"JUPYTER_PASSWORD": "••••", "PUBLIC_KEY": "••••", "YOTTA_JUPYTER_LAUNCH": "••••"}
    assert not (home / ".yotta").exists()


def sent_environment(request: Any) -> dict[str, str]:
    return {variable["key"]: variable["value"] for variable in request.json["environmentVars"]}


def test_each_pod_gets_its_own_random_password_and_our_public_key(
    captured_output: Output, run: Run, requests_to: Requests, home: Path
) -> None:
    output = captured_output("%yotta create pytorch --gpu L4") + captured_output("%yotta create pytorch --gpu L4")
    first, second = map(sent_environment, requests_to("create"))
    assert re.fullmatch("[0-9a-f]{32}", first["JUPYTER_PASSWORD"])
    assert first["JUPYTER_PASSWORD"] != second["JUPYTER_PASSWORD"]
    public_key = (home / ".yotta/ssh/id_ed25519.pub").read_text().strip()
    assert first["PUBLIC_KEY"] == second["PUBLIC_KEY"] == public_key
    assert first["JUPYTER_PASSWORD"] not in output + repr(run("%yotta list --wide").to_dict())
    assert "start Jupyter only" not in output


@pytest.mark.parametrize(
    "arguments",
    ["", "--expose 8888", "--expose 8888/TCP", "--expose 8888/SSH", "--expose 80 --expose 8888/HTTP", "--name mine"],
)
def test_no_create_exposes_jupyter_without_a_strong_password(run: Run, requests_to: Requests, arguments: str) -> None:
    run(f"%yotta create me/own:1 --gpu L4 {arguments}")
    assert len(sent_environment(requests_to("create")[0])["JUPYTER_PASSWORD"]) == 32


def test_without_jupyter_and_ssh_nothing_is_added(run: Run, requests_to: Requests, home: Path) -> None:
    run("%yotta create pytorch --gpu L4 --expose 80")
    assert set(sent_environment(requests_to("create")[0])) == {"YOTTA_JUPYTER_LAUNCH"}
    assert not (home / ".yotta").exists()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("seven77", "can be guessed: it has fewer than 12 characters"),
        (" " * 20, "can be guessed: it has fewer than 12 characters"),
        ("ubuntu", "is published with the provider's images"),
        ("Ubuntu ", "is published with the provider's images"),
        ("your_password", "is published with the provider's images"),
        ("ubuntuubuntu", "can be guessed: it repeats the same characters"),
        ("passwordpassword", "can be guessed: it repeats the same characters"),
        ("aaaaaaaaaaaaaaaa", "can be guessed: it repeats the same characters"),
    ],
)
@pytest.mark.parametrize("arguments", ["", "--name mine", "--dry-run"])
def test_a_weak_password_is_refused_before_any_request(
    run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, password: str, reason: str, arguments: str
) -> None:
    monkeypatch.setenv("JUPYTER_PASSWORD", password)
    with pytest.raises(InvalidRequest, match=reason) as caught:
        run(f"%yotta create pytorch --gpu L4 --env-from JUPYTER_PASSWORD {arguments}")
    assert "\n" not in str(caught.value)
    assert sandbox.requests == []


def test_a_strong_password_of_the_user_is_kept(
    run: Run, requests_to: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PASSWORD", "correct horse battery")
    run("%yotta create pytorch --gpu L4 --env-from JUPYTER_PASSWORD")
    assert sent_environment(requests_to("create")[0])["JUPYTER_PASSWORD"] == "correct horse battery"


@pytest.mark.parametrize(
    "spec",
    [
        PodSpec(image=PYTORCH, gpu_type="NVIDIA_L4_24G", expose=parse_ports(DEFAULT_EXPOSE)),
        PodSpec(image=PYTORCH, gpu_type="NVIDIA_L4_24G", pod_name="my $pod's {name}", expose=(22, 8888, 80)),
        PodSpec(image="me/own:1", gpu_type="NVIDIA_B300_262G", gpu_count=4, region="us-east-2", expose=(8888,)),
        PodSpec(
            image=PYTORCH,
            gpu_type="NVIDIA_L4_24G",
            persistent_volume_in_gb=50,
            persistent_mount_path="/workspace",
            initialization_command="echo $HOME\n'x'",
            expose=(22,),
        ),
    ],
)
def test_the_line_of_a_spec_runs_and_names_no_generated_value(run: Run, spec: PodSpec) -> None:
    line = to_command(spec)
    assert "--env-from" not in line
    if "\n" not in line:  # A line of a cell cannot contain a line break.
        body = run(f"{line} --dry-run")
        assert repr(body) == repr(preview_create(complete_spec(spec, lambda: "key")))


def test_the_line_of_an_unknown_name_says_as_typed(run: Run) -> None:
    spec = PodSpec(image="pytroch", gpu_type="T4", pod_name="mine", expose=(22,))
    line = to_command(spec, as_typed=True, another=True)
    assert line.endswith("--as-typed --another")
    assert run(f"{line} --dry-run")["image"] == "pytroch"


def test_create_names_the_next_command(captured_output: Output) -> None:
    output = captured_output("%yotta create pytorch --gpu L4")
    assert "Next: %%yotta run " in output
    assert "running this cell again creates another one" in output


def test_help_names_the_default_ports(captured_output: Output) -> None:
    output = captured_output("%yotta create -h")
    assert all(port in output for port in DEFAULT_EXPOSE)


def test_a_key_without_a_port_for_ssh_is_noted(captured_output: Output) -> None:
    output = captured_output("%yotta create pytorch --gpu L4 --expose 8888 --key missing --dry-run")
    assert "Note: --key has no effect: the pod exposes no port for SSH." in output
