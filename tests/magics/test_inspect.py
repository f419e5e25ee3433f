"""The commands that only read: list, get, ssh, cost, gpus, images."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidPodState, InvalidRequest, Pod, PodNotFound, Sandbox

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
    run("%yotta create pytorch --gpu L40S --name big")
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


def test_cost_returns_a_row_per_pod_and_prints_the_total(run: Run, captured_output: Output) -> None:
    frame = run("%yotta cost")
    assert list(frame["name"]) == ["notebook-1", "train-1", "finetune-1"]
    now, running = frame["hourly_cost"].sum(), frame["hourly_rate"].sum()
    expected = f"Total: ${now:.2f} an hour now, ${running:.2f} an hour while all pods run."
    assert expected in captured_output("%yotta cost;")


def test_cost_counts_pods_of_unknown_price(
    record: Callable[..., Any], captured_output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = [record(status="RUNNING"), record(id="2", status="RUNNING", singleCardPrice=None)]
    with Sandbox(records=pods) as sandbox:
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        assert "while all pods run, without 1 of unknown price." in captured_output("%yotta cost;")


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
