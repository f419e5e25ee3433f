"""What a caller uses: a client of one account, with its pods."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from . import v1
from .address import checked_base_url
from .create import create_once, with_mark
from .errors import (
    ApiError,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    UnexpectedResponse,
    WaitInterrupted,
    YottaError,
)
from .models import Pod, is_pod_id
from .parallel import side_by_side
from .secret import Secret
from .spec import PodSpec
from .text import printable
from .transport import Transport
from .wait import Progress, wait_for

DEFAULT_BASE_URL: Final = "https://api.yottalabs.ai"
_DONE: Final = {
    "pause": ("PAUSING", "PAUSED"),
    "resume": ("INITIALIZE", "RUNNING"),
    "delete": ("TERMINATING", "TERMINATED"),
}


class Client:
    """A client of the Pods API, for one key and one address. May be used from many threads.

    Parameters
    ----------
    api_key : str
        The key of the account, from the console under Settings → Access Keys.
    base_url : str, optional
        The API's address: https, or http for loopback alone.
    timeout : float, optional
        Seconds for a read; 60 by default. Connecting takes 5 s at most.

    Attributes
    ----------
    pods : PodsClient
        The account's pods.

    Raises
    ------
    InvalidRequest
        The key, address or timeout cannot be used.
    """

    pods: PodsClient

    def __init__(self, api_key: str, base_url: str = DEFAULT_BASE_URL, timeout: float | None = None) -> None:
        self.api_key = checked_key(api_key)
        self.base_url = checked_base_url(base_url)
        self.timeout = _checked_timeout(timeout)
        self._transport = Transport(self.base_url, self.api_key, self.timeout)
        self.pods = PodsClient(self._transport)

    def close(self) -> None:
        """Close the connections that are kept open. The client can still be used; it connects anew."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url} {self.api_key.last_four()}>"


class PodsClient:
    """The pods of an account. Ids are text, times UTC, money US dollars an hour.

    Parameters
    ----------
    transport : Transport
        What sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._created: dict[str, float] = {}

    def list(self, regions: Iterable[str] | str = (), statuses: Iterable[str | int] | str | int = ()) -> list[Pod]:
        """Return the pods, of all regions and statuses or of those given: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions : iterable of str, or str
            Any of these regions.
        statuses : iterable of str or int, or one
            Any of these statuses, by name in any case or by number.

        Returns
        -------
        list of Pod

        Raises
        ------
        InvalidRequest
            There is no such status; the nearest is suggested. Nothing was sent.
        ApiError, ConnectionFailed, UnexpectedResponse
            The API said no, could not be reached, or answered something else.
        """
        query = v1.list_query(regions, statuses)
        pods = v1.pods(self._transport.send("GET", v1.LIST, query))
        self._noticed(pods, everything=not query)
        return pods

    def get(self, pod_id: str) -> Pod:
        """Return one pod: ``GET /openapi/v1/pods/{podId}``, or the listing where that endpoint is missing.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            The API says that there is none of that id.
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod_id = checked_id(pod_id)
        try:
            pod = v1.pod(self._transport.send("GET", v1.pod_path(pod_id)), pod_id)
        except PodNotFound:
            raise
        except (ApiError, UnexpectedResponse) as error:
            if error.http_status != 404:
                raise
            pod = self._get_from_list(pod_id)
        self._noticed([pod])
        return pod

    def create(self, spec: PodSpec | None = None, **options: Any) -> Pod:
        """Create one pod, exactly once: ``POST /openapi/v1/pods/create``.

        The request is never sent twice. Where its answer is lost, the pod is looked for by a mark that it carries in
        an environment variable, for about 15 s, and returned if it is found.

        Parameters
        ----------
        spec : PodSpec, optional
            What to create; or give its fields as options.
        **options
            The fields of `PodSpec`: ``image``, ``gpu_type``, ``gpu_count=1``, ``pod_name``, ``region``,
            ``environment_vars``, ``expose``, ``image_public_type``, ``image_registry_username``,
            ``image_registry_token``, ``initialization_command``, ``cloud_type``, ``official_image``,
            ``resource_type``, ``min_single_card_ram_in_gb``, ``container_volume_in_gb``,
            ``persistent_volume_in_gb``, ``persistent_mount_path``.

        Returns
        -------
        Pod
            As the API shows it, or, where it does not yet, as far as it is known from the options.

        Raises
        ------
        InvalidRequest
            An option is wrong. Nothing was sent.
        CreateOutcomeUnknown
            Whether a pod was created could not be found out. Do not create again before you looked.
        ApiError, ConnectionFailed, UnexpectedResponse
            No pod was created.
        WaitInterrupted
            Ctrl-C after the pod was created; it names the pod.
        """
        if spec is not None and options:
            raise InvalidRequest("create takes one PodSpec or options, not both; put the options into the PodSpec.")
        spec = PodSpec.of(**options) if spec is None else spec
        options.clear()  # A traceback of what nobody expected may print it.
        created = create_once(self._transport, spec, self.list)
        self._changed()
        if isinstance(created, Pod):
            return created
        self._created[created] = time.monotonic()
        known = v1.pod_of(spec, created)
        try:
            answer = self._transport.send("GET", v1.pod_path(created))
            known = v1.pod(answer, created)
        except YottaError:
            pass  # The pod exists: a listing that lags or fails must not hide its id.
        except KeyboardInterrupt:
            raise WaitInterrupted(known) from None
        self._noticed([known])
        return known

    def find_launch(self, launch_id: str) -> Pod:
        """Return the pod that came of a create whose answer was lost: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        launch_id : str
            The mark that `CreateOutcomeUnknown` names.

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            No listed pod carries the mark, now.
        ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod = with_mark(self.list(), launch_id)
        if pod is None:
            raise PodNotFound(
                None,
                None,
                f"No pod carries the mark {printable(launch_id, 60)} now. A listing may lag: look again in a minute, "
                "before you create it anew.",
            )
        return pod

    def pause(self, pod_id: str) -> None:
        """Pause a running pod: ``POST /openapi/v1/pods/pause/{podId}``. While paused only volumes are charged.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        InvalidPodState
            The pod does not run.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.
        """
        self._act("pause", "POST", pod_id)

    def resume(self, pod_id: str) -> None:
        """Resume a paused pod: ``POST /openapi/v1/pods/resume/{podId}``.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        InvalidPodState
            The pod is not paused.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.
        """
        self._act("resume", "POST", pod_id)

    def delete(self, pod_id: str) -> None:
        """Delete a pod for good: ``DELETE /openapi/v1/pods/{podId}``.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        InvalidPodState
            The pod is being deleted already.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.
        """
        self._act("delete", "DELETE", pod_id)

    def wait(
        self, pod_id: str, until: str = "RUNNING", timeout: float = 900, *, progress: Progress | None = None
    ) -> Pod:
        """Wait until a pod is in a status, or reachable by SSH: ``GET /openapi/v1/pods/{podId}`` again and again.

        Parameters
        ----------
        pod_id : str
        until : str, default "RUNNING"
            A status, or ``"SSH"``: running, and the SSH port healthy.
        timeout : float, default 900
            Seconds.
        progress : callable, optional
            Called after each look with a dict of the pod by its id.

        Returns
        -------
        Pod

        Raises
        ------
        WaitTimeout
            Not there in time. The pod may still cost money; the message says how to stop it.
        WaitInterrupted
            Ctrl-C; says the same.
        InvalidPodState
            The pod will not get there: it failed, was deleted, or exposes no SSH port.
        InvalidRequest, PodNotFound, AuthenticationError
            As for `get`.
        """
        return _result(self.wait_all([pod_id], until, timeout, progress=progress)[checked_id(pod_id)])

    def wait_all(
        self, pod_ids: Sequence[str], until: str = "RUNNING", timeout: float = 900, *, progress: Progress | None = None
    ) -> dict[str, Pod | YottaError]:
        """Wait for several pods side by side.

        Parameters
        ----------
        pod_ids : sequence of str
        until, timeout, progress
            As for `wait`.

        Returns
        -------
        dict
            For each id the pod, or the error with which `wait` would have ended.

        Raises
        ------
        WaitInterrupted
            Ctrl-C; names all pods that are not there.
        """
        if not 0 <= timeout <= 7 * 86400:
            raise InvalidRequest("A wait takes 0 to 604800 seconds (7 days).")
        return wait_for(self, list(dict.fromkeys(checked_id(pod_id) for pod_id in pod_ids)), until, timeout, progress)

    def each(self, call: Callable[[str], None], pod_ids: Sequence[str]) -> Sequence[YottaError | None]:
        """Pause, resume or delete several pods side by side; one failure does not stop the rest.

        Parameters
        ----------
        call : callable
            `pause`, `resume` or `delete` of this object.
        pod_ids : sequence of str

        Returns
        -------
        list
            For each id None, or the error.
        """
        return side_by_side(call, pod_ids)

    def created_within(self, pod_id: str, seconds: float) -> bool:
        """Return whether this client created a pod so lately that a listing may not show it yet.

        Parameters
        ----------
        pod_id : str
        seconds : float

        Returns
        -------
        bool
        """
        return time.monotonic() - self._created.get(pod_id, -seconds) < seconds

    def _noticed(self, pods: Sequence[Pod], everything: bool = False) -> None:
        """Called with the pods of each answer, for a subclass to learn from them."""

    def _changed(self) -> None:
        """Called after each change that was asked for, for a subclass to tell others."""

    def _get_from_list(self, pod_id: str) -> Pod:
        # One listing that lacks a pod does not prove that it is gone.
        for delay in (0.0, 1.0):
            time.sleep(delay)
            for pod in self.list():
                if pod.id == pod_id:
                    return pod
        raise PodNotFound(None, None, f"There is no pod {pod_id}. See which there are: %yotta list")

    def _act(self, action: str, method: str, pod_id: str) -> None:
        pod_id = checked_id(pod_id)
        path = v1.pod_path(pod_id) if action == "delete" else v1.action_path(action, pod_id)
        answer = self._transport.send(method, path)
        self._changed()
        try:
            v1.data(answer, pod_id)
        except PodNotFound:
            if not (action == "delete" and answer.retried):
                raise
        except InvalidPodState as error:
            status = self._status_or_none(pod_id)
            if not (answer.retried and status in _DONE[action]):
                raise _wrong_state(action, pod_id, status, error) from None

    def _status_or_none(self, pod_id: str) -> str | None:
        try:
            return self.get(pod_id).status
        except YottaError:
            return None


def checked_key(api_key: str) -> Secret:
    """Return an API key that a header can carry.

    Raises
    ------
    InvalidRequest
        It is empty, or holds a line break, a space or another character that no key has.
    """
    key = api_key.reveal() if isinstance(api_key, Secret) else api_key
    if not isinstance(key, str) or not key:
        raise InvalidRequest("The API key is empty. Get one in the console under Settings → Access Keys: %yotta login")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidRequest("The API key holds a line break, a space or a special character; copy it again, alone.")
    return Secret(key)


def checked_id(pod_id: str) -> str:
    """Return a pod's id as text.

    Raises
    ------
    InvalidRequest
        It is none.
    """
    if isinstance(pod_id, int) and not isinstance(pod_id, bool):
        pod_id = str(pod_id)
    if not is_pod_id(pod_id):
        raise InvalidRequest(
            f"A pod's id is text such as '331864222263676928', not {printable(pod_id, 40)!r}. See %yotta list"
        )
    return pod_id


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= 3600:
        raise InvalidRequest(f"A timeout is a number of seconds above 0 and up to 3600, not {printable(timeout, 40)}.")
    return float(timeout)


def _wrong_state(action: str, pod_id: str, status: str | None, error: InvalidPodState) -> InvalidPodState:
    if status is None:
        return error
    if status in _DONE[action]:
        told = f"Pod {pod_id} is {status} already; there is nothing to {action}."
    else:
        needed = {"pause": "RUNNING", "resume": "PAUSED", "delete": "not deleted yet"}[action]
        told = f"Cannot {action} pod {pod_id}: it is {printable(status, 40)}, and must be {needed}."
        if (action, status) == ("resume", "PAUSING"):
            return InvalidPodState(
                error.code, error.http_status, f"{told} First wait: %yotta wait {pod_id} --until paused"
            )
    return InvalidPodState(error.code, error.http_status, f"{told} See it with: %yotta get {pod_id}")


def _result(outcome: Pod | YottaError) -> Pod:
    if isinstance(outcome, YottaError):
        raise outcome
    return outcome
