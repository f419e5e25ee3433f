"""The panel's own parts, over a real sandbox, and what it is where there is no browser."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pandas as pd
import pytest

from yotta_jupyter import InvalidRequest, Panel, PodSpec, Sandbox
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.connection import Yotta
from yotta_jupyter.magics.creating import create_line
from yotta_jupyter.magics.dispatch import command_named
from yotta_jupyter.magics.line import words
from yotta_jupyter.panel import form
from yotta_jupyter.panel.actions import Actions
from yotta_jupyter.panel.refresher import Refresher
from yotta_jupyter.panel.state import PanelState


@pytest.fixture
def state(yotta: Yotta) -> PanelState:
    state = PanelState({}, dict)
    state.seen(yotta.pods.list(), 0.0)
    return state


@pytest.fixture
def changed() -> threading.Event:
    return threading.Event()


@pytest.fixture
def actions(yotta: Yotta, state: PanelState, changed: threading.Event) -> Iterator[Callable[[float], Actions]]:
    """Make the actions of a panel; `changed` is set when one has been carried out."""
    made = []

    def make(delay: float) -> Actions:
        made.append(Actions(yotta, state, lambda: None, changed.set, delay))
        return made[-1]

    yield make
    for each in made:
        each.close()


def by_name(state: PanelState) -> dict[str | None, str]:
    return {pod.name: pod.id for pod in state.pods.values()}


def sent(sandbox: Sandbox, endpoint: str) -> int:
    return sum(request.endpoint == endpoint for request in sandbox.requests)


def test_pods_and_selected_are_dataframes(yotta: Yotta) -> None:
    panel = Panel(yotta)
    try:
        assert list(panel.pods["name"]) == ["train-1", "notebook-1", "finetune-1"]
        assert isinstance(panel.selected, pd.DataFrame)
        assert list(panel.selected.columns) == list(panel.pods.columns)
        assert panel.selected.empty
    finally:
        panel.close()


def test_a_panel_that_is_not_shown_has_no_thread(yotta: Yotta) -> None:
    before = threading.active_count()
    panel = Panel(yotta)
    assert threading.active_count() == before
    panel.close()


@pytest.mark.parametrize("delay", [-1, 61, "5", True])
def test_a_delay_that_is_none_is_refused(yotta: Yotta, delay: Any) -> None:
    with pytest.raises(InvalidRequest, match="0 to 60"):
        Panel(yotta, delete_delay=delay)


def test_in_a_terminal_it_is_a_table_of_text_and_a_hint(yotta: Yotta, capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(yotta)
    panel._ipython_display_()
    panel.close()
    shown = capsys.readouterr().out
    assert "train-1" in shown
    assert "JupyterLab" in shown
    assert "as of 2" in shown
    assert " at 0x" not in repr(panel)


def test_closing_sends_the_deletes_that_still_wait(
    sandbox: Sandbox, state: PanelState, actions: Callable[[float], Actions]
) -> None:
    waiting = actions(60.0)
    waiting.act("delete", [by_name(state)["train-1"]])
    assert sent(sandbox, "delete") == 0
    waiting.close()
    assert sent(sandbox, "delete") == 1


def test_a_kernel_that_ends_sends_the_deletes_that_still_wait(sandbox: Sandbox) -> None:
    script = f"""
from yotta_jupyter import Panel, connect
panel = Panel(connect({sandbox.api_key!r}, base_url={sandbox.base_url!r}), delete_delay=60)
panel.refresh()
panel._received({{"t": "delete", "pods": list(panel.pods.index)}})
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert sent(sandbox, "delete") == 3


def test_a_pod_launched_while_a_listing_was_on_its_way_stays(state: PanelState, yotta: Yotta) -> None:
    listed = list(state.pods.values())
    started = time.monotonic()
    state.launched("key", msgspec.structs.replace(listed[0], id="1234567890"))
    state.seen(listed, started)
    assert "1234567890" in state.pods
    state.seen(listed, time.monotonic())
    assert "1234567890" not in state.pods


def test_a_delete_that_was_taken_back_is_not_sent(
    sandbox: Sandbox, state: PanelState, actions: Callable[[float], Actions]
) -> None:
    waiting = actions(60.0)
    pod_id = by_name(state)["train-1"]
    waiting.act("delete", [pod_id])
    assert waiting.undo([pod_id]) == [pod_id]
    waiting.close()
    assert sent(sandbox, "delete") == 0


def test_a_delete_asked_for_again_has_its_whole_time(state: PanelState) -> None:
    pod_id = by_name(state)["train-1"]
    state.ask([pod_id], "undo")
    first = time.monotonic()
    state.take_back([pod_id])
    state.ask([pod_id], "undo")
    assert state.past_undo([pod_id], first) == []
    assert state.past_undo([pod_id], time.monotonic()) == [pod_id]


def test_what_is_asked_twice_is_sent_once(
    sandbox: Sandbox, state: PanelState, actions: Callable[[float], Actions], changed: threading.Event
) -> None:
    pod_id = by_name(state)["train-1"]
    pausing = actions(5.0)
    assert pausing.act("pause", [pod_id, pod_id]) == [pod_id]
    assert pausing.act("pause", [pod_id]) == []
    assert changed.wait(10)
    assert sent(sandbox, "pause") == 1


def test_a_patch_holds_what_changed_and_nothing_else(state: PanelState) -> None:
    state.snapshot()
    assert state.patch() is None
    pod = next(iter(state.pods.values()))
    state.seen([msgspec.structs.replace(pod, status="PAUSED"), *list(state.pods.values())[1:]], 1.0)
    patch = state.patch()
    assert patch is not None
    ((pod_id, *changes),) = patch["set"]
    assert pod_id == pod.id
    assert changes[:2] == [2, "PAUSED"]
    assert set(patch) == {"v", "set", "at"}
    assert state.patch() is None


def test_what_was_asked_stays_until_a_listing_that_is_newer(state: PanelState) -> None:
    pods = list(state.pods.values())
    state.ask([pods[0].id], "pause")
    state.answered({pods[0].id: None})
    state.seen(pods, started=0.0)
    assert state.in_transition
    assert state.ask([pods[0].id], "pause") == []
    state.seen(pods, started=float("inf"))
    assert state.ask([pods[0].id], "pause") == [pods[0].id]


def test_a_pod_that_a_listing_leaves_out_stays_until_the_api_says_that_it_is_gone(
    yotta: Yotta, sandbox: Sandbox
) -> None:
    panel = Panel(yotta)
    try:
        panel.refresh()
        sandbox.add_fault("list:lag=60")
        pod = yotta.pods.create(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name="new")
        panel._state.launched("key", pod)
        panel.refresh()
        assert "new" in set(panel.pods["name"])
    finally:
        panel.close()


def test_the_refresher_stops_where_nobody_looks_and_starts_again() -> None:
    called = threading.Semaphore(0)

    def refresh() -> float:
        called.release()
        return 0.001

    refresher = Refresher(refresh)
    for _ in range(2):
        refresher.seen(True)
        assert called.acquire(timeout=10)
        assert called.acquire(timeout=10)
        thread = next(t for t in threading.enumerate() if t.name == "yotta-panel")
        refresher.seen(False)
        thread.join(10)
        assert not thread.is_alive()
    refresher.close()
    refresher.seen(True)
    assert not any(t.name == "yotta-panel" for t in threading.enumerate())


FORM = {"gpu_type": "L4", "gpu_count": "1", "image": "pytorch"}


def test_a_form_comes_to_the_spec_of_the_equal_line() -> None:
    values = {
        **FORM,
        "name": "it's {mine} $HOME",
        "region": "us-west-1",
        "ports": "22, 9000/TCP",
        "env": [["MODE", "fast"]],
        "init": "echo 'a b' > /tmp/x",
        "persistent_volume": "50",
        "mount": "/workspace",
        "cloud": "SECURE",
        "private": True,
        "registry_username": "me",
        "registry_token": "canary-token",
    }
    checked = form.check(values, Catalog())
    assert checked.errors == {}
    assert isinstance(checked.spec, PodSpec)
    assert checked.line is not None
    assert "canary" not in checked.line
    assert "fast" not in checked.line
    command = command_named("create")
    assert command is not None
    parsed = command.parser().parse_line(words(checked.line.removeprefix("%yotta create"), {}))
    assert (parsed.name, parsed.init, parsed.expose) == (values["name"], values["init"], ["22/SSH", "9000/TCP"])
    assert (parsed.mount, parsed.env_from, parsed.private) == ("/workspace", ["MODE"], True)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("gpu_type", "", "Choose a GPU type"),
        ("gpu_type", "H100", "NVIDIA_H100"),
        ("image", "", "Choose an image"),
        ("gpu_count", "3", "power of two"),
        ("ports", "70000", "1 to 65535"),
        ("ports", "22 22", "twice"),
        ("env", [["1A", "x"]], "starts with no digit"),
        ("container_volume", "ten", "gigabytes"),
        ("persistent_volume", "-1", "gigabytes"),
        ("mount", "workspace", "starts with /"),
    ],
)
def test_what_is_wrong_in_a_form_is_told_by_field(field: str, value: Any, told: str) -> None:
    checked = form.check({**FORM, field: value}, Catalog())
    assert checked.spec is None
    assert told in checked.errors[field]
    assert "\n" not in checked.errors[field]


def test_a_name_that_a_pod_has_already_is_noted() -> None:
    assert form.check({**FORM, "name": "train-1"}, Catalog()).notes.get("name") is None
    assert "both will cost" in form.check({**FORM, "name": "train-1"}, Catalog(), {"train-1"}).notes["name"]


def test_a_line_without_options_is_short() -> None:
    spec = PodSpec.of(image="me/own:1", gpu_type="L4", expose=[22, (8888, "HTTP")])
    assert create_line(spec) == "%yotta create me/own:1 --gpu L4"
