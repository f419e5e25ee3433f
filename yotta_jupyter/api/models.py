"""Pods as Python objects, whatever version of the API they came from."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from .secret import Secret
from .text import printable

STATUSES: Final = ("INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED")
"""The statuses of a pod; a status that is not among them is kept as it came."""

STATUS_ALIASES: Final = {"INITIALIZING": "INITIALIZE", "STOPPING": "PAUSING", "STOPPED": "PAUSED"}
"""Names that newer documents use for the same statuses."""

IN_TRANSITION: Final = frozenset({"INITIALIZE", "PAUSING", "TERMINATING"})
"""Statuses that end by themselves."""

ENDED: Final = frozenset({"TERMINATED", "FAILED"})
"""Statuses that a pod never leaves."""

LAUNCH_VARIABLE: Final = "YOTTA_JUPYTER_LAUNCH"
"""The environment variable whose value marks a pod as the one of a certain create."""


_POD_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_pod_id(text: object) -> bool:
    """Return whether a text can be a pod's id: up to 64 letters, digits, ``_`` and ``-``.

    Parameters
    ----------
    text : object

    Returns
    -------
    bool
    """
    return isinstance(text, str) and _POD_ID.fullmatch(text) is not None


def status_name(status: str | int) -> str:
    """Return the one name of a status that goes by several, as names and as numbers.

    Parameters
    ----------
    status : str or int
        As the API or a user gave it.

    Returns
    -------
    str
        One of `STATUSES`, or the text as it came.
    """
    text = str(status).strip()
    if text.isdecimal() and len(text) < 4:
        return STATUSES[int(text)] if int(text) < len(STATUSES) else text
    upper = text.upper()
    upper = STATUS_ALIASES.get(upper, upper)
    return upper if upper in STATUSES else text


Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A number that a column of a DataFrame holds; a larger one does not fit its field."""


class ExposedPort(msgspec.Struct, rename="camel", gc=False):
    """A port of a pod, and where it is reached from outside.

    Attributes
    ----------
    port : int
        The port inside the pod.
    proxy_port : int or None
        The port outside; None until the pod runs.
    protocol : str or None
        ``SSH``, ``HTTP`` or ``TCP``.
    host : str or None
        The host outside; None until the pod runs.
    healthy : bool or None
        Whether the port answers.
    ingress_url : str or None
        The server's own text for reaching it. Never run it: see `yotta_jupyter.ssh`.
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
    """One pod, as a listing of the API gives it.

    Ids are text, times are timezone-aware UTC, prices are US dollars an hour. A field that the API left out, gave as
    null, or gave in a form that does not fit, is None; what did not fit is in `extra`.

    Attributes
    ----------
    id : str
        Up to 18 digits and more: never a number.
    pod_name : str or None
        The name that its owner gave it; `name` is the same.
    status : str
        One of `STATUSES`, or, unknown, as it came.
    single_card_price, container_volume_price, persistent_volume_price : float or None
        US dollars an hour, for one GPU and for one GB.
    single_card_vram_in_gb, single_card_ram_in_gb, container_volume_in_gb, persistent_volume_in_gb : int or None
        Gigabytes.
    network_upload_mbps, network_download_mbps, disk_read_speed_mbps, disk_write_speed_mbps : float or None
        Megabits a second.
    created_at, updated_at : datetime or None
        UTC. The API gives no zone; it is read as UTC.
    extra : dict
        Fields that the contract does not know, and values that did not fit, as they came.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    pod_name: str | None = None
    status: str = ""
    gpu_type: str | None = None
    gpu_display_name: str | None = None
    gpu_count: Whole | None = None
    region: str | None = None
    location: str | None = None
    image: str | None = None
    image_id: str | None = None
    official_image: str | None = None
    image_public_type: str | None = None
    image_registry_username: str | None = None
    resource_type: str | None = None
    cloud_type: str | None = None
    single_card_vram_in_gb: Whole | None = None
    single_card_ram_in_gb: Whole | None = None
    single_card_vcpu: Whole | None = None
    container_volume_in_gb: Whole | None = None
    persistent_volume_in_gb: Whole | None = None
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
    # A name that no JSON field has, so that only the tolerant decoder fills it.
    extra: dict[str, Any] = msgspec.field(default_factory=dict, name="")

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            self.status = status_name(self.status)
        if self.created_at is not None:
            self.created_at = _in_utc(self.created_at)
        if self.updated_at is not None:
            self.updated_at = _in_utc(self.updated_at)

    @property
    def name(self) -> str | None:
        """The pod's name, as listings call it."""
        return self.pod_name

    @property
    def hourly_price(self) -> float | None:
        """US dollars an hour while the pod runs: its GPUs and volumes. None where no price is known."""
        return self._hourly("RUNNING")

    @property
    def hourly_cost(self) -> float | None:
        """US dollars an hour that the pod costs in its present status; None where no price is known."""
        return self._hourly(self.status)

    @property
    def may_cost(self) -> bool:
        """Whether the pod costs money, or will by itself."""
        return self.status not in ENDED

    @property
    def environment(self) -> dict[str, Secret]:
        """The environment variables by name; ``pod.environment["NAME"].reveal()`` gives a value."""
        return {variable.key: variable.value or Secret("") for variable in self.environment_vars}

    @property
    def launch_id(self) -> str | None:
        """The mark of the create that this pod came of, where it was created by this package."""
        mark = self.environment.get(LAUNCH_VARIABLE)
        return mark.reveal() if mark else None

    @property
    def ssh_port(self) -> ExposedPort | None:
        """The exposed port that speaks SSH, healthy or not."""
        return next((port for port in self.expose if (port.protocol or "").upper() == "SSH"), None)

    @property
    def ssh_ready(self) -> bool:
        """Whether the pod runs and its SSH port is healthy. Running alone is not enough."""
        port = self.ssh_port
        return self.status == "RUNNING" and port is not None and port.healthy is True

    def _hourly(self, status: str) -> float | None:
        return hourly_cost(
            status,
            self.single_card_price,
            self.gpu_count,
            self.container_volume_price,
            self.container_volume_in_gb,
            self.persistent_volume_price,
            self.persistent_volume_in_gb,
        )

    def __repr__(self) -> str:
        return "\n".join(f"{label:<9} {text}" for label, text in self._described())

    def _described(self) -> list[tuple[str, str]]:
        rows = [("Pod", f"{printable(self.name or 'without a name', 80)} ({printable(self.id, 40)})")]
        rows.append(("Status", printable(self.status or "unknown", 40)))
        vram = f", {self.single_card_vram_in_gb} GB each" if self.single_card_vram_in_gb else ""
        rows.append(("GPU", f"{self.gpu_count or '?'} × {printable(self.gpu_type or 'unknown', 80)}{vram}"))
        rows.append(("Image", printable(self.image or "unknown", 160)))
        if self.region:
            rows.append(("Region", printable(self.region, 80)))
        if self.hourly_cost is not None:
            running = f", ${self.hourly_price or 0:.4f} while running" if self.may_cost else ""
            rows.append(("Cost", f"${self.hourly_cost:.4f} an hour now{running}"))
        rows.append(("Ports", ", ".join(_port_text(port) for port in self.expose) or "none exposed"))
        if self.environment_vars:
            names = ", ".join(printable(variable.key, 60) for variable in self.environment_vars)
            rows.append(("Variables", f"{names} (values hidden)"))
        if self.created_at:
            rows.append(("Created", f"{self.created_at:%Y-%m-%d %H:%M:%S} UTC"))
        return rows


def hourly_cost(
    status: str,
    single_card_price: float | None,
    gpu_count: int | None,
    container_volume_price: float | None,
    container_volume_in_gb: int | None,
    persistent_volume_price: float | None,
    persistent_volume_in_gb: int | None,
) -> float | None:
    """Return what a pod of this status and these prices costs an hour, or None where the price is unknown.

    Nothing before it runs and after it ended; the status does not tell a pod that is resumed, whose volume goes on,
    from one that is new. While paused the persistent volume is counted: the API's page says that only volumes are
    charged then, not which. In any other status, also one that nobody has heard of, all of it.

    Parameters
    ----------
    status : str
        By any of its names.
    single_card_price, container_volume_price, persistent_volume_price : float or None
        US dollars an hour for one GPU, and for one GB of either volume.
    gpu_count : int or None
    container_volume_in_gb, persistent_volume_in_gb : int or None

    Returns
    -------
    float or None
        US dollars an hour.
    """
    if status not in STATUSES:
        status = status_name(status)
    if status in ENDED:
        return 0.0
    persistent = (persistent_volume_price or 0.0) * (persistent_volume_in_gb or 0)
    if status == "PAUSED":
        return None if persistent_volume_in_gb and persistent_volume_price is None else persistent
    if single_card_price is None or gpu_count is None:
        return None
    if status == "INITIALIZE":
        return 0.0
    container = (container_volume_price or 0.0) * (container_volume_in_gb or 0)
    return single_card_price * gpu_count + container + persistent


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _port_text(port: ExposedPort) -> str:
    where = f" at {printable(port.host, 80)}:{port.proxy_port}" if port.host and port.proxy_port else ""
    health = "healthy" if port.healthy else "not ready"
    return f"{port.port}/{printable(port.protocol or '?', 10)}{where} ({health})"
