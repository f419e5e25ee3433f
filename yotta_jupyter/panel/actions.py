"""The actions of a panel: pause and delete with undo, resume, launch. Requests run on threads."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from ..api.reuse import live_pods_named
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
from . import timings
from .state import PanelState

_OUTCOME_UNKNOWN: Final = "It may exist and cost money. If it is listed, it replaces this row."

Result = TypeVar("Result")


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
        Seconds during which a delete or a pause can be undone.
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
        self._requests_in_progress = 0
        self._lock = threading.Lock()

    @property
    def has_requests_in_progress(self) -> bool:
        """Whether a pause, resume or delete is being sent. `request_refresh` is called after it."""
        return self._requests_in_progress > 0

    def act(self, action: str, pod_ids: Sequence[str], *, confirmed: bool = False) -> list[str]:
        """Pause, resume or delete pods. Returns at once.

        Parameters
        ----------
        action : str
            ``pause``, ``resume`` or ``delete``.
        pod_ids : sequence of str
            Unknown pods and pods with a pending action are skipped.
        confirmed : bool
            Whether the user has confirmed a pause, which then cannot be undone.

        Returns
        -------
        list of str
            The pods that were not skipped.
        """
        notes = {} if action == "resume" else self._describe_running_cells(pod_ids)
        delayed = {pod_id for pod_id in pod_ids if self._can_undo(action, pod_id, confirmed)}
        immediate = [pod_id for pod_id in pod_ids if pod_id not in delayed]
        begun_ids: list[str] = []
        if to_delay := self._state.begin(delayed, action, can_undo=True, notes=notes):
            # The thread ignores later requests: an action that is undone and requested again has its own thread.
            requested_before = time.monotonic()
            self._start_thread(self._execute_delayed, self.client, action, to_delay, requested_before)
            begun_ids += to_delay
        if to_send := self._state.begin(immediate, action, notes=notes):
            self._start_thread(self._execute, self.client, action, to_send)
            begun_ids += to_send
        self._on_change()
        return begun_ids

    def _can_undo(self, action: str, pod_id: str, confirmed: bool) -> bool:
        if self._delete_delay == 0:
            return False
        return action == "delete" or (action == "pause" and not confirmed and self._state.warns_of_pause(pod_id))

    def _describe_running_cells(self, pod_ids: Sequence[str]) -> dict[str, str]:
        """Return by pod id which cell ends with its pod. Sends no request."""
        return {
            pod_id: f"This ends the running cell: {single_line(title, 60)}"
            for pod_id in pod_ids
            if (title := self.client.remotes.running_title(pod_id)) is not None
        }

    def undo(self, pod_ids: Sequence[str]) -> list[str]:
        """Cancel actions that can still be undone.

        Parameters
        ----------
        pod_ids : sequence of str

        Returns
        -------
        list of str
            The pods whose actions are cancelled.
        """
        undone = self._state.undo(pod_ids)
        self._on_change()
        return undone

    def launch(
        self,
        temp_id: str,
        spec: PodSpec,
        on_done: Callable[[Pod | YottaError, str], None],
        *,
        another: bool = False,
        must_reuse: bool = False,
    ) -> None:
        """Create a pod, or reuse the live pod of the spec's name if it matches the spec. Returns at once.

        Parameters
        ----------
        temp_id : str
            The row's id until the pod has an id.
        spec : PodSpec
        on_done : callable
            Called on another thread with the pod or the error, and a note for the user.
        another : bool
            Create a pod even if a pod of the spec's name exists.
        must_reuse : bool
            Create no pod; fail with an `InvalidRequest` if no live pod has that name any more.
        """
        self._state.begin_launch(temp_id, spec)
        self._on_change()  # Until this row arrives, the browser reports that it waits for the kernel.
        self._start_thread(self._create, self.client, temp_id, spec, on_done, another, must_reuse)

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

    def extend_guard(self, pod_id: str, on_done: Callable[[YottaError | None], None]) -> None:
        """Extend the guard of a pod by `EXTENSION` seconds. Returns at once.

        Parameters
        ----------
        pod_id : str
        on_done : callable
            Called on another thread with the error, or None.
        """
        self._start_thread(self._extend_guard, self.client, pod_id, on_done)

    def begin_close(self) -> None:
        """Send pending actions now. Nothing can be undone from now on."""
        self._closing.set()

    def close(self, deadline: float | None = None) -> None:
        """Send pending actions, and wait for requests in progress.

        Parameters
        ----------
        deadline : float, optional
            When to stop waiting, in seconds of the monotonic clock; by default after `timings.SHUTDOWN_TIMEOUT`.
        """
        self.begin_close()
        if deadline is None:
            deadline = time.monotonic() + timings.SHUTDOWN_TIMEOUT
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

    def _execute_delayed(self, client: Client, action: str, pod_ids: Sequence[str], requested_before: float) -> None:
        self._closing.wait(self._delete_delay)
        due = self._state.make_final(pod_ids, action, requested_before)
        if due:
            self._on_change()
            self._execute(client, action, due)

    def _execute(self, client: Client, action: str, pod_ids: Sequence[str]) -> None:
        with self._request_in_progress():
            bulk = partial(client.pods.bulk, action, pod_ids)
            results = _call(bulk, "An unexpected error", advice="Refresh to see the status.")
        if isinstance(results, YottaError):
            results = [results] * len(pod_ids)
        errors = [None if error is None else _describe_failure(action, error) for error in results]
        if client is self.client:  # Else the rows are those of another sandbox now.
            self._state.record_results(dict(zip(pod_ids, errors, strict=True)))
        self._on_change()
        self._request_refresh()

    def _open_jupyter(
        self, client: Client, pod: Pod, server_path: str | None, on_done: Callable[[PodLink | YottaError], None]
    ) -> None:
        def open_tunnel() -> PodLink:
            if is_colab():  # Colab's port proxy answers only while a cell runs.
                raise InvalidRequest("In Colab a cell opens it.", advice=f"Run %yotta open {pod.id}")
            return client.tunnels.open(pod, find_route(server_path))

        on_done(_call(open_tunnel, "The tunnel cannot be opened"))

    def _extend_guard(self, client: Client, pod_id: str, on_done: Callable[[YottaError | None], None]) -> None:
        result = _call(lambda: client.guards.extend(pod_id, EXTENSION), "The guard cannot be put off")
        on_done(result if isinstance(result, YottaError) else None)
        self._request_refresh()

    @contextlib.contextmanager
    def _request_in_progress(self) -> Iterator[None]:
        with self._lock:
            self._requests_in_progress += 1
        try:
            yield
        finally:
            with self._lock:
                self._requests_in_progress -= 1

    def _create(
        self,
        client: Client,
        temp_id: str,
        spec: PodSpec,
        on_done: Callable[[Pod | YottaError, str], None],
        another: bool,
        must_reuse: bool,
    ) -> None:
        outcome: Pod | YottaError
        existing: Pod | None = None
        unknown: tuple[str, str | None] | None = None  # Why the outcome is unknown, and the launch ID.
        try:
            existing = None if another else _find_existing(client, spec)
            if existing is None and must_reuse:
                raise InvalidRequest("That pod has ended. Launch again to create a new one.", field="pod_name")
            outcome = existing or client.pods.create(spec)
        except CreateOutcomeUnknown as error:
            outcome = error
            unknown = (_OUTCOME_UNKNOWN, error.launch_id)
        except YottaError as error:
            outcome = error
        except Exception as error:
            name = single_line(spec.pod_name or "the pod", 60)
            message = f"It is unknown whether {name} was created ({type(error).__name__})."
            outcome = YottaError(message, advice="Look with: %yotta list")
            unknown = (describe(outcome), None)
        pod = outcome if isinstance(outcome, Pod) else None
        if client is self.client:  # Else the rows are those of another sandbox now.
            if unknown is not None:
                self._state.mark_launch_unknown(temp_id, spec, *unknown)
            else:
                self._state.end_launch(temp_id, pod)
        note = ""
        if existing is not None:
            note = _describe_reused(existing)
        elif pod is not None:
            warning = _warn_of_duplicates(client, pod) if spec.pod_name and not another else ""
            note = f"{warning} {_set_default_guard(client, pod)}".strip()
        self._on_change()
        on_done(outcome, note)
        self._request_refresh()


def _describe_failure(action: str, error: YottaError) -> str:
    """Return the error of a row after a failed action, such as "Pause failed: ..."."""
    return f"{action.capitalize()} failed: {describe(error)}"


def _call(func: Callable[[], Result], failure: str, advice: str = "") -> Result | YottaError:
    """Return the result or the error of a function: no cell shows an exception of a thread.

    `failure` and `advice` describe an error that is not a `YottaError`.
    """
    try:
        return func()
    except YottaError as error:
        return error
    except Exception as error:
        return YottaError(f"{failure} ({type(error).__name__}).", advice=advice)


def _find_existing(client: Client, spec: PodSpec) -> Pod | None:
    """Return the live pod of the spec's name; without a name, the pod of an earlier launch of unknown outcome."""
    return client.pods.find_reusable(spec) if spec.pod_name else client.pods.find_unconfirmed(spec)


def _describe_reused(pod: Pod) -> str:
    """Return the note of a launch that reused a pod."""
    text = f"{single_line(pod.name or pod.id, 60)} exists and is used; nothing was created."
    return f"{text} It is {pod.status.lower()}: resume it." if pod.status in ("PAUSED", "PAUSING") else text


def _set_default_guard(client: Client, pod: Pod) -> str:
    """Guard a new pod if ``%config YottaMagics.guard_after`` is set, and return a note about the guard."""
    after = current_overrides().guard_after
    if after is None:
        return ""
    result = _call(lambda: client.guards.describe(client.guards.set(pod.id, after=after)), "An unexpected error")
    return f"Pod {pod.label} is NOT guarded: {describe(result)}" if isinstance(result, YottaError) else result


def _warn_of_duplicates(client: Client, pod: Pod) -> str:
    """Return a warning if another client created a pod of that name at the same time, else an empty text."""
    try:
        others = [other for other in live_pods_named(client.pods.list(), pod.name) if other.id != pod.id]
    except YottaError:
        return ""
    if not others:
        return ""
    name = single_line(pod.name, 60)
    others_text = f"{pluralize(len(others), 'other pod')} of that name appeared at the same time"
    return f"Launched {name} ({pod.id}). {others_text}. Each costs money."
