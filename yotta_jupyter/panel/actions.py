"""Carries out what is requested in a panel: pause, resume, delete with undo, launch. Requests run on threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ..client import Client
from ..errors import CreateOutcomeUnknown, YottaError
from ..hints import describe
from ..models import Pod
from ..sanitize import single_line
from ..spec import PodSpec
from .protocol import PENDING_DELETE
from .state import PanelState

SHUTDOWN_TIMEOUT: Final = 4.0
"""Seconds that closing a panel waits for requests in progress. Jupyter gives an ending kernel 5."""


class Actions:
    """Sends each requested action once and records its result in the panel's state.

    Parameters
    ----------
    client : Client
    state : PanelState
    on_change : callable
        Called after each change of the state.
    request_refresh : callable
        Called when the pods may have changed.
    delete_delay : float
        Seconds during which a delete can be undone.
    """

    def __init__(
        self,
        client: Client,
        state: PanelState,
        on_change: Callable[[], None],
        request_refresh: Callable[[], None],
        delete_delay: float,
    ) -> None:
        self._client = client
        self._state = state
        self._on_change = on_change
        self._request_refresh = request_refresh
        self._delete_delay = delete_delay
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def act(self, action: str, pod_ids: Sequence[str]) -> list[str]:
        """Pause, resume or delete pods. Returns at once.

        Parameters
        ----------
        action : str
            ``pause``, ``resume`` or ``delete``.
        pod_ids : sequence of str
            Pods with a pending action are skipped.

        Returns
        -------
        list of str
            The pods that were not skipped.
        """
        can_undo = action == "delete" and self._delete_delay > 0
        accepted = self._state.begin(pod_ids, PENDING_DELETE if can_undo else action)
        if accepted and can_undo:
            self._start_thread(self._delayed_delete, accepted)
        elif accepted:
            self._start_thread(self._execute, action, accepted)
        self._on_change()
        return accepted

    def undo(self, pod_ids: Sequence[str]) -> list[str]:
        """Cancel deletes that can still be undone.

        Parameters
        ----------
        pod_ids : sequence of str

        Returns
        -------
        list of str
            The pods that will not be deleted.
        """
        undone = self._state.undo(pod_ids)
        self._on_change()
        return undone

    def launch(self, temp_id: str, spec: PodSpec, on_done: Callable[[Pod | YottaError], None]) -> None:
        """Create a pod. Returns at once.

        Parameters
        ----------
        temp_id : str
            The row's id until the pod has one.
        spec : PodSpec
        on_done : callable
            Called on another thread with the pod or the error.
        """
        self._state.begin_launch(temp_id, spec)
        self._on_change()  # The browser must have received the row before a failure removes it.
        self._start_thread(self._create, temp_id, spec, on_done)

    def flush(self) -> None:
        """Send pending deletes now, without the time to undo them."""
        self._closing.set()

    def close(self) -> None:
        """Send pending deletes, and wait for requests in progress for up to `SHUTDOWN_TIMEOUT`."""
        self.flush()
        deadline = time.monotonic() + SHUTDOWN_TIMEOUT
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_thread(self, target: Callable[..., None], *args: object) -> None:
        def run() -> None:
            try:
                target(*args)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name="yotta-panel-action", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _delayed_delete(self, pod_ids: Sequence[str]) -> None:
        cutoff = time.monotonic()
        self._closing.wait(self._delete_delay)
        if due := self._state.commit(pod_ids, cutoff):
            self._on_change()
            self._execute("delete", due)

    def _execute(self, action: str, pod_ids: Sequence[str]) -> None:
        errors: Sequence[str | None]
        try:
            results = self._client.pods.bulk(action, pod_ids)
            errors = [None if error is None else describe(error) for error in results]
        except Exception as error:  # An exception in a thread reaches no cell.
            errors = [f"The {action} failed ({type(error).__name__}). Refresh to see the status."] * len(pod_ids)
        self._state.record_results(dict(zip(pod_ids, errors, strict=True)))
        self._on_change()
        self._request_refresh()

    def _create(self, temp_id: str, spec: PodSpec, on_done: Callable[[Pod | YottaError], None]) -> None:
        outcome: Pod | YottaError
        try:
            outcome = self._client.pods.create(spec)
            self._state.end_launch(temp_id, outcome)
        except CreateOutcomeUnknown as error:
            outcome = error
            self._state.begin_launch(temp_id, spec, describe(error))
        except YottaError as error:
            outcome = error
            self._state.end_launch(temp_id, None)
        except Exception as error:
            name = single_line(spec.pod_name or "the pod", 60)
            message = f"It is unknown whether {name} was created ({type(error).__name__})."
            outcome = YottaError(message, advice="Look with: %yotta list")
            self._state.begin_launch(temp_id, spec, describe(outcome))
        self._on_change()
        on_done(outcome)
        self._request_refresh()
