"""Whether a pod is idle, by the signals that `probe` reads on it over SSH."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec

from ..errors import YottaError
from ..sanitize import single_line

MAX_GPU: Final = 5.0
"""Per cent of use up to which a GPU is idle."""

MAX_CPU: Final = 0.1
"""CPU cores in use up to which a pod is idle. JupyterLab alone uses a few hundredths of a core."""

MAX_NETWORK: Final = 5000.0
"""Bytes a second up to which the network is idle. An open JupyterLab and health checks need some."""

MAX_INTERVAL: Final = 60.0  # seconds between two samples
MIN_INTERVAL: Final = 1.0  # seconds
_SAMPLES_PER_WINDOW: Final = 5
_MAX_SAMPLE_DURATION: Final = 30.0  # seconds

_MARKER: Final = "yotta-probe:"
"""Printed before the sample."""

_COUNTERS: Final = (("cpu", MAX_CPU, "cores"), ("network", MAX_NETWORK, "bytes/s"))
"""Signals that count up: name, largest idle increase per second, and its unit."""


class Sample(msgspec.Struct, frozen=True):
    """The signals of a pod at one time.

    Attributes
    ----------
    at : float
        Seconds of the pod's clock.
    values : dict
        What `probe.py` read, by signal. It comes from the pod and may have any type.
    errors : dict of str to str
        Why a signal cannot be read, by signal.
    """

    at: float
    values: dict[str, Any]
    errors: dict[str, str] = {}


class Activity(NamedTuple):
    """Whether a pod was idle between two samples.

    Attributes
    ----------
    is_idle : bool
        All signals were readable and idle.
    note : str
        What was busy or unreadable.
    """

    is_idle: bool
    note: str


def sampling_interval(idle: float) -> float:
    """Return the seconds between two samples for an idle rule.

    Parameters
    ----------
    idle : float
        The seconds for which all signals must be idle.

    Returns
    -------
    float
    """
    return min(MAX_INTERVAL, max(MIN_INTERVAL, idle / _SAMPLES_PER_WINDOW))


def compare_samples(previous: Sample | None, sample: Sample) -> Activity:
    """Return whether a pod was idle between two samples. What cannot be read counts as busy.

    Parameters
    ----------
    previous : Sample or None
        None before the second sample; counters are then unknown.
    sample : Sample

    Returns
    -------
    Activity
    """
    unreadable = [f"{name} unreadable ({single_line(error, 60)})" for name, error in sorted(sample.errors.items())]
    if previous is None or sample.at <= previous.at:
        return Activity(False, "; ".join(unreadable) or "a second sample is needed")
    interval = sample.at - previous.at
    busy = []
    gpu = sample.values.get("gpu") or 0.0
    if gpu > MAX_GPU:
        busy.append(f"gpu {gpu:.0f} %")
    for name, limit, unit in _COUNTERS:
        if name in sample.errors:
            continue
        rate = _rate(name, previous, sample)
        if rate is None:
            busy.append(f"{name} needs a second sample")
        elif rate > limit:
            busy.append(f"{name} {rate:.1f} {unit}")
    terminal_age = sample.values.get("terminals")
    if terminal_age is not None and terminal_age < interval:
        busy.append("a terminal is in use")
    busy += sample.values.get("kernels") or []
    return Activity(not busy and not unreadable, "; ".join([*busy, *unreadable]))


def _rate(name: str, previous: Sample, sample: Sample) -> float | None:
    """Return how much a counter rises per second; None without an earlier value, or if the container was restarted."""
    value = sample.values[name]
    if name not in previous.values:
        return None
    rate = float((value - previous.values[name]) / (sample.at - previous.at))
    return rate if rate >= 0 else None


def probe_command(options: Mapping[str, Any]) -> str:
    """Return the shell command that runs the probe on a pod.

    Parameters
    ----------
    options : mapping
        As in `probe.DEFAULTS`.

    Returns
    -------
    str
    """
    source = files(__package__).joinpath("probe.py").read_text()
    return f"echo {_MARKER}; exec python3 -c {shlex.quote(source)} {shlex.quote(json.dumps(dict(options)))}"


def parse_sample(output: str) -> Sample:
    """Return the sample that the probe printed.

    Parameters
    ----------
    output : str
        Of `probe_command`. A login shell may print other lines before the marker.

    Returns
    -------
    Sample

    Raises
    ------
    YottaError
        The output contains no sample.
    """
    _, _, printed = output.partition(_MARKER)
    lines = printed.strip().split("\n")
    try:
        return msgspec.json.decode(lines[-1], type=Sample)
    except msgspec.MsgspecError:
        raise YottaError("the pod's python3 printed no sample") from None


class IdleMonitor:
    """Samples one pod on a thread of its own, so that a slow pod delays no other.

    Parameters
    ----------
    read : callable
        Returns a sample of the pod. May take long and raise any exception.
    interval : float
        Seconds between two samples.
    now : callable
        Returns the present time in seconds.
    """

    def __init__(self, read: Callable[[], Sample], interval: float, now: Callable[[], float]) -> None:
        self.interval = interval
        self._read = read
        self._now = now
        self._previous: Sample | None = None
        self._thread: threading.Thread | None = None
        self._started_at = float("-inf")
        self._latest: Activity | None = None

    def poll(self) -> Activity | None:
        """Return the activity between the last two samples if it is new, and begin the next sample if it is due.

        Returns
        -------
        Activity or None
            None if there is no new sample. Busy if the last sample is too old.
        """
        activity, self._latest = self._latest, None
        age = self._now() - self._started_at
        is_outdated = age > 3 * self.interval + _MAX_SAMPLE_DURATION
        if is_outdated:  # For example, the machine slept.
            activity = Activity(False, "no recent sample")
        is_sampling = self._thread is not None and self._thread.is_alive()
        if age >= self.interval and not is_sampling:
            if is_outdated:
                self._previous = None
            self._started_at = self._now()
            self._thread = threading.Thread(target=self._sample, name="yotta-idle", daemon=True)
            self._thread.start()
        return activity

    def _sample(self) -> None:
        try:
            sample = self._read()
            activity = compare_samples(self._previous, sample)
            self._previous = sample
        except Exception as error:  # Any failure counts as busy.
            self._previous = None
            activity = Activity(False, f"all signals unreadable ({single_line(error, 100)})")
        self._latest = activity
