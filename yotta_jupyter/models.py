"""Pods as Python objects, independent of the API version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from .errors import InvalidRequest
from .sanitize import single_line
from .secret import Secret
from .spelling import did_you_mean

STATUSES: Final = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""The statuses of a pod. The position of a status is its code in the API. Unknown statuses are kept as received."""

STATUS_ALIASES: Final = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}
"""Other names of the same statuses in newer documents of the provider."""

TRANSITIONAL_STATUSES: Final = frozenset({"INITIALIZE", "PAUSING", "TERMINATING"})
"""Statuses that change without a request."""

TERMINAL_STATUSES: Final = frozenset({"TERMINATED", "FAILED"})
"""Statuses that a pod never leaves. A pod in any other status is billable."""


class Transition(NamedTuple):
    """A change of status that can be requested.

    Attributes
    ----------
    required : str or None
        The status in which it can be requested; None for any status that it does not lead to.
    during, after : str
        The status until it is completed, and then.
    """

    required: str | None
    during: str
    after: str

    def allows(self, status: str) -> bool:
        """Return whether the transition can be requested in a status."""
        return status == self.required if self.required else status not in (self.during, self.after)


TRANSITIONS: Final = {
    "pause": Transition("RUNNING", "PAUSING", "PAUSED"),
    "resume": Transition("PAUSED", "INITIALIZE", "RUNNING"),
    "delete": Transition(None, "TERMINATING", "TERMINATED"),
}
"""The transitions by action."""

LAUNCH_ID_ENV: Final = "YOTTA_JUPYTER_LAUNCH"
"""The environment variable of a pod that holds the launch ID of its create request."""

_POD_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def allowed_actions(status: str) -> list[str]:
    """Return the actions that can be requested of a pod in a status.

    Parameters
    ----------
    status : str

    Returns
    -------
    list of str
        Keys of `TRANSITIONS`.
    """
    return [action for action, transition in TRANSITIONS.items() if transition.allows(status)]


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


def normalize_status(status: str | int) -> str:
    """Return the name of a status given by name, alias or code.

    Parameters
    ----------
    status : str or int
        A name in any case, an alias, or a code.

    Returns
    -------
    str
        One of `STATUSES`, or the text unchanged if the status is unknown.
    """
    text = str(status).strip()
    if text.isdecimal() and len(text) < 4:
        return STATUSES[int(text)] if int(text) < len(STATUSES) else text
    upper = text.upper()
    upper = STATUS_ALIASES.get(upper, upper)
    return upper if upper in STATUSES else text


def parse_status(status: str | int) -> str:
    """Return the name of a known status given by name, alias or code.

    Parameters
    ----------
    status : str or int

    Returns
    -------
    str
        One of `STATUSES`.

    Raises
    ------
    InvalidRequest
        The status is unknown. The message suggests the closest one.
    """
    name = normalize_status(status)
    if name in STATUSES:
        return name
    hint = did_you_mean(name, [*STATUSES, *STATUS_ALIASES])
    raise InvalidRequest(f"There is no status {single_line(status, 40)!r}.{hint} Statuses: {', '.join(STATUSES)}.")


Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer that fits a DataFrame column. A larger one is not valid for its field."""


class ExposedPort(msgspec.Struct, rename="camel", gc=False):
    """A port of a pod and its public address.

    Attributes
    ----------
    port : int
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
        The server's text, such as an SSH command. Never run it; use `yotta_jupyter.ssh`.
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


class Pod(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """A pod.

    Ids are strings, times are timezone-aware UTC, prices are US dollars an hour. A field is None if the API omitted it,
    sent null, or sent a value of another type; such a value is in `extra`.

    Attributes
    ----------
    id : str
        Up to 18 digits or more. Never a number.
    pod_name : str or None
        Also available as `name`.
    status : str
        One of `STATUSES`, or an unknown status as received.
    single_card_price, container_volume_price, persistent_volume_price : float or None
        US dollars an hour, for one GPU and for one GB.
    single_card_vram_in_gb, single_card_ram_in_gb, container_volume_in_gb, persistent_volume_in_gb : int or None
        Gigabytes.
    network_upload_mbps, network_download_mbps, disk_read_speed_mbps, disk_write_speed_mbps : float or None
        Megabits a second.
    created_at, updated_at : datetime or None
        UTC. The API sends no time zone; UTC is assumed.
    extra : dict
        Unknown fields and invalid values, as received.
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
    # msgspec requires a name. A strict decode that fills it, from a field named "", is decoded again leniently.
    extra: dict[str, Any] = msgspec.field(default_factory=dict, name="")

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            self.status = normalize_status(self.status)
        if self.created_at is not None:
            self.created_at = _to_utc(self.created_at)
        if self.updated_at is not None:
            self.updated_at = _to_utc(self.updated_at)

    @property
    def name(self) -> str | None:
        """The pod's name, the same as `pod_name`."""
        return self.pod_name

    @property
    def hourly_rate(self) -> float | None:
        """US dollars an hour while the pod runs: its GPUs and volumes. None if a price is unknown."""
        return self._hourly("RUNNING")

    @property
    def hourly_cost(self) -> float | None:
        """US dollars an hour in the pod's present status. None if a price is unknown."""
        return self._hourly(self.status)

    @property
    def is_billable(self) -> bool:
        """Whether the pod costs money now or may do so without a request."""
        return self.status not in TERMINAL_STATUSES

    @property
    def is_transitional(self) -> bool:
        """Whether the status changes without a request, or SSH of a running pod is not ready yet."""
        waits_for_ssh = self.status == "RUNNING" and self.ssh_port is not None and not self.ssh_ready
        return waits_for_ssh or self.status in TRANSITIONAL_STATUSES

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
        return next((port for port in self.expose if (port.protocol or "").upper() == "SSH"), None)

    @property
    def ssh_ready(self) -> bool:
        """Whether the pod is RUNNING and its SSH port is healthy."""
        port = self.ssh_port
        return self.status == "RUNNING" and port is not None and port.healthy is True

    def _hourly(self, status: str) -> float | None:
        """Return US dollars an hour in a status.

        Nothing is charged before the pod runs or after it ended. While it is paused only the persistent volume is
        counted: the API's page says that volumes are charged then, not which. Any other status, also an unknown one,
        counts in full.
        """
        if status in TERMINAL_STATUSES:
            return 0.0
        persistent = (self.persistent_volume_price or 0.0) * (self.persistent_volume_in_gb or 0)
        if status == "PAUSED":
            unknown = self.persistent_volume_in_gb and self.persistent_volume_price is None
            return None if unknown else persistent
        if self.single_card_price is None or self.gpu_count is None:
            return None
        if status == "INITIALIZE":
            return 0.0
        container = (self.container_volume_price or 0.0) * (self.container_volume_in_gb or 0)
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
            running = f", ${self.hourly_rate or 0:.4f} while running" if self.is_billable else ""
            rows.append(("Cost", f"${self.hourly_cost:.4f} an hour now{running}"))
        rows.append(("Ports", ", ".join(_format_port(port) for port in self.expose) or "none exposed"))
        if self.environment_vars:
            names = ", ".join(single_line(variable.key, 60) for variable in self.environment_vars)
            rows.append(("Variables", f"{names} (values hidden)"))
        if self.created_at:
            rows.append(("Created", f"{self.created_at:%Y-%m-%d %H:%M:%S} UTC"))
        return rows


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
    running, paused, total : int
        Numbers of pods.
    hourly_cost, hourly_rate : float
        US dollars an hour now, and while all billable pods run. Unknown prices are left out.
    unknown_cost : int
        The number of billable pods without a known price.
    """

    running: int
    paused: int
    total: int
    hourly_cost: float
    hourly_rate: float
    unknown_cost: int


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
        total=len(pods),
        hourly_cost=sum(cost for cost in costs if cost is not None),
        hourly_rate=sum(pod.hourly_rate or 0.0 for pod in billable),
        unknown_cost=costs.count(None),
    )
