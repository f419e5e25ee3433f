"""The command for costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yotta_jupyter import InvalidRequest, Sandbox

Run = Callable[[str], Any]
Output = Callable[[str], str]


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


def test_cost_since_lists_and_calls_its_total_an_estimate(run: Run, captured_output: Output) -> None:
    run("%yotta list")
    output = captured_output("%yotta cost --since 1h --by gpu_type;")
    assert "Estimated total of the observed hours: $0.00. Not complete: 3 rows" in output
    frame = run("%yotta cost --since 1h")
    assert set(frame["name"]) == {"train-1", "notebook-1", "finetune-1"}
    assert (frame["unobserved_hours"] > 0.99).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--since 7x", "such as 90s, 30m, 8h or 2d, not '7x'"),
        ("--since 0d", "more than 0"),
        ("--by day", "--by needs --since"),
        ("--since 1d --by regoin", "Did you mean region"),
    ],
)
def test_cost_refuses_bad_input(run: Run, arguments: str, message: str, requests_to: Callable[[str], Any]) -> None:
    with pytest.raises(InvalidRequest, match=message):
        run(f"%yotta cost {arguments}")
    assert not requests_to("list")
