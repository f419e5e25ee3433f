"""The state of a panel, and the snapshots and patches that the browser gets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from yotta_jupyter import PodSpec
from yotta_jupyter.models import LAUNCH_ID_ENV
from yotta_jupyter.panel import form
from yotta_jupyter.panel.protocol import FIELDS, pod_row
from yotta_jupyter.panel.state import PanelState
from yotta_jupyter.panel.sync import StateSync

from .helpers import id_of, pod_of


@pytest.fixture
def sync(state: PanelState) -> StateSync:
    return StateSync(state, delete_delay=60.0)


def test_older_listing_keeps_a_newly_launched_pod(state: PanelState) -> None:
    listed = list(state.pods.values())
    requested_at = time.monotonic()
    state.end_launch("temporary", msgspec.structs.replace(listed[0], id="1234567890"))
    state.apply_listing(listed, requested_at)
    assert "1234567890" in state.pods
    state.apply_listing(listed, time.monotonic())
    assert "1234567890" not in state.pods


def test_delete_requested_again_has_the_full_delay(state: PanelState) -> None:
    pod_id = id_of(state, "train-1")
    state.begin([pod_id], "delete", can_undo=True)
    first_requested_at = time.monotonic()
    state.undo([pod_id])
    state.begin([pod_id], "delete", can_undo=True)
    assert state.make_final([pod_id], "delete", requested_before=first_requested_at) == []
    assert state.make_final([pod_id], "delete", requested_before=time.monotonic()) == [pod_id]


def test_pending_pause_is_not_made_final_as_a_delete(state: PanelState) -> None:
    pod_id = id_of(state, "train-1")
    state.begin([pod_id], "delete", can_undo=True)
    state.undo([pod_id])
    state.begin([pod_id], "pause", can_undo=True)
    assert state.make_final([pod_id], "delete", requested_before=time.monotonic()) == []
    assert state.undo([pod_id]) == [pod_id]


def test_snapshot_says_how_long_a_delete_can_be_undone(state: PanelState, sync: StateSync) -> None:
    pod_id = id_of(state, "train-1")
    state.begin([pod_id], "delete", can_undo=True)
    seconds = msgspec.json.decode(sync.snapshot())["undo_seconds"]
    assert list(seconds) == [pod_id]
    assert 0 < seconds[pod_id] <= 60
    state.undo([pod_id])
    assert msgspec.json.decode(sync.snapshot())["undo_seconds"] == {}


def test_patch_contains_only_changes(state: PanelState, sync: StateSync) -> None:
    sync.snapshot()
    assert sync.patch() is None
    pod = next(iter(state.pods.values()))
    state.apply_listing([msgspec.structs.replace(pod, status="PAUSED"), *list(state.pods.values())[1:]], 1.0)
    patch = sync.patch()
    assert patch is not None
    (update,) = patch["updated"]
    assert (update["id"], update["status"]) == (pod.id, "PAUSED")
    assert update["actions"] == ["resume", "delete"]
    assert not update.keys() & {"name", "image", "gpu_type", "created_at"}
    assert set(patch) == {"type", "version", "updated", "totals", "refreshed_at"}
    assert sync.patch() is None


def test_every_field_of_the_browser_is_in_the_rows() -> None:
    source = (Path(form.__file__).parent / "frontend" / "src" / "protocol.js").read_text()
    typedef = source.partition("@typedef {object} PodRow")[2].partition("*/")[0]
    assert tuple(re.findall(r"@property {.*?} (\w+)", typedef)) == FIELDS


def test_placeholder_of_a_launch_has_all_fields(state: PanelState, sync: StateSync) -> None:
    state.begin_launch("temporary", PodSpec(image="me/own:1", gpu_type="L4", pod_name="new"))
    content = msgspec.json.decode(sync.snapshot())
    row = dict(zip(content["fields"], content["rows"][0], strict=True))
    assert (row["id"], row["name"], row["status"], row["pending"]) == ("temporary", "new", "LAUNCHING", "launch")
    assert row["actions"] == []


def test_totals_are_those_of_the_pods(state: PanelState, sync: StateSync) -> None:
    totals = msgspec.json.decode(sync.snapshot(limit=1))["totals"]
    pods = state.pods.values()
    assert totals["total"] == len(pods) == 3
    assert totals["running"] == sum(pod.status == "RUNNING" for pod in pods)
    assert totals["hourly_cost"] == pytest.approx(sum(pod.hourly_cost or 0 for pod in pods), abs=1e-3)


def test_action_stays_pending_until_a_newer_listing(state: PanelState) -> None:
    pods = list(state.pods.values())
    state.begin([pods[0].id], "pause")
    state.record_results({pods[0].id: None})
    state.apply_listing(pods, requested_at=0.0)
    assert state.needs_fast_polling
    assert state.begin([pods[0].id], "pause") == []
    state.apply_listing(pods, requested_at=float("inf"))
    assert state.begin([pods[0].id], "pause") == [pods[0].id]


def test_result_of_an_action_from_before_a_reset_is_ignored(state: PanelState) -> None:
    pods = list(state.pods.values())
    state.begin([pods[0].id], "pause")
    state.reset()
    state.apply_listing(pods, requested_at=time.monotonic())
    state.record_results({pods[0].id: "Pause failed: refused."})
    assert state.rows()[pods[0].id][FIELDS.index("error")] is None


def test_jupyter_address_is_built_from_validated_parts(record: Callable[..., dict[str, Any]]) -> None:
    def address(**changes: Any) -> str | None:
        port = {"port": 8888, "protocol": "HTTP", "host": "192.0.2.7", "proxyPort": 49596, "healthy": True, **changes}
        pod = pod_of(record(status="RUNNING", expose=[port]))
        return dict(zip(FIELDS, pod_row(pod), strict=True))["jupyter"]

    assert address() == "http://192.0.2.7:49596"
    assert address(ingressUrl="https://192.0.2.7:49596/?x=<script>") == "https://192.0.2.7:49596"
    assert address(ingressUrl="javascript:alert(1)") == "http://192.0.2.7:49596"
    assert address(host="javascript:alert(1)//") is None
    assert address(host="a b") is None
    assert address(protocol="TCP") is None
    assert address(healthy=False) is None


def test_row_says_what_a_pause_erases(record: Callable[..., dict[str, Any]]) -> None:
    def loss(**changes: Any) -> str | None:
        return dict(zip(FIELDS, pod_row(pod_of(record(**changes))), strict=True))["pause_loss"]

    assert loss() == "A pause may erase all files: there is no persistent volume."
    with_volume = loss(persistentVolumeInGb=50, persistentMountPath="/workspace")
    assert with_volume == "A pause may erase everything outside /workspace."


def test_launch_of_unknown_outcome_survives_a_reset_and_pods_with_the_same_launch_id(
    record: Callable[..., dict[str, Any]],
) -> None:
    state = PanelState()
    state.begin_launch("temporary", PodSpec(image="me/own:1", gpu_type="L4"))
    state.reset()
    state.mark_launch_unknown("temporary", PodSpec(image="me/own:1", gpu_type="L4"), "Unknown.", "launch-1")
    assert list(state.rows()) == ["temporary"]
    variables = [{"key": LAUNCH_ID_ENV, "value": "launch-1"}]
    pods = [pod_of(record(id=pod_id, environmentVars=variables)) for pod_id in ("1", "2")]
    state.apply_listing(pods, time.monotonic())
    assert list(state.rows()) == ["1", "2"]
