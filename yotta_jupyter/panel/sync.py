"""Builds the snapshots and patches that bring the browser to the state of a panel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .protocol import FIELDS, Row, diff_meta, diff_rows, totals_meta
from .state import PanelState


class StateSync:
    """The version of a panel's state that the browser has, and the changes since. Thread-safe.

    `yotta_jupyter.panel.protocol` describes the messages.

    Parameters
    ----------
    state : PanelState
    delete_delay : float
        Seconds during which a delete or a pause can be undone.
    static_meta : mapping, optional
        Metadata that does not change, such as ``{"ssh_option": ""}``.
    get_dynamic_meta : callable, optional
        Returns metadata that may change, such as ``{"sandbox": True}``. Called for each snapshot and patch.
    """

    def __init__(
        self,
        state: PanelState,
        delete_delay: float,
        static_meta: Mapping[str, Any] | None = None,
        get_dynamic_meta: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._state = state
        self._delete_delay = delete_delay
        self._static_meta = {"delete_delay": delete_delay, **(static_meta or {})}
        self._get_dynamic_meta = get_dynamic_meta
        self._sent_rows: dict[str, Row] = {}
        self._sent_meta: dict[str, Any] = {}
        self._version = 0
        self._sent_all_rows = True

    @property
    def version(self) -> int:
        """The version of the last `snapshot` or `patch`."""
        return self._version

    @property
    def sent_all_rows(self) -> bool:
        """Whether the last snapshot contained all rows. Only then can a patch follow."""
        return self._sent_all_rows

    def snapshot(self, limit: int | None = None) -> bytes:
        """Return everything that the browser shows.

        Parameters
        ----------
        limit : int, optional
            Include only this many of the newest pods; by default all.

        Returns
        -------
        bytes
            JSON.
        """
        with self._state.lock:
            self._sent_all_rows = limit is None or len(self._state.pods) <= limit
            rows, meta = self._state.rows(limit), self._meta()
            if rows != self._sent_rows or meta != self._sent_meta:
                # A page that misses this snapshot finds a gap in the versions, and requests a new snapshot.
                self._version += 1
            self._sent_rows, self._sent_meta = rows, meta
            content = {
                "version": self._version,
                "fields": FIELDS,
                "rows": list(rows.values()),
                "complete": self._sent_all_rows,
                "selected": self._state.selected,
                "undo_seconds": self._undo_seconds(),
            }
            return msgspec.json.encode({**content, **self._static_meta, **meta, **self._refreshed_at()})

    def patch(self) -> dict[str, Any] | None:
        """Return the changes since the last `snapshot` or `patch`.

        Returns
        -------
        dict or None
            A ``patch`` message; None if nothing has changed.
        """
        with self._state.lock:
            rows, meta = self._state.rows(), self._meta()
            changes = {**_diff_tables(self._sent_rows, rows), **diff_meta(self._sent_meta, meta)}
            if not changes:
                return None
            self._sent_rows, self._sent_meta = rows, meta
            self._version += 1
            return {"type": "patch", "version": self._version, **changes, **self._refreshed_at()}

    def _undo_seconds(self) -> dict[str, float]:
        """Return by pod id the seconds during which the pending action can still be undone."""
        now = time.monotonic()
        return {
            pod_id: max(0.0, round(requested_at + self._delete_delay - now, 1))
            for pod_id, requested_at in self._state.undoable_actions().items()
        }

    def _meta(self) -> dict[str, Any]:
        state = self._state
        return {
            "loaded": state.refreshed_at is not None,
            "totals": totals_meta(state.totals),
            "error": state.refresh_error,
            "reachable": state.reachable,
            "late": state.late,
            "interval": state.interval,
            **self._get_dynamic_meta(),
        }

    def _refreshed_at(self) -> dict[str, int]:
        """Return the time of the last listing. A change of this time alone causes no patch."""
        refreshed_at = self._state.refreshed_at
        return {} if refreshed_at is None else {"refreshed_at": int(refreshed_at.timestamp())}


def _diff_tables(before: Mapping[str, Row], after: Mapping[str, Row]) -> dict[str, Any]:
    """Return the keys ``added``, ``updated`` and ``removed`` of a patch, without the empty ones."""
    added, updated = [], []
    for row_id, row in after.items():
        if row_id not in before:
            added.append(row)
        elif row != before[row_id]:
            updated.append(diff_rows(before[row_id], row))
    removed = [row_id for row_id in before if row_id not in after]
    changes = {"added": added, "updated": updated, "removed": removed}
    return {key: value for key, value in changes.items() if value}
