"""Faults: what can go wrong at an endpoint, how it is written, and when it happens."""

import difflib
import re
import threading
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

ENDPOINTS = ("create", "list", "get", "pause", "resume", "delete")
GRAMMAR = "ENDPOINT:KIND[=VALUE][@PROBABILITY][xTIMES]"

_SPEC = re.compile(
    r"(?P<endpoint>[^:]*):(?P<kind>[^=@]+?)(?:=(?P<value>.*?))?(?:@(?P<chance>[^@=]*?))?(?:x(?P<times>\d+))?"
)


class Kind(NamedTuple):
    """A kind of fault.

    ``value`` is what its value must be: nothing (empty), ``SECONDS``, ``STATUS``, ``N`` or ``URL``; ``default`` is the
    value where none is given; ``only`` the endpoints that it makes sense at (all, where empty).
    """

    summary: str
    value: str = ""
    default: str | None = None
    only: tuple[str, ...] = ()


KINDS = {
    "lost": Kind("applied, then the connection is closed without a byte"),
    "dropped": Kind("not applied, the connection is closed without a byte"),
    "500-before": Kind("HTTP 500 with code 10002, not applied"),
    "500-after": Kind("HTTP 500 with code 10002, although applied"),
    "timeout": Kind("not applied, never answers"),
    "timeout-after": Kind("applied, never answers"),
    "slow": Kind("applied, answers after that many real seconds", "SECONDS"),
    "html": Kind("an HTML page with that HTTP status, not applied", "STATUS", "200"),
    "html-after": Kind("the same, although applied", "STATUS", "200"),
    "empty": Kind("HTTP 200 without a body, not applied"),
    "empty-after": Kind("the same, although applied"),
    "truncated": Kind("applied, only half of the body arrives"),
    "list": Kind("a JSON list instead of the envelope, not applied"),
    "list-after": Kind("the same, although applied"),
    "code": Kind("HTTP 200 with that code in the envelope, not applied", "N"),
    "status": Kind("that HTTP status with an envelope, not applied", "STATUS"),
    "bare": Kind("that HTTP status without a body, not applied", "STATUS"),
    "429": Kind("HTTP 429 with that Retry-After, not applied", "SECONDS", "1"),
    "redirect": Kind("HTTP 302 to that address, not applied", "URL"),
    "lag": Kind("what changed in the last SECONDS (sandbox ones) is not seen yet", "SECONDS", only=("list", "get")),
    "failed": Kind("the new pod goes from INITIALIZE to FAILED", only=("create",)),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as read from its text."""

    spec: str
    endpoint: str
    kind: str
    value: str = ""
    chance: float = 1.0
    times: int | None = None

    @property
    def number(self) -> float:
        """The value as a number."""
        return float(self.value)

    def is_at(self, endpoint: str) -> bool:
        """Return whether the fault belongs to that endpoint."""
        return self.endpoint in ("*", endpoint) and endpoint in (KINDS[self.kind].only or ENDPOINTS)


def parse_fault(spec: str) -> Fault:
    """Read a fault such as ``create:lost``, ``list:slow=2@0.5`` or ``pause:429=3x2``.

    Raises
    ------
    ValueError
        With one line that says what is allowed.
    """
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        raise ValueError(f"fault {spec!r}: expected {GRAMMAR}, for example create:lost or list:slow=2@0.5")
    endpoint, name = parts["endpoint"].strip().lower(), parts["kind"].strip().lower()
    if endpoint not in (*ENDPOINTS, "*"):
        raise ValueError(_unknown(spec, "endpoint", endpoint, (*ENDPOINTS, "*")))
    if name not in KINDS:
        raise ValueError(_unknown(spec, "kind", name, tuple(KINDS)))
    kind = KINDS[name]
    if kind.only and endpoint not in (*kind.only, "*"):
        raise ValueError(f"fault {spec!r}: {name} is only for {' and '.join(kind.only)}")
    return Fault(
        spec, endpoint, name, _value(spec, name, parts["value"]), _chance(spec, parts["chance"]), _times(spec, parts)
    )


def _unknown(spec: str, what: str, given: str, allowed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"fault {spec!r}: unknown {what} {given!r}; {meant}allowed: {', '.join(allowed)}"


def _value(spec: str, name: str, given: str | None) -> str:
    kind = KINDS[name]
    if not kind.value:
        if given is not None:
            raise ValueError(f"fault {spec!r}: {name} takes no value")
        return ""
    value = kind.default if given is None else given.strip()
    shape, example = {
        "SECONDS": (r"\d+(\.\d+)?|\.\d+", "a number of seconds, 0 or more"),
        "STATUS": (r"[2-5]\d\d", "an HTTP status, 200 to 599"),
        "N": (r"-?\d{1,18}", "a whole number"),
        "URL": (r"\S+", "an address"),
    }[kind.value]
    if value is None or not re.fullmatch(shape, value, re.ASCII):
        raise ValueError(f"fault {spec!r}: {name} needs {example}, as in ENDPOINT:{name}={kind.value}")
    return value


def _chance(spec: str, given: str | None) -> float:
    try:
        chance = 1.0 if given is None else float(given)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise ValueError(f"fault {spec!r}: the probability after @ must be a number from 0 to 1, not {given!r}")
    return chance


def _times(spec: str, parts: re.Match[str]) -> int | None:
    times = None if parts["times"] is None else int(parts["times"])
    if times == 0:
        raise ValueError(f"fault {spec!r}: the times after x must be 1 or more")
    return times


@dataclass(slots=True)
class Plan:
    """What goes wrong with one request: at most one ``fault``, besides ``lag`` (in seconds) and ``fails``."""

    fault: Fault | None = None
    lag: float = 0.0
    fails: bool = False


@dataclass(slots=True)
class _Armed:
    fault: Fault
    random: Random
    left: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.fault.times

    def fires(self) -> bool:
        if self.left == 0 or self.random.random() >= self.fault.chance:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The faults in force, asked once a request. Safe to use from many threads.

    Parameters
    ----------
    seed : int
        The same seed and the same requests give the same faults.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force, after those that are."""
        with self._lock:
            random = Random(f"{self._seed}/{len(self._armed)}/{fault.spec}")
            self._armed.append(_Armed(fault, random))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._armed.clear()

    def plan(self, endpoint: str) -> Plan:
        """Decide what goes wrong with a request to that endpoint. The first fault that fires is the one."""
        plan = Plan()
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if not fault.is_at(endpoint):
                    continue
                if fault.kind == "lag":
                    plan.lag = max(plan.lag, fault.number) if armed.fires() else plan.lag
                elif fault.kind == "failed":
                    plan.fails = armed.fires() or plan.fails
                elif plan.fault is None and armed.fires():
                    plan.fault = fault
        return plan
