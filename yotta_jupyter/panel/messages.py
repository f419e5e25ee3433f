"""Handles the messages from the browser. `yotta_jupyter.panel.protocol` lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..client import Client
from ..errors import CreateOutcomeUnknown, InvalidRequest, YottaError
from ..hints import describe
from ..launch import validate_jupyter_password
from ..models import Pod
from ..passwords import JUPYTER_PASSWORD_ENV
from ..tunnels import PodLink
from . import form
from .actions import Actions
from .poller import Poller
from .state import PanelState
from .sync import StateSync
from .widget import Message, PanelWidget


class MessageHandler:
    """Dispatches messages from the browser to the parts of a panel, and replies. Its methods return at once.

    Parameters
    ----------
    client : Client
        The attribute `client` may be replaced.
    state : PanelState
    sync : StateSync
    actions : Actions
    poller : Poller
    widget : PanelWidget
        Sends the replies.
    on_change : callable
        Called after each change of the state.
    """

    def __init__(
        self,
        client: Client,
        state: PanelState,
        sync: StateSync,
        actions: Actions,
        poller: Poller,
        widget: PanelWidget,
        on_change: Callable[[], None],
    ) -> None:
        self.client = client
        self._state = state
        self._sync = sync
        self._actions = actions
        self._poller = poller
        self._widget = widget
        self._on_change = on_change
        self._visible_views: set[str] = set()
        self._handled_launches: set[str] = set()
        self._handlers: dict[str, Callable[[Message], None]] = {
            "view": self._set_visible,
            "pause": self._act,
            "resume": self._act,
            "delete": self._act,
            "undo": self._undo,
            "dismiss": self._dismiss,
            "select": self._select,
            "refresh": self._refresh,
            "resync": self._resync,
            "validate": self._validate,
            "launch": self._launch,
            "show_password": self._show_password,
            "open_jupyter": self._open_jupyter,
            "extend_guard": self._extend_guard,
        }

    def handle(self, message: Message) -> None:
        """Handle a message, on any thread. Unknown messages are ignored.

        Parameters
        ----------
        message : mapping
        """
        handler = self._handlers.get(str(message.get("type")))
        if handler is not None:
            handler(message)

    def _set_visible(self, message: Message) -> None:
        view_id, visible = str(message.get("view_id")), bool(message.get("visible"))
        if visible:
            self._visible_views.add(view_id)
        else:
            self._visible_views.discard(view_id)
        self._poller.set_visible(bool(self._visible_views))
        if visible:
            self._ack(())  # Shows that the kernel answers.

    def _act(self, message: Message) -> None:
        pod_ids = _ids(message)
        confirmed = bool(message.get("confirmed"))
        self._ack_unchanged(pod_ids, self._actions.act(str(message["type"]), pod_ids, confirmed=confirmed))

    def _undo(self, message: Message) -> None:
        pod_ids = _ids(message)
        self._ack_unchanged(pod_ids, self._actions.undo(pod_ids))

    def _ack_unchanged(self, pod_ids: Sequence[str], changed: Sequence[str]) -> None:
        """Acknowledge a request for the pods whose rows did not change. Changed rows are sent anyway."""
        unchanged = sorted(set(pod_ids) - set(changed))
        if unchanged:
            self._ack(unchanged)

    def _ack(self, pod_ids: Sequence[str]) -> None:
        self._widget.send_message({"type": "ack", "pods": list(pod_ids)})

    def _dismiss(self, message: Message) -> None:
        for row_id in _ids(message):
            self._state.dismiss(row_id)
        self._on_change()

    def _select(self, message: Message) -> None:
        self._state.selected = _ids(message)

    def _refresh(self, message: Message) -> None:
        self._poller.request_refresh()

    def _resync(self, message: Message) -> None:
        with self._state.lock:
            if message.get("version") != self._sync.version:
                self._widget.send_snapshot()

    def _validate(self, message: Message) -> None:
        result = self._validate_form(message)
        reply = {"type": "validation", "request_id": message.get("request_id")}
        self._widget.send_message({**reply, **result.to_message()})

    def _validate_form(self, message: Message) -> form.FormResult:
        return form.validate(message.get("form") or {}, self.client.catalog, self._pods())

    def _launch(self, message: Message) -> None:
        temp_id = str(message.get("temp_id"))
        with self._state.lock:  # A message that arrives twice, even on two threads, creates one pod.
            if temp_id in self._handled_launches:
                return
            self._handled_launches.add(temp_id)
        try:
            self._launch_once(temp_id, message)
        except Exception as error:  # The browser waits for a result.
            text = f"Not launched ({type(error).__name__}). Refresh the panel, then launch again."
            self._send_launch_failure(temp_id, text)

    def _launch_once(self, temp_id: str, message: Message) -> None:
        result = self._validate_form(message)
        if result.spec is None:
            self._send_rejection(temp_id, result)
            return
        try:
            validate_jupyter_password(result.spec)
        except InvalidRequest as error:
            self._send_rejection(temp_id, form.reject(error))
            return
        is_repeated = result.spec.pod_name is None and self._state.has_equal_launch(result.spec)
        if is_repeated and not result.is_repeat_confirmed:
            self._send_rejection(temp_id, form.reject_repeated())
            return

        def on_done(outcome: Pod | YottaError, note: str) -> None:
            if isinstance(outcome, Pod):
                reply = {"type": "launched", "temp_id": temp_id, "pod_id": outcome.id, "note": note}
                self._widget.send_message(reply)
            elif isinstance(outcome, InvalidRequest) and outcome.field:
                self._send_rejection(temp_id, form.reject(outcome))
            else:
                self._send_launch_failure(temp_id, _describe_launch_error(outcome))

        self._actions.launch(temp_id, result.spec, on_done, another=result.another, must_reuse=result.must_reuse)

    def _send_rejection(self, temp_id: str, result: form.FormResult) -> None:
        self._widget.send_message({"type": "rejected", "temp_id": temp_id, **result.to_message()})

    def _send_launch_failure(self, temp_id: str, error: str) -> None:
        self._widget.send_message({"type": "failed", "temp_id": temp_id, "error": error})

    def _show_password(self, message: Message) -> None:
        pod = self._find_pod(message)
        secret = pod.environment.get(JUPYTER_PASSWORD_ENV) if pod else None
        reply = {"type": "password", "request_id": message.get("request_id")}
        if secret:
            self._widget.send_message({**reply, "error": ""}, [secret.reveal().encode()])
        else:
            error = "The API does not return the Jupyter password of this pod."
            self._widget.send_message({**reply, "error": error})

    def _open_jupyter(self, message: Message) -> None:
        reply = {"type": "jupyter_link", "request_id": message.get("request_id"), "error": "", "note": ""}

        def on_done(outcome: PodLink | YottaError) -> None:
            if isinstance(outcome, PodLink):
                self._widget.send_message({**reply, "note": outcome.note}, [outcome.url.encode()])
            else:
                self._widget.send_message({**reply, "error": describe(outcome, self._pods())})

        pod = self._find_pod(message)
        server_path = message.get("server_path")
        if pod is None:
            on_done(InvalidRequest("The pod is not listed any more."))
        else:
            self._actions.open_jupyter(pod, server_path if isinstance(server_path, str) else None, on_done)

    def _extend_guard(self, message: Message) -> None:
        pod_id = str(message.get("pod_id"))

        def on_done(error: YottaError | None) -> None:
            text = describe(error) if error else ""
            self._widget.send_message({"type": "guard_extended", "pod_id": pod_id, "error": text})

        self._actions.extend_guard(pod_id, on_done)

    def _pods(self) -> list[Pod]:
        with self._state.lock:
            return list(self._state.pods.values())

    def _find_pod(self, message: Message) -> Pod | None:
        with self._state.lock:
            return self._state.pods.get(str(message.get("pod_id")))


def _describe_launch_error(error: YottaError) -> str:
    if isinstance(error, CreateOutcomeUnknown):
        return f"{error.message} Its row is replaced as soon as the pod is listed: do not launch it again before."
    return describe(error)


def _ids(message: Message) -> list[str]:
    return [str(pod_id) for pod_id in message.get("pods") or ()]
