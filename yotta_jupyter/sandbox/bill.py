"""The bill of the sandbox: what each pod would have cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_FREE_STATUSES = ("INITIALIZE", "TERMINATED", "FAILED")


class BillItem(NamedTuple):
    """What a pod has cost since the sandbox was started or reset.

    Attributes
    ----------
    running_hours, paused_hours : float
        Hours of real time, as in the timestamps of the records. PAUSING and TERMINATING count as running.
    cost : float
        US dollars. A running pod costs the GPUs and its volumes, a paused pod only the persistent volume.
    """

    running_hours: float
    paused_hours: float
    cost: float


@dataclass(slots=True)
class _PodBill:
    """A pod's bill up to ``billed_until``, and its status and record since then."""

    billed_until: float
    status: str
    record: Mapping[str, Any]
    running_hours: float = 0.0
    paused_hours: float = 0.0
    cost: float = 0.0

    def bill_until(self, at: float) -> None:
        hours = max(0.0, at - self.billed_until) / 3600
        self.billed_until = max(self.billed_until, at)
        if self.status in _FREE_STATUSES:
            return
        hourly_rate = _product(self.record, "persistentVolumePrice", "persistentVolumeInGb")
        if self.status == "PAUSED":
            self.paused_hours += hours
        else:
            self.running_hours += hours
            container_volume = _product(self.record, "containerVolumePrice", "containerVolumeInGb")
            hourly_rate += container_volume + _product(self.record, "singleCardPrice", "gpuCount")
        self.cost += hourly_rate * hours


class Bill:
    """The bills of all pods, also of deleted ones. Times are in real seconds since the start."""

    def __init__(self) -> None:
        self._pods: dict[str, _PodBill] = {}

    def update(self, key: str, at: float, status: str, record: Mapping[str, Any]) -> None:
        """Set the status and the record of a pod from a time on. Add the pod if it is new."""
        pod = self._pods.get(key)
        if pod is None:
            self._pods[key] = _PodBill(at, status, record)
            return
        pod.bill_until(at)
        pod.status = status
        pod.record = record

    def items(self, at: float) -> dict[str, BillItem]:
        """Return the bill of each pod until a time."""
        items = {}
        for key, pod in self._pods.items():
            pod.bill_until(at)
            items[key] = BillItem(pod.running_hours, pod.paused_hours, pod.cost)
        return items


def _product(record: Mapping[str, Any], price_field: str, quantity_field: str) -> float:
    """Return the product of two fields; 0 if one of them is not a number."""
    try:
        return float(record.get(price_field) or 0) * float(record.get(quantity_field) or 0)
    except (TypeError, ValueError):
        return 0.0
