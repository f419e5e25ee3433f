"""The actions of a panel: pause, resume, delete with undo, launch. Requests run on threads."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ..api.reuse import live_pods
from ..client import Client
from ..errors import CreateOutcomeUnknown, InvalidRequest, YottaError
from ..formatting import pluralize
from ..guard.describe import EXTENSION
from ..hints import describe
from ..models import Pod
from ..overrides import current_overrides
from ..sanitize import single_line
from ..spec import PodSpec
from ..tunnels import PodLink, find_route
from ..tunnels.routes import is_colab
from .protocol import UNDOABLE_DELETE
from .state import PanelState

SHUTDOWN_TIMEOUT: Final = 4.0
"""Seconds that closing panels waits for requests in progress. Jupyter gives an ending kernel 5."""


class Actions:
    """Sends each requested action once and records its result in the panel's state.

    Parameters
    ----------
    client : Client
        The attribute `client` may be replaced. Actions started before keep the previous client.
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
        self.client = client
        self._state = state
        self._on_change = on_change
        self._request_refresh = request_refresh
        self._delete_delay = delete_delay
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._requests = 0
        self._lock = threading.Lock()

    @property
    def has_requests_in_progress(self) -> bool:
        """Whether requests are in progress after which `request_refresh` is called."""
        return self._requests > 0

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
        accepted = self._state.begin(pod_ids, UNDOABLE_DELETE if can_undo else action)
        if accepted and can_undo:
            self._start_thread(self._delayed_delete, self.client, accepted)
        elif accepted:
            self._start_thread(self._execute, self.client, action, accepted)
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

    def launch(
        self, temp_id: str, spec: PodSpec, another: bool, on_done: Callable[[Pod | YottaError, str], None]
    ) -> None:
        """Create a pod, or use the live one of that name if it is the same. Returns at once.

        Parameters
        ----------
        temp_id : str
            The row's id until the pod has one.
        spec : PodSpec
        another : bool
            Create a pod although one of that name exists.
        on_done : callable
            Called on another thread with the pod or the error, and a note for the user.
        """
        self._state.begin_launch(temp_id, spec)
        # The browser must receive the row before a failure removes it: it keeps a row of its own until it has
        # received one from the kernel.
        self._on_change()
        self._start_thread(self._create, self.client, temp_id, spec, another, on_done)

    def open_jupyter(self, pod: Pod, server_path: str | None, on_done: Callable[[PodLink | YottaError], None]) -> None:
        """Open a tunnel to the JupyterLab of a pod. Returns at once.

        Parameters
        ----------
        pod : Pod
        server_path : str or None
            The path of the notebook server, if the browser runs on another machine.
        on_done : callable
            Called on another thread with the link or the error.
        """
        self._start_thread(self._open_jupyter, self.client, pod, server_path, on_done)

    def put_off(self, pod_id: str, on_done: Callable[[YottaError | None], None]) -> None:
        """Put off the guard of a pod by `EXTENSION`. Returns at once.

        Parameters
        ----------
        pod_id : str
        on_done : callable
            Called on another thread with the error, or None.
        """
        self._start_thread(self._put_off, self.client, pod_id, on_done)

    def begin_close(self) -> None:
        """Send pending deletes now. No delete can be undone from now on."""
        self._closing.set()

    def close(self, deadline: float | None = None) -> None:
        """Send pending deletes, and wait for requests in progress.

        Parameters
        ----------
        deadline : float, optional
            When to stop waiting, in seconds of the monotonic clock; by default after `SHUTDOWN_TIMEOUT`.
        """
        self.begin_close()
        if deadline is None:
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

    def _delayed_delete(self, client: Client, pod_ids: Sequence[str]) -> None:
        requested_before = time.monotonic()
        self._closing.wait(self._delete_delay)
        if due := self._state.make_deletes_final(pod_ids, requested_before):
            self._on_change()
            self._execute(client, "delete", due)

    def _execute(self, client: Client, action: str, pod_ids: Sequence[str]) -> None:
        errors: Sequence[str | None]
        try:
            with self._request_in_progress():
                results = client.pods.bulk(action, pod_ids)
            errors = [None if error is None else describe(error) for error in results]
        except Exception as error:  # An exception in a thread reaches no cell.
            errors = [f"The {action} failed ({type(error).__name__}). Refresh to see the status."] * len(pod_ids)
        self._state.record_results(dict(zip(pod_ids, errors, strict=True)))
        self._on_change()
        self._request_refresh()

    def _open_jupyter(
        self, client: Client, pod: Pod, server_path: str | None, on_done: Callable[[PodLink | YottaError], None]
    ) -> None:
        outcome: PodLink | YottaError
        try:
            if is_colab():  # Its port proxy answers only while a cell runs.
                raise InvalidRequest("In Colab a cell opens it.", advice=f"Run %yotta open {pod.id}")
            outcome = client.tunnels.open(pod, find_route(server_path))
        except YottaError as error:
            outcome = error
        except Exception as error:  # An exception in a thread reaches no cell.
            outcome = YottaError(f"The tunnel cannot be opened ({type(error).__name__}).")
        on_done(outcome)

    def _put_off(self, client: Client, pod_id: str, on_done: Callable[[YottaError | None], None]) -> None:
        error: YottaError | None = None
        try:
            client.guards.extend(pod_id, EXTENSION)
        except YottaError as reason:
            error = reason
        except Exception as reason:  # An exception in a thread reaches no cell.
            error = YottaError(f"The guard cannot be put off ({type(reason).__name__}).")
        on_done(error)
        self._request_refresh()

    @contextlib.contextmanager
    def _request_in_progress(self) -> Iterator[None]:
        with self._lock:
            self._requests += 1
        try:
            yield
        finally:
            with self._lock:
                self._requests -= 1

    def _create(
        self,
        client: Client,
        temp_id: str,
        spec: PodSpec,
        another: bool,
        on_done: Callable[[Pod | YottaError, str], None],
    ) -> None:
        outcome: Pod | YottaError
        note = ""
        try:
            existing = client.pods.find_reusable(spec) if spec.pod_name and not another else None
            outcome = existing or client.pods.create(spec)
            self._state.end_launch(temp_id, outcome)
            if existing is not None:
                note = _describe_reused(existing)
            else:
                duplicates = _find_duplicates(client, outcome) if spec.pod_name and not another else ""
                note = " ".join(filter(None, (duplicates, _set_default_guard(client, outcome))))
        except CreateOutcomeUnknown as error:
            outcome = error
            self._state.mark_launch_unknown(temp_id, spec, describe(error))
        except YottaError as error:
            outcome = error
            self._state.end_launch(temp_id, None)
        except Exception as error:
            name = single_line(spec.pod_name or "the pod", 60)
            message = f"It is unknown whether {name} was created ({type(error).__name__})."
            outcome = YottaError(message, advice="Look with: %yotta list")
            self._state.mark_launch_unknown(temp_id, spec, describe(outcome))
        self._on_change()
        on_done(outcome, note)
        self._request_refresh()


def _describe_reused(pod: Pod) -> str:
    """Return what the form says after it used an existing pod."""
    text = f"{single_line(pod.name or pod.id, 60)} exists and is used; nothing was created."
    return f"{text} It is {pod.status.lower()}: resume it." if pod.status in ("PAUSED", "PAUSING") else text


def _set_default_guard(client: Client, pod: Pod) -> str:
    """Guard a new pod if ``%config YottaMagics.guard_after`` says so, and return what the form says of it."""
    after = current_overrides().guard_after
    if after is None:
        return ""
    try:
        return client.guards.describe(client.guards.set(pod.id, after=after))
    except YottaError as error:
        return f"Pod {pod.label} is NOT guarded: {describe(error)}"


def _find_duplicates(client: Client, pod: Pod) -> str:
    """Return what the form says if another client has created a pod of the same name at the same time."""
    try:
        others = [other for other in live_pods(client.pods.list(), pod.name) if other.id != pod.id]
    except YottaError:
        return ""
    if not others:
        return ""
    name = single_line(pod.name, 60)
    others_text = f"{pluralize(len(others), 'other pod')} of that name appeared at the same time"
    return f"Launched {name} ({pod.id}). {others_text}. Each costs money."
