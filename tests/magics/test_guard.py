"""The command ``%yotta guard``, and the flags of create that set a guard. The enforcer's process is not started."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import InvalidRequest, PodNotFound, Sandbox, YottaError
from yotta_jupyter.guard import process
from yotta_jupyter.guard.store import GuardStore

Run = Callable[[str], Any]
Output = Callable[[str], str]


@pytest.fixture(autouse=True)
def no_enforcer_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ensure_running", lambda *_: False)


def test_a_guard_is_set_shown_extended_and_ended(run: Run, captured_output: Output, pod_id: str) -> None:
    text = captured_output("%yotta guard train-1 --after 8h --budget 20 --idle 30m")
    assert f"Guard of train-1 ({pod_id}): paused in 8h, at " in text
    assert "or sooner when idle for 30m. NOT enforced: the enforcer is not running. A pause may erase" in text
    assert "Note: a signal that cannot be read counts as busy, and then the pod is never idle." in text
    frame = run("%yotta guard")
    assert list(frame.index) == [pod_id]
    assert frame["rule"].tolist() == ["after 8h, budget $20.00, idle 30m"]
    assert 7.9 < frame["left"].iloc[0].total_seconds() / 3600 <= 8
    assert frame["enforcer"].tolist() == ["local: NOT enforced, not running"]
    assert "paused in 10h" in captured_output("%yotta guard train-1 --extend 2h")
    extended = run("%yotta guard")
    assert extended["rule"].tolist() == ["after 8h + 2h, budget $20.00 + 2h, idle 30m"]
    assert extended["reason"].tolist() == ["after 8h + 2h"]
    assert "had a guard (after 8h" in captured_output("%yotta guard train-1 --after 1h")
    assert "has no guard any more: it runs until you pause it" in captured_output("%yotta guard train-1 --off")
    assert run("%yotta guard").empty
    assert list(run("%yotta guard").columns) == list(frame.columns)


def test_a_pod_without_a_guard_says_how_to_set_one(run: Run, captured_output: Output) -> None:
    assert captured_output("%yotta guard train-1") == ("train-1 has no guard. Set one: %yotta guard train-1 --after 8h")
    run("%yotta guard notebook-1 --after 8h")
    assert "train-1 has no guard." in captured_output("%yotta guard train-1 notebook-1")
    assert len(run("%yotta guard train-1 notebook-1")) == 1


@pytest.mark.parametrize("line", ["resume finetune-1", "resume finetune-1 --wait"])
def test_a_resume_shows_the_guard(run: Run, captured_output: Output, line: str) -> None:
    run("%yotta guard finetune-1 --after 8h")
    note = r"^Note: finetune-1 \(\d+\) has a guard, which counts from this start: after 8h\.$"
    assert re.search(note, captured_output(f"%yotta {line}"), re.MULTILINE)


def test_an_empty_setting_sets_no_guard(run: Run) -> None:
    run("%config YottaMagics.guard_after = ''")
    run("%yotta create pytorch --gpu L4 --name mine")
    assert run("%yotta guard").empty


def test_times_of_a_guard_are_shown_in_whole_seconds(run: Run, captured_output: Output) -> None:
    run("%yotta guard train-1 --after 2h")
    for line in ("%yotta guard", "%yotta guard train-1"):
        frame = run(line)
        assert frame["left"].dtype.kind == "m"
        assert frame["pauses_at"].dt.microsecond.tolist() == [0]
        assert re.search(r" (2 h|1 h 59 min)\b", repr(frame))
        assert re.search(r">(2 h|1 h 59 min)<", frame._repr_html_())


def test_extending_the_guard_of_a_paused_pod_puts_nothing_off(run: Run, captured_output: Output) -> None:
    run("%yotta guard finetune-1 --after 1m --budget 0.001")
    output = captured_output("%yotta guard finetune-1 --extend 2h")
    assert re.search(r"^Note: nothing was put off: finetune-1 \(\d+\) is PAUSED, and its limits start anew", output)
    assert "paused after 1m, budget $0.001, counted from its next start" in output


def test_a_pause_that_is_near_is_announced(run: Run, captured_output: Output) -> None:
    run("%yotta guard train-1 --after 9m")
    assert "is paused in 9m (after 9m). To put it off: %yotta guard train-1 --extend 1h" in captured_output(
        "%yotta list;"
    )
    run("%yotta guard train-1 --extend 1h")
    assert "paused" not in captured_output("%yotta list;")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train-1 --after 0", "such as 90s, 30m, 8h or 2d, not '0'"),
        ("train-1 --after -1h", "expected one argument|not '-1h'"),
        ("train-1 --after=-1h", "not '-1h'"),
        ("train-1 --after 8x", "not '8x'"),
        ("train-1 --after 3650d", "at most 366d"),
        ("train-1 --budget 0", "more than 0"),
        ("train-1 --budget much", "not 'much'"),
        ("train-1 --after 1h --off", "or takes one of"),
        ("--after 1h", "needs POD"),
        ("train-1 --extend 1h", "has no guard"),
        ("train-1 --on-pod", "--on-pod needs"),
    ],
)
def test_bad_input_is_one_line_and_sets_nothing(run: Run, arguments: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        run(f"%yotta guard {arguments}")
    assert "\n" not in str(caught.value)
    assert not GuardStore().exists or GuardStore().guards() == []


def test_pods_that_cannot_be_guarded(
    run: Run, captured_output: Output, sandbox: Sandbox, record: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PodNotFound, match="Did you mean train-1"):
        run("%yotta guard trian-1 --after 1h")
    with pytest.raises(InvalidRequest, match="matches 3 pods"):
        run("%yotta guard 3 --after 1h")
    assert "counted from its next start" in captured_output("%yotta guard finetune-1 --after 1h")
    pods = [record(id="8", status="RUNNING", singleCardPrice=None), record(id="9", status="FAILED")]
    with Sandbox(records=pods) as other:
        monkeypatch.setenv("YOTTA_BASE_URL", other.base_url)
        with pytest.raises(InvalidRequest, match=r"price of pod .* is unknown"):
            run("%yotta guard 8 --budget 5")
        with pytest.raises(InvalidRequest, match="is FAILED: there is nothing to guard"):
            run("%yotta guard 9 --after 1h")


def test_create_sets_a_guard(run: Run, captured_output: Output, connected: InteractiveShell) -> None:
    output = captured_output(
        "%yotta create pytorch --gpu L4 --name a --guard-after 8h --guard-budget 5 --guard-idle 30m"
    )
    assert "Guard of a (" in output
    run('%config YottaMagics.guard_after = "12h"')
    run("%yotta create pytorch --gpu L4 --name b")
    assert list(run("%yotta guard")["rule"]) == ["after 8h, budget $5.00, idle 30m", "after 12h"]


def test_create_with_a_wrong_limit_creates_nothing(run: Run, requests_to: Callable[[str], list[Any]]) -> None:
    with pytest.raises(InvalidRequest, match="not '8x'"):
        run("%yotta create pytorch --gpu L4 --guard-after 8x")
    assert requests_to("create") == []


def test_a_guard_that_cannot_be_set_after_a_create_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise YottaError("The disk is full.", advice="Free some space.")

    monkeypatch.setattr(GuardStore, "put", fail)
    with pytest.raises(YottaError, match=r"^Pod a \(\d+\) is NOT guarded: The disk is full. Free some space.$"):
        run("%yotta create pytorch --gpu L4 --name a --guard-after 8h")


def test_guards_end_with_the_sandbox_of_the_notebook(shell: InteractiveShell) -> None:
    for line in ("sandbox start --speed 100", "guard train-1 --after 8h"):
        shell.run_line_magic("yotta", line)
    assert len(GuardStore().guards()) == 1
    shell.run_line_magic("yotta", "sandbox stop")
    assert GuardStore().guards() == []
