"""DataFrames of pods: columns, dtypes and values. ``record()`` is the example pod of the API documentation, as JSON."""

import re
from operator import attrgetter

import pandas as pd
import pytest

from yotta_jupyter import InvalidRequest, Pod, Sandbox
from yotta_jupyter.frame_display import ReadableFrame
from yotta_jupyter.pod_columns import COLUMNS, Column, CompactColumn
from yotta_jupyter.pod_frames import cost_frame, pods_frame, results_frame
from yotta_jupyter.statuses import STATUSES

DTYPES = {
    "name": "string",
    "status": "category",
    "gpu_type": "string",
    "gpu_count": "Int64",
    "region": "string",
    "image": "string",
    "hourly_cost": "float64",
    "ssh": "string",
    "created_at": "datetime64[us, UTC]",
}


def test_columns_dtypes_and_index(yotta):
    frame = yotta.pods.frame()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert list(frame.columns) == list(DTYPES)
    assert frame.index.name == "id"
    assert isinstance(frame.index.dtype, pd.StringDtype)
    assert [*frame.index] == [pod.id for pod in yotta.pods.list()]


def test_one_entry_adds_a_column_and_shows_it_in_the_compact_view(monkeypatch, yotta):
    location = attrgetter("location")
    monkeypatch.setitem(COLUMNS, "location", Column("string", location, CompactColumn("place", location)))
    frame = yotta.pods.frame()
    assert list(frame.columns) == [*DTYPES, "location"]
    assert repr(frame).splitlines()[0].split()[-1] == "place"
    assert ">place</th>" in frame._repr_html_()


@pytest.mark.parametrize("wide", [False, True])
def test_empty_listing_has_the_same_columns_and_dtypes(make_client, yotta, wide):
    empty, full = make_client(pods=0).pods.frame(wide=wide), yotta.pods.frame(wide=wide)
    pd.testing.assert_frame_equal(empty, full.iloc[:0])
    assert empty.index.dtype == full.index.dtype


@pytest.mark.parametrize("wide", [False, True])
def test_malformed_pods_have_the_same_dtypes(make_client, record, yotta, wide):
    records = [record(), {"id": 1}, record(id="2", newField=1, gpuCount="many")]
    malformed = make_client(records=records).pods.frame(wide=wide)
    assert dict(malformed.dtypes.drop("status")) == dict(yotta.pods.frame(wide=wide).dtypes.drop("status"))
    assert sorted(malformed.index) == ["1", "2", "331864222263676928"]


def test_frame_filters_like_list(yotta, sandbox):
    frame = yotta.pods.frame(regions="us-east-2", statuses="PAUSED")
    assert list(frame.index) == [pod.id for pod in yotta.pods.list() if pod.status == "PAUSED"]
    assert sandbox.requests[0].params == [("regionList", "us-east-2"), ("statusList", str(STATUSES.index("PAUSED")))]


def test_wide_has_all_fields_after_the_default_columns(make_client, record):
    frame = make_client(records=[record(newField=1)]).pods.frame(wide=True)
    snake_case = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in record()}
    assert list(frame.columns)[: len(DTYPES)] == list(DTYPES)
    assert set(frame.columns) == (snake_case - {"id", "pod_name"}) | {*DTYPES, "extra"}
    row = frame.iloc[0]
    assert row["org_id"] == "217646376996249600"
    assert row["single_card_vram_in_gb"] == 24
    assert row["disk_write_speed_mbps"] == 5872.0256
    assert row["environment_vars"] == {"JUPYTER_PASSWORD": "••••"}
    assert row["extra"] == {"newField": 1}
    assert row["expose"][0]["proxy_port"] == 32002
    assert str(frame["updated_at"].dtype) == DTYPES["created_at"]


@pytest.mark.parametrize("changes", [{}, {"newField": 1}], ids=["strict", "lenient"])
def test_values_of_environment_variables_are_masked(make_client, record, changes):
    frame = make_client(records=[record(**changes)]).pods.frame(wide=True)
    text = frame.to_csv() + frame.to_html() + frame.to_json(date_format="iso") + repr(frame.to_dict())
    assert record()["environmentVars"][0]["value"] not in text


def test_categories_are_the_known_statuses_then_unknown_ones(make_client, record):
    records = [record(status="HIBERNATING"), record(id="2", status="PAUSED")]
    status = make_client(records=records).pods.frame()["status"]
    assert list(status.cat.categories) == [*STATUSES, "HIBERNATING"]
    assert sorted(status) == ["HIBERNATING", "PAUSED"]


GPUS, CONTAINER, PERSISTENT = 2 * 0.6, 100 * 0.001, 50 * 0.002  # US dollars an hour.


@pytest.mark.parametrize(
    ("status", "cost"),
    [
        ("INITIALIZE", 0),
        ("RUNNING", GPUS + CONTAINER + PERSISTENT),
        ("PAUSING", GPUS + CONTAINER + PERSISTENT),
        ("PAUSED", PERSISTENT),
        ("TERMINATING", GPUS + CONTAINER + PERSISTENT),
        ("TERMINATED", 0),
        ("FAILED", 0),
        ("HIBERNATING", GPUS + CONTAINER + PERSISTENT),
    ],
)
def test_hourly_cost_depends_on_the_status(make_client, record, status, cost):
    prices = {
        "gpuCount": 2,
        "singleCardPrice": 0.6,
        "containerVolumeInGb": 100,
        "containerVolumePrice": 0.001,
        "persistentVolumeInGb": 50,
        "persistentVolumePrice": 0.002,
    }
    pods = make_client(records=[record(status=status, **prices)]).pods
    assert pods.frame()["hourly_cost"].iloc[0] == pytest.approx(cost)
    assert pods.list()[0].hourly_cost == pytest.approx(cost)


def test_cost_is_missing_without_a_price(make_client, record):
    frame = make_client(records=[record(status="RUNNING", singleCardPrice=None)]).pods.frame()
    assert frame["hourly_cost"].isna().all()


@pytest.mark.parametrize(("status", "command"), [("RUNNING", "ssh user@34.19.26.12 -p 32002"), ("PAUSED", None)])
def test_ssh_command_of_a_reachable_pod(make_client, record, status, command):
    value = make_client(records=[record(status=status)]).pods.frame()["ssh"].iloc[0]
    assert (None if pd.isna(value) else value) == command


def test_times_are_utc(make_client, record):
    frame = make_client(records=[record()]).pods.frame()
    assert frame["created_at"].iloc[0] == pd.Timestamp("2025-07-04 10:29:56", tz="UTC")


def test_ten_thousand_pods_keep_their_ids(make_client):
    frame = make_client(pods=10_000).pods.frame()
    assert frame.index.nunique() == len(frame) == 10_000
    assert set(frame.index) == {pod["id"] for pod in Sandbox(pods=10_000).pods()}


def test_integer_above_64_bits_is_missing(make_client, record):
    frame = make_client(records=[record(gpuCount=2**63), record(id="2", gpuCount=4)]).pods.frame()
    assert frame["gpu_count"].isna().tolist() == [True, False]


def test_default_columns_have_the_same_dtypes_without_a_client():
    assert {name: column.dtype for name, column in COLUMNS.items()} == DTYPES
    assert list(pods_frame([]).columns) == list(DTYPES)


def test_cost_frame_has_billable_pods_by_cost():
    prices = {"gpu_count": 1, "single_card_price": 0.6}
    pods = [
        Pod(id="1", status="PAUSED", **prices),
        Pod(id="2", status="RUNNING"),
        Pod(id="3", status="TERMINATED", **prices),
        Pod(id="4", status="RUNNING", pod_name="train", **prices),
    ]
    frame = cost_frame(pods)
    assert list(frame.columns) == ["name", "status", "hourly_cost", "hourly_rate"]
    assert list(frame.index) == ["4", "1", "2"]
    unknown = -1
    assert list(frame["hourly_cost"].fillna(unknown)) == [0.6, 0, unknown]
    assert list(frame["hourly_rate"].fillna(unknown)) == [0.6, 0.6, unknown]
    pd.testing.assert_frame_equal(cost_frame([]), frame.iloc[:0])


def test_results_frame_has_a_row_for_each_pod():
    error = InvalidRequest("x" * 200)
    frame = results_frame("pause", [(Pod(id="1", pod_name="a"), "PAUSING", None), (Pod(id="2"), "RUNNING", error)])
    assert list(frame.columns) == ["name", "action", "ok", "status", "error"]
    assert frame["ok"].dtype == bool
    assert list(frame["ok"]) == [True, False]
    assert list(frame["action"]) == ["pause", "pause"]
    assert isinstance(frame, ReadableFrame)
    assert "x" * 200 in repr(frame)
    assert "x" * 200 in frame._repr_html_()
    assert type(frame[frame["ok"]]) is pd.DataFrame
