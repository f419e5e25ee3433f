"""Creating pods: once for each call, or only if no pod of that name exists."""

from __future__ import annotations

import builtins
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..errors import CreateOutcomeUnknown, InvalidRequest, WaitInterrupted, YottaError
from ..models import EnvironmentVariable, ExposedPort, Pod
from ..sanitize import single_line
from ..spec import PodSpec
from ..statuses import ENDING_STATUSES
from .arguments import EnvironmentVars, Ports, Regions, Statuses, parse_regions, parse_statuses
from .backend import Backend
from .events import PodsChanged
from .idempotency import create_once, select_by_launch_id
from .reader import PodReader
from .reuse import live_pods_named, select_reusable
from .waiter import MAX_STALENESS

UNCONFIRMED_SECONDS: Final = 120.0
"""How long a create of unknown outcome prevents another create of the same spec, unless a listing shows its pod."""


class UnconfirmedCreate(msgspec.Struct, frozen=True):
    """A create of unknown outcome.

    Attributes
    ----------
    spec : PodSpec
        As the caller gave it.
    launch_id : str
    started_at : float
        Seconds of the monotonic clock.
    """

    spec: PodSpec
    launch_id: str
    started_at: float

    def matches(self, spec: PodSpec) -> bool:
        """Return whether a spec describes the same pod: by its name, or if it has none, by all fields."""
        if spec.pod_name:
            return spec.pod_name == self.spec.pod_name
        return spec == self.spec


class PodCreator(PodReader):
    """Creates pods.

    Parameters
    ----------
    backend : Backend
    complete_spec : callable, optional
        Called with the spec of each pod; returns the spec to create, such as one with the user's public key.
    """

    def __init__(self, backend: Backend, complete_spec: Callable[[PodSpec], PodSpec] = lambda spec: spec) -> None:
        super().__init__(backend)
        self._complete_spec = complete_spec
        self._created: dict[str, Pod] = {}  # by id, in the status right after the create
        self._created_at: dict[str, float] = {}  # time.monotonic() by pod id
        self._unconfirmed: dict[str, UnconfirmedCreate] = {}  # by launch ID

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

        The request is never sent again. If its response is lost, the pod is looked up by the launch ID in its
        environment.

        Parameters
        ----------
        spec : PodSpec, optional
            What to create, instead of the other parameters.
        reuse : bool, default False
            Return the live pod of that name, if there is one, instead of creating another. It must have the same GPU
            type, GPU count and image, and the same region, cloud type, volume sizes, mount path and initialization
            command as far as they are given. It keeps its own environment variables and ports.
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
            Whether a pod was created is unknown. Do not create another one before you looked for it. With `reuse`,
            also raised if the outcome of an earlier create of this spec is unknown; no pod was created now.
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
        if reuse:
            pod, _ = self.create_or_reuse(spec)
            return pod
        return self._create(spec, self._complete_spec(spec))

    def create_or_reuse(self, spec: PodSpec) -> tuple[Pod, bool]:
        """Return the live pod of a spec's name, or create one; the same as ``create(spec, reuse=True)``.

        Listings may lag, so two clients that call this at the same time may both create a pod. A warning names the
        other pod if it is listed afterwards.

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
        completed = self._complete_spec(spec)
        existing = self.find_reusable(spec)
        if existing is not None:
            return existing, False
        pod = self._create(spec, completed)
        self._warn_of_duplicates(pod)
        return pod, True

    def find_reusable(self, spec: PodSpec) -> Pod | None:
        """Return the live pod that `create_or_reuse` would return: ``GET /openapi/v1/pods/list``.

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
        CreateOutcomeUnknown
            As for `find_unconfirmed`.
        """
        pods = self.list_with_created()
        pod = select_reusable(pods, spec)
        if pod is None:
            return self._find_unconfirmed(pods, spec)
        self._forget_unconfirmed(pod.launch_id)
        return pod

    def find_unconfirmed(self, spec: PodSpec) -> Pod | None:
        """Return the pod of an earlier create of unknown outcome with the same spec: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        spec : PodSpec

        Returns
        -------
        Pod or None
            None if there was no such create, its pod has ended, or no listing shows it after `UNCONFIRMED_SECONDS`.

        Raises
        ------
        CreateOutcomeUnknown
            There was such a create, and no listing shows its pod yet.
        ApiError, ConnectionFailed, UnexpectedResponse
            The pods cannot be listed.
        """
        if not self._unconfirmed:
            return None
        return self._find_unconfirmed(self.list(), spec)

    def list_with_created(self, regions: Regions = (), statuses: Statuses = ()) -> builtins.list[Pod]:
        """Return the listed pods, and pods that this client has just created but a lagging listing lacks.

        Sends ``GET /openapi/v1/pods/list``, and ``GET /openapi/v1/pods/{podId}`` for each pod that it lacks.

        Parameters
        ----------
        regions, statuses
            As for `list`.

        Returns
        -------
        list of Pod

        Raises
        ------
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        region_list, status_list = parse_regions(regions), parse_statuses(statuses)
        listed = self.list(region_list, status_list)
        listed_ids = {pod.id for pod in listed}
        missing = [pod for pod in tuple(self._created.values()) if pod.id not in listed_ids]
        recent = [self._try_refresh(pod) for pod in missing if self.is_recently_created(pod.id, MAX_STALENESS)]
        return listed + [pod for pod in recent if _matches(pod, region_list, status_list)]

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
        created_at = self._created_at.get(pod_id)
        return created_at is not None and time.monotonic() - created_at < seconds

    def _find_unconfirmed(self, pods: builtins.list[Pod], spec: PodSpec) -> Pod | None:
        matching = [create for create in tuple(self._unconfirmed.values()) if create.matches(spec)]
        for create in matching:
            pod = select_by_launch_id(pods, create.launch_id)
            remaining = UNCONFIRMED_SECONDS - (time.monotonic() - create.started_at)
            if pod is None and remaining > 0:
                reason = f"the outcome of an earlier create is unknown. It can be created again in {remaining:.0f} s."
                raise CreateOutcomeUnknown(create.launch_id, reason)
            self._forget_unconfirmed(create.launch_id)
            if pod is not None and pod.status not in ENDING_STATUSES:
                return pod
        return None

    def _forget_unconfirmed(self, launch_id: str | None) -> None:
        if launch_id is not None:
            self._unconfirmed.pop(launch_id, None)

    def _create(self, spec: PodSpec, completed: PodSpec) -> Pod:
        started_at = time.monotonic()
        try:
            created = create_once(self._backend, completed, self.list)
        except CreateOutcomeUnknown as error:
            self._unconfirmed[error.launch_id] = UnconfirmedCreate(spec, error.launch_id, started_at)
            raise
        finally:
            self._subscribers.publish(PodsChanged())
        if isinstance(created, Pod):  # The response was lost, and a listing shows the pod.
            return self._remember(created)
        pod = self._remember(_pending_pod(completed, created))  # Before the next request, which Ctrl-C may interrupt.
        return self._remember(self._read_created(pod))

    def _remember(self, pod: Pod) -> Pod:
        self._created_at.setdefault(pod.id, time.monotonic())
        self._created[pod.id] = pod
        return pod

    def _forget_created(self, pod_id: str) -> None:
        self._created.pop(pod_id, None)

    def _read_created(self, pod: Pod) -> Pod:
        """Return a pod that was just created as the API returns it, or unchanged if it cannot be read yet."""
        try:
            pod = self._backend.get(pod.id)
        except YottaError:
            pass  # The pod exists, even if this response is stale or failed.
        except KeyboardInterrupt:
            raise WaitInterrupted(pod) from None
        self._bind_and_publish([pod], complete=False)
        return pod

    def _try_refresh(self, pod: Pod) -> Pod:
        """Return the pod as the API returns it now, or unchanged if it cannot be read."""
        try:
            return self.get(pod.id)
        except YottaError:
            return pod

    def _warn_of_duplicates(self, pod: Pod) -> None:
        """Warn if another client has created a pod of the same name at the same time."""
        try:
            live = live_pods_named(self.list(), pod.name)
        except YottaError:
            return
        except KeyboardInterrupt:
            raise WaitInterrupted(pod) from None
        duplicates = [other.id for other in live if other.id != pod.id]
        if duplicates:
            warnings.warn(
                f"Another pod named {single_line(pod.name, 60)} was created at the same time: {', '.join(duplicates)}. "
                "Both cost money; delete one.",
                stacklevel=4,  # The caller of `create`.
            )


def _matches(pod: Pod, regions: builtins.list[str], statuses: builtins.list[str]) -> bool:
    """Return whether a pod passes the filters of a listing. An empty filter accepts all pods."""
    return (not regions or pod.region in regions) and (not statuses or pod.status in statuses)


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
