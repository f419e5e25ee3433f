"""The signals of a pod, read over SSH from a pod of the sandbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yotta_jupyter import Sandbox, YottaError, connect
from yotta_jupyter.guard import idle
from yotta_jupyter.guard.idle import Sample
from yotta_jupyter.remote import Remote


@pytest.fixture
def remote() -> Iterator[Remote]:
    with Sandbox(speed=200) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        pod = yotta.pods.create(image="a/b:1", gpu_type="L4", expose=["22/SSH"]).wait("SSH")
        with yotta.pods.remote(pod.id) as remote:
            yield remote


def read(remote: Remote, **options: Any) -> Sample:
    return idle.parse_sample(remote.shell(idle.probe_command(options)).stdout)


def test_a_pod_without_nvidia_smi_is_never_idle(remote: Remote) -> None:
    first, second = read(remote, gpus=True), read(remote, gpus=True)
    assert {"gpu", "cpu", "network", "terminals", "kernels"} == {*second.values, *second.errors}
    activity = idle.compare_samples(first, second)
    assert not activity.is_idle
    assert "gpu unreadable (FileNotFoundError" in activity.note
    assert "gpu" in read(remote, gpus=False).values


def test_a_silent_cell_is_busy(remote: Remote) -> None:
    assert read(remote).values["kernels"] == []
    remote.submit("import time\ntime.sleep(3)")
    assert read(remote).values["kernels"] == ["a cell of %%yotta run"]
    deadline = time.monotonic() + 20
    while read(remote).values["kernels"]:
        assert time.monotonic() < deadline


def test_counters_and_gpus_are_read(remote: Remote, tmp_path: Path) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 3\necho 41\n")
    smi.chmod(0o755)
    (tmp_path / "cpu.stat").write_text("usage_usec 7500000\nuser_usec 1\n")
    net = tmp_path / "net"
    net.write_text("Inter-|\n face |\n    lo: 9 0 0 0 0 0 0 0 9 0\n  eth0: 100 0 0 0 0 0 0 0 23 0\n")
    (tmp_path / "pts").mkdir()
    options = {"nvidia_smi": str(smi), "cgroup": str(tmp_path), "net": str(net), "pts": str(tmp_path / "pts")}
    sample = read(remote, **options)
    assert sample.errors == {}
    assert sample.values == {"gpu": 41, "cpu": 7.5, "network": 123, "terminals": None, "kernels": []}
    (tmp_path / "pts/3").touch()
    assert read(remote, **options).values["terminals"] < 10


@pytest.mark.parametrize("output", ["", "yotta-probe:", "yotta-probe:\n{}", 'yotta-probe:\n{"at": "x"}', "garbage"])
def test_what_a_pod_prints_instead_of_a_sample_is_an_error(output: str) -> None:
    with pytest.raises(YottaError, match="no sample"):
        idle.parse_sample(output)


@pytest.mark.parametrize("value", ["NaN", [], None, "x", {}])
def test_hostile_values_are_never_idle(value: object) -> None:
    values: dict[str, Any] = {"gpu": 0.0, "cpu": 0.0, "network": 0, "terminals": None, "kernels": []}
    monitor = idle.IdleMonitor(lambda: Sample(time.monotonic(), {**values, "cpu": value}), 0.0, time.monotonic)
    for _ in range(3):
        activity = monitor.poll()
        assert monitor._thread is not None
        monitor._thread.join()
    assert activity is not None
    assert not activity.is_idle
