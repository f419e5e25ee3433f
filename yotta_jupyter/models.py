"""Pods as Python objects, independent of the API version, and their costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, Protocol, Self

import msgspec

from .errors import InvalidRequest
from .formatting import format_rate
from .sanitize import single_line
from .secret import Secret
from .statuses import (
    GPUS_STOPPED_OR_STOPPING,
    STATUSES,
    TERMINAL_STATUSES,
    TRANSITIONAL_STATUSES,
    TRANSITIONS,
    normalize_status,
)

LAUNCH_ID_ENV: Final = "YOTTA_JUPYTER_LAUNCH"
"""The environment variable of a pod that holds the launch ID of its create request."""

DEFAULT_WAIT_TIMEOUT: Final = 900.0
"""Seconds that a wait for a pod takes at most, unless the caller gives a timeout."""

_POD_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_valid_pod_id(value: object) -> bool:
    """Return whether a value is a string of up to 64 letters, digits, ``_`` and ``-``.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    return isinstance(value, str) and _POD_ID.fullmatch(value) is not None


Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer that fits a DataFrame column. A larger one in a pod's field is invalid."""


# gc=False: these objects contain no references that could form a cycle.
class ExposedPort(msgspec.Struct, rename="camel", gc=False):
    """A port of a pod and its public address.

    Attributes
    ----------
    port : int or None
        The port inside the pod.
    proxy_port : int or None
        The public port; None until the pod runs.
    protocol : str or None
        ``SSH``, ``HTTP`` or ``TCP``.
    host : str or None
        The public host; None until the pod runs.
    healthy : bool or None
        Whether the port accepts connections.
    ingress_url : str or None
        The server's text, such as an SSH command. Never run it: `yotta_jupyter.ssh` makes a safe one.
    service_name : str or None
        Such as ``SSH Port``.
    """

    port: int | None = None
    proxy_port: int | None = None
    protocol: str | None = None
    host: str | None = None
    healthy: bool | None = None
    ingress_url: str | None = None
    service_name: str | None = None


class EnvironmentVariable(msgspec.Struct, rename="camel", gc=False):
    """An environment variable of a pod. Its value is a secret.

    Attributes
    ----------
    key : str
        The name.
    value : Secret or None
        The value; ``.reveal()`` gives it.
    """

    key: str
    value: Secret | None = None


class PodOperations(Protocol):
    """What a `Pod` needs of the client that returned it."""

    def get(self, pod_id: str) -> Pod: ...
    def pause(self, pod_id: str) -> None: ...
    def resume(self, pod_id: str) -> None: ...
    def delete(self, pod_id: str) -> None: ...
    def wait(self, pod_id: str, until: str = ..., timeout: float = ...) -> Pod: ...
    def ssh_command(self, pod: Pod) -> str: ...


# dict=True allows the attributes _bound_client and _was_paused, which are not fields: not compared, pickled or decoded.
class Pod(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True, dict=True):
    """A pod.

    Ids are strings, times are timezone-aware UTC, prices are US dollars an hour. A field is None if the API omitted it,
    sent null, or sent a value of another type.

    Attributes
    ----------
    id : str
        Usually 18 digits.
    pod_name : str or None
        Also available as `name`.
    status : str
        One of `STATUSES`, or an unknown status as received.
    single_card_price, container_volume_price, persistent_volume_price : float or None
        For one GPU, or for one GB of the volume.
    single_card_vram_in_gb, single_card_ram_in_gb, container_volume_in_gb, persistent_volume_in_gb : int or None
        Gigabytes.
    network_upload_mbps, network_download_mbps, disk_read_speed_mbps, disk_write_speed_mbps : float or None
        Megabits a second.
    created_at, updated_at : datetime or None
        The API sends no time zone; UTC is assumed.
    extra : dict
        Unknown fields and values of another type, with secrets masked.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    pod_name: str | None = None
    status: str = ""
    gpu_type: str | None = None
    gpu_display_name: str | None = None
    gpu_count: Int64 | None = None
    region: str | None = None
    location: str | None = None
    image: str | None = None
    image_id: str | None = None
    official_image: str | None = None
    image_public_type: str | None = None
    image_registry_username: str | None = None
    resource_type: str | None = None
    cloud_type: str | None = None
    single_card_vram_in_gb: Int64 | None = None
    single_card_ram_in_gb: Int64 | None = None
    single_card_vcpu: Int64 | None = None
    container_volume_in_gb: Int64 | None = None
    persistent_volume_in_gb: Int64 | None = None
    persistent_mount_path: str | None = None
    network_upload_mbps: float | None = None
    network_download_mbps: float | None = None
    disk_read_speed_mbps: float | None = None
    disk_write_speed_mbps: float | None = None
    single_card_price: float | None = None
    container_volume_price: float | None = None
    persistent_volume_price: float | None = None
    initialization_command: str | None = None
    environment_vars: list[EnvironmentVariable] = []
    expose: list[ExposedPort] = []
    ssh_cmd: str | None = None
    org_id: str | None = None
    applicant_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    # Filled by `decode_pod_lenient` only. Its JSON name is empty, because the API has no field of that name.
    extra: dict[str, Any] = msgspec.field(default_factory=dict, name="")

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            self.status = normalize_status(self.status)
        if self.created_at is not None:
            self.created_at = _to_utc(self.created_at)
        if self.updated_at is not None:
            self.updated_at = _to_utc(self.updated_at)

    def bind(self, client: PodOperations) -> Self:
        """Set the client for `pause`, `wait` and the other methods that send requests.

        Parameters
        ----------
        client : PodOperations

        Returns
        -------
        Pod
            The same object.
        """
        self.__dict__["_bound_client"] = client
        return self

    def pause(self) -> None:
        """Pause the pod; see `PodsClient.pause`. `status` becomes PAUSING."""
        self._client.pause(self.id)
        self.status = TRANSITIONS["pause"].during

    def resume(self) -> None:
        """Resume the pod; see `PodsClient.resume`. `status` becomes INITIALIZE."""
        self._client.resume(self.id)
        self.status = TRANSITIONS["resume"].during

    def delete(self) -> None:
        """Delete the pod permanently; see `PodsClient.delete`. `status` becomes TERMINATING."""
        self._client.delete(self.id)
        self.status = TRANSITIONS["delete"].during

    def wait(self, until: str = "RUNNING", timeout: float = DEFAULT_WAIT_TIMEOUT) -> Self:
        """Wait until the pod reaches a status or ``"SSH"``, and update this object; see `PodsClient.wait`."""
        return self._update(self._client.wait(self.id, until, timeout))

    def refresh(self) -> Self:
        """Update this object from the API: ``GET /openapi/v1/pods/{podId}``."""
        return self._update(self._client.get(self.id))

    def ssh_command(self) -> str:
        """Return the SSH command of the pod with the client's key; see `yotta_jupyter.ssh.command`."""
        return self._client.ssh_command(self)

    @property
    def _client(self) -> PodOperations:
        client: PodOperations | None = self.__dict__.get("_bound_client")
        if client is None:
            raise InvalidRequest(
                "This pod is a copy without a client. Get it again, such as with: connect().pods.get(pod.id)"
            )
        return client

    def _update(self, latest: Pod) -> Self:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(latest, name))
        self.__dict__["_was_paused"] = latest.was_paused
        return self

    @property
    def name(self) -> str | None:
        """The pod's name, the same as `pod_name`."""
        return self.pod_name

    @property
    def label(self) -> str:
        """The pod in messages, such as ``train (331864222263676928)``; only the id if it has no name."""
        pod_id = single_line(self.id, 64)
        return f"{single_line(self.name, 60)} ({pod_id})" if self.name else pod_id

    @property
    def hourly_rate(self) -> float | None:
        """While the pod runs: US dollars an hour for its GPUs and volumes. None if a price is unknown."""
        return self._hourly("RUNNING")

    @property
    def hourly_cost(self) -> float | None:
        """Now: US dollars an hour in the pod's present status. None if a price is unknown."""
        return self._hourly(self.status)

    @property
    def is_billable(self) -> bool:
        """Whether the pod has not ended, so that it can cost money."""
        return self.status not in TERMINAL_STATUSES

    @property
    def gpus_stopped_or_stopping(self) -> bool:
        """Whether the GPUs are stopped, or about to stop by themselves."""
        return self.status in GPUS_STOPPED_OR_STOPPING

    @property
    def is_transitional(self) -> bool:
        """Whether the pod changes by itself: its status, or the SSH port of a running pod."""
        if self.status == "RUNNING":
            return self.ssh_port is not None and not self.ssh_ready
        return self.status in TRANSITIONAL_STATUSES

    @property
    def environment(self) -> dict[str, Secret]:
        """The environment variables by name. ``pod.environment["NAME"].reveal()`` returns a value."""
        return {variable.key: variable.value or Secret("") for variable in self.environment_vars}

    @property
    def launch_id(self) -> str | None:
        """The launch ID of the create request, if this package created the pod."""
        value = self.environment.get(LAUNCH_ID_ENV)
        return value.reveal() if value else None

    @property
    def ssh_port(self) -> ExposedPort | None:
        """The exposed port with protocol SSH, healthy or not."""
        for port in self.expose:
            if port.protocol and port.protocol.upper() == "SSH":
                return port
        return None

    @property
    def ssh_ready(self) -> bool:
        """Whether the pod is RUNNING and its SSH port is healthy."""
        port = self.ssh_port
        return self.status == "RUNNING" and port is not None and port.healthy is True

    @property
    def has_persistent_volume(self) -> bool:
        """Whether the pod has a persistent volume and a mount path for it."""
        return bool(self.persistent_volume_in_gb and self.persistent_mount_path)

    @property
    def pause_loss(self) -> str:
        """What a pause may erase, as one sentence. The provider keeps only a persistent volume for certain."""
        if self.has_persistent_volume:
            return f"A pause may erase everything outside {single_line(self.persistent_mount_path, 60)}."
        return "A pause may erase all files: there is no persistent volume."

    @property
    def was_paused(self) -> bool:
        """Whether the client listed the pod as PAUSED before TERMINATING. Its GPUs then cost nothing."""
        return bool(self.__dict__.get("_was_paused"))

    def carry_over_was_paused(self, earlier: Mapping[str, Pod]) -> None:
        """Set `was_paused` from the status in an earlier response; the API does not report it.

        Parameters
        ----------
        earlier : mapping of str to Pod
            The pods of earlier responses by id.
        """
        if self.status == "TERMINATING" and (previous := earlier.get(self.id)):
            self.__dict__["_was_paused"] = previous.status == "PAUSED" or previous.was_paused

    def _hourly(self, status: str) -> float | None:
        """Return US dollars an hour in a status; an unknown status counts as running."""
        if status in TERMINAL_STATUSES:
            return 0.0
        persistent = _volume_cost(self.persistent_volume_in_gb, self.persistent_volume_price)
        # The API documentation does not say which volumes are charged during a pause. This assumes the persistent one.
        if status == "PAUSED" or (status == "TERMINATING" and self.was_paused):
            return persistent
        container = _volume_cost(self.container_volume_in_gb, self.container_volume_price)
        if self.single_card_price is None or self.gpu_count is None or container is None or persistent is None:
            return None  # Also in INITIALIZE, so that the pod counts as unpriced before it costs money.
        if status == "INITIALIZE":  # Nothing is charged yet.
            return 0.0
        return self.single_card_price * self.gpu_count + container + persistent

    def __repr__(self) -> str:
        return "\n".join(f"{label:<9} {text}" for label, text in self._summary_rows())

    def _summary_rows(self) -> list[tuple[str, str]]:
        rows = [("Pod", f"{single_line(self.name or 'without a name', 80)} ({single_line(self.id, 40)})")]
        rows.append(("Status", single_line(self.status or "unknown", 40)))
        vram = f", {self.single_card_vram_in_gb} GB each" if self.single_card_vram_in_gb else ""
        rows.append(("GPU", f"{self.gpu_count or '?'} × {single_line(self.gpu_type or 'unknown', 80)}{vram}"))
        rows.append(("Image", single_line(self.image or "unknown", 160)))
        if self.region:
            rows.append(("Region", single_line(self.region, 80)))
        if self.hourly_cost is not None:
            running = f", {format_rate(self.hourly_rate)} while running" if self.is_billable else ""
            rows.append(("Cost", f"{format_rate(self.hourly_cost)} now{running}"))
        rows.append(("Ports", ", ".join(_format_port(port) for port in self.expose) or "none exposed"))
        if self.is_billable:
            rows.append(("Storage", self.pause_loss))
        if self.environment_vars:
            names = ", ".join(single_line(variable.key, 60) for variable in self.environment_vars)
            rows.append(("Variables", f"{names} (values hidden)"))
        if self.created_at:
            rows.append(("Created", f"{self.created_at:%Y-%m-%d %H:%M:%S} UTC"))
        return rows


def _volume_cost(size_in_gb: int | None, price: float | None) -> float | None:
    """Return US dollars an hour; None if the price is unknown."""
    if not size_in_gb:  # There is no volume.
        return 0.0
    return None if price is None else size_in_gb * price


def _to_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _format_port(port: ExposedPort) -> str:
    address = f" at {single_line(port.host, 80)}:{port.proxy_port}" if port.host and port.proxy_port else ""
    health = "healthy" if port.healthy else "not ready"
    return f"{port.port}/{single_line(port.protocol or '?', 10)}{address} ({health})"


class Totals(NamedTuple):
    """Counts and costs of several pods.

    Attributes
    ----------
    running, paused, ended, total : int
        Numbers of pods. A pod that failed has ended.
    hourly_cost, hourly_rate : float
        US dollars an hour now, and if all billable pods ran. Unpriced pods are left out.
    unpriced : int
        The number of billable pods without a known cost.
    """

    running: int
    paused: int
    ended: int
    total: int
    hourly_cost: float
    hourly_rate: float
    unpriced: int


def summarize(pods: Iterable[Pod]) -> Totals:
    """Return counts and costs of pods.

    Parameters
    ----------
    pods : iterable of Pod

    Returns
    -------
    Totals
    """
    pods = list(pods)
    statuses = [pod.status for pod in pods]
    billable = [pod for pod in pods if pod.is_billable]
    costs = [pod.hourly_cost for pod in billable]
    return Totals(
        running=statuses.count("RUNNING"),
        paused=statuses.count("PAUSED"),
        ended=sum(status in TERMINAL_STATUSES for status in statuses),
        total=len(pods),
        hourly_cost=sum(cost for cost in costs if cost is not None),
        hourly_rate=sum(pod.hourly_rate or 0.0 for pod in billable),
        unpriced=costs.count(None),
    )
