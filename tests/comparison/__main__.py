"""Compare what arrives of a cell's output when the connection or the client breaks: ``python -m tests.comparison``.

A cell prints a line every 0.1 s on a real OpenSSH server on loopback. Each engine has a server, a proxy in front of it
and a client process of its own. The breaks:

kill
    The connection is reset.
half-open
    Nothing is forwarded for some seconds, as while a laptop sleeps; then the connection is reset.
kernel kill -9
    The client process is killed, and a new one attaches at once. What both show is not counted as shown twice.

The engines besides `Remote` use ``ssh -L``, which is started again whenever it ends. jupyter-kernel-client needs the
packages jupyter-kernel-client and jupyter-server, and is left out without them.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.proxy import Proxy
from tests.comparison import pods
from tests.remote.sshd import run_sshd, wait_until

CODE = """
import time
for number in range({lines}):
    with open({path!r}, "a") as file:
        print(number, file=file)
    print(number, flush=True)
    time.sleep(0.1)
"""
LINES = 60
BREAK_AT = 20
"""The line at which the break happens."""
GRACE = 30.0
"""Seconds after the expected end of the cell after which a client is said to hang."""


@dataclass(frozen=True)
class Engine:
    """An engine under test."""

    title: str
    client: str
    pod: pods.Pod
    modules: Sequence[str] = ()


ENGINES = (
    Engine("yotta_jupyter `Remote`", "remote", pods.remote_pod),
    Engine("jupyter_client, `ssh -L`", "jupyter_client", pods.jupyter_client_pod),
    Engine(
        "jupyter-kernel-client, defaults",
        "kernel_client",
        pods.kernel_client_pod,
        ("jupyter_kernel_client", "jupyter_server"),
    ),
    Engine(
        "jupyter-kernel-client, `reconnect_interval=1`",
        "kernel_client",
        pods.reconnecting_kernel_client_pod,
        ("jupyter_kernel_client", "jupyter_server"),
    ),
)


class Client:
    """A running client process.

    Attributes
    ----------
    lines : list of str
        What it has shown.
    """

    def __init__(self, engine: Engine, settings: pods.Settings, folder: Path, code: str | None = None) -> None:
        self.lines: list[str] = []
        self._report = folder / f"report-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.comparison.client", engine.client, json.dumps(settings)]
        command += [str(self._report), *([] if code is None else [code])]
        with (folder / "client.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            self.lines.extend(line.strip() for line in iter(stdout.readline, ""))

    def kill(self) -> None:
        """Kill the process as ``kill -9`` does."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def status(self, deadline: float) -> str:
        """Wait for the end, and return how the engine reported the cell."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()
        return self._report.read_text() if self._report.exists() else "hangs"


def measure(engine: Engine, kind: str, seconds: float) -> str:
    """Run a cell with one engine through one break; return a row of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_sshd(Path(folder)) as server,
        Proxy(server.port) as proxy,
        engine.pod(server, proxy.port) as settings,
    ):
        printed = server.home / "printed"
        frozen = seconds if kind == "half-open" else 0.0
        lines = LINES + int(10 * frozen)
        clients = [Client(engine, settings, Path(folder), CODE.format(lines=lines, path=str(printed)))]
        wait_until(lambda: len(clients[0].lines) >= BREAK_AT, 90)
        deadline = time.monotonic() + 0.11 * (lines - BREAK_AT) + GRACE
        if kind == "kernel kill -9":
            clients[0].kill()
            clients.append(Client(engine, settings, Path(folder)))
        else:
            if frozen:
                proxy.freeze()
                time.sleep(frozen)
            proxy.kill()
        status = clients[-1].status(deadline)
        return row(engine, kind, printed, clients, status, frozen)


def row(engine: Engine, kind: str, printed: Path, clients: Sequence[Client], status: str, frozen: float) -> str:
    """Return a row of the table."""
    expected = printed.read_text().splitlines()
    lost = set(expected) - {line for client in clients for line in client.lines}
    twice = sum(count - 1 for client in clients for count in Counter(client.lines).values())
    if any(client.lines != sorted(client.lines, key=int) for client in clients):
        status += ", out of order"
    received = ", then ".join(str(len(client.lines)) for client in clients)
    title = f"{kind}, {frozen:.0f} s" if frozen else kind
    return f"| {title} | {engine.title} | {len(expected)} | {received} | {len(lost)} | {twice} | {status} |"


def main() -> None:
    """Run all breaks with all engines and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.comparison", description=__doc__.partition("\n")[0])
    parser.add_argument("--frozen", type=float, default=60.0, metavar="SECONDS", help="duration of the half-open break")
    seconds = parser.parse_args().frozen
    engines = []
    for engine in ENGINES:
        missing = [name for name in engine.modules if importlib.util.find_spec(name) is None]
        if missing:
            print(f"Left out: {engine.title} needs {', '.join(missing)}.", file=sys.stderr)
        else:
            engines.append(engine)
    print("| break | engine | printed | received | lost | shown twice | reported |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("kill", "half-open", "kernel kill -9"):
        with ThreadPoolExecutor() as executor:
            rows = executor.map(measure, engines, [kind] * len(engines), [seconds] * len(engines))
            print("\n".join(rows), flush=True)


if __name__ == "__main__":
    main()
