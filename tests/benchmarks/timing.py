"""Time calls under the same conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """A row of the table of benchmarks.

    Attributes
    ----------
    title : str
        What is measured / the baseline.
    ours, baseline : float
        Seconds.
    limit : float
        Of the ratio of both.
    """

    title: str
    ours: float
    baseline: float
    limit: float


def best_of(runs: int, *calls: Callable[[], object]) -> list[float]:
    """Return the shortest time of each call in seconds. The calls alternate, so that all have the same conditions."""
    shortest = [float("inf")] * len(calls)
    for _ in range(runs):
        for index, call in enumerate(calls):
            started = time.perf_counter()
            call()
            shortest[index] = min(shortest[index], time.perf_counter() - started)
    return shortest
