"""Benchmarks of cells and files with an OpenSSH server on loopback, against a local kernel and ``scp``."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.benchmarks.proxy import Proxy
from tests.benchmarks.timing import Row, best_of
from tests.remote.sshd import Sshd, run_sshd
from yotta_jupyter.remote import Endpoint, Remote
from yotta_jupyter.remote.host_keys import HostKeys

LINES = 100_000
ROUND_TRIP_LIMIT = 1.4
"""The limit of the round trip of a cell, as a multiple of a local kernel's."""
DELAY = 0.05
"""Seconds that are added to the round trip of a connection."""
PRINTING = f"for i in range({LINES}): print(i, 'x' * 80)"


@contextmanager
def local_kernel() -> Iterator[BlockingKernelClient]:
    """Start an ipykernel as Jupyter does, and give a client of it."""
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def execute(client: BlockingKernelClient, code: str) -> None:
    """Run code in a local kernel to its end."""
    reply = client.execute_interactive(code, output_hook=ignore)
    assert reply["content"]["status"] == "ok", reply["content"]


def ignore(message: Any) -> None:
    """Discard an output."""


def connect_remote(server: Sshd, port: int | None = None) -> Remote:
    """Return a new `Remote` of a server, or of a proxy to it."""
    endpoint = Endpoint("1", "127.0.0.1", port or server.port, (server.user,), server.key_file)
    return Remote(endpoint, host_keys=HostKeys(server.folder / "known_hosts"))


def scp(server: Sshd, *words: str | Path) -> None:
    """Run ``scp`` with the server's key."""
    options = ["-q", "-i", server.key_file, "-P", str(server.port)]
    options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    subprocess.run(["scp", *options, *words], check=True)


def first_cell(server: Sshd) -> None:
    """Connect to a pod without an agent and run a cell."""
    with connect_remote(server) as remote:
        remote.run("1", on_output=ignore)
        remote.shutdown()


def first_local_cell() -> None:
    """Start a local kernel and run a cell."""
    with local_kernel() as client:
        execute(client, "1")


def cells(server: Sshd) -> Iterator[Row]:
    """Measure cells."""
    times = best_of(3, lambda: first_cell(server), first_local_cell)
    yield Row("first cell on a fresh pod / start of a local kernel", *times, limit=2.5)
    with connect_remote(server) as remote, local_kernel() as client:
        remote.run("1", on_output=ignore)
        times = best_of(200, lambda: remote.run("1", on_output=ignore), lambda: execute(client, "1"))
        yield Row("round trip of 1 through remote.run / a local kernel", *times, limit=ROUND_TRIP_LIMIT)
        times = best_of(3, lambda: remote.run(PRINTING, on_output=ignore), lambda: execute(client, PRINTING))
        yield Row(f"print {LINES:,} lines / a local kernel", *times, limit=2.0)


def delayed_cells(server: Sshd) -> Iterator[Row]:
    """Measure cells through a proxy that delays each direction by half of `DELAY`."""
    with Proxy(server.port, DELAY / 2) as proxy, connect_remote(server, proxy.port) as remote, local_kernel() as client:
        remote.run("1", on_output=ignore)
        ours, baseline = best_of(60, lambda: remote.run("1", on_output=ignore), lambda: execute(client, "1"))
    title = f"{DELAY * 1000:.0f} ms of delay: round trip of 1 less the delay / a local kernel"
    yield Row(title, ours - DELAY, baseline, ROUND_TRIP_LIMIT)


def files(server: Sshd) -> Iterator[Row]:
    """Measure copies of files and of a frame."""
    large, folder = server.folder / "large", server.folder / "small files"
    large.write_bytes(os.urandom(200_000_000))
    folder.mkdir()
    for number in range(1000):
        (folder / f"file {number}").write_bytes(os.urandom(2000))
    target = f"{server.user}@127.0.0.1:{server.home}"
    numbers = itertools.count()

    def new_name() -> str:
        """Delete the earlier copies on the server and return a name for the next one."""
        for path in server.home.glob("copy-*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return f"copy-{next(numbers)}"

    with connect_remote(server) as remote:
        remote.run("1", on_output=ignore)
        times = best_of(3, lambda: remote.put(large, new_name()), lambda: scp(server, large, f"{target}/{new_name()}"))
        yield Row("put 200 MB, checked / scp", *times, limit=1.75)
        back = server.folder / "back"
        remote.put(large, "large")

        def get() -> None:
            back.unlink(missing_ok=True)
            remote.get("large", back)

        times = best_of(3, get, lambda: scp(server, f"{target}/large", back))
        yield Row("get 200 MB, checked / scp", *times, limit=1.75)
        times = best_of(
            3, lambda: remote.put(folder, new_name()), lambda: scp(server, "-r", folder, f"{target}/{new_name()}")
        )
        yield Row("put 1,000 files of 2 kB, checked / scp -r", *times, limit=1.0)
        yield million_rows(server, remote, target)


def million_rows(server: Sshd, remote: Remote, target: str) -> Row:
    """Measure pushing and pulling a frame, against a Parquet file that is written, copied and read both ways."""
    random = np.random.default_rng(0)
    size = 1_000_000
    frame = pd.DataFrame(
        {
            "number": np.arange(size),
            "value": random.random(size),
            "group": random.integers(0, 100, size),
            "category": pd.Categorical(random.choice(list("xyz"), size)),
            "text": random.choice(["alpha", "beta", "gamma"], size),
        }
    )
    local_path, pod_path = server.folder / "frame.parquet", server.home / "frame.parquet"

    def ours() -> None:
        remote.push_values({"frame": frame})
        pd.testing.assert_index_equal(remote.pull("frame").columns, frame.columns)

    def parquet() -> None:
        frame.to_parquet(local_path)
        scp(server, local_path, f"{target}/frame.parquet")
        remote.run("import pandas\nframe = pandas.read_parquet('frame.parquet')", on_output=ignore)
        remote.run("frame.to_parquet('frame.parquet')", on_output=ignore)
        scp(server, f"{target}/frame.parquet", local_path)
        pd.read_parquet(local_path)

    times = best_of(4, ours, parquet)
    pod_path.unlink(missing_ok=True)
    return Row("a million rows there and back / Parquet and scp", *times, limit=1.5)


def rows() -> Iterator[Row]:
    """Measure, and yield the rows of the table."""
    with tempfile.TemporaryDirectory() as folder, run_sshd(Path(folder)) as server:
        yield from cells(server)
        yield from delayed_cells(server)
        yield from files(server)
