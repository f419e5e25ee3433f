"""Failures during the enforcement of guards, in real time: ``python -m tests.guard [--long] [NAME…]``.

Prints how late each pod was paused; takes about four minutes. With ``--long`` the API fails for ten minutes instead of
30 s.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from yotta_jupyter import Client, Sandbox, connect
from yotta_jupyter.guard import idle, process
from yotta_jupyter.guard.checker import GuardChecker
from yotta_jupyter.guard.clock import Clock
from yotta_jupyter.guard.rules import Guard
from yotta_jupyter.guard.storage import data_folder
from yotta_jupyter.guard.store import GuardStore
from yotta_jupyter.remote import Remote

from . import ledger_error
from .helpers import enforcer_pid

AFTER = 5.0  # seconds from setting a guard to its deadline
IDLE = 20.0  # seconds of the idle rule
HOUR_SPEED = 60  # sandbox seconds per second while loads run
SET_GUARD = """
import sys, time
from yotta_jupyter import connect
connect(sys.argv[2], base_url=sys.argv[1]).guards.set(sys.argv[3], after=float(sys.argv[4]))
print("set", flush=True)
time.sleep(60)
"""

# Runs on a pod. Writes its CPU and network use, for the probe: the counters of the machine include all pods.
METER = """
import os, time
folder = os.path.expanduser("~/meter")
def cpu_seconds():
    ticks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"HOME={os.environ['HOME']}\\0".encode() not in file.read():
                    continue
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")
highest = 0.0
while True:
    highest = max(highest, cpu_seconds())
    with open(folder + "/cpu.stat.new", "w") as file:
        file.write(f"usage_usec {int(highest * 1e6)}\\n")
    os.replace(folder + "/cpu.stat.new", folder + "/cpu.stat")
    size = sum(os.path.getsize(folder + "/" + name) for name in os.listdir(folder) if name.startswith("down"))
    with open(folder + "/net.new", "w") as file:
        file.write(f"eth0: {size} 0 0 0 0 0 0 0 0 0\\n")
    os.replace(folder + "/net.new", folder + "/net")
    time.sleep(1)
"""

LOADS = {
    "nothing": "true",
    "download": "i=0; while true; do head -c 60000 /dev/urandom >> ~/meter/down; sleep 1; done",
    "compile": "while true; do python3 -m compileall -q -f /usr/lib/python3* > /dev/null 2>&1; done",
    "silent training": "echo 37 > ~/meter/gpu; while true; do sleep 5; done",
    "silent cell": "",
}
"""Shell commands that run on pods with an idle rule; instead of the last command, a cell runs in the kernel."""


@contextlib.contextmanager
def running_pod(speed: float = 20) -> Iterator[tuple[Sandbox, Client, str]]:
    """Start a sandbox with a home directory of its own; yield it, a client, and the id of a running pod."""
    with tempfile.TemporaryDirectory(prefix="guard-") as home:
        os.environ["HOME"] = home
        os.environ.pop("XDG_DATA_HOME", None)
        with Sandbox(speed=speed) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
            pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == "train-1")
            try:
                yield sandbox, yotta, pod_id
            finally:
                end_enforcer()


def end_enforcer() -> None:
    """End the enforcer that this program has started."""
    state = GuardStore().read_heartbeat() if GuardStore().exists else None
    if state is not None and process.is_running():
        os.kill(state.pid, signal.SIGKILL)
        with process.lock(timeout=10):
            pass


def wait_until_paused(yotta: Client, pod_id: str, timeout: float = 120) -> float:
    """Wait until a guard says that its pod is paused; return `time.monotonic()`."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if any(guard.pod_id == pod_id and guard.state == "paused" for guard in yotta.guards.list()):
            return time.monotonic()
        time.sleep(0.02)
    raise TimeoutError(process.read_log(20))


def notebook_killed() -> str:
    """The process that set the guard is killed."""
    with running_pod() as (sandbox, yotta, pod_id):
        command = [sys.executable, "-c", SET_GUARD, sandbox.base_url, sandbox.api_key, pod_id, str(AFTER)]
        notebook = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        assert notebook.stdout is not None
        notebook.stdout.readline()
        start = time.monotonic()
        os.killpg(notebook.pid, signal.SIGKILL)
        notebook.wait()
        return f"{wait_until_paused(yotta, pod_id) - start - AFTER:.1f} s after the deadline"


def enforcer_killed() -> str:
    """The enforcer is killed before the deadline; the next command comes 3 s after it."""
    with running_pod() as (_, yotta, pod_id):
        start = time.monotonic()
        yotta.guards.set(pod_id, after=AFTER)
        os.kill(enforcer_pid(), signal.SIGKILL)
        time.sleep(AFTER + 3)
        command = time.monotonic()
        yotta.guards.resume_enforcement()
        at = wait_until_paused(yotta, pod_id)
        late = command - start - AFTER
        return f"{at - command:.1f} s after the next command, which came {late:.1f} s after the deadline"


def api_fails(seconds: float) -> str:
    """Every request fails with 500, from before the deadline on."""
    with running_pod() as (sandbox, yotta, pod_id):
        yotta.guards.set(pod_id, after=AFTER)
        for endpoint in ("list", "get", "pause"):
            sandbox.add_fault(f"{endpoint}:500-before")
        time.sleep(seconds)
        sandbox.clear_faults()
        end = time.monotonic()
        return f"{wait_until_paused(yotta, pod_id) - end:.1f} s after the end of {seconds:.0f} s of errors"


def responses_lost() -> str:
    """The response to each pause is lost, and half of the responses to listings."""
    with running_pod() as (sandbox, yotta, pod_id):
        start = time.monotonic()
        yotta.guards.set(pod_id, after=AFTER)
        sandbox.add_fault("pause:lost")
        sandbox.add_fault("list:lost@0.5")
        at = wait_until_paused(connect(sandbox.api_key, base_url=sandbox.base_url), pod_id)
        return f"{at - start - AFTER:.1f} s after the deadline"


def asleep() -> str:
    """The enforcer is stopped before the deadline and continues after it, as on a machine that sleeps."""
    with running_pod() as (_, yotta, pod_id):
        yotta.guards.set(pod_id, after=AFTER)
        os.kill(enforcer_pid(), signal.SIGSTOP)
        time.sleep(AFTER + 10)
        os.kill(enforcer_pid(), signal.SIGCONT)
        start = time.monotonic()
        return f"{wait_until_paused(yotta, pod_id) - start:.1f} s after it continues"


def resumed() -> str:
    """Another client pauses and resumes the pod just before the deadline."""
    with running_pod(speed=5) as (sandbox, yotta, pod_id):
        yotta.guards.set(pod_id, after=AFTER)
        time.sleep(AFTER - 3)
        simulator = sandbox._simulator
        simulator.transition("pause", pod_id)
        yotta.pods.wait(pod_id, "PAUSED")
        simulator.transition("resume", pod_id)
        yotta.pods.wait(pod_id)
        start = time.monotonic()
        early = pause_requests(sandbox)
        while pause_requests(sandbox) == 0:
            time.sleep(0.02)
        requested = time.monotonic() - start
        wait_until_paused(yotta, pod_id)
        return (
            f"{early} pauses by the old limit; pause requested {requested:.1f} s after the resume (limit {AFTER:.0f} s)"
        )


def pause_requests(sandbox: Sandbox) -> int:
    """Return the number of pause requests so far."""
    return sum(request.endpoint == "pause" for request in sandbox.requests)


def wall_clock_changed(hours: float) -> str:
    """The wall clock is changed before the deadline."""
    with running_pod() as (_, yotta, pod_id):
        jump = 0.0
        clock = Clock(data_folder() / "clock.json", wall=lambda: time.time() + jump)
        checker = GuardChecker(
            yotta.pods,
            GuardStore(),
            yotta.ledger,
            base_url=yotta.base_url,
            now=clock.now,
            log=lambda line: None,
            read_sample=lambda pod: idle.Sample(0.0, {}),
        )
        yotta.guards.set(pod_id, after=AFTER)
        os.kill(enforcer_pid(), signal.SIGKILL)
        start = time.monotonic()
        while True:
            delay = checker.check()
            jump = hours * 3600
            if yotta.guards.list()[0].state == "paused":
                return f"{time.monotonic() - start - AFTER:.1f} s after the deadline"
            time.sleep(min(delay, 1.0))


def false_pauses() -> str:
    """Loads run on pods for an hour of sandbox time. Only the pod without a load must be paused."""
    with running_pod(speed=HOUR_SPEED) as (_, yotta, _):
        pods = {
            name: yotta.pods.create(
                image="a/b:1", gpu_type="L4", expose=["22/SSH"], pod_name=name.replace(" ", "-")
            ).wait("SSH")
            for name in LOADS
        }
        remotes = {pod.id: yotta.pods.remote(pod.id) for pod in pods.values()}
        for name, pod in pods.items():
            start_load(remotes[pod.id], name)
        checker = GuardChecker(
            yotta.pods,
            GuardStore(),
            yotta.ledger,
            base_url=yotta.base_url,
            now=yotta.ledger._clock.now,
            log=lambda line: None,
            read_sample=lambda pod: read_sample(remotes[pod.id]),
        )
        for pod in pods.values():
            yotta.guards.set(pod.id, idle=IDLE, after="8h")
        os.kill(enforcer_pid(), signal.SIGKILL)
        end = time.monotonic() + 3600 / HOUR_SPEED
        while time.monotonic() < end:
            time.sleep(min(1.0, checker.check()))
        guards = {guard.pod_id: guard for guard in yotta.guards.list()}
        states = [describe(name, guards[pod.id]) for name, pod in pods.items()]
        for remote in remotes.values():
            remote.close()
        return "\n    ".join(["", *states])


def start_load(remote: Remote, name: str) -> None:
    """Start a load and the meter of a pod in the background."""
    smi = "#!/bin/sh\ncat ~/meter/gpu\n"
    remote.shell(f"mkdir -p ~/meter/pts; echo 0 > ~/meter/gpu; printf '%s' '{smi}' > ~/meter/smi; chmod +x ~/meter/smi")
    Path(os.environ["HOME"], "meter.py").write_text(METER)
    remote.put(Path(os.environ["HOME"], "meter.py"), "meter/meter.py")
    remote.shell("setsid nohup python3 ~/meter/meter.py > /dev/null 2>&1 &")
    if name == "silent cell":
        remote.submit("import time\ntime.sleep(3600)")
    else:
        remote.shell(f"setsid nohup sh -c '{LOADS[name]}' > /dev/null 2>&1 &")


def read_sample(remote: Remote) -> idle.Sample:
    """Read the signals of a pod, its counters from its own meter: the real ones are those of this machine."""
    folder = remote.shell("echo $HOME/meter").stdout.strip()
    options = {"nvidia_smi": f"{folder}/smi", "cgroup": folder, "net": f"{folder}/net", "pts": f"{folder}/pts"}
    return idle.parse_sample(remote.shell(idle.probe_command(options)).stdout)


def describe(name: str, guard: Guard) -> str:
    """Return the state of the guard of a pod with a load."""
    note = f" ({guard.idle_note})" if guard.idle_note else ""
    return f"{name}: {guard.state}{note}"


def main() -> None:
    """Run all scenarios, or those that the command line names."""
    outage = 600.0 if "--long" in sys.argv else 30.0  # seconds
    scenarios: dict[str, Callable[[], str]] = {
        "notebook killed": notebook_killed,
        "enforcer killed": enforcer_killed,
        "API at 500": lambda: api_fails(outage),
        "responses lost": responses_lost,
        "clock an hour ahead": lambda: wall_clock_changed(1),
        "clock an hour behind": lambda: wall_clock_changed(-1),
        "asleep over the deadline": asleep,
        "paused and resumed": resumed,
        "an hour of work": false_pauses,
    }
    names = [argument for argument in sys.argv[1:] if argument != "--long"]
    for name in names or scenarios:
        print(f"{name}: {scenarios[name]()}", flush=True)
    if not names:
        ledger_error.main()


if __name__ == "__main__":
    main()
