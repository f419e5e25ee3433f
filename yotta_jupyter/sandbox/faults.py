"""Faults: their kinds, their syntax, and the choice of those for a request."""

import contextlib
import difflib
import re
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from .routes import ENDPOINTS

GRAMMAR = "ENDPOINT:KIND[=VALUE][@PROBABILITY][xTIMES]"

_SPEC = re.compile(
    r"""
    (?P<endpoint>[^:]*):(?P<kind>[^=@]+?)
    (?:=(?P<value>.*?))?
    (?:@(?P<probability>[^@=]*?))?
    (?:x(?P<times>\d+))?
    """,
    re.VERBOSE,
)


class _ValueFormat(NamedTuple):
    pattern: str
    description: str


_VALUE_FORMATS = {
    "SECONDS": _ValueFormat(r"\d+(\.\d+)?|\.\d+", "a number of seconds, 0 or more"),
    "STATUS": _ValueFormat(r"[2-5]\d\d", "an HTTP status, 200 to 599"),
    "N": _ValueFormat(r"-?\d{1,18}", "a whole number"),
    "URL": _ValueFormat(r"\S+", "an address"),
}


class FaultKind(NamedTuple):
    """A kind of fault.

    Attributes
    ----------
    summary : str
        The response that the client gets.
    takes_effect : bool
        Whether the request takes effect.
    value_format : str
        A key of ``_VALUE_FORMATS``; empty if the kind takes no value.
    default : str or None
        The default value; None if the value is required.
    endpoints : tuple of str
        The endpoints at which the fault can occur.
    """

    summary: str
    takes_effect: bool
    value_format: str = ""
    default: str | None = None
    endpoints: tuple[str, ...] = tuple(ENDPOINTS)


FAULT_KINDS = {
    "lost": FaultKind("connection closed without a response", takes_effect=True),
    "dropped": FaultKind("connection closed without a response", takes_effect=False),
    "500-before": FaultKind("HTTP 500 with code 10002", takes_effect=False),
    "500-after": FaultKind("HTTP 500 with code 10002", takes_effect=True),
    "timeout": FaultKind("no response, connection stays open", takes_effect=False),
    "timeout-after": FaultKind("no response, connection stays open", takes_effect=True),
    "slow": FaultKind("response after SECONDS (real time)", takes_effect=True, value_format="SECONDS"),
    "html": FaultKind("HTML page with that HTTP status", takes_effect=False, value_format="STATUS", default="200"),
    "html-after": FaultKind("HTML page with that HTTP status", takes_effect=True, value_format="STATUS", default="200"),
    "empty": FaultKind("HTTP 200 without a body", takes_effect=False),
    "empty-after": FaultKind("HTTP 200 without a body", takes_effect=True),
    "truncated": FaultKind("only half of the body arrives", takes_effect=True),
    "list": FaultKind("JSON list instead of the envelope", takes_effect=False),
    "list-after": FaultKind("JSON list instead of the envelope", takes_effect=True),
    "code": FaultKind("HTTP 200 with that code in the envelope", takes_effect=False, value_format="N"),
    "status": FaultKind("that HTTP status with an envelope", takes_effect=False, value_format="STATUS"),
    "bare": FaultKind("that HTTP status without a body", takes_effect=False, value_format="STATUS"),
    "429": FaultKind("HTTP 429 with that Retry-After", takes_effect=False, value_format="SECONDS", default="1"),
    "redirect": FaultKind("HTTP 302 to that address", takes_effect=False, value_format="URL"),
    "lag": FaultKind(
        "changes of the last SECONDS (sandbox time) are missing",
        takes_effect=True,
        value_format="SECONDS",
        endpoints=("list", "get"),
    ),
    "failed": FaultKind("the new pod goes from INITIALIZE to FAILED", takes_effect=True, endpoints=("create",)),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A parsed fault. ``times`` is None if there is no limit."""

    spec: str
    endpoint: str
    kind: str
    value: str = ""
    probability: float = 1.0
    times: int | None = None

    @property
    def seconds(self) -> float:
        """The value of a kind that takes seconds."""
        return float(self.value)

    def applies_to(self, endpoint: str) -> bool:
        """Return whether the fault can occur at the endpoint."""
        return self.endpoint in ("*", endpoint) and endpoint in FAULT_KINDS[self.kind].endpoints


def parse_fault(spec: str) -> Fault:
    """Parse a fault such as ``create:lost``, ``list:slow=2@0.5`` or ``pause:429=3x2``.

    Raises
    ------
    ValueError
        If the text does not follow ``GRAMMAR``. The message is one line with the allowed values.
    """
    try:
        return _parse(spec)
    except ValueError as error:
        raise ValueError(f"fault {spec!r}: {error}") from None


def _parse(spec: str) -> Fault:
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"expected {GRAMMAR}, for example create:lost or list:slow=2@0.5")
    endpoint = _parse_name("endpoint", match["endpoint"], [*ENDPOINTS, "*"])
    name = _parse_name("kind", match["kind"], FAULT_KINDS)
    kind = FAULT_KINDS[name]
    if endpoint not in (*kind.endpoints, "*"):
        raise ValueError(f"{name} is only for {' and '.join(kind.endpoints)}")
    value = _parse_value(name, match["value"])
    probability = _parse_probability(match["probability"])
    times = None if match["times"] is None else int(match["times"])
    if times == 0:
        raise ValueError("the times after x must be 1 or more")
    return Fault(spec, endpoint, name, value, probability, times)


def _parse_name(label: str, text: str, allowed: Collection[str]) -> str:
    name = text.strip().lower()
    if name in allowed:
        return name
    matches = difflib.get_close_matches(name, allowed, n=1, cutoff=0.5)
    suggestion = f"did you mean {matches[0]!r}? " if matches else ""
    raise ValueError(f"unknown {label} {name!r}; {suggestion}allowed: {', '.join(allowed)}")


def _parse_value(name: str, text: str | None) -> str:
    kind = FAULT_KINDS[name]
    if not kind.value_format:
        if text is not None:
            raise ValueError(f"{name} takes no value")
        return ""
    value = kind.default if text is None else text.strip()
    expected = _VALUE_FORMATS[kind.value_format]
    if value is None or not re.fullmatch(expected.pattern, value, re.ASCII):
        raise ValueError(f"{name} needs {expected.description}, as in ENDPOINT:{name}={kind.value_format}")
    return value


def _parse_probability(text: str | None) -> float:
    if text is None:
        return 1.0
    with contextlib.suppress(ValueError):
        probability = float(text)
        if 0 <= probability <= 1:
            return probability
    raise ValueError(f"the probability after @ must be a number from 0 to 1, not {text!r}")


@dataclass(slots=True)
class FaultPlan:
    """The faults of one request.

    Attributes
    ----------
    fault : Fault or None
        The first fault that fires, of all kinds but ``lag`` and ``failed``.
    lag : float
        The longest lag, in sandbox seconds.
    new_pod_fails : bool
        Whether a fault of the kind ``failed`` fires.
    """

    fault: Fault | None = None
    lag: float = 0.0
    new_pod_fails: bool = False


@dataclass(slots=True)
class _ActiveFault:
    """A fault, and how many times it can still occur; None if there is no limit."""

    fault: Fault
    random: Random
    remaining: int | None

    def try_fire(self) -> bool:
        """Choose whether the fault occurs in this request. Count it if it does."""
        if self.remaining == 0 or self.random.random() >= self.fault.probability:
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True


class Faults:
    """The active faults. Thread-safe.

    Parameters
    ----------
    specs : iterable of str
        The faults that are active at the start and after `reset`.
    seed : int
        The same seed and the same requests give the same faults.

    Raises
    ------
    ValueError
        If a fault cannot be parsed.
    """

    def __init__(self, specs: Iterable[str] = (), seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._initial = [parse_fault(spec) for spec in specs]
        self.reset()

    def reset(self) -> None:
        """Return to the initial faults."""
        self.clear()
        for fault in self._initial:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Activate a fault. It comes after those that are already active."""
        with self._lock:
            random = Random(f"{self._seed}/{len(self._active)}/{fault.spec}")
            self._active.append(_ActiveFault(fault, random, fault.times))

    def clear(self) -> None:
        """Deactivate all faults."""
        with self._lock:
            self._active: list[_ActiveFault] = []

    def plan(self, endpoint: str) -> FaultPlan:
        """Choose the faults of one request to the endpoint."""
        plan = FaultPlan()
        with self._lock:
            for active in self._active:
                fault = active.fault
                if not fault.applies_to(endpoint):
                    continue
                if fault.kind == "lag":
                    if active.try_fire():
                        plan.lag = max(plan.lag, fault.seconds)
                elif fault.kind == "failed":
                    if active.try_fire():
                        plan.new_pod_fails = True
                elif plan.fault is None and active.try_fire():
                    plan.fault = fault
        return plan
