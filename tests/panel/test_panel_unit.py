"""The panel and its actions against a sandbox, without a browser."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pandas as pd
import pytest

from yotta_jupyter import (
    Client,
    CreateOutcomeUnknown,
    InvalidRequest,
    Panel,
    Pod,
    PodSpec,
    Sandbox,
    YottaError,
    connect,
)
from yotta_jupyter.panel import close_all
from yotta_jupyter.panel.actions import Actions
from yotta_jupyter.panel.poller import Poller
from yotta_jupyter.panel.protocol import FIELDS
from yotta_jupyter.panel.state import PanelState
from yotta_jupyter.panel.widget import PanelWidget
from yotta_jupyter.passwords import JUPYTER_PASSWORD_ENV

from .helpers import id_of, requests_to


@pytest.fixture
def refresh_requested() -> threading.Event:
    return threading.Event()


@pytest.fixture
def make_actions(
    yotta: Client, state: PanelState, refresh_requested: threading.Event
) -> Iterator[Callable[[float], Actions]]:
    """Create actions with a delay for deletes. `refresh_requested` is set after a request has been sent."""
    created = []

    def make_actions(delete_delay: float) -> Actions:
        created.append(Actions(yotta, state, lambda: None, refresh_requested.set, delete_delay))
        return created[-1]

    yield make_actions
    for actions in created:
        actions.close()


def test_pods_and_selected_are_dataframes(yotta: Client) -> None:
    panel = Panel(yotta)
    try:
        assert list(panel.pods["name"]) == ["train-1", "notebook-1", "finetune-1"]
        assert isinstance(panel.selected, pd.DataFrame)
        assert list(panel.selected.columns) == list(panel.pods.columns)
        assert panel.selected.empty
    finally:
        panel.close()


def test_panel_that_is_not_displayed_has_no_thread(yotta: Client) -> None:
    before = threading.active_count()
    panel = Panel(yotta)
    yotta.ledger.flush()
    assert threading.active_count() == before
    panel.close()


@pytest.mark.parametrize("delay", [-1, 61, "5", True])
def test_invalid_delete_delay_is_rejected(yotta: Client, delay: Any) -> None:
    with pytest.raises(InvalidRequest, match="0 to 60"):
        Panel(yotta, delete_delay=delay)


def test_terminal_shows_a_text_table_and_a_hint(yotta: Client, capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(yotta)
    panel._ipython_display_()
    panel.close()
    output = capsys.readouterr().out
    assert "train-1" in output
    assert "JupyterLab" in output
    assert "as of 2" in output
    assert " at 0x" not in repr(panel)


def test_close_sends_pending_deletes(
    sandbox: Sandbox, state: PanelState, make_actions: Callable[[float], Actions]
) -> None:
    actions = make_actions(60.0)
    actions.act("delete", [id_of(state, "train-1")])
    assert requests_to(sandbox, "delete") == []
    actions.close()
    assert len(requests_to(sandbox, "delete")) == 1


def test_closing_several_panels_has_one_deadline(yotta: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yotta_jupyter.panel.timings.SHUTDOWN_TIMEOUT", 0.5)
    may_finish = threading.Event()

    def bulk(client: Any, action: str, pod_ids: list[str]) -> list[None]:
        may_finish.wait(20)
        return [None] * len(pod_ids)

    monkeypatch.setattr(type(yotta.pods), "bulk", bulk)
    panels = [Panel(yotta, delete_delay=0) for _ in range(3)]
    try:
        for panel in panels:
            panel.refresh()
            panel._on_message({"type": "delete", "pods": list(panel.pods.index)})
        started_at = time.monotonic()
        close_all()
        assert time.monotonic() - started_at < 1.2
    finally:
        may_finish.set()


def test_kernel_shutdown_sends_pending_deletes(sandbox: Sandbox) -> None:
    script = f"""
from yotta_jupyter import Panel, connect
panel = Panel(connect({sandbox.api_key!r}, base_url={sandbox.base_url!r}), delete_delay=60)
panel.refresh()
panel._on_message({{"type": "delete", "pods": list(panel.pods.index)}})
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert len(requests_to(sandbox, "delete")) == 3


def test_undone_delete_is_not_sent(
    sandbox: Sandbox, state: PanelState, make_actions: Callable[[float], Actions]
) -> None:
    actions = make_actions(60.0)
    pod_id = id_of(state, "train-1")
    actions.act("delete", [pod_id])
    assert actions.undo([pod_id]) == [pod_id]
    actions.close()
    assert requests_to(sandbox, "delete") == []


def test_first_pause_of_a_pod_without_a_persistent_volume_waits_for_an_undo(
    sandbox: Sandbox,
    state: PanelState,
    make_actions: Callable[[float], Actions],
    refresh_requested: threading.Event,
) -> None:
    actions = make_actions(60.0)
    erased, kept = id_of(state, "notebook-1"), id_of(state, "train-1")
    actions.act("pause", [erased])
    actions.act("pause", [kept])
    assert refresh_requested.wait(10)
    assert [kept in request.path for request in requests_to(sandbox, "pause")] == [True]
    assert actions.undo([erased]) == [erased]
    actions.act("pause", [erased])
    actions.close()
    assert len(requests_to(sandbox, "pause")) == 2
    state.apply_listing(actions.client.pods.list(), time.monotonic())
    assert not state.warns_of_pause(erased)


def test_confirmed_pause_is_sent_at_once(
    sandbox: Sandbox,
    state: PanelState,
    make_actions: Callable[[float], Actions],
    refresh_requested: threading.Event,
) -> None:
    make_actions(60.0).act("pause", [id_of(state, "notebook-1")], confirmed=True)
    assert refresh_requested.wait(10)
    assert len(requests_to(sandbox, "pause")) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("pause:code=10002", "Pause failed: The API failed: "),
        ("pause:status=402", "Pause failed: The API refused the request: "),
    ],
)
def test_error_of_an_action_starts_with_the_action(
    sandbox: Sandbox, state: PanelState, make_actions: Callable[[float], Actions], fault: str, expected: str
) -> None:
    sandbox.add_fault(fault)
    actions = make_actions(0.0)
    pod_id = id_of(state, "train-1")
    actions.act("pause", [pod_id])
    actions.close()
    error = state.rows()[pod_id][FIELDS.index("error")]
    assert error.startswith(expected)
    assert "arguments" not in error


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_an_action_that_ends_a_running_cell_says_so_in_the_row(
    yotta: Client,
    state: PanelState,
    make_actions: Callable[[float], Actions],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    pod_id, other_id = id_of(state, "train-1"), id_of(state, "notebook-1")
    monkeypatch.setattr(yotta.remotes, "running_title", {pod_id: "train()"}.get)
    make_actions(60.0).act(action, [pod_id, other_id])
    notes = {row_id: row[FIELDS.index("pending_note")] for row_id, row in state.rows().items()}
    assert (notes[pod_id], notes[other_id]) == ("This ends the running cell: train()", None)


def test_failed_refresh_says_whether_the_api_answered(yotta: Client, sandbox: Sandbox) -> None:
    panel = Panel(yotta)

    def reachable() -> bool:
        panel._poll()
        return bool(msgspec.json.decode(panel._sync.snapshot())["reachable"])

    try:
        assert reachable()
        sandbox.add_fault("list:code=10002")
        assert reachable()
        sandbox.stop()
        assert not reachable()
    finally:
        panel.close()


def test_refresh_that_takes_long_is_reported_as_late(yotta: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yotta_jupyter.panel.timings.LATE_AFTER", 0.0)
    reports: list[bool] = []
    is_late = threading.Event()
    panel = Panel(yotta)

    def send() -> None:
        reports.append(panel._state.late)
        if panel._state.late:
            is_late.set()

    monkeypatch.setattr(panel, "_send", send)
    monkeypatch.setattr(panel, "_fetch", lambda: is_late.wait(10))
    panel._poll()
    panel.close()
    assert reports == [True, False]


def test_pods_without_a_name_are_no_duplicates(
    sandbox: Sandbox, state: PanelState, make_actions: Callable[[float], Actions]
) -> None:
    actions = make_actions(5.0)
    spec = PodSpec(image="me/own:1", gpu_type="NVIDIA_L4_24G")
    notes: list[str] = []
    for temp_id in ("first", "second"):
        actions.launch(temp_id, spec, lambda outcome, note: notes.append(note))
        actions.close()
    assert notes == ["", ""]
    assert len({pod["podName"] for pod in sandbox.pods() if pod["image"] == "me/own:1"}) == 1


@pytest.mark.parametrize("name", ["mine", None])
def test_launch_of_unknown_outcome_has_one_row_until_its_pod_is_listed(
    sandbox: Sandbox, state: PanelState, make_actions: Callable[[float], Actions], short_lookup_delays: None, name: str
) -> None:
    sandbox.add_fault("create:lostx1")
    sandbox.add_fault("list:lag=3600")
    actions = make_actions(5.0)
    spec = PodSpec(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name=name)
    for temp_id in ("first", "second"):
        actions.launch(temp_id, spec, lambda outcome, note: None)
        actions.close()
    assert [row_id for row_id in state.rows() if row_id not in state.pods] == ["first"]
    sandbox.clear_faults()
    state.apply_listing(actions.client.pods.list(), time.monotonic())
    assert state.rows().keys() == state.pods.keys()
    assert len(requests_to(sandbox, "create")) == 1


def test_pausing_twice_sends_one_request(
    sandbox: Sandbox,
    state: PanelState,
    make_actions: Callable[[float], Actions],
    refresh_requested: threading.Event,
) -> None:
    pod_id = id_of(state, "train-1")
    actions = make_actions(5.0)
    assert actions.act("pause", [pod_id, pod_id]) == [pod_id]
    assert actions.act("pause", [pod_id]) == []
    assert refresh_requested.wait(10)
    assert len(requests_to(sandbox, "pause")) == 1


def test_pod_missing_from_a_listing_stays_until_the_api_does_not_find_it(yotta: Client, sandbox: Sandbox) -> None:
    panel = Panel(yotta)
    try:
        panel.refresh()
        sandbox.add_fault("list:lag=60")
        pod = yotta.pods.create(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name="new")
        panel._state.end_launch("temporary", pod)
        panel.refresh()
        assert "new" in set(panel.pods["name"])
    finally:
        panel.close()


def test_bulk_action_requests_one_refresh(yotta: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    deletes_before_refresh: list[int] = []
    has_requested = threading.Event()

    def request_refresh(poller: Poller) -> None:
        deletes_before_refresh.append(len(requests_to(sandbox, "delete")))
        has_requested.set()

    monkeypatch.setattr(Poller, "request_refresh", request_refresh)
    panel = Panel(yotta, delete_delay=0)
    try:
        panel.refresh()
        panel._on_message({"type": "delete", "pods": list(panel.pods.index)})
        assert has_requested.wait(10)
    finally:
        panel.close()
    assert deletes_before_refresh == [3]


def test_jupyter_password_travels_only_in_a_buffer_and_only_on_request(
    yotta: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    launched = threading.Event()

    def send_message(widget: PanelWidget, message: Any, buffers: Any = ()) -> None:
        sent.append((message, buffers))
        if message["type"] == "launched":
            launched.set()

    monkeypatch.setattr(PanelWidget, "send_message", send_message)
    panel = Panel(yotta)
    try:
        form = {"gpu_type": "L4", "gpu_count": "1", "image": "pytorch"}
        panel._on_message({"type": "launch", "temp_id": "temporary", "form": form})
        assert launched.wait(10)
        assert not any(buffers for _, buffers in sent)
        pod_id = next(message["pod_id"] for message, _ in sent if message["type"] == "launched")
        panel._on_message({"type": "show_password", "request_id": "1", "pod_id": pod_id})
        panel._on_message({"type": "show_password", "request_id": "2", "pod_id": "1"})
    finally:
        panel.close()
    (reply, (password,)), (other, no_buffers) = sent[-2:]
    assert reply == {"type": "password", "request_id": "1", "error": ""}
    assert "does not return" in other["error"]
    assert not no_buffers
    (request,) = requests_to(sandbox, "create")
    assert {"key": JUPYTER_PASSWORD_ENV, "value": password.decode()} in request.json["environmentVars"]
    assert len(password) >= 32
    assert not any(password.decode() in str(message) for message, _ in sent)


def test_launch_without_a_name_is_repeated_only_when_confirmed(
    yotta: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: queue.Queue[Any] = queue.Queue()

    def send_message(widget: PanelWidget, message: Any, buffers: Any = ()) -> None:
        if message["type"] in ("launched", "rejected"):
            results.put(message)

    monkeypatch.setattr(PanelWidget, "send_message", send_message)
    form = {"gpu_type": "L4", "image": "me/own:1", "pod_name": ""}
    panel = Panel(yotta)

    def launch(temp_id: str, **changes: Any) -> Any:
        panel._on_message({"type": "launch", "temp_id": temp_id, "form": {**form, **changes}})
        return results.get(timeout=10)

    try:
        first = launch("first")
        assert first["type"] == "launched"
        rejected = launch("after a reload of the page")
        assert rejected["errors"].keys() == rejected["confirmations"].keys() == {"form"}
        assert launch("confirmed", confirmed=["form"])["type"] == "launched"
        assert launch("another image", image="me/own:2")["type"] == "launched"
        assert len(requests_to(sandbox, "create")) == 3
    finally:
        panel.close()


def test_launch_in_an_earlier_sandbox_leaves_no_row(
    make_client: Callable[..., Client],
    state: PanelState,
    make_actions: Callable[[float], Actions],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actions = make_actions(5.0)

    def create(spec: PodSpec) -> Pod:
        actions.client = make_client()
        state.reset()
        raise CreateOutcomeUnknown("launch-1", "the connection was lost")

    monkeypatch.setattr(actions.client.pods, "create", create)
    outcomes: list[Pod | YottaError] = []
    spec = PodSpec(image="me/own:1", gpu_type="NVIDIA_L4_24G")
    actions.launch("temporary", spec, lambda outcome, note: outcomes.append(outcome))
    actions.close()
    assert isinstance(outcomes[0], CreateOutcomeUnknown)
    assert state.rows() == {}


def test_launch_that_would_use_a_pod_creates_none_after_that_pod_was_deleted(
    yotta: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    rejected = threading.Event()

    def send_message(widget: PanelWidget, message: Any, buffers: Any = ()) -> None:
        sent.append(message)
        if message["type"] == "rejected":
            rejected.set()

    monkeypatch.setattr(PanelWidget, "send_message", send_message)
    form = {"gpu_type": "L4", "image": "me/own:1", "pod_name": "mine", "environment_vars": [["HF_TOKEN", ""]]}
    panel = Panel(yotta)
    try:
        with connect(sandbox.api_key, base_url=sandbox.base_url) as other_client:
            pod = other_client.pods.create(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name="mine")
            panel.refresh()
            other_client.pods.delete(pod.id)
        panel._on_message({"type": "launch", "temp_id": "temporary", "form": form})
        assert rejected.wait(10)
    finally:
        panel.close()
    rejection = next(message for message in sent if message["type"] == "rejected")
    assert rejection["errors"] == {"pod_name": "That pod has ended. Launch again to create a new one."}
    assert len(requests_to(sandbox, "create")) == 1


def test_panel_of_a_sandbox_shows_the_next_sandbox_but_never_an_account(make_client: Callable[..., Client]) -> None:
    following: list[Client] = []
    panel = Panel(make_client(pods=3), follow=lambda: following[0] if following else None)
    try:
        assert len(panel.pods) == 3
        panel._poll()
        assert panel._state.refresh_error is None
        following.append(make_client(pods=1))
        panel._poll()
        assert len(panel.pods) == 1
        assert msgspec.json.decode(panel._sync.snapshot())["base_url"] == following[0].base_url
        panel._client = panel._actions.client = connect("key", base_url="https://example.invalid")
        panel._follow_sandbox()
        assert panel._client.base_url == "https://example.invalid"
    finally:
        panel.close()
