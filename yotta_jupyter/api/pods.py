"""The client for the pods of an account."""

from __future__ import annotations

import builtins
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from .. import ssh
from ..errors import InvalidPodState, InvalidRequest, PodNotFound, RemoteUnavailable, WaitInterrupted, YottaError
from ..gc_pause import gc_paused
from ..keys import DEFAULT_KEY
from ..models import EnvironmentVariable, ExposedPort, Pod, is_valid_pod_id
from ..remote.host_keys import HostKeys
from ..sanitize import single_line
from ..spec import PodSpec, PortSpec
from ..statuses import TRANSITIONS, parse_status
from .backend import Backend
from .concurrency import map_concurrently
from .idempotency import create_once, find_by_launch_id
from .reuse import find_reusable, live_pods
from .waiter import DEFAULT_WAIT_TIMEOUT, MAX_STALENESS, MAX_WAIT_TIMEOUT, SSH, Progress, wait_until

if TYPE_CHECKING:
    import pandas as pd

    from ..remote import Remote

Regions = Iterable[str] | str
Statuses = Iterable[str | int] | str | int
EnvironmentVars = Mapping[str, str] | Iterable[Mapping[str, str]]
Ports = Iterable[int | str | tuple[int, str] | Mapping[str, Any] | PortSpec] | int | str


class PodsListed(msgspec.Struct, frozen=True):
    """Published after a response with pods.

    Attributes
    ----------
    pods : list of Pod
    complete : bool
        Whether these are all pods of the account.
    """

    pods: list[Pod]
    complete: bool


class PodsChanged(msgspec.Struct, frozen=True):
    """Published after a request that may have changed pods."""


Event = PodsListed | PodsChanged


class PodsClient:
    """The pods of an account. Thread-safe.

    Ids are strings, times are UTC, money is US dollars an hour.

    Parameters
    ----------
    backend : Backend
        Sends the requests.
    complete : callable, optional
        Called with each spec before it is created; returns the spec to use.
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
        complete: Callable[[PodSpec], PodSpec] = lambda spec: spec,
        ssh_key: str | None = None,
    ) -> None:
        self._backend = backend
        self._complete = complete
        self._ssh_key = ssh_key
        self._created_monotonic: dict[str, float] = {}
        self._resumed_monotonic: dict[str, float] = {}
        self._created: dict[str, Pod] = {}
        self._subscribers: dict[object, Callable[[Event], None]] = {}
        self._lock = threading.Lock()
        self.cached: dict[str, Pod] = {}
        self.last_listed_at: datetime | None = None

    def list(self, regions: Regions = (), statuses: Statuses = ()) -> builtins.list[Pod]:
        """Return the pods: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions : iterable of str, or str
            Only pods in any of these regions.
        statuses : iterable of str or int, or one
            Only pods in any of these statuses, by name in any case or by code.

        Returns
        -------
        list of Pod

        Raises
        ------
        InvalidRequest
            A status is unknown; the closest one is suggested. Nothing was sent.
        ApiError, ConnectionFailed, UnexpectedResponse
            The API refused the request or failed, was not reached, or sent something else.
        """
        region_list = _parse_regions(regions)
        status_list = [parse_status(s) for s in ([statuses] if isinstance(statuses, (str, int)) else statuses)]
        requested_at = datetime.now(UTC)
        pods = self._backend.list(region_list, status_list)
        complete = not region_list and not status_list
        if complete:
            self.last_listed_at = requested_at
        self._publish_pods(pods, complete)
        return pods

    def frame(self, regions: Regions = (), statuses: Statuses = (), wide: bool = False) -> pd.DataFrame:
        """Return the pods as a DataFrame: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions, statuses
            As for `list`.
        wide : bool, default False
            Return all fields of the API.

        Returns
        -------
        pandas.DataFrame
            Index and columns as described in `yotta_jupyter.frames.pods_frame`.

        Raises
        ------
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        from ..frames import pods_frame

        with gc_paused():
            return pods_frame(self.list(regions, statuses), wide)

    def get(self, pod_id: str) -> Pod:
        """Return one pod: ``GET /openapi/v1/pods/{podId}``, or the listing if that endpoint is missing.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            The API says that the id does not exist.
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod = self._backend.get(validate_pod_id(pod_id))
        self._publish_pods([pod], complete=False)
        return pod

    def create(
        self,
        spec: PodSpec | None = None,
        *,
        reuse: bool = False,
        image: str | None = None,
        gpu_type: str | None = None,
        gpu_count: int = 1,
        pod_name: str | None = None,
        region: str | None = None,
        cloud_type: str | None = None,
        official_image: str | None = None,
        resource_type: str | None = None,
        image_public_type: str | None = None,
        image_registry_username: str | None = None,
        image_registry_token: str | None = None,
        initialization_command: str | None = None,
        environment_vars: EnvironmentVars | None = None,
        expose: Ports | None = None,
        min_single_card_ram_in_gb: int | None = None,
        container_volume_in_gb: int | None = None,
        persistent_volume_in_gb: int | None = None,
        persistent_mount_path: str | None = None,
    ) -> Pod:
        """Create one pod, exactly once: ``POST /openapi/v1/pods/create``.

        The request is never sent again. If its response is lost, the pod is looked up for about 15 s by the launch ID
        in its environment.

        Parameters
        ----------
        spec : PodSpec, optional
            What to create, instead of the other parameters.
        reuse : bool, default False
            Return the live pod of that name, if there is one with the same GPU type, GPU count, image and region,
            instead of creating another.
        image : str
            A Docker image.
        gpu_type : str
            A GPU type of the API, such as ``NVIDIA_L4_24G``.
        gpu_count : int, default 1
            A power of two.
        pod_name, region : str, optional
        cloud_type : str, optional
            ``SECURE`` or ``COMMUNITY``.
        official_image : str, optional
            ``OFFICIAL`` or ``CUSTOM``.
        resource_type : str, optional
            ``GPU`` or ``CPU``.
        image_public_type : str, optional
            ``OFFICIAL``, ``CUSTOM``, ``PUBLIC`` or ``PRIVATE``. PRIVATE requires the next two parameters.
        image_registry_username, image_registry_token : str, optional
            Credentials of a private registry.
        initialization_command : str, optional
            Runs when the pod starts.
        environment_vars : dict, or list of dict, optional
            Values by name, or the API's list of ``{"key", "value"}``.
        expose : list, optional
            Ports, ``(port, protocol)`` pairs, or the API's list of ``{"port", "protocol"}``.
        min_single_card_ram_in_gb, container_volume_in_gb, persistent_volume_in_gb : int, optional
            Gigabytes.
        persistent_mount_path : str, optional
            Where the persistent volume is mounted; required with one.

        Returns
        -------
        Pod
            As the API returns it, or with the requested fields if the API does not return it yet. A pod that was
            reused may be paused.

        Raises
        ------
        InvalidRequest
            A parameter is invalid. Nothing was sent.
        NameTaken
            With `reuse`: a live pod of that name differs, or several have it. Nothing was created.
        CreateOutcomeUnknown
            Whether a pod was created is unknown. Do not create another one before you looked for it.
        ApiError, ConnectionFailed, UnexpectedResponse
            No pod was created.
        WaitInterrupted
            Ctrl-C after the pod was created.
        """
        options: dict[str, Any] = {
            "image": image,
            "gpu_type": gpu_type,
            "pod_name": pod_name,
            "region": region,
            "cloud_type": cloud_type,
            "official_image": official_image,
            "resource_type": resource_type,
            "image_public_type": image_public_type,
            "image_registry_username": image_registry_username,
            "image_registry_token": image_registry_token,
            "initialization_command": initialization_command,
            "environment_vars": environment_vars,
            "expose": expose,
            "min_single_card_ram_in_gb": min_single_card_ram_in_gb,
            "container_volume_in_gb": container_volume_in_gb,
            "persistent_volume_in_gb": persistent_volume_in_gb,
            "persistent_mount_path": persistent_mount_path,
        }
        if spec is None:
            spec = PodSpec(gpu_count=gpu_count, **options)
        elif gpu_count != 1 or any(value is not None for value in options.values()):
            raise InvalidRequest("create accepts a PodSpec or keyword arguments, not both.")
        del options, image_registry_token, environment_vars  # A verbose traceback shows local variables.
        return self.create_or_reuse(spec)[0] if reuse else self._create(self._complete(spec))

    def create_or_reuse(self, spec: PodSpec) -> tuple[Pod, bool]:
        """Return the live pod of a spec's name, or create one; the same as ``create(spec, reuse=True)``.

        A listing may lag, so that two clients which do this at the same time may create two pods. A warning says so
        if the other pod is listed afterwards.

        Parameters
        ----------
        spec : PodSpec

        Returns
        -------
        pod : Pod
        created : bool
            False if the pod existed.

        Raises
        ------
        InvalidRequest, NameTaken, CreateOutcomeUnknown, ApiError, ConnectionFailed, UnexpectedResponse
            As for `create`.
        """
        completed = self._complete(spec)
        existing = self.find_reusable(spec)
        if existing is not None:
            return existing, False
        pod = self._create(completed)
        self._warn_of_duplicates(pod)
        return pod, True

    def remote(self, pod_id: str, *, timeout: float = DEFAULT_WAIT_TIMEOUT, progress: Progress | None = None) -> Remote:
        """Return what runs code on a pod over SSH, after ``GET /openapi/v1/pods/{podId}``.

        It waits here while the pod is starting, and connects when it is first used. If the connection is lost, the pod
        is requested again for its address; a pod that was resumed meanwhile is waited for then, too.

        Parameters
        ----------
        pod_id : str
        timeout : float, default 900
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
            The pod is paused or has ended, or exposes no SSH port; `ssh_problem` says which. It is not waited for.
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

        # A key file is the only key that is tried. Without one, the default key comes first, then the user's others.
        key_file = None if self._ssh_key == DEFAULT_KEY else self._ssh_key
        pod = self._get_resumed(pod_id)
        if ssh.is_starting(pod):
            pod = self.wait(pod.id, SSH, timeout, progress=progress)

        def find_endpoint() -> Endpoint:
            return endpoint_of(self._get_resumed(pod_id), key_file)

        return Remote(endpoint_of(pod, key_file), lookup=find_endpoint)

    def find_reusable(self, spec: PodSpec) -> Pod | None:
        """Return the live pod of a spec's name that `create_or_reuse` would return: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        spec : PodSpec

        Returns
        -------
        Pod or None
            None if no live pod has the name.

        Raises
        ------
        InvalidRequest, NameTaken, ApiError, ConnectionFailed, UnexpectedResponse
            As for `create`.
        """
        return find_reusable(self._list_with_created(), spec)

    def find_by_launch_id(self, launch_id: str) -> Pod:
        """Return the pod of a create request whose response was lost: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        launch_id : str
            From `CreateOutcomeUnknown.launch_id`.

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            No listed pod has that launch ID.
        ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod = find_by_launch_id(self.list(), launch_id)
        if pod is None:
            raise PodNotFound(
                None,
                None,
                f"No listed pod has the launch ID {single_line(launch_id, 60)}.",
                advice="A listing may lag: look again in a minute before you create it again.",
            )
        return pod

    def preview(self, spec: PodSpec) -> dict[str, Any]:
        """Return the request body of a create, with masked secrets. Sends nothing.

        Parameters
        ----------
        spec : PodSpec

        Returns
        -------
        dict
            By the field names of the API.
        """
        return self._backend.preview(spec)

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
        self._transition("resume", self._backend.resume, pod_id)
        self._resumed_monotonic[str(pod_id)] = time.monotonic()
        with suppress(RemoteUnavailable):  # The pod is resumed, even if this cannot be written.
            HostKeys().expect_change(str(pod_id))

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
        self._transition("delete", self._backend.delete, pod_id)
        self._created.pop(str(pod_id), None)

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
        timeout : float, default 900
            Seconds.
        progress : callable, optional
            Called after each request with a dict of the pod by its id.

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
        outcome = self.wait_all([pod_id], until, timeout, progress=progress)[validate_pod_id(pod_id)]
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
            Ctrl-C; has all pods that have not reached the status.
        """
        if not 0 <= timeout <= MAX_WAIT_TIMEOUT:
            raise InvalidRequest(f"A timeout is 0 to {MAX_WAIT_TIMEOUT:.0f} seconds (7 days).")
        ids = list(dict.fromkeys(validate_pod_id(pod_id) for pod_id in pod_ids))
        return wait_until(self, ids, until, timeout, progress)

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
        """
        if action not in TRANSITIONS:
            raise InvalidRequest(f"An action is one of {', '.join(TRANSITIONS)}, not {single_line(action, 40)!r}.")
        request: Callable[[str], None] = getattr(self, action)
        return map_concurrently(request, pod_ids)

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call a function after each response with pods and each request that may have changed pods.

        Parameters
        ----------
        callback : callable
            Called with a `PodsListed` or `PodsChanged` on the requesting thread. Must return at once.

        Returns
        -------
        callable
            Ends the subscription.
        """
        key = object()
        with self._lock:
            self._subscribers[key] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers.pop(key, None)

        return unsubscribe

    def is_recently_created(self, pod_id: str, seconds: float) -> bool:
        """Return whether this client created a pod within the last `seconds` seconds, so that a listing may lack it.

        Parameters
        ----------
        pod_id : str
        seconds : float

        Returns
        -------
        bool
        """
        created_at = self._created_monotonic.get(pod_id)
        return created_at is not None and time.monotonic() - created_at < seconds

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

    def _create(self, spec: PodSpec) -> Pod:
        try:
            created = create_once(self._backend, spec, self.list)
        finally:
            self._publish(PodsChanged())
        pod_id = created.id if isinstance(created, Pod) else created
        self._created_monotonic[pod_id] = time.monotonic()
        pod = created if isinstance(created, Pod) else self._get_created(spec, pod_id)
        self._created[pod_id] = pod
        return pod

    def _list_with_created(self) -> builtins.list[Pod]:
        """Return the pods, with those that this client has just created and a lagging listing lacks."""
        pods = self.list()
        listed = {pod.id for pod in pods}
        missing = [pod for pod in self._created.values() if pod.id not in listed]
        return pods + [self._get_or(pod) for pod in missing if self.is_recently_created(pod.id, MAX_STALENESS)]

    def _get_resumed(self, pod_id: str) -> Pod:
        """Return a pod. One that this client has just resumed counts as starting: a response may still say PAUSED."""
        pod = self.get(pod_id)
        resumed_at = self._resumed_monotonic.get(pod.id)
        if pod.status == "PAUSED" and resumed_at is not None and time.monotonic() - resumed_at < MAX_STALENESS:
            pod.status = TRANSITIONS["resume"].during
        return pod

    def _get_or(self, pod: Pod) -> Pod:
        try:
            return self.get(pod.id)
        except YottaError:
            return pod

    def _get_created(self, spec: PodSpec, pod_id: str) -> Pod:
        pod = _pending_pod(spec, pod_id)
        try:
            pod = self._backend.get(pod_id)
        except YottaError:
            pass  # The pod exists, even if this response is stale or failed.
        except KeyboardInterrupt:
            raise WaitInterrupted(pod) from None
        self._publish_pods([pod], complete=False)
        return pod

    def _warn_of_duplicates(self, pod: Pod) -> None:
        """Warn if another client has created a pod of the same name at the same time."""
        try:
            others = [other.id for other in live_pods(self.list(), pod.name) if other.id != pod.id]
        except YottaError:
            return
        if others:
            warnings.warn(
                f"Another pod named {single_line(pod.name, 60)} was created at the same time: {', '.join(others)}. "
                "Both cost money; delete one.",
                stacklevel=4,
            )

    def _transition(self, action: str, request: Callable[[str], None], pod_id: str) -> None:
        pod_id = validate_pod_id(pod_id)
        try:
            request(pod_id)
        except PodNotFound as error:
            if action != "delete" or not error.may_be_duplicate:
                raise
        except InvalidPodState as error:
            status = self._status_or_none(pod_id)
            transition = TRANSITIONS[action]
            # An earlier attempt of this request may have succeeded although its response was lost.
            if not error.may_be_duplicate or status not in (transition.during, transition.after):
                raise _state_error(action, self.cached.get(pod_id), status, error) from None
        finally:
            self._publish(PodsChanged())

    def _status_or_none(self, pod_id: str) -> str | None:
        try:
            return self.get(pod_id).status
        except YottaError:
            return None

    def _publish_pods(self, pods: builtins.list[Pod], complete: bool) -> None:
        for pod in pods:
            pod.bind(self)
            if pod.status == "TERMINATING" and pod.id in self.cached:
                pod.continue_from(self.cached[pod.id])
        latest = {pod.id: pod for pod in pods}
        self.cached = latest if complete else {**self.cached, **latest}
        self._publish(PodsListed(pods, complete))

    def _publish(self, event: Event) -> None:
        with self._lock:
            callbacks = list(self._subscribers.values())
        for callback in callbacks:
            callback(event)


def validate_pod_id(pod_id: str) -> str:
    """Return a pod's id as a string.

    Parameters
    ----------
    pod_id : str
        An int is converted.

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        It is not a valid id.
    """
    if isinstance(pod_id, int) and not isinstance(pod_id, bool):
        pod_id = str(pod_id)
    if not is_valid_pod_id(pod_id):
        raise InvalidRequest(f"A pod's id is a string such as '331864222263676928', not {single_line(pod_id, 40)!r}.")
    return pod_id


def _parse_regions(regions: Regions) -> list[str]:
    parsed = [regions] if isinstance(regions, str) else list(regions)
    if not all(isinstance(region, str) and region.strip() for region in parsed):
        raise InvalidRequest("A region is a string such as us-west-1; leave the filter out for all regions.")
    return parsed


def _state_error(action: str, pod: Pod | None, status: str | None, error: InvalidPodState) -> InvalidPodState:
    """Return the error with the pod's status, which the API's own message lacks."""
    if status is None:
        return error
    pod_id = error.pod_id
    transition = TRANSITIONS[action]
    label = pod.label if pod is not None else pod_id
    if status in (transition.during, transition.after):
        message = f"Pod {label} is {status} already; there is nothing to {action}."
    else:
        required = f", and must be {transition.required}" if transition.required else ""
        message = f"Cannot {action} pod {label}: it is {single_line(status, 40)}{required}."
    return InvalidPodState(error.code, error.http_status, message, pod_id=pod_id, pod_status=status)


def _pending_pod(spec: PodSpec, pod_id: str) -> Pod:
    """Return a new pod with the fields that its spec determines."""
    return Pod(
        id=pod_id,
        pod_name=spec.pod_name,
        status="INITIALIZE",
        gpu_type=spec.gpu_type,
        gpu_count=spec.gpu_count,
        region=spec.region,
        image=spec.image,
        environment_vars=[EnvironmentVariable(key, value) for key, value in spec.environment_vars.items()],
        expose=[ExposedPort(port=port.port, protocol=port.protocol, healthy=False) for port in spec.expose],
    )
