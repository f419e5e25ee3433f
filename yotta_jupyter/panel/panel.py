"""`Panel`: the control panel of an account's pods, in a notebook."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
import uuid
import weakref
from typing import TYPE_CHECKING, Any, Final

from ..api import AuthenticationError, InvalidRequest, Pod, PodNotFound, YottaError
from ..api.parallel import side_by_side
from ..connection import Yotta, connect, on_change
from . import form, static
from .actions import Actions
from .refresher import Refresher
from .state import PanelState
from .widget import Message, PanelWidget

if TYPE_CHECKING:
    import pandas as pd

FAST: Final = 2.0
SLOW: Final = 15.0
SLOWEST: Final = 120.0
"""Seconds between refreshes: while a pod changes, while none does, and at most after errors."""

FIRST_LISTING: Final = 2.0
"""Seconds that a cell waits for the first listing, for a table to be saved with the notebook."""

FIRST_ROWS: Final = 100
"""Rows with which a panel opens, where there is an earlier listing to show."""

PAINTED: Final = 0.25
"""Seconds that a browser gets to draw these rows before the first refresh takes the processor."""

MOST_QUESTIONS: Final = 32
"""Pods that a listing left out and that are asked about one by one, in one refresh."""


class Panel:
    """The control panel: displayed as the last line of a cell, or by ``%yotta panel``.

    Parameters
    ----------
    client : Yotta, optional
        What `yotta_jupyter.connect` returns; without it, a new one of what is configured.
    delete_delay : float, default 5.0
        Seconds for which a delete can be taken back; 0 to delete at once.

    Raises
    ------
    InvalidRequest
        There is no key, or the delay is none.

    Examples
    --------
    >>> from yotta_jupyter import Panel                   # doctest: +SKIP
    >>> panel = Panel()                                   # doctest: +SKIP
    >>> panel.selected["hourly_cost"].sum()               # doctest: +SKIP
    """

    def __init__(self, client: Yotta | None = None, *, delete_delay: float = 5.0) -> None:
        if isinstance(delete_delay, bool) or not isinstance(delete_delay, (int, float)) or not 0 <= delete_delay <= 60:
            raise InvalidRequest("delete_delay is a number of seconds from 0 to 60.")
        self._own_client = client is None
        self._client = client or connect()
        self._state = PanelState(
            {"where": self._client.base_url, "delay": delete_delay},
            lambda: {"sandbox": self._client.is_sandbox, "choices": form.choices(self._client.catalog)},
        )
        self._views: dict[str, bool] = {}
        self._launches: set[str] = set()
        self._failures = 0
        self._listed = threading.Event()
        self._sent_rows = False
        self._closed = False
        if self._client.pods.latest is not None:
            self._state.remember(*self._client.pods.latest)
        self._refreshing = threading.Lock()
        self._refresher = Refresher(self._refresh_and_tell, self._stopped)
        self._actions = Actions(self._client, self._state, self._send, self._refresher.wake, delete_delay)
        self._widget = PanelWidget(uuid.uuid4().hex, self._snapshot, self._received)
        self._stop_watching = on_change(self._client.base_url, self._refresher.wake)
        _open.add(self)

    @property
    def pods(self) -> pd.DataFrame:
        """The pods as the panel shows them, as `Pods.frame` gives them; listed now where they were not yet."""
        from ..frames import pods_frame

        return pods_frame(self._known_pods())

    @property
    def selected(self) -> pd.DataFrame:
        """The pods whose rows are selected, as a DataFrame like `pods`."""
        from ..frames import pods_frame

        chosen = set(self._state.selected)
        return pods_frame([pod for pod in self._known_pods() if pod.id in chosen])

    def refresh(self) -> None:
        """List the pods now: ``GET /openapi/v1/pods/list``.

        Raises
        ------
        ApiError, ConnectionFailed, UnexpectedResponse
            As for `PodsClient.list`.
        """
        self._refresh()
        self._send()

    def close(self) -> None:
        """End the panel: its thread, its timers, its place in the page. Deletes that were asked for are sent first."""
        if self._closed:
            return
        self._closed = True
        _open.discard(self)
        self._stop_watching()
        self._actions.close()
        self._refresher.close()
        self._widget.close()
        if self._own_client:
            self._client.close()

    def hurry(self) -> None:
        """Send the deletes that can still be taken back, now."""
        self._actions.hurry()

    def _known_pods(self) -> list[Pod]:
        if self._state.refreshed_at is None:
            self.refresh()
        with self._state.lock:
            return list(self._state.pods.values())

    def _refresh(self) -> None:
        with self._refreshing:  # An older listing must not come after a newer one.
            self._list()

    def _list(self) -> None:
        started = time.monotonic()
        listed = {pod.id: pod for pod in self._client.pods.list()}
        with self._state.lock:
            missing = [pod for pod in self._state.pods.values() if pod.id not in listed]
        for pod in self._still_there(missing):
            listed[pod.id] = pod
        self._state.seen(listed.values(), started)
        self._failures = 0
        self._listed.set()

    def _still_there(self, missing: list[Pod]) -> list[Pod]:
        """Return those of the pods that a listing left out which the API does not call gone."""
        asked, unasked = missing[:MOST_QUESTIONS], missing[MOST_QUESTIONS:]
        answers = side_by_side(self._client.pods.get, [pod.id for pod in asked])
        kept = list(unasked)
        for pod, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Pod):
                kept.append(answer)
            elif not isinstance(answer, PodNotFound) or self._client.pods.created_within(pod.id, SLOW):
                kept.append(pod)
        return kept

    def _refresh_and_tell(self) -> float:
        """Refresh, send what changed, and return the seconds to the next time; never raises."""
        try:
            self._refresh()
        except AuthenticationError as error:
            self._failed(f"{error}; then run the cell of the panel again.")
        except YottaError as error:
            self._failed(str(error))
        except Exception as error:  # A thread must not die of it, nor print it.
            self._failed(f"The listing could not be read ({type(error).__name__}). Look with: %yotta list")
        pause = FAST if self._state.in_transition else SLOW
        if self._failures:
            pause = min(FAST * 2 ** min(self._failures, 8), SLOWEST)
        self._state.every = round(pause)
        self._send()
        return pause

    def _stopped(self) -> None:
        """Let the browser know that what it shows grows old."""
        self._state.every = 0
        self._send()

    def _failed(self, problem: str) -> None:
        self._failures += 1
        self._state.failed(problem)

    def _send(self) -> None:
        """Send what has changed; never raises."""
        with contextlib.suppress(Exception), self._state.lock:  # The kernel may be going away.
            if self._closed:
                return
            if not self._listed.is_set() or not self._state.sent_all or not self._sent_rows:
                self._sent_rows = self._listed.is_set()
                self._widget.send_rows()
            elif (patch := self._state.patch()) is not None:
                self._widget.send_message(patch)

    def _snapshot(self) -> bytes:
        """Return what a widget opens with: what is drawn first, until the first refresh brings the rest."""
        return self._state.snapshot(None if self._listed.is_set() else FIRST_ROWS)

    def _received(self, message: Message) -> None:
        """Do what the browser asks. May run on any thread, and returns at once."""
        kind, pods = message.get("t"), [str(pod_id) for pod_id in message.get("pods") or ()]
        if self._closed:
            return
        if kind == "view":
            self._view(str(message.get("view")), bool(message.get("seen")), bool(message.get("gone")))
        elif kind in ("pause", "resume", "delete"):
            self._heard(pods, self._actions.act(kind, pods))
        elif kind == "undo":
            self._heard(pods, self._actions.undo(pods))
        elif kind == "dismiss":
            for pod_id in pods:
                self._state.dismiss(pod_id)
            self._send()
        elif kind == "select":
            self._state.selected = pods
        elif kind == "refresh":
            self._refresher.wake()
        elif kind in ("rows", "sync"):
            with self._state.lock:
                if kind == "rows" or message.get("v") != self._state.version:
                    self._widget.send_rows()
        elif kind == "check":
            self._check(message)
        elif kind == "launch":
            self._launch(message)

    def _heard(self, pods: list[str], changed: list[str]) -> None:
        """Tell the browser of pods whose rows say nothing new that the kernel has heard the click."""
        if unchanged := sorted(set(pods).difference(changed)):
            self._widget.send_message({"t": "heard", "pods": unchanged})

    def _view(self, view: str, seen: bool, gone: bool) -> None:
        self._views[view] = seen
        if gone:
            self._views.pop(view, None)
        self._refresher.seen(any(self._views.values()))
        if seen:
            self._widget.send_message({"t": "heard", "pods": []})

    def _check(self, message: Message) -> None:
        checked = self._checked(message)
        self._widget.send_message({"t": "checked", "number": message.get("number"), **_told(checked)})

    def _checked(self, message: Message) -> form.Checked:
        with self._state.lock:
            taken = {pod.name for pod in self._state.pods.values() if pod.name and pod.may_cost}
        return form.check(message.get("form") or {}, self._client.catalog, taken)

    def _launch(self, message: Message) -> None:
        key = str(message.get("key"))
        with self._state.lock:  # The same click may come on two threads.
            if key in self._launches:
                return
            self._launches.add(key)
        try:
            self._launch_once(key, message)
        except Exception as error:  # Its button would wait for ever.
            told = f"Not launched ({type(error).__name__}). Run the cell of the panel again, then launch."
            self._widget.send_message({"t": "failed", "key": key, "error": told})

    def _launch_once(self, key: str, message: Message) -> None:
        checked = self._checked(message)
        if checked.spec is None:
            self._launches.discard(key)
            self._widget.send_message({"t": "refused", "key": key, **_told(checked)})
            return

        def told(outcome: Pod | YottaError) -> None:
            if isinstance(outcome, Pod):
                self._widget.send_message({"t": "launched", "key": key, "id": outcome.id})
            else:
                self._widget.send_message({"t": "failed", "key": key, "error": str(outcome)})

        self._actions.launch(key, checked.spec, told)

    def _ipython_display_(self) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        if not hasattr(get_ipython(), "kernel"):
            print(self)
            print("The control panel itself is for JupyterLab and other notebooks. Here: %yotta -h")
            return
        display(self._widget)
        if self._state.refreshed_at is None:
            self._refresher.displayed()
            self._listed.wait(FIRST_LISTING)
        else:
            self._refresher.displayed(after=PAINTED)
        pods, at = list(self._state.pods.values()), self._state.refreshed_at
        bundle = {"text/html": static.html(pods, self._heading, at), "text/plain": static.text(pods, self._heading, at)}
        display(bundle, raw=True)

    @property
    def _heading(self) -> str:
        return f"Pods at {self._client.base_url}" + (" (sandbox)" if self._client.is_sandbox else "")

    def __repr__(self) -> str:
        try:
            return static.text(self._known_pods(), self._heading, self._state.refreshed_at)
        except YottaError as error:
            return f"{self._heading}: {error}"


_open: weakref.WeakSet[Panel] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """Close all panels: when the extension is unloaded, and when the kernel ends."""
    panels = list(_open)
    for panel in panels:
        panel.hurry()
    for panel in panels:
        with contextlib.suppress(Exception):  # One that fails must not lose what was asked in another.
            panel.close()


def _told(checked: form.Checked) -> dict[str, Any]:
    return {
        "errors": checked.errors,
        "notes": checked.notes,
        "line": checked.line,
        "estimate": checked.estimate,
    }
