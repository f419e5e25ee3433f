"""The timeouts, delays and intervals of the panel, in seconds."""

from __future__ import annotations

from typing import Final

DELETE_DELAY: Final = 5.0
"""Default time during which a delete or a pause can be undone."""

MAX_DELETE_DELAY: Final = 60.0

ACTIVE_INTERVAL: Final = 2.0
"""Interval between refreshes while the status of a pod is about to change."""

IDLE_INTERVAL: Final = 15.0
"""Interval between refreshes otherwise."""

MAX_INTERVAL: Final = 120.0
"""Maximum interval between refreshes after repeated errors."""

VISIBILITY_TTL: Final = 3600.0
"""Time for which a report that the panel is visible is valid. A crashed browser never reports a hidden panel.

The browser repeats the report. The time is long because a busy kernel receives no reports.
"""

LATE_AFTER: Final = 3.0
"""Time after which a refresh is reported as late."""

INITIAL_LISTING_TIMEOUT: Final = 2.0
"""Maximum time that a cell waits for the first listing, so that the notebook is saved with a table."""

FIRST_PAINT_DELAY: Final = 0.25
"""Delay of the first listing of a panel that already has rows, so that the browser draws them first."""

SHUTDOWN_TIMEOUT: Final = 4.0
"""Maximum time that closing panels waits for their requests. Jupyter kills a kernel 5 s after asking it to end."""

POLLER_SHUTDOWN_TIMEOUT: Final = 1.0
"""Maximum time that closing a panel waits for a listing in progress. Its result is not needed any more."""
