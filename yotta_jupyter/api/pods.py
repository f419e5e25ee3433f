"""`PodsClient`: changes existing pods, waits for them and connects to them. Its base classes read and create pods."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import ssh
from ..errors import (
    ApiError,
    ConnectionFailed,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    RemoteUnavailable,
    RequestInterrupted,
    UnexpectedResponse,
    YottaError,
)
from ..keys import explicit_key_file
from ..models import DEFAULT_WAIT_TIMEOUT, Pod
from ..remote.host_keys import HostKeys
from ..sanitize import single_line
from ..spec import PodSpec
from ..statuses import TRANSITIONS
from ..wait_advice import describe_unknown_outcome
from .arguments import validate_pod_id
from .backend import Backend
from .concurrency import map_concurrently
from .creator import PodCreator
from .events import PodsChanged
from .idempotency import may_have_been_processed
from .waiter import MAX_STALENESS, MAX_WAIT_TIMEOUT, SSH, Progress, wait_until

if TYPE_CHECKING:
    from ..remote import Remote


class PodsClient(PodCreator):
    """The pods of an account. Thread-safe.

    Parameters
    ----------
    backend : Backend
        Sends the requests.
    complete_spec : callable, optional
        Called with the spec of each pod before the pod is created; returns the spec to use.
    ssh_key : str, optional
        The private key file in SSH commands.

    Attributes
    ----------
    cached : dict of str to Pod
        The latest known pods by id. Reading it sends no request.
    last_listed_at : datetime or None
        When the last complete listing was requested, in UTC.
    """

    def __init__(
        self,
        backend: Backend,
        complete_spec: Callable[[PodSpec], PodSpec] = lambda spec: spec,
        ssh_key: str | None = None,
    ) -> None:
        super().__init__(backend, complete_spec)
        self._ssh_key = ssh_key
        self._resumed_at: dict[str, float] = {}  # time.monotonic() by pod id

    def pause(self, pod_id: str) -> None:
        """Pause a running pod: ``POST /openapi/v1/pods/pause/{podId}``. A paused pod is charged for volumes only.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        InvalidPodState
            The pod is not running.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.
        """
        pod_id = validate_pod_id(pod_id)
        self._transition("pause", self._backend.pause, pod_id)

    def resume(self, pod_id: str) -> None:
        """Resume a paused pod: ``POST /openapi/v1/pods/resume/{podId}``.

        The pod may have a new SSH host key afterwards: the next connection of `remote` accepts and pins it.

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
        pod_id = validate_pod_id(pod_id)
        self._transition("resume", self._backend.resume, pod_id)
        self._resumed_at[pod_id] = time.monotonic()
        with suppress(RemoteUnavailable):  # The pod is resumed, even if the file of host keys cannot be written.
            HostKeys().expect_change(pod_id)

    def delete(self, pod_id: str) -> None:
        """Delete a pod permanently: ``DELETE /openapi/v1/pods/{podId}``.

        Parameters
        ----------
        pod_id : str

        Raises
        ------
        InvalidPodState
            The pod is already being deleted.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.
        """
        pod_id = validate_pod_id(pod_id)
        self._transition("delete", self._backend.delete, pod_id)
        self._forget_created(pod_id)

    def bulk(self, action: str, pod_ids: Sequence[str]) -> Sequence[YottaError | None]:
        """Pause, resume or delete several pods concurrently. One failure does not stop the others.

        Parameters
        ----------
        action : str
            ``pause``, ``resume`` or ``delete``.
        pod_ids : sequence of str

        Returns
        -------
        list
            For each id None, or its error.

        Raises
        ------
        InvalidRequest
            There is no such action.
        RequestInterrupted
            Ctrl-C; the requests may have been applied.
        """
        methods = {"pause": self.pause, "resume": self.resume, "delete": self.delete}
        if action not in methods:
            raise InvalidRequest(f"An action is one of {', '.join(methods)}, not {single_line(action, 40)!r}.")
        try:
            return map_concurrently(methods[action], pod_ids)
        except KeyboardInterrupt:
            raise RequestInterrupted(action, *map(self._last_known, pod_ids)) from None

    def wait(
        self,
        pod_id: str,
        until: str = "RUNNING",
        timeout: float = DEFAULT_WAIT_TIMEOUT,
        *,
        progress: Progress | None = None,
    ) -> Pod:
        """Wait until a pod reaches a status, or is reachable by SSH: polls ``GET /openapi/v1/pods/{podId}``.

        Parameters
        ----------
        pod_id : str
        until : str, default "RUNNING"
            A status, or ``"SSH"``: RUNNING, and the SSH port healthy.
        timeout : float, optional
            Seconds.
        progress : callable, optional
            Called after each request with the latest pods by id.

        Returns
        -------
        Pod

        Raises
        ------
        WaitTimeout
            The pod did not reach the status in time. It may still cost money; the message says how to stop it.
        WaitInterrupted
            Ctrl-C; the message says the same.
        InvalidPodState
            The pod cannot reach the status: it failed, was deleted, is paused, or exposes no SSH port.
        InvalidRequest, PodNotFound, AuthenticationError
            As for `get`.
        """
        pod_id = validate_pod_id(pod_id)
        outcome = self.wait_all([pod_id], until, timeout, progress=progress)[pod_id]
        if isinstance(outcome, YottaError):
            raise outcome
        return outcome

    def wait_all(
        self,
        pod_ids: Sequence[str],
        until: str = "RUNNING",
        timeout: float = DEFAULT_WAIT_TIMEOUT,
        *,
        progress: Progress | None = None,
    ) -> dict[str, Pod | YottaError]:
        """Wait for several pods concurrently.

        Parameters
        ----------
        pod_ids : sequence of str
        until, timeout, progress
            As for `wait`.

        Returns
        -------
        dict
            For each id the pod, or the error that `wait` would raise.

        Raises
        ------
        WaitInterrupted
            Ctrl-C; `pods` are those that have not reached the status.
        """
        if not 0 <= timeout <= MAX_WAIT_TIMEOUT:
            raise InvalidRequest(
                f"A timeout is 0 to {MAX_WAIT_TIMEOUT:.0f} seconds ({MAX_WAIT_TIMEOUT / 86400:.0f} days)."
            )
        ids = list(dict.fromkeys(validate_pod_id(pod_id) for pod_id in pod_ids))
        return wait_until(self, ids, until, timeout, progress)

    def ssh_command(self, pod: Pod) -> str:
        """Return the SSH command of a pod with the client's key.

        Parameters
        ----------
        pod : Pod

        Returns
        -------
        str

        Raises
        ------
        InvalidPodState
            The pod is not reachable by SSH.
        """
        return ssh.command(pod, self._ssh_key)

    def remote(self, pod_id: str, *, timeout: float = DEFAULT_WAIT_TIMEOUT, progress: Progress | None = None) -> Remote:
        """Return a `Remote`, which runs code on a pod over SSH, after ``GET /openapi/v1/pods/{podId}``.

        This waits while the pod is starting. The connection is made at first use. A lost connection is made again, to
        the pod's new address if it has changed.

        Parameters
        ----------
        pod_id : str
        timeout : float, optional
            Seconds to wait for a pod that is starting; see `wait`.
        progress : callable, optional
            Called during that wait; see `wait`.

        Returns
        -------
        yotta_jupyter.remote.Remote
            Also a context manager, which closes the connection.

        Raises
        ------
        InvalidPodState
            The pod is paused, has ended, or exposes no SSH port; see `ssh_problem`.
        WaitTimeout, WaitInterrupted
            As for `wait`.
        PodNotFound, InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `get`.

        Examples
        --------
        >>> with yotta.pods.remote(pod.id) as remote:        # doctest: +SKIP
        ...     remote.run("print(1 + 1)")
        """
        from ..remote import Endpoint, Remote, endpoint_of  # asyncssh takes long to import.

        # Without a chosen key, `Remote` tries several.
        key_file = explicit_key_file(self._ssh_key)
        pod = self._get_with_recent_resume(pod_id)
        if ssh.is_starting(pod):
            pod = self.wait(pod.id, SSH, timeout, progress=progress)

        def find_endpoint() -> Endpoint:
            return endpoint_of(self._get_with_recent_resume(pod_id), key_file)

        return Remote(endpoint_of(pod, key_file), lookup=find_endpoint)

    def _transition(self, action: str, request: Callable[[str], None], pod_id: str) -> None:
        """Send a request. Ignore its error if an earlier attempt of the request took effect."""
        transition = TRANSITIONS[action]
        try:
            request(pod_id)
        except PodNotFound as error:
            took_effect = error.may_be_duplicate and action == "delete"
            if not took_effect:
                raise
        except InvalidPodState as error:
            status = self._status_or_none(pod_id)
            took_effect = error.may_be_duplicate and status is not None and transition.is_confirmed_by(status)
            if not took_effect:
                raise self._state_error(action, pod_id, status, error) from None
        except (ApiError, ConnectionFailed, UnexpectedResponse) as error:
            if may_have_been_processed(error):
                error.message += f" The {action} {describe_unknown_outcome(action)}"
            raise
        except KeyboardInterrupt:
            raise RequestInterrupted(action, self._last_known(pod_id)) from None
        finally:
            self._subscribers.publish(PodsChanged())

    def _status_or_none(self, pod_id: str) -> str | None:
        try:
            return self._get_with_recent_resume(pod_id).status
        except YottaError:
            return None

    def _last_known(self, pod_id: str) -> Pod:
        return self.cached.get(pod_id, Pod(id=pod_id, status="unknown"))

    def _state_error(self, action: str, pod_id: str, status: str | None, error: InvalidPodState) -> InvalidPodState:
        """Return the error with the pod's status, which the API's own message lacks."""
        if status is None:
            return error
        label = self._last_known(pod_id).label
        transition = TRANSITIONS[action]
        if transition.is_confirmed_by(status):
            message = f"Pod {label} is {status} already; there is nothing to {action}."
        else:
            required = f", and must be {transition.required}" if transition.required else ""
            message = f"Cannot {action} pod {label}: it is {single_line(status, 40)}{required}."
        return InvalidPodState(error.code, error.http_status, message, pod_id=pod_id, pod_status=status)

    def _get_with_recent_resume(self, pod_id: str) -> Pod:
        """Return a pod. If this client has just resumed it, replace PAUSED, which the response may still say."""
        pod = self.get(pod_id)
        resumed_at = self._resumed_at.get(pod.id)
        if pod.status == "PAUSED" and resumed_at is not None and time.monotonic() - resumed_at < MAX_STALENESS:
            pod.status = TRANSITIONS["resume"].during
        return pod
