"""What is asked of pods in a panel: pause, resume, delete with Undo, launch. The work is done on threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ..api import CreateOutcomeUnknown, Pod, PodSpec, YottaError
from ..api.text import printable
from ..connection import Yotta
from .state import UNDO, PanelState

AT_THE_END: Final = 4.0
"""Seconds to wait for what was asked, when a panel is closed; Jupyter gives an ending kernel 5."""


class Actions:
    """Carries out what is asked, once, and tells the panel's state of it.

    Parameters
    ----------
    client : Yotta
    state : PanelState
    changed : callable
        Called after each change of the state; sends it to the browser.
    wake : callable
        Called when there is something new to see.
    delete_delay : float
        Seconds for which a delete can be taken back.
    """

    def __init__(
        self,
        client: Yotta,
        state: PanelState,
        changed: Callable[[], None],
        wake: Callable[[], None],
        delete_delay: float,
    ) -> None:
        self.delete_delay = delete_delay
        self._client = client
        self._state = state
        self._changed = changed
        self._wake = wake
        self._closing = threading.Event()
        self._working: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def act(self, action: str, pod_ids: Sequence[str]) -> list[str]:
        """Pause, resume or delete pods, and return those of which nothing was asked already. Returns at once.

        Parameters
        ----------
        action : str
            ``pause``, ``resume`` or ``delete``.
        pod_ids : sequence of str
            Those of which something is asked already are left out.

        Returns
        -------
        list of str
        """
        can_undo = action == "delete" and self.delete_delay > 0
        free = self._state.ask(pod_ids, UNDO if can_undo else action)
        if free and can_undo:
            self._start(self._delete_later, free)
        elif free:
            self._start(self._carry_out, action, free)
        self._changed()
        return free

    def undo(self, pod_ids: Sequence[str]) -> list[str]:
        """Take back deletes whose time has not come, and return their pods.

        Parameters
        ----------
        pod_ids : sequence of str

        Returns
        -------
        list of str
        """
        back = self._state.take_back(pod_ids)
        self._changed()
        return back

    def launch(self, key: str, spec: PodSpec, told: Callable[[Pod | YottaError], None]) -> None:
        """Create a pod. Returns at once.

        Parameters
        ----------
        key : str
            What stands for the pod until it has an id.
        spec : PodSpec
        told : callable
            Called with the pod, or with what went wrong, from another thread.
        """
        self._state.launching(key, spec)
        self._changed()  # Before it can fail: the browser must have heard of it to forget it.
        self._start(self._create, key, spec, told)

    def hurry(self) -> None:
        """Send the deletes that still wait, now: they were asked for."""
        self._closing.set()

    def close(self) -> None:
        """Send the deletes that still wait, and give what is being done a short time to end."""
        self.hurry()
        end = time.monotonic() + AT_THE_END
        with self._lock:
            working = list(self._working)
        for thread in working:
            thread.join(max(0.0, end - time.monotonic()))

    def _start(self, target: Callable[..., None], *args: object) -> None:
        def run() -> None:
            try:
                target(*args)
            finally:
                with self._lock:
                    self._working.discard(thread)

        thread = threading.Thread(target=run, name="yotta-panel-action", daemon=True)
        with self._lock:
            self._working.add(thread)
        thread.start()

    def _delete_later(self, pod_ids: Sequence[str]) -> None:
        asked_by = time.monotonic()
        self._closing.wait(self.delete_delay)
        if left := self._state.past_undo(pod_ids, asked_by):
            self._changed()
            self._carry_out("delete", left)

    def _carry_out(self, action: str, pod_ids: Sequence[str]) -> None:
        try:
            errors = self._client.pods.each(getattr(self._client.pods, action), pod_ids)
            self._state.answered(dict(zip(pod_ids, errors, strict=True)))
        except Exception as error:  # Nobody would see it: the row says it.
            self._state.answered(dict.fromkeys(pod_ids, f"{action} failed: {type(error).__name__}. Refresh and look."))
        self._changed()
        self._wake()

    def _create(self, key: str, spec: PodSpec, told: Callable[[Pod | YottaError], None]) -> None:
        outcome: Pod | YottaError
        try:
            outcome = self._client.pods.create(spec)
            self._state.launched(key, outcome)
        except CreateOutcomeUnknown as error:
            outcome = error
            self._state.launching(key, spec, str(error))
        except YottaError as error:
            outcome = error
            self._state.launched(key, None)
        except Exception as error:
            name = printable(spec.pod_name or "the pod", 60)
            outcome = YottaError(f"Whether {name} was created is not known ({type(error).__name__}): %yotta list")
            self._state.launching(key, spec, str(outcome))
        self._changed()
        told(outcome)
        self._wake()
