"""Find the pod that a create request with a name can reuse, so that running a notebook twice pays once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ..errors import InvalidRequest, NameTaken
from ..formatting import join_limited
from ..keys import PUBLIC_KEY_ENV
from ..models import LAUNCH_ID_ENV, Pod
from ..passwords import JUPYTER_PASSWORD_ENV
from ..sanitize import single_line
from ..spec import PodSpec, PortSpec
from ..statuses import ENDING_STATUSES

_COMPARED: Final = {
    "gpu_type": "GPU type",
    "gpu_count": "number of GPUs",
    "image": "image",
    "region": "region",
    "cloud_type": "cloud",
    "container_volume_in_gb": "container volume in GB",
    "persistent_volume_in_gb": "persistent volume in GB",
    "persistent_mount_path": "mount path",
    "initialization_command": "initialization command",
}
"""Fields in which a pod must agree with a spec, and how messages name them."""

_OPTIONAL: Final = frozenset({"region", "cloud_type"})
"""Fields that a response may omit. An omitted one counts as equal: otherwise a second run of a notebook would fail."""

_ADDED_VARIABLES: Final = frozenset({LAUNCH_ID_ENV, PUBLIC_KEY_ENV, JUPYTER_PASSWORD_ENV})
"""Variables that a create adds, with other values each time."""

_MAX_NAMED: Final = 6
"""Pods or variables that a message names; the others are counted."""


def live_pods_named(pods: Iterable[Pod], name: str | None) -> list[Pod]:
    """Return the pods with a name that have not ended and are not being deleted.

    Parameters
    ----------
    pods : iterable of Pod
    name : str or None

    Returns
    -------
    list of Pod
    """
    if not name:
        return []
    named = [pod for pod in pods if pod.name == name]
    return [pod for pod in named if pod.status not in ENDING_STATUSES]


def select_reusable(pods: Iterable[Pod], spec: PodSpec) -> Pod | None:
    """Return the live pod of the spec's name if it is what the spec describes.

    Parameters
    ----------
    pods : iterable of Pod
    spec : PodSpec

    Returns
    -------
    Pod or None
        None if no live pod has the name.

    Raises
    ------
    InvalidRequest
        The spec has no name.
    NameTaken
        The pod differs from the spec, or several live pods have the name.
    """
    if spec.pod_name is None:
        raise InvalidRequest("Reusing a pod requires pod_name.", field="pod_name")
    name = single_line(spec.pod_name, 60)
    live = live_pods_named(pods, spec.pod_name)
    if len(live) > 1:
        states = join_limited([f"{pod.id} ({single_line(pod.status, 20)})" for pod in live], _MAX_NAMED)
        raise NameTaken(f"{len(live)} live pods are named {name}: {states}.", tuple(live))
    if not live:
        return None
    if differences := _differences(spec, live[0]):
        raise NameTaken(f"Pod {live[0].label} exists and differs: {differences}.", (live[0],), differences)
    return live[0]


def describe_missing(pod: Pod, spec: PodSpec, ports: Sequence[PortSpec] = ()) -> str:
    """Return which requested variables and ports a reused pod lacks, or has with another value or protocol.

    Parameters
    ----------
    pod : Pod
    spec : PodSpec
        With the requested variables. Of a variable with an empty value, only the name is compared.
    ports : sequence of PortSpec
        The requested ports; those of the spec include the default ones.

    Returns
    -------
    str
        Such as ``z keeps its own variables and ports; requested, but not set on it: A, port 9000.`` No values are
        shown. Empty if it lacks none.
    """
    actual = pod.environment
    missing = [
        name
        for name, value in spec.environment_vars.items()
        if name not in _ADDED_VARIABLES and (name not in actual or (value.reveal() and value != actual[name]))
    ]
    exposed = {(port.port, (port.protocol or "").upper()) for port in pod.expose}
    missing += [f"port {port.port}" for port in ports if (port.port, port.protocol) not in exposed]
    if not missing:
        return ""
    names = join_limited([single_line(name, 60) for name in missing], _MAX_NAMED)
    label = single_line(pod.name or pod.id, 60)
    return f"{label} keeps its own variables and ports; requested, but not set on it: {names}."


def _differences(spec: PodSpec, pod: Pod) -> str:
    differences = []
    for field, label in _COMPARED.items():
        requested, actual = getattr(spec, field), getattr(pod, field)
        is_omitted = actual is None and field in _OPTIONAL
        if requested is None or requested == actual or is_omitted:
            continue
        text = "unknown" if actual is None else single_line(actual, 80)
        differences.append(f"its {label} is {text}, not {single_line(requested, 80)}")
    return ", ".join(differences)
