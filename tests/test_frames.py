"""Pods as a DataFrame."""

import pandas as pd
import pytest

from yotta_jupyter import Sandbox
from yotta_jupyter.api.models import STATUSES

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


@pytest.mark.parametrize("wide", [False, True])
def test_an_empty_listing_has_the_same_columns_and_dtypes(client_of, yotta, wide):
    empty, full = client_of(pods=0).pods.frame(wide=wide), yotta.pods.frame(wide=wide)
    pd.testing.assert_frame_equal(empty, full.iloc[:0])
    assert empty.index.dtype == full.index.dtype


@pytest.mark.parametrize("wide", [False, True])
def test_an_odd_listing_has_the_same_dtypes(client_of, record, yotta, wide):
    odd = client_of(records=[record(), {"id": 1}, record(id="2", newField=1, gpuCount="many")]).pods.frame(wide=wide)
    assert dict(odd.dtypes.drop("status")) == dict(yotta.pods.frame(wide=wide).dtypes.drop("status"))
    assert sorted(odd.index) == ["1", "2", "331864222263676928"]


def test_a_frame_filters_as_a_list_does(yotta, sandbox):
    frame = yotta.pods.frame(regions="us-east-2", statuses="paused")
    assert list(frame["name"]) == ["finetune-1"]
    assert sandbox.requests[-1].params == [("regionList", "us-east-2"), ("statusList", "3")]


def test_wide_has_every_field_behind_the_default_columns(client_of, record):
    frame = client_of(records=[record(newField=1)]).pods.frame(wide=True)
    snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in record()}
    assert list(frame.columns)[: len(DTYPES)] == list(DTYPES)
    assert set(frame.columns) == (snake - {"id", "pod_name"}) | {*DTYPES, "extra"}
    row = frame.iloc[0]
    assert (row["org_id"], row["single_card_vram_in_gb"], row["disk_write_speed_mbps"]) == (
        "217646376996249600",
        24,
        5872.0256,
    )
    assert row["environment_vars"] == {"JUPYTER_PASSWORD": "••••"}
    assert row["extra"] == {"newField": 1}
    assert row["expose"][0]["proxy_port"] == 32002
    assert str(frame["updated_at"].dtype) == DTYPES["created_at"]


@pytest.mark.parametrize("changes", [{}, {"newField": 1}], ids=["fast", "tolerant"])
def test_no_value_of_an_environment_variable_is_in_a_frame(client_of, record, changes):
    frame = client_of(records=[record(**changes)]).pods.frame(wide=True)
    shown = frame.to_csv() + frame.to_html() + frame.to_json(date_format="iso") + repr(frame.to_dict())
    assert record()["environmentVars"][0]["value"] not in shown


def test_the_categories_are_the_statuses_then_the_unknown_ones(client_of, record):
    status = client_of(records=[record(status="HIBERNATING"), record(id="2", status="STOPPED")]).pods.frame()["status"]
    assert list(status.cat.categories) == [*STATUSES, "HIBERNATING"]
    assert sorted(status) == ["HIBERNATING", "PAUSED"]


@pytest.mark.parametrize(
    ("status", "cost"),
    [
        ("INITIALIZE", 0),
        ("RUNNING", 1.2 + 100 * 0.001 + 50 * 0.002),
        ("PAUSING", 1.4),
        ("PAUSED", 50 * 0.002),
        ("TERMINATING", 1.4),
        ("TERMINATED", 0),
        ("FAILED", 0),
        ("HIBERNATING", 1.4),
    ],
)
def test_what_a_pod_costs_now(client_of, record, status, cost):
    prices = {
        "gpuCount": 2,
        "singleCardPrice": 0.6,
        "containerVolumeInGb": 100,
        "containerVolumePrice": 0.001,
        "persistentVolumeInGb": 50,
        "persistentVolumePrice": 0.002,
    }
    pods = client_of(records=[record(status=status, **prices)]).pods
    assert pods.frame()["hourly_cost"].iloc[0] == pytest.approx(cost)
    assert pods.list()[0].hourly_cost == pytest.approx(cost)


def test_without_a_price_the_cost_is_missing(client_of, record):
    frame = client_of(records=[record(status="RUNNING", singleCardPrice=None)]).pods.frame()
    assert frame["hourly_cost"].isna().all()


@pytest.mark.parametrize(("status", "shown"), [("RUNNING", "ssh user@34.19.26.12 -p 32002"), ("PAUSED", None)])
def test_the_ssh_command_of_a_pod_that_is_reachable(client_of, record, status, shown):
    value = client_of(records=[record(status=status)]).pods.frame()["ssh"].iloc[0]
    assert value == shown if shown else pd.isna(value)


def test_times_are_utc(client_of, record):
    frame = client_of(records=[record()]).pods.frame()
    assert frame["created_at"].iloc[0] == pd.Timestamp("2025-07-04 10:29:56", tz="UTC")


def test_ten_thousand_pods_keep_their_ids(client_of):
    frame = client_of(pods=10_000).pods.frame()
    assert frame.index.nunique() == len(frame) == 10_000
    assert set(frame.index) == {pod["id"] for pod in Sandbox(pods=10_000).pods()}


def test_a_number_that_no_column_holds_is_missing(client_of, record):
    frame = client_of(records=[record(gpuCount=2**63), record(id="2", gpuCount=4)]).pods.frame()
    assert frame["gpu_count"].isna().tolist() == [True, False]
