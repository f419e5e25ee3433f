"""The commands that only read: list, get, ssh, gpus, images."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidPodState, InvalidRequest, Pod, PodNotFound, Sandbox
from yotta_jupyter.keys import load_public_key

Run = Callable[[str], Any]
Output = Callable[[str], str]


def test_list_returns_a_dataframe(run: Run) -> None:
    frame = run("%yotta list")
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.name == "id"
    assert list(frame["name"]) == ["train-1", "notebook-1", "finetune-1"]


def test_ls_is_an_alias_of_list(run: Run) -> None:
    assert len(run("%yotta ls")) == 3


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("--status paused", ["finetune-1"]),
        ("--status 3", ["finetune-1"]),
        ("--status Running --status PAUSED", ["train-1", "notebook-1", "finetune-1"]),
        ("--region us-west-1", ["train-1"]),
        ("--gpu l4", ["train-1"]),
        ("--name TUNE", ["finetune-1"]),
        ("--name .*", []),
    ],
)
def test_list_filters(run: Run, arguments: str, names: list[str]) -> None:
    assert list(run(f"%yotta list {arguments}")["name"]) == names


def test_list_suggests_the_closest_region(captured_output: Output, run: Run) -> None:
    note = "there is no pod in us-wst-1. Did you mean us-west-1? There are pods in "
    assert note in captured_output("%yotta list --region us-wst-1")
    assert list(run("%yotta list --region us-wst-1").columns) == list(run("%yotta list").columns)
    assert "Note" not in captured_output("%yotta list --region us-west-1 --status failed")


def test_list_matches_whole_words_of_gpu_types(run: Run, captured_output: Output) -> None:
    run("%yotta create pytorch --gpu NVIDIA_L40S_48G --name big")
    assert list(run("%yotta list --gpu L4")["name"]) == ["train-1"]
    assert list(run("%yotta list --gpu l40s")["name"]) == ["big"]
    assert "none of 4 pods matches --gpu L5" in captured_output("%yotta list --gpu L5")


def test_wide_list_has_all_fields_and_masked_values(run: Run) -> None:
    frame = run("%yotta list --wide")
    assert {"org_id", "single_card_vcpu", "extra", "expose"} <= set(frame.columns)
    assert frame["environment_vars"].iloc[0] == {"JUPYTER_PASSWORD": "••••"}


def test_an_assignment_keeps_the_result(run: Run) -> None:
    assert run("pods = %yotta list\nlen(pods)") == 3


def test_a_semicolon_silences(captured_output: Output) -> None:
    assert "train-1" in captured_output("%yotta list")
    assert captured_output("%yotta list;") == ""


def test_get_by_id_beginning_of_id_and_name(run: Run) -> None:
    pod = run("%yotta get train-1")
    assert isinstance(pod, Pod)
    assert run(f"%yotta get {pod.id}").name == "train-1"
    assert run(f"%yotta get {pod.id[:-1]}").name == "train-1"


def test_an_unknown_name_suggests_the_closest_pod(run: Run) -> None:
    with pytest.raises(PodNotFound, match=r"Did you mean train-1\?.*%yotta list"):
        run("%yotta get trian-1")


def test_an_ambiguous_id_lists_the_matching_pods(run: Run) -> None:
    with pytest.raises(InvalidRequest, match=r"train-1 \d{18} \(RUNNING\), notebook-1"):
        run("%yotta get 3")


def test_ssh_shows_a_command_without_quotes(captured_output: Output, run: Run) -> None:
    text = captured_output("%yotta ssh train-1 --key '~/my key'")
    assert re.search(r"Out\[\d+\]: ssh user@", text)
    assert "-i ~/'my key'" in text
    assert run("%yotta ssh train-1 --config").startswith("Host train-1\n    HostName ")


def test_ssh_to_a_paused_pod_advises_resume(run: Run) -> None:
    with pytest.raises(InvalidPodState, match="%yotta resume"):
        run("%yotta ssh finetune-1")


def test_gpus_and_images_are_updated_from_listings(run: Run) -> None:
    assert run("%yotta gpus")["single_card_price"].isna().all()
    run("%yotta list")
    assert run("%yotta gpus").loc["NVIDIA_L4_24G", "single_card_price"] > 0
    assert "pytorch" in set(run("%yotta images")["short_name"].dropna())


def test_names_of_images_are_not_truncated(connected: InteractiveShell) -> None:
    images = connected.run_line_magic("yotta", "images")
    formats, _ = connected.display_formatter.format(images)
    for image in images.index:
        assert image in formats["text/plain"]
        assert image in formats["text/html"]
    assert type(images.head(1)) is pd.DataFrame


def test_ssh_names_the_key_of_this_package(run: Run, captured_output: Output) -> None:
    run("%yotta create pytorch --gpu L4 --name mine --wait")
    assert run("%yotta ssh mine").endswith(" -i ~/.yotta/ssh/id_ed25519")
    assert run("%yotta ssh mine --config").endswith("    IdentityFile ~/.yotta/ssh/id_ed25519")
    assert run("%yotta ssh mine --key ~/other").endswith(" -i ~/other")
    assert run("pod = %yotta get mine\npod.ssh_command()") == run("%yotta ssh mine")
    assert "Note" not in captured_output("%yotta ssh mine")
    assert "was created without the variable PUBLIC_KEY" in captured_output("%yotta ssh train-1")


def test_another_key_by_config(run: Run, captured_output: Output, home: Path, requests_to: Callable[..., Any]) -> None:
    load_public_key()
    key = home / "my key"
    (home / ".yotta/ssh/id_ed25519").rename(key)
    (home / ".yotta/ssh/id_ed25519.pub").unlink()
    run(f'%config YottaMagics.ssh_key = "{key}"')
    assert f"SSH key {key}" in run("%yotta status")
    run("%yotta create pytorch --gpu L4 --name mine --wait")
    assert run("%yotta ssh mine").endswith(f" -i '{key}'")
    assert not (home / ".yotta/ssh/id_ed25519").exists()
    sent = {entry["key"]: entry["value"] for entry in requests_to("create")[0].json["environmentVars"]}
    assert sent["PUBLIC_KEY"].split()[:2] == load_public_key(str(key)).split()[:2]


def test_status_shows_the_key_file(run: Run) -> None:
    assert run("%yotta status").endswith("SSH key ~/.yotta/ssh/id_ed25519 (created by the first create)")
    run("%yotta create pytorch --gpu L4")
    assert run("%yotta status").endswith("SSH key ~/.yotta/ssh/id_ed25519")


def write_broken_key(kind: str, path: Path) -> str:
    """Write a key file that cannot be used, and return the reason that an error gives."""
    if kind == "missing":
        return "does not exist"
    load_public_key()
    (Path.home() / ".yotta/ssh/id_ed25519").rename(path)
    if kind == "world-readable":
        path.chmod(0o644)
        return "is accessible by others"
    if kind == "encrypted":
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", path], check=True, capture_output=True)
        return "is encrypted"
    path.write_text("nonsense")
    return "is not a private key"


@pytest.mark.parametrize("how", ["config", "key"])
@pytest.mark.parametrize("kind", ["missing", "world-readable", "encrypted", "nonsense"])
@pytest.mark.parametrize("name", ["", "--name mine"])
def test_an_unusable_key_is_one_line_before_anything_is_sent(
    run: Run, sandbox: Sandbox, home: Path, kind: str, how: str, name: str
) -> None:
    key = home / "key"
    reason = write_broken_key(kind, key)
    if how == "config":
        run(f'%config YottaMagics.ssh_key = "{key}"')
    with pytest.raises(InvalidRequest, match=reason) as caught:
        run(f"%yotta create pytorch --gpu L4 {name} {f'--key {key}' if how == 'key' else ''}")
    assert "\n" not in str(caught.value)
    assert sandbox.requests == []


def displayed(shell: InteractiveShell, frame: pd.DataFrame) -> tuple[str, str]:
    """Return a DataFrame as plain text and as HTML."""
    formats, _ = shell.display_formatter.format(frame)
    return formats["text/plain"], formats["text/html"]


def test_a_listing_fits_100_columns_and_keeps_its_data(run: Run, connected: InteractiveShell) -> None:
    frame = run("%yotta list")
    text, html = displayed(connected, frame)
    assert max(map(len, text.splitlines())) <= 100
    header = ["name", "status", "$/hour", "GPUs", "region", "image", "age"]
    assert text.splitlines()[0].split() == header
    assert re.findall(r"<th[^>]*>([^<]*)</th>", html) == [*header, "id"]
    assert html.count("<tr>") == 4
    assert "2 × H100" in text
    assert "pytorch 2.9.0" in text
    assert frame.index[0] in html
    assert frame.to_csv().startswith("id,name,status,gpu_type,gpu_count,region,image,hourly_cost,ssh,created_at\n")
    for row in (frame[frame.status == "RUNNING"], frame.sort_values("name"), frame.head(1)):
        assert displayed(connected, row)[0].splitlines()[0].split() == header
    assert "gpu_type" in displayed(connected, frame[["gpu_type"]])[0]
    assert "org_id" in displayed(connected, run("%yotta list --wide"))[1]


def test_a_listing_of_long_and_hostile_texts_fits_and_is_escaped(
    record: Callable[..., Any], run: Run, connected: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "<img src=x onerror=alert(1)>\x1b[31m" + "x" * 90
    long = {"podName": evil, "gpuType": evil, "region": evil, "image": evil, "status": evil, "gpuCount": 2**40}
    pods = [
        record(id="9" * 60, singleCardPrice=1e9, **long),
        record(id="2", podName=None, gpuType=None, createdAt=None),
    ]
    with Sandbox(records=pods) as sandbox:
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        text, html = displayed(connected, run("%yotta list"))
    assert max(map(len, text.splitlines())) <= 110
    assert "<img" not in html
    assert "\x1b" not in text + html


def test_a_long_listing_is_truncated(
    run: Run, connected: InteractiveShell, make_client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", make_client(pods=200).base_url)
    text, html = displayed(connected, run("%yotta list"))
    assert html.count("<tr>") < 70
    assert "200 pods" in html
    assert text.endswith("[200 pods, 9 columns]")
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("command", ["cost", "gpus", "images"])
def test_other_listings_fit_100_columns(run: Run, connected: InteractiveShell, command: str) -> None:
    run("%yotta list")
    text, _ = displayed(connected, run(f"%yotta {command}"))
    assert max(map(len, text.splitlines())) <= 100
    assert not {"\\", "..."} & set(text.split())


def test_amounts_have_two_decimals_everywhere(
    record: Callable[..., Any], run: Run, captured_output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {"containerVolumeInGb": 0, "containerVolumePrice": 0}
    with Sandbox(records=[record(status="RUNNING", singleCardPrice=9.125, podName="p", **free)]) as sandbox:
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        for command in ("list", "get p", "cost", "status", "gpus"):
            output = captured_output(f"%yotta {command}")
            assert "9.13" in output
            assert "9.12" not in output
        assert run("%yotta list")["hourly_cost"].iloc[0] == 9.125


def test_gpus_say_why_prices_are_missing(captured_output: Output) -> None:
    assert "the API has no price list" in captured_output("%yotta gpus")
    captured_output("%yotta list")
    assert "no price list" not in captured_output("%yotta gpus")


def test_an_empty_listing_is_an_empty_dataframe(connected: InteractiveShell, run: Run) -> None:
    assert displayed(connected, run("%yotta list --status failed"))[0].startswith(
        "Empty DataFrame\nColumns: [name, status,"
    )


def test_filters_take_several_values_with_commas(run: Run) -> None:
    assert set(run("%yotta list --status running,paused")["status"]) == {"RUNNING", "PAUSED"}
    assert set(run("%yotta list --status paused,failed")["status"]) == {"PAUSED"}
    regions = run("%yotta list")["region"].unique()
    assert set(run(f"%yotta list --region {','.join(regions)}")["region"]) == set(regions)


def test_ssh_notes_a_key_file_that_does_not_exist(captured_output: Output) -> None:
    assert "Note: there is no file /nofile on this machine." in captured_output("%yotta ssh train-1 --key /nofile")


def test_use_without_a_pod_shows_the_present_choice(captured_output: Output) -> None:
    assert captured_output("%yotta use") == "No pod is chosen. Choose one: %yotta use POD"
    chosen = captured_output("%yotta use train-1")
    assert captured_output("%yotta use") == chosen
    assert chosen.startswith("Commands use pod train-1 (")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_only_delete_shows_the_flag_yes(captured_output: Output, command: str) -> None:
    assert "--yes" not in captured_output(f"%yotta {command} -h")
    assert "--yes" in captured_output("%yotta delete -h")
