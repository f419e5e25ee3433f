"""`Panel`, the control panel of an account's pods in a notebook."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .. import ssh
from ..api import Event, PodsChanged
from ..api.concurrency import map_concurrently
from ..api.waiter import MAX_STALENESS
from ..client import Client, connect
from ..errors import AuthenticationError, ConnectionFailed, InvalidRequest, PodNotFound, YottaError
from ..guard.describe import EXTENSION
from ..hints import describe
from ..models import Pod
from ..statuses import TRANSITIONAL_STATUSES
from ..urls import is_loopback
from . import fallback, form, timings
from .actions import Actions
from .guards import NO_GUARDS, read_guards
from .messages import MessageHandler
from .poller import Poller, next_interval
from .protocol import LAUNCHING
from .state import PanelState
from .sync import StateSync
from .widget import Message, PanelWidget

if TYPE_CHECKING:
    import pandas as pd
    from IPython.display import DisplayHandle

INITIAL_ROWS: Final = 100
"""Maximum rows that are sent before the first listing of a panel, so that the panel appears at once."""

MAX_LOOKUPS: Final = 32
"""Maximum number of pods missing from a listing that one refresh looks up individually."""


class Panel:
    """The control panel, shown as the last expression of a cell or by ``%yotta panel``.

    Parameters
    ----------
    client : Client, optional
        As returned by `yotta_jupyter.connect`; by default a new one.
    delete_delay : float, optional
        Seconds from 0 to 60 during which a delete can be undone, or the first pause of a pod without a persistent
        volume.
    follow : callable, optional
        Returns the client of the notebook's present sandbox, or None. A panel of a sandbox changes to this client.

    Raises
    ------
    InvalidRequest
        There is no key, or `delete_delay` is invalid.

    Examples
    --------
    >>> from yotta_jupyter import Panel                   # doctest: +SKIP
    >>> panel = Panel()                                   # doctest: +SKIP
    >>> panel.selected["hourly_cost"].sum()               # doctest: +SKIP
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        delete_delay: float = timings.DELETE_DELAY,
        follow: Callable[[], Client | None] | None = None,
    ) -> None:
        _validate_delete_delay(delete_delay)
        self._follow = follow
        self._client = client or connect()
        self._own_client = self._client if client is None else None
        self._guards_meta = NO_GUARDS
        self._state = PanelState()
        self._sync = StateSync(
            self._state,
            delete_delay,
            static_meta={
                "ssh_option": ssh.key_option(self._client.ssh_key),
                "late_after": timings.LATE_AFTER,
                "guard_extension": EXTENSION,
                "transitional": [*sorted(TRANSITIONAL_STATUSES), LAUNCHING],
            },
            get_dynamic_meta=self._dynamic_meta,
        )
        if self._client.pods.last_listed_at is not None:
            self._state.seed(self._client.pods.cached.values(), self._client.pods.last_listed_at)
        self._failures = 0
        self._first_listing = threading.Event()
        self._sent_first_listing = False
        self._closed = False
        self._refresh_lock = threading.Lock()
        self._static_tables: list[DisplayHandle] = []
        self._poller = Poller(self._poll, self._on_poller_stop)
        self._actions = Actions(self._client, self._state, self._send, self._poller.request_refresh, delete_delay)
        self._widget = PanelWidget(self._snapshot, self._on_message)
        self._messages = MessageHandler(
            self._client, self._state, self._sync, self._actions, self._poller, self._widget, on_change=self._send
        )
        self._unsubscribe = self._client.pods.subscribe(self._on_event)
        _open_panels.add(self)

    @property
    def pods(self) -> pd.DataFrame:
        """The pods that the panel shows, as a DataFrame like that of `PodsClient.frame`. Lists them if needed."""
        from ..pod_frames import pods_frame

        return pods_frame(self._current_pods())

    @property
    def selected(self) -> pd.DataFrame:
        """The pods whose rows are selected, as a DataFrame like `pods`."""
        from ..pod_frames import pods_frame

        selected = set(self._state.selected)
        return pods_frame([pod for pod in self._current_pods() if pod.id in selected])

    def refresh(self) -> None:
        """List the pods now: ``GET /openapi/v1/pods/list``.

        Raises
        ------
        ApiError, ConnectionFailed, UnexpectedResponse
            As for `PodsClient.list`.
        """
        self._fetch()
        self._send()

    def close(self) -> None:
        """Close the panel and remove it from the page. Actions that can still be undone are sent first."""
        self._close(time.monotonic() + timings.SHUTDOWN_TIMEOUT)

    def _begin_close(self) -> None:
        """Send pending actions and stop polling, without waiting."""
        self._actions.begin_close()
        self._poller.begin_close()

    def _close(self, deadline: float) -> None:
        """Close the panel, waiting for requests in progress until a time of the monotonic clock."""
        if self._closed:
            return
        self._closed = True
        _open_panels.discard(self)
        self._unsubscribe()
        self._begin_close()
        self._actions.close(deadline)
        self._poller.close(min(timings.POLLER_SHUTDOWN_TIMEOUT, deadline - time.monotonic()))
        self._widget.close()
        for table in self._static_tables:
            with contextlib.suppress(Exception):  # The kernel may be shutting down.
                table.update(self._static_table(), raw=True)
        if self._own_client is not None:
            self._own_client.close()

    def _current_pods(self) -> list[Pod]:
        if self._state.refreshed_at is None:
            self.refresh()
        with self._state.lock:
            return list(self._state.pods.values())

    def _fetch(self) -> None:
        """List the pods and put them into the state."""
        with self._refresh_lock:  # Listings must be applied in the order of their requests.
            requested_at = time.monotonic()
            listed = {pod.id: pod for pod in self._client.pods.list()}
            with self._state.lock:
                missing = [pod for pod in self._state.pods.values() if pod.id not in listed]
            self._state.apply_listing([*listed.values(), *self._confirm_missing(missing)], requested_at)
            self._failures = 0
        self._first_listing.set()

    def _confirm_missing(self, missing: Sequence[Pod]) -> list[Pod]:
        """Look up the pods that a listing lacks, and return them without those that the API does not find."""
        checked, unchecked = missing[:MAX_LOOKUPS], missing[MAX_LOOKUPS:]
        results = map_concurrently(self._client.pods.get, [pod.id for pod in checked])
        existing = list(unchecked)
        for pod, result in zip(checked, results, strict=True):
            if isinstance(result, Pod):
                existing.append(result)
                continue
            is_too_new = self._client.pods.is_recently_created(pod.id, MAX_STALENESS)  # The API may not find it yet.
            if is_too_new or not isinstance(result, PodNotFound):
                existing.append(pod)
        return existing

    def _poll(self) -> float:
        """Refresh, send what has changed, and return the seconds to the next refresh. Never raises."""
        try:
            with self._report_late():
                self._follow_sandbox()
                self._fetch()
        except AuthenticationError as error:
            self._record_failure(f"{describe(error)} Then run the cell of the panel again.")
        except YottaError as error:
            self._record_failure(self._describe_failure(error), reachable=not isinstance(error, ConnectionFailed))
        except Exception as error:  # An exception would end the thread.
            self._record_failure(f"The listing cannot be read ({type(error).__name__}). Look with: %yotta list")
        interval = next_interval(self._state.needs_fast_polling, self._failures)
        self._state.interval = round(interval)
        self._send()
        self._refresh_guards()
        return interval

    @contextlib.contextmanager
    def _report_late(self) -> Iterator[None]:
        """Send `late` while a refresh takes long. Otherwise the browser assumes that nothing has changed."""
        is_done = False

        def report() -> None:
            with self._state.lock:
                self._state.late = not is_done
                self._send()

        timer = threading.Timer(timings.LATE_AFTER, report)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._state.lock:
                is_done = True
                self._state.late = False

    def _refresh_guards(self) -> None:
        """Read the guards and send them. This may take long: another process may have locked the database."""
        guards_meta = read_guards(self._client)
        if guards_meta != self._guards_meta:
            self._guards_meta = guards_meta
            self._send()

    def _follow_sandbox(self) -> None:
        """Change to the notebook's present sandbox. A panel whose API is not on this machine never changes."""
        if self._follow is None or not self._may_be_sandbox:
            return
        client = self._follow()
        if client is None or client.base_url == self._client.base_url:
            return
        with self._refresh_lock, self._state.lock:
            self._unsubscribe()
            self._client = self._actions.client = self._messages.client = client
            self._state.reset()
            self._unsubscribe = client.pods.subscribe(self._on_event)

    def _describe_failure(self, error: YottaError) -> str:
        if self._follow is not None and self._may_be_sandbox and isinstance(error, ConnectionFailed):
            return (
                "There is no sandbox any more. Start one with %yotta sandbox start: this panel then shows it. "
                "For your account, run the cell of %yotta panel again."
            )
        return describe(error)

    @property
    def _may_be_sandbox(self) -> bool:
        """Whether the API is on this machine. `Client.is_sandbox` is false until a sandbox has answered."""
        return is_loopback(urlsplit(self._client.base_url).hostname or "")

    def _record_failure(self, error: str, *, reachable: bool = True) -> None:
        self._failures += 1
        self._state.record_failure(error, reachable=reachable)

    def _on_poller_stop(self) -> None:
        self._state.interval = None
        self._send()

    def _on_event(self, event: Event) -> None:
        # `Actions` requests one refresh when all requests of an action are done.
        if isinstance(event, PodsChanged) and not self._actions.has_requests_in_progress:
            self._poller.request_refresh()

    def _send(self) -> None:
        """Send what has changed. Never raises: the kernel may be shutting down."""
        with contextlib.suppress(Exception), self._state.lock:
            if self._closed:
                return
            has_complete_snapshot = self._sent_first_listing and self._sync.sent_all_rows
            if not has_complete_snapshot:
                self._sent_first_listing = self._first_listing.is_set()
                self._widget.send_snapshot()
                return
            patch = self._sync.patch()
            if patch is not None:
                self._widget.send_message(patch)

    def _snapshot(self) -> bytes:
        return self._sync.snapshot(None if self._first_listing.is_set() else INITIAL_ROWS)

    def _dynamic_meta(self) -> dict[str, Any]:
        """Return metadata that changes with the sandbox, the catalog and the guards."""
        return {
            "base_url": self._client.base_url,
            "sandbox": self._client.is_sandbox,
            "choices": form.choices(self._client.catalog),
            **self._guards_meta,
        }

    def _on_message(self, message: Message) -> None:
        if not self._closed:
            self._messages.handle(message)

    def _ipython_display_(self) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        if not hasattr(get_ipython(), "kernel"):  # A terminal.
            print(self)
            print("The control panel itself is for JupyterLab and other notebooks. Here: %yotta -h")
            return
        display(self._widget)
        if self._state.refreshed_at is None:
            self._poller.start()
            self._first_listing.wait(timings.INITIAL_LISTING_TIMEOUT)
        else:
            self._poller.start(delay=timings.FIRST_PAINT_DELAY)
        self._static_tables.append(display(self._static_table(), raw=True, display_id=True))

    def _static_table(self) -> dict[str, str]:
        """Return the table of a saved notebook by MIME type."""
        with self._state.lock:
            pods, as_of = list(self._state.pods.values()), self._state.refreshed_at
        return {
            "text/html": fallback.html(pods, self._heading, as_of),
            "text/plain": fallback.text(pods, self._heading, as_of),
        }

    @property
    def _heading(self) -> str:
        return f"Pods at {self._client.base_url}" + (" (sandbox)" if self._client.is_sandbox else "")

    def __repr__(self) -> str:
        try:
            return fallback.text(self._current_pods(), self._heading, self._state.refreshed_at)
        except YottaError as error:
            return f"{self._heading}: {describe(error)}"


_open_panels: weakref.WeakSet[Panel] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """Close all panels. Called when the extension is unloaded and when the kernel ends."""
    deadline = time.monotonic() + timings.SHUTDOWN_TIMEOUT
    panels = list(_open_panels)
    for panel in panels:
        panel._begin_close()
    for panel in panels:
        with contextlib.suppress(Exception):  # An error in one panel must not lose the pending actions of another.
            panel._close(deadline)


def _validate_delete_delay(seconds: Any) -> None:
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not (is_number and 0 <= seconds <= timings.MAX_DELETE_DELAY):
        raise InvalidRequest(f"delete_delay is a number of seconds from 0 to {timings.MAX_DELETE_DELAY:.0f}.")
