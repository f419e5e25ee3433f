"""Python's collector of cyclic garbage, out of the way of large listings."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's collector of cyclic garbage while many small objects are made at once, none of them in a cycle.

    It would look through all of them again and again: a third of the time from 10,000 pods to a DataFrame,
    more than half of it to `Pod` objects.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
