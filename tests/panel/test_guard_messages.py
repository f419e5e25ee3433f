"""The guards in the panel's messages. The enforcer's process is not started."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
import pytest

from yotta_jupyter import Client, Panel, PodSpec
from yotta_jupyter.guard import process
from yotta_jupyter.guard.guards import Guards
from yotta_jupyter.guard.storage import data_folder
from yotta_jupyter.overrides import ConfigOverrides
from yotta_jupyter.panel import actions
from yotta_jupyter.panel.widget import PanelWidget


def test_the_panel_shows_a_guard_and_puts_it_off(yotta: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    has_result = threading.Event()

    def send_message(widget: PanelWidget, message: Any, buffers: Any = ()) -> None:
        sent.append(message)
        if message["type"] == "guard_extended":
            has_result.set()

    monkeypatch.setattr(process, "ensure_running", lambda *_: False)
    monkeypatch.setattr(PanelWidget, "send_message", send_message)
    pod_id, other_id, *_ = [pod.id for pod in yotta.pods.list()]
    panel = Panel(yotta)

    def poll() -> Any:
        panel._poll()
        return msgspec.json.decode(panel._sync.snapshot())

    try:
        assert poll()["guards"] == {}
        yotta.guards.set(pod_id, after="9m", idle="30m")
        snapshot = poll()
        guard = snapshot["guards"][pod_id]
        assert list(snapshot["guards"]) == [pod_id]
        assert 500 < guard.pop("pauses_at") - time.time() <= 541
        assert guard == {
            "rule": "after 9m, idle 30m",
            "state": "active",
            "idle_since": None,
            "is_near": True,
            "problem": "not running",
        }
        sent.clear()
        panel._on_message({"type": "extend_guard", "pod_id": pod_id})
        assert has_result.wait(10)
        assert sent == [{"type": "guard_extended", "pod_id": pod_id, "error": ""}]
        assert not poll()["guards"][pod_id]["is_near"]
        assert sent[-1].keys() == {"type", "version", "guards", "refreshed_at"}

        has_result.clear()
        panel._on_message({"type": "extend_guard", "pod_id": other_id})
        assert has_result.wait(10)
        assert "has no guard" in sent[-1]["error"]

        (data_folder() / "guards.db").write_text("damaged " * 200)
        snapshot = poll()
        assert "The database of guards" in snapshot["guards_error"]
        assert "\n" not in snapshot["guards_error"]
        assert (snapshot["guards"], snapshot["error"], len(snapshot["rows"])) == ({}, None, 3)
    finally:
        panel.close()


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_launch_sets_the_guard_of_the_settings_or_says_that_there_is_none(
    yotta: Client, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    monkeypatch.setattr(process, "ensure_running", lambda *_: False)
    monkeypatch.setattr(actions, "current_overrides", lambda: ConfigOverrides(guard_after="8h"))
    if is_broken:
        monkeypatch.setattr(Guards, "set", lambda *_, **__: 1 / 0)
    panel = Panel(yotta)
    notes: list[str] = []
    launched = threading.Event()

    def on_done(outcome: Any, note: str) -> None:
        notes.append(note)
        launched.set()

    try:
        panel._actions.launch("temporary", PodSpec(image="me/own:1", gpu_type="L4", pod_name="new"), on_done)
        assert launched.wait(10)
        assert [pod.name for pod in panel._state.pods.values() if pod.image == "me/own:1"] == ["new"]
        assert panel._state.rows().keys() == panel._state.pods.keys()
        if is_broken:
            assert "is NOT guarded: An unexpected error (ZeroDivisionError)." in notes[0]
        else:
            (guard,) = yotta.guards.list()
            assert (guard.name, guard.rule) == ("new", "after 8h")
            assert "8h" in notes[0]
    finally:
        panel.close()
