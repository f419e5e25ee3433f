"""The error of the ledger against the sandbox's exact bill, with a part of the listings missing."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from yotta_jupyter import Sandbox, connect

DAYS = 2
POLL = 30.0
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
        The share of hours that the ledger calls unobserved.
    hours_error : float
        The largest difference of running hours of a pod, where the ledger has more than the bill.
    worst_cost_excess : float
        The largest excess of a pod's estimated cost over the bill, in US dollars.
    """

    missing: float
    bill: float
    estimate: float
    unobserved: float
    hours_error: float
    worst_cost_excess: float


def measure(missing: float, days: float = DAYS, seed: int = 1) -> LedgerError:
    """Pause, resume, create and delete pods at random for some days of simulated time; compare ledger and bill."""
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
            sandbox.advance(POLL)
            record = rng.random() >= missing
            if rng.random() < POLL / HOUR:
                _act(sandbox, rng)
            if record:
                yotta.pods.list()
                yotta.ledger.flush()
        items = sandbox.bill()
        frame = yotta.costs(since=now() - start)
    hours = frame["running_hours"].sum() + frame["paused_hours"].sum()
    unobserved = frame["unobserved_hours"].sum()
    excess = {key: frame["estimated_cost"].get(key, 0.0) - item.cost for key, item in items.items()}
    more = {key: frame["running_hours"].get(key, 0.0) - item.running_hours for key, item in items.items()}
    return LedgerError(
        missing,
        sum(item.cost for item in items.values()),
        float(frame["estimated_cost"].sum()),
        float(unobserved / (hours + unobserved)),
        max(more.values()),
        max(excess.values()),
    )


def _act(sandbox: Sandbox, rng: random.Random) -> None:
    """Do to a pod what somebody else does elsewhere, so that this client sees it only in its listings."""
    simulator = sandbox._simulator
    pods = [pod for pod in sandbox.pods() if pod["status"] in ("RUNNING", "PAUSED")]
    if not pods:
        return
    pod = rng.choice(pods)
    simulator.transition({"RUNNING": "pause", "PAUSED": "resume"}[pod["status"]], pod["id"])


def main() -> None:
    """Print the errors with 0, 50 and 90 % of the listings missing."""
    print(f"{DAYS} days, a listing each {POLL:.0f} s, a change each hour, three pods")
    print("missing  bill $   ledger $  unobserved  most hours too many  most $ too many")
    for missing in (0.0, 0.5, 0.9):
        error = measure(missing)
        print(
            f"{missing:7.0%} {error.bill:7.2f} {error.estimate:10.2f} {error.unobserved:11.1%}"
            f" {error.hours_error:20.4f} {error.worst_cost_excess:16.4f}"
        )


if __name__ == "__main__":
    main()
