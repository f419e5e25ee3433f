"""Compare what arrives of a cell's output when the connection or the client breaks: ``python -m tests.comparison``.

A cell prints a line every 0.1 s on a real OpenSSH server on loopback. Each engine has a server, a proxy in front of it
and a client process of its own. The breaks:

kill
    The connection is reset.
half-open
    Nothing is forwarded for some seconds, as while a laptop sleeps; then the connection is reset.
kernel kill -9
    The client process is killed, and a new one attaches at once. What both show is not counted as shown twice.

The engines other than `Remote` use ``ssh -L``, which is started again whenever it ends. jupyter-kernel-client needs the
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

LINES = 60
INTERVAL = 0.1
"""Seconds between two lines."""
BREAK_AT = 20
"""The number of lines before the break."""
HANG_TIMEOUT = 30.0
"""Seconds after the expected end of the cell."""
CELL = """
import time
for number in range({lines}):
    with open({path!r}, "a") as file:
        print(number, file=file)
    print(number, flush=True)
    time.sleep({interval})
"""


@dataclass(frozen=True)
class Engine:
    """An engine under test.

    Attributes
    ----------
    title : str
    client : str
        The name of a function in `client.CLIENTS`.
    start_pod : callable
        Of `pods`.
    modules : sequence of str
        Modules that it needs.
    """

    title: str
    client: str
    start_pod: pods.StartPod
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
    """A client process that is running.

    Parameters
    ----------
    engine : Engine
    settings : dict
    folder : Path
        For its report and its log.
    code : str, optional
        The cell; by default it attaches to the running one.

    Attributes
    ----------
    lines : list of str
        The lines that it has shown.
    """

    def __init__(self, engine: Engine, settings: pods.Settings, folder: Path, code: str | None = None) -> None:
        self.lines: list[str] = []
        self._report = folder / f"report-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.comparison.client", engine.client, json.dumps(settings)]
        command.append(str(self._report))
        if code is not None:
            command.append(code)
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

    def wait(self, deadline: float) -> str:
        """Wait for the end of the process, and return how the engine reported the cell."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()
        return self._report.read_text() if self._report.exists() else "hangs"


def measure(engine: Engine, kind: str, half_open_seconds: float) -> str:
    """Run a cell with one engine and one kind of break; return a row of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_sshd(Path(folder)) as server,
        Proxy(server.port) as proxy,
        engine.start_pod(server, proxy.port) as settings,
    ):
        printed = server.home / "printed"
        frozen = half_open_seconds if kind == "half-open" else 0.0
        lines = LINES + int(frozen / INTERVAL)
        cell = CELL.format(lines=lines, path=str(printed), interval=INTERVAL)
        clients = [Client(engine, settings, Path(folder), cell)]
        wait_until(lambda: len(clients[0].lines) >= BREAK_AT, 90)
        remaining = 1.1 * INTERVAL * (lines - BREAK_AT)  # A line takes a little longer than the interval.
        deadline = time.monotonic() + remaining + HANG_TIMEOUT
        if kind == "kernel kill -9":
            clients[0].kill()
            clients.append(Client(engine, settings, Path(folder)))
        else:
            if frozen:
                proxy.freeze()
                time.sleep(frozen)
            proxy.kill()
        status = clients[-1].wait(deadline)
        title = f"{kind}, {frozen:.0f} s" if frozen else kind
        return format_row(title, engine, printed.read_text().splitlines(), clients, status)


def format_row(title: str, engine: Engine, printed: Sequence[str], clients: Sequence[Client], status: str) -> str:
    """Return a row of the table.

    Parameters
    ----------
    title : str
        Of the break.
    engine : Engine
    printed : sequence of str
        The lines that the cell printed.
    clients : sequence of Client
    status : str
        How the engine reported the cell.
    """
    lost = set(printed) - {line for client in clients for line in client.lines}
    twice = sum(count - 1 for client in clients for count in Counter(client.lines).values())
    if any(client.lines != sorted(client.lines, key=int) for client in clients):
        status += ", out of order"
    received = ", then ".join(str(len(client.lines)) for client in clients)
    return f"| {title} | {engine.title} | {len(printed)} | {received} | {len(lost)} | {twice} | {status} |"


def main() -> None:
    """Run all kinds of breaks with all engines, and print a table in Markdown."""
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
