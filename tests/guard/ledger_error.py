"""The error of the ledger compared with the sandbox's bill, with a share of the listings missing."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from yotta_jupyter import Sandbox, connect

DAYS = 2
POLL_INTERVAL = 30.0  # seconds
HOUR = 3600.0


@dataclass
class LedgerError:
    """How the ledger compares with the bill.

    Attributes
    ----------
    missing : float
        The share of listings that were missing.
    bill, estimate : float
        US dollars.
    unobserved : float
        The share of hours that are unobserved in the ledger.
    worst_hours_excess : float
        The largest excess of a pod's running hours in the ledger over the bill.
    worst_cost_excess : float
        The largest excess of a pod's cost in the ledger over the bill, in US dollars.
    """

    missing: float
    bill: float
    estimate: float
    unobserved: float
    worst_hours_excess: float
    worst_cost_excess: float


def measure(missing: float, days: float = DAYS, seed: int = 1) -> LedgerError:
    """Pause and resume pods at random for some days of simulated time; compare the ledger with the bill."""
    rng = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("yotta_jupyter.guard.ledger.data_folder", lambda: Path(folder)),
        Sandbox(pods=3) as sandbox,
        connect(sandbox.api_key, base_url=sandbox.base_url) as yotta,
    ):
        clock = sandbox._simulator._clock

        def now() -> float:
            return clock.to_datetime(clock.now()).timestamp()

        start = now()
        yotta.ledger._clock.now = now  # type: ignore[method-assign]
        while now() < start + days * 24 * HOUR:
            sandbox.advance(POLL_INTERVAL)
            is_listed = rng.random() >= missing
            if rng.random() < POLL_INTERVAL / HOUR:  # About once an hour.
                _change_a_pod(sandbox, rng)
            if is_listed:
                yotta.pods.list()
                yotta.ledger.flush()
        bill = sandbox.bill()
        frame = yotta.costs(since=timedelta(seconds=now() - start))
    observed = frame["running_hours"].sum() + frame["paused_hours"].sum()
    unobserved = frame["unobserved_hours"].sum()
    ledger_hours, ledger_costs = frame["running_hours"], frame["estimated_cost"]
    return LedgerError(
        missing=missing,
        bill=sum(item.cost for item in bill.values()),
        estimate=float(ledger_costs.sum()),
        unobserved=float(unobserved / (observed + unobserved)),
        worst_hours_excess=max(ledger_hours.get(pod_id, 0.0) - item.running_hours for pod_id, item in bill.items()),
        worst_cost_excess=max(ledger_costs.get(pod_id, 0.0) - item.cost for pod_id, item in bill.items()),
    )


def _change_a_pod(sandbox: Sandbox, rng: random.Random) -> None:
    """Pause or resume a pod as another client does."""
    simulator = sandbox._simulator
    pods = [pod for pod in sandbox.pods() if pod["status"] in ("RUNNING", "PAUSED")]
    if not pods:
        return
    pod = rng.choice(pods)
    simulator.transition({"RUNNING": "pause", "PAUSED": "resume"}[pod["status"]], pod["id"])


def main() -> None:
    """Print the errors with 0, 50 and 90 % of the listings missing."""
    print(f"{DAYS} days, a listing each {POLL_INTERVAL:.0f} s, a change each hour, three pods")
    print("missing  bill $   ledger $  unobserved  most hours too many  most $ too many")
    for missing in (0.0, 0.5, 0.9):
        error = measure(missing)
        print(
            f"{missing:7.0%} {error.bill:7.2f} {error.estimate:10.2f} {error.unobserved:11.1%}"
            f" {error.worst_hours_excess:20.4f} {error.worst_cost_excess:16.4f}"
        )


if __name__ == "__main__":
    main()
