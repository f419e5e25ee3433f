"""Each command of ``%yotta``, as a cell runs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import (
    InvalidPodState,
    InvalidRequest,
    Pod,
    PodNotFound,
    Sandbox,
    WaitTimeout,
    YottaError,
)

Run = Callable[[str], Any]
Shown = Callable[[str], str]


def sent(sandbox: Sandbox, endpoint: str) -> list[Any]:
    return [request for request in sandbox.requests if request.endpoint == endpoint]


def test_list_is_a_dataframe(run: Run) -> None:
    frame = run("%yotta list")
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.name == "id"
    assert list(frame["name"]) == ["train-1", "notebook-1", "finetune-1"]


def test_ls_is_list(run: Run) -> None:
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


def test_a_mistyped_region_is_told_with_the_nearest_one(shown: Shown, run: Run) -> None:
    note = "there is no pod in us-wst-1. Did you mean us-west-1? There are pods in "
    assert note in shown("%yotta list --region us-wst-1")
    assert list(run("%yotta list --region us-wst-1").columns) == list(run("%yotta list").columns)
    assert "Note" not in shown("%yotta list --region us-west-1 --status failed")


def test_names_of_images_are_shown_whole(connected: InteractiveShell) -> None:
    images = connected.run_line_magic("yotta", "images")
    shown, _ = connected.display_formatter.format(images)
    for image in images.index:
        assert image in shown["text/plain"]
        assert image in shown["text/html"]
    assert type(images.head(1)) is pd.DataFrame


def test_list_wide_has_all_fields_and_masked_values(run: Run) -> None:
    frame = run("%yotta list --wide")
    assert {"org_id", "single_card_vcpu", "extra", "expose"} <= set(frame.columns)
    assert frame["environment_vars"].iloc[0] == {"JUPYTER_PASSWORD": "••••"}


def test_an_assignment_keeps_the_result(run: Run) -> None:
    assert run("pods = %yotta list\nlen(pods)") == 3


def test_a_semicolon_silences(shown: Shown) -> None:
    assert "train-1" in shown("%yotta list")
    assert shown("%yotta list;") == ""


def test_get_by_id_beginning_and_name(run: Run) -> None:
    pod = run("%yotta get train-1")
    assert isinstance(pod, Pod)
    assert run(f"%yotta get {pod.id}").name == "train-1"
    assert run(f"%yotta get {pod.id[:-1]}").name == "train-1"


def test_a_pod_that_does_not_exist(run: Run) -> None:
    with pytest.raises(PodNotFound, match="Did you mean train-1"):
        run("%yotta get trian-1")


def test_two_pods_that_match_are_listed(run: Run) -> None:
    with pytest.raises(InvalidRequest, match=r"train-1 \d{18} \(RUNNING\), notebook-1"):
        run("%yotta get 3")


def test_create_resolves_short_names_and_exposes_ssh_and_jupyter(run: Run, sandbox: Sandbox) -> None:
    pod = run("%yotta create pytorch --gpu L4 --name mine --env MODE=fast --region us-west-1")
    (request,) = sent(sandbox, "create")
    assert pod.name == "mine"
    assert request.json["image"] == "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"
    assert request.json["gpuType"] == "NVIDIA_L4_24G"
    assert request.json["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]
    assert {"key": "MODE", "value": "fast"} in request.json["environmentVars"]


def test_create_takes_secrets_from_the_environment(
    run: Run, shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-environment")
    monkeypatch.setenv("REGISTRY", "canary-registry")
    line = "create me/own:1 --gpu L4 --private --registry-username me --registry-token-env REGISTRY --env-from HF_TOKEN"
    text = shown(f"%yotta {line}") + shown(f"%yotta {line} --dry-run")
    (request,) = sent(sandbox, "create")
    assert request.json["imageRegistryToken"] == "canary-registry"
    assert {"key": "HF_TOKEN", "value": "canary-environment"} in request.json["environmentVars"]
    assert "HF_TOKEN" in text
    assert "canary" not in text


def test_dry_run_sends_nothing(run: Run, sandbox: Sandbox) -> None:
    body = run("%yotta create pytorch --gpu L4 --dry-run")
    assert body["gpuCount"] == 1
    assert sandbox.requests == []


def test_an_unknown_gpu_type_is_sent_as_typed_with_a_note(shown: Shown, sandbox: Sandbox) -> None:
    text = shown("%yotta create pytorch --gpu NVIDIA_L5_24G")
    assert "nearest known one is NVIDIA_L4_24G" in text
    assert sent(sandbox, "create")[0].json["gpuType"] == "NVIDIA_L5_24G"


def test_create_waits_and_tells_how_far_it_is(shown: Shown) -> None:
    text = shown("%yotta create pytorch --gpu L4 --name mine --wait")
    assert "until RUNNING" in text
    assert "Status    RUNNING" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
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
def test_bad_input_of_create_is_told_before_anything_is_sent(
    run: Run, sandbox: Sandbox, arguments: str, told: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(f"%yotta create pytorch --gpu L4 {arguments}")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sandbox.requests == []


def test_pause_and_resume_give_a_row_a_pod(run: Run) -> None:
    frame = run("%yotta pause train-1 notebook-1 --wait")
    assert list(frame["ok"]) == [True, True]
    assert list(frame["status"]) == ["PAUSED", "PAUSED"]
    assert list(run("%yotta resume train-1 notebook-1 --wait")["status"]) == ["RUNNING", "RUNNING"]


def test_pausing_what_is_paused_says_so(run: Run) -> None:
    with pytest.raises(InvalidPodState, match="is PAUSED already"):
        run("%yotta pause finetune-1")


def test_one_failure_does_not_stop_the_rest_and_fails_the_cell(
    run: Run, shown: Shown, sandbox: Sandbox, connected: Any
) -> None:
    text = shown("%yotta pause train-1 finetune-1 notebook-1")
    assert "pause failed for 1 of 3 pods" in text
    assert "train-1" in text
    status = {pod["podName"]: pod["status"] for pod in sandbox.pods()}
    assert "RUNNING" not in (status["train-1"], status["notebook-1"])
    with pytest.raises(YottaError):
        run("%yotta pause train-1 finetune-1")


def test_delete_asks_first_and_no_is_no(
    run: Run, shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    assert "Nothing was deleted." in shown("%yotta delete train-1")
    assert "train-1 (RUNNING, $" in asked[0]
    assert sent(sandbox, "delete") == []
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert list(run("%yotta delete train-1 --wait")["status"]) == ["TERMINATED"]


def test_delete_where_nobody_can_answer_says_yes(run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(InvalidRequest, match="--yes"):
        run("%yotta delete train-1")
    assert sent(sandbox, "delete") == []


def interrupted(*_: object) -> str:
    raise KeyboardInterrupt


def test_ctrl_c_at_the_question_deletes_nothing(
    shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", interrupted)
    assert "Nothing was deleted." in shown("%yotta delete train-1")
    assert sent(sandbox, "delete") == []


def test_login_writes_the_profile_in_use(
    run: Run, shown: Shown, sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    run('%config YottaMagics.profile = "work"')
    assert shown("%yotta login").endswith("Saved as profile work in ~/.yotta/config.")
    assert "[work]" in (home / ".yotta" / "config").read_text()


def test_ctrl_c_at_the_key_saves_nothing(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", interrupted)
    with pytest.raises(InvalidRequest, match="nothing was saved"):
        run("%yotta login")
    assert not (home / ".yotta").exists()


def test_a_name_that_a_pod_has_already_is_noted(shown: Shown) -> None:
    shown("%yotta list")
    assert "there is a pod of that name already" in shown("%yotta create pytorch --gpu L4 --name train-1")
    assert "already" not in shown("%yotta create pytorch --gpu L4 --name other")


def test_the_note_on_jupyter_is_for_official_images(shown: Shown) -> None:
    assert "start Jupyter only" in shown("%yotta create pytorch --gpu L4 --dry-run")
    assert "start Jupyter only" not in shown("%yotta create me/own:1 --gpu L4 --dry-run")


def test_create_says_what_is_next(shown: Shown) -> None:
    assert "Next: %yotta wait" in shown("%yotta create pytorch --gpu L4")


def test_wait_until_ssh(run: Run) -> None:
    run("%yotta create pytorch --gpu L4 --name mine")
    frame = run("%yotta wait mine --until ssh")
    assert list(frame["status"]) == ["RUNNING"]
    assert run("%yotta ssh mine").startswith("ssh user@")


def test_a_wait_that_ends_early_names_id_status_money_and_the_way_out(run: Run, sandbox: Sandbox) -> None:
    pod_id = next(pod["id"] for pod in sandbox.pods() if pod["podName"] == "train-1")
    with pytest.raises(WaitTimeout) as caught:
        run("%yotta wait train-1 --until paused --timeout 0")
    assert f"({pod_id}) is RUNNING. This still costs money: stop it with %yotta pause {pod_id} or wait on" in str(
        caught.value
    )


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_a_wait_for_what_was_asked_goes_on_and_does_not_advise_a_delete(
    run: Run, sandbox: Sandbox, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    slow = client_of(speed=0.001)
    monkeypatch.setenv("YOTTA_BASE_URL", slow.base_url)
    becomes = {"pause": "paused", "delete": "terminated"}[action]
    getattr(slow.pods, action)(run("%yotta get train-1").id)
    with pytest.raises(WaitTimeout, match=rf"wait on with %yotta wait \d+ --until {becomes}$") as caught:
        run(f"%yotta wait train-1 --until {becomes} --timeout 0")
    assert "%yotta delete" not in str(caught.value)


def test_pods_that_are_not_there_yet_have_not_failed(
    run: Run, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", client_of(speed=0.001).base_url)
    with pytest.raises(YottaError, match=r"^2 of 2 pods are not there yet"):
        run("%yotta wait train-1 notebook-1 --until paused --timeout 0")


def test_a_deleted_pod_that_the_api_knows_no_more_is_terminated(
    run: Run, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_BASE_URL", client_of(speed=1e6).base_url)
    frame = run("%yotta delete train-1 notebook-1 --yes --wait")
    assert list(frame["ok"]) == [True, True]
    assert list(frame["status"]) == ["TERMINATED", "TERMINATED"]


@pytest.mark.parametrize("name", ["''", '"$name"', "' '"])
def test_an_empty_name_is_no_pod(run: Run, client_of: Callable[..., Any], name: str, monkeypatch: Any) -> None:
    only_one = client_of(pods=1)
    monkeypatch.setenv("YOTTA_BASE_URL", only_one.base_url)
    run("name = ''")
    with pytest.raises(InvalidRequest, match="empty"):
        run(f"%yotta delete {name} --yes")
    assert [pod.status for pod in only_one.pods.list()] == ["RUNNING"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("stop", "pause"), ("rm", "delete"), ("start", "resume"), ("ps", "list"), ("lsit", "list")]
)
def test_what_other_tools_call_a_command_is_understood(shown: Shown, typed: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in shown(f"%yotta {typed} train-1")


def test_gpu_types_are_told_apart_by_words(run: Run, shown: Shown) -> None:
    run("%yotta create pytorch --gpu L40S --name big")
    assert list(run("%yotta list --gpu L4")["name"]) == ["train-1"]
    assert list(run("%yotta list --gpu l40s")["name"]) == ["big"]
    assert "none of 4 pods fits --gpu L5" in shown("%yotta list --gpu L5")


def test_a_region_in_which_no_pod_was_seen_is_noted(shown: Shown) -> None:
    shown("%yotta list")
    line = "%yotta create pytorch --gpu L4 --dry-run --region"
    assert "No pod was seen in us-wst-1, which is sent as typed; the nearest is us-west-1" in shown(f"{line} us-wst-1")
    assert "No pod was seen" not in shown(f"{line} us-west-1")


def test_the_value_of_a_secret_is_refused_in_a_line(
    shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-of-a-token")
    told = shown("import os\n%yotta create pytorch --gpu L4 --init \"echo {os.environ['HF_TOKEN']}\"")
    assert "This line holds the value of HF_TOKEN" in told
    assert "canary" not in told + shown("%yotta create pytorch --gpu L4 --env-from OTHER=canary-of-a-token")
    assert sent(sandbox, "create") == []


def test_a_key_that_is_refused_is_told_with_its_place(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", "not-the-key")
    assert "The key came from YOTTA_API_KEY." in shown("%yotta status")


def test_ssh_shows_a_command_without_quotes(shown: Shown, run: Run) -> None:
    text = shown("%yotta ssh train-1 --key '~/my key'")
    assert re.search(r"Out\[\d+\]: ssh user@", text)
    assert "-i ~/'my key'" in text
    assert run("%yotta ssh train-1 --config").startswith("Host train-1\n    HostName ")


def test_ssh_to_a_paused_pod_says_resume(run: Run) -> None:
    with pytest.raises(InvalidPodState, match="%yotta resume"):
        run("%yotta ssh finetune-1")


def test_cost_is_a_row_a_pod_and_says_the_sum(run: Run, shown: Shown) -> None:
    frame = run("%yotta cost")
    assert list(frame["name"]) == ["notebook-1", "train-1", "finetune-1"]
    now, running = frame["hourly_cost"].sum(), frame["hourly_price"].sum()
    assert f"In all ${now:.2f} an hour now, ${running:.2f} an hour while all of them run." in shown("%yotta cost;")


def test_gpus_and_images_learn_prices_from_listings(run: Run) -> None:
    assert run("%yotta gpus")["single_card_price"].isna().all()
    run("%yotta list")
    assert run("%yotta gpus").loc["NVIDIA_L4_24G", "single_card_price"] > 0
    assert "pytorch" in set(run("%yotta images")["short_name"].dropna())


def test_status_shows_four_characters_of_the_key(run: Run, sandbox: Sandbox) -> None:
    text = run("%yotta status")
    assert sandbox.base_url in text
    assert f"••••{sandbox.api_key[-4:]} (key from YOTTA_API_KEY); 3 pods, 2 running" in text
    assert sandbox.api_key not in text


def test_login_tries_the_key_before_it_saves_it(
    run: Run, shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOTTA_API_KEY")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "wrong-key")
    assert "refused the API key" in shown("%yotta login")
    with pytest.raises(InvalidRequest, match="There is no API key"):
        run("%yotta list")
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    told = shown("%yotta login --profile work")
    assert sandbox.api_key not in told
    run(told.partition("To use it in this notebook: ")[2])
    assert len(run("%yotta list")) == 3


def test_login_tells_of_a_key_that_goes_before_the_new_one(
    shown: Shown, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    told = shown("%yotta login")
    assert "takes its key from YOTTA_API_KEY" in told
    shown(told.partition("to use the new one: ")[2])
    assert "key from profile default" in shown("%yotta status")


def test_login_is_not_for_the_sandbox(shown: Shown, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", interrupted)
    shown("%yotta sandbox start")
    with pytest.raises(InvalidRequest, match="first: %yotta sandbox stop"):
        run("%yotta login")
    assert not (home / ".yotta").exists()
