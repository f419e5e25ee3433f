"""The exact bill of the sandbox: what each pod would have cost, by the second."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_FREE = ("INITIALIZE", "TERMINATED", "FAILED")


class BillItem(NamedTuple):
    """What a pod has cost since the sandbox was started or reset.

    Attributes
    ----------
    running_hours, paused_hours : float
        Hours by the time of day in the pods' records. Everything between RUNNING and PAUSED or TERMINATED is running.
    cost : float
        US dollars: all prices while running, the persistent volume while paused.
    """

    running_hours: float
    paused_hours: float
    cost: float


@dataclass(slots=True)
class _Account:
    """A pod's bill until ``at``, in real seconds, and its record from then on."""

    at: float
    status: str
    record: Mapping[str, Any]
    running: float = 0.0
    paused: float = 0.0
    cost: float = 0.0

    def advance(self, at: float) -> None:
        hours = max(0.0, at - self.at) / 3600
        self.at = max(self.at, at)
        if self.status in _FREE:
            return
        rate = _volume(self.record, "persistent")
        if self.status == "PAUSED":
            self.paused += hours
        else:
            self.running += hours
            rate += _volume(self.record, "container") + _number(self.record, "singleCardPrice", "gpuCount")
        self.cost += rate * hours


class Bill:
    """The bills of all pods, also of those that were deleted.

    Times are in seconds since the start.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def change(self, key: str, at: float, status: str, record: Mapping[str, Any]) -> None:
        """Note the status and the record of a pod from a time on; the first time also adds the pod."""
        if key in self._accounts:
            account = self._accounts[key]
            account.advance(at)
            account.status, account.record = status, record
        else:
            self._accounts[key] = _Account(at, status, record)

    def items(self, at: float) -> dict[str, BillItem]:
        """Return the bill of each pod until a time."""
        for account in self._accounts.values():
            account.advance(at)
        return {key: BillItem(account.running, account.paused, account.cost) for key, account in self._accounts.items()}


def _volume(record: Mapping[str, Any], kind: str) -> float:
    return _number(record, f"{kind}VolumePrice", f"{kind}VolumeInGb")


def _number(record: Mapping[str, Any], *names: str) -> float:
    """Return the product of fields; 0 if one of them is not a number."""
    product = 1.0
    for name in names:
        try:
            product *= float(record.get(name) or 0)
        except (TypeError, ValueError):
            return 0.0
    return product
