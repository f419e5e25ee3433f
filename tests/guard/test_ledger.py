"""The ledger, as `Client.costs` shows it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_data_path

from yotta_jupyter import Client, InvalidRequest, Sandbox, YottaError, connect
from yotta_jupyter.guard.clock import Clock

from .ledger_error import measure

HOUR = 3600.0
START = 1_800_000_000.0  # 2027-01-15 08:00 UTC, when the pods were created


class Listings:
    """A client whose listings have given times and pods."""

    def __init__(self, record: Callable[..., Any]) -> None:
        self._record = record
        self._sandbox = Sandbox(pods=0).start()
        self.client = connect(self._sandbox.api_key, base_url=self._sandbox.base_url)
        self.now = START
        self.client.ledger._clock.now = lambda: self.now  # type: ignore[method-assign]

    def add(self, hours: float, *statuses: str, changed: float = -1, **changes: Any) -> None:
        """List pods in these statuses, `hours` after START. They last changed `changed` hours after START.

        The ids of the pods are ``0``, ``1`` and so on; `changes` are other fields of `EXAMPLE_POD`.
        """
        self.now = START + hours * HOUR
        updated = datetime.fromtimestamp(START + changed * HOUR, UTC)
        pods = [
            self._record(
                id=str(index),
                status=status,
                createdAt="2027-01-15 08:00:00",
                updatedAt=f"{updated:%Y-%m-%d %H:%M:%S}",
                **changes,
            )
            for index, status in enumerate(statuses)
        ]
        with Sandbox(records=pods, api_key="k") as sandbox:
            self.client.pods._backend = connect("k", base_url=sandbox.base_url).pods._backend
            self.client.pods.list()
        self.client.ledger.flush()

    def row(self, pod_id: str = "0") -> Any:
        """Return the row of a pod."""
        return self.client.costs().loc[pod_id]

    def close(self) -> None:
        self._sandbox.stop()


@pytest.fixture
def listings(record: Callable[..., Any]) -> Iterator[Listings]:
    listings = Listings(record)
    yield listings
    listings.close()


def hours(row: Any) -> tuple[float, float, float]:
    """Return the hours running, paused and unobserved."""
    return round(row["running_hours"], 3), round(row["paused_hours"], 3), round(row["unobserved_hours"], 3)


def test_equal_listings_are_one_span_and_a_long_gap_is_unknown(listings: Listings) -> None:
    for hour in (0, 0.1, 0.2, 5, 5.1):
        listings.add(hour, "RUNNING")
    row = listings.row()
    assert hours(row) == (0.3, 0.0, 4.8)
    gpu_price, volume_price = 0.6, 252 * 0.00005  # US dollars an hour, of `EXAMPLE_POD`.
    assert row["estimated_cost"] == pytest.approx(0.3 * (gpu_price + volume_price))
    assert not row["complete"]


def test_a_change_between_two_listings_is_dated_by_the_api(listings: Listings) -> None:
    listings.add(0, "RUNNING")
    listings.add(0.1, "PAUSED", changed=0.05)
    assert hours(listings.row()) == (0.05, 0.05, 0.0)


def test_a_pause_and_resume_between_two_listings_is_unknown(listings: Listings) -> None:
    listings.add(0, "RUNNING")
    listings.add(0.15, "RUNNING", changed=0.1)
    assert hours(listings.row()) == (0.0, 0.0, 0.15)


def test_a_pod_that_listings_lack_for_long_has_ended(listings: Listings) -> None:
    listings.add(0, "RUNNING", "RUNNING")
    listings.add(0.01, "RUNNING")
    assert hours(listings.row("1"))[2] == 0.01
    for hour in (0.1, 0.2, 9):
        listings.add(hour, "RUNNING")
    assert hours(listings.row("1")) == (0.0, 0.0, 0.01)


def test_no_price_is_unknown_and_not_free(listings: Listings) -> None:
    listings.add(0, "RUNNING", singleCardPrice=None)
    listings.add(0.1, "RUNNING", singleCardPrice=None)
    row = listings.row()
    assert hours(row) == (0.1, 0.0, 0.0)
    assert math.isnan(row["estimated_cost"])
    assert not row["complete"]


def test_days_and_gpu_types(listings: Listings) -> None:
    listings.add(15.9, "RUNNING", "RUNNING")  # Six minutes before midnight in UTC.
    listings.add(16.05, "RUNNING", "RUNNING")
    days = listings.client.costs(since="1h", by="day")
    assert list(days["running_hours"].round(3)) == [0.2, 0.1]
    assert [str(day.date()) for day in days.index] == ["2027-01-15", "2027-01-16"]
    assert listings.client.costs(by="gpu_type")["running_hours"].round(3).to_dict() == {"NVIDIA_L4_24G": 0.3}
    with pytest.raises(InvalidRequest, match="Did you mean region"):
        listings.client.costs(by="regoin")


@pytest.mark.parametrize("missing", [0.0, 0.9])
def test_the_ledger_never_exceeds_the_exact_bill(missing: float) -> None:
    error = measure(missing, days=0.06)
    assert error.worst_hours_excess < 0.001
    assert error.worst_cost_excess < 0.001
    if not missing:
        assert error.estimate == pytest.approx(error.bill, rel=0.05)


def test_a_broken_database_fails_costs_and_not_listings(yotta: Client) -> None:
    path = user_data_path("yotta_jupyter") / "ledger.db"
    path.parent.mkdir(parents=True)
    path.write_text("this is not a database, " * 100)
    pods = yotta.pods.list()
    with pytest.raises(YottaError, match=r"costs \(.*ledger.db\) is damaged. Move the file away") as caught:
        yotta.costs()
    assert "\n" not in str(caught.value)
    path.unlink()
    yotta.pods.list()
    assert len(yotta.costs()) == len(pods)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(YottaError, match="newer version"):
        yotta.costs()


def test_the_clock_does_not_jump_with_the_time_of_day(tmp_path: Path) -> None:
    wall, boot, boot_id = 1000.0, 50.0, "a"
    options: Any = {"wall": lambda: wall, "since_boot": lambda: boot, "boot_id": lambda: boot_id}
    clock = Clock(tmp_path / "clock.json", **options)
    assert clock.now() == 1000
    wall, boot = 1000.0 + 3600 + 5, 55.0
    assert clock.now() == Clock(tmp_path / "clock.json", **options).now() == 1005
    assert clock.to_wall(1010.0) == 4610
    wall, boot, boot_id = 2000.0, 3.0, "b"
    assert Clock(tmp_path / "clock.json", **options).now() == 2000
