"""Reads the signals of activity on a pod. Runs on the pod with the pod's Python and its standard library only.

Prints one line of JSON: the values that `idle` compares, or the reason why one cannot be read.
"""

from __future__ import annotations

import glob
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request

if False:  # TYPE_CHECKING, without importing typing.
    from typing import Any

# Whether the pod has GPUs, and the paths of what is read.
DEFAULTS = {
    "gpus": True,
    "nvidia_smi": "nvidia-smi",
    "cgroup": "/sys/fs/cgroup",
    "net": "/proc/net/dev",
    "pts": "/dev/pts",
}
TIMEOUT = 5  # seconds
NVIDIA_SMI_TIMEOUT = 20  # seconds


def read_gpu(options: dict[str, Any]) -> float:
    """Return the highest use of a GPU in per cent, of three samples."""
    if not options["gpus"]:
        return 0.0
    command = [options["nvidia_smi"], "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    highest = 0.0
    for _ in range(3):
        result = subprocess.run(command, capture_output=True, timeout=NVIDIA_SMI_TIMEOUT)
        if result.returncode:
            raise OSError("nvidia-smi fails")
        values = [float(line) for line in result.stdout.decode().split()]
        if not values:
            raise OSError("nvidia-smi shows no GPU")
        highest = max(highest, *values)
        time.sleep(0.3)
    return highest


def read_cpu(options: dict[str, Any]) -> float:
    """Return the seconds of CPU that the container has used."""
    try:  # cgroup v2
        with open(os.path.join(options["cgroup"], "cpu.stat")) as file:
            fields = dict(line.split()[:2] for line in file if line.strip())
        return int(fields["usage_usec"]) / 1e6
    except (OSError, KeyError):  # cgroup v1
        with open(os.path.join(options["cgroup"], "cpuacct", "cpuacct.usage")) as file:
            return int(file.read()) / 1e9


def read_network(options: dict[str, Any]) -> int:
    """Return the bytes that the container has received and sent."""
    total = 0
    with open(options["net"]) as file:
        for line in file:
            name, colon, counters = line.partition(":")
            if colon and name.strip() != "lo":
                fields = counters.split()
                received, sent = int(fields[0]), int(fields[8])
                total += received + sent
    return total


def read_terminals(options: dict[str, Any]) -> float | None:
    """Return the seconds since the last input or output of a terminal; None without terminals."""
    terminals = [os.stat(path) for path in glob.glob(os.path.join(options["pts"], "[0-9]*"))]
    if not terminals:
        return None
    last_used = max(max(terminal.st_atime, terminal.st_mtime) for terminal in terminals)
    return max(0.0, time.time() - last_used)


def read_kernels(options: dict[str, Any]) -> list[str]:
    """Return what is running: cells of ``%%yotta run``, and kernels of Jupyter servers."""
    return read_agent() + read_jupyter()


def read_agent() -> list[str]:
    """Return one text if a cell of ``%%yotta run`` is running or queued, as the first message of ``agent.py`` says."""
    try:
        with open(os.path.expanduser("~/.cache/yotta-agent/state.json")) as file:
            path = os.path.join(json.load(file)["sockets"], "agent")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        connection.connect(path)
    except (OSError, ValueError, KeyError):
        return []  # No agent runs, hence no kernel.
    with connection, connection.makefile("rb") as stream:
        length, _ = struct.unpack(">II", stream.read(8))  # The lengths of the JSON and of the binary part.
        hello = json.loads(stream.read(length).decode())
    return ["a cell of %%yotta run"] if hello["running"] or hello["queued"] else []


def read_jupyter() -> list[str]:
    """Return the busy kernels of the Jupyter servers of this user."""
    busy = []
    for path in glob.glob(os.path.expanduser("~/.local/share/jupyter/runtime/jpserver-*.json")):
        with open(path) as file:
            server = json.load(file)
        if not os.path.exists(f"/proc/{server['pid']:d}"):
            continue
        url = f"http://127.0.0.1:{server['port']:d}{server.get('base_url', '/')}api/kernels"
        headers = {"Authorization": "token " + server["token"]} if server.get("token") else {}
        request = urllib.request.Request(url, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT) as response:
            kernels = json.loads(response.read().decode())
        busy += ["a kernel of Jupyter" for kernel in kernels if kernel["execution_state"] != "idle"]
    return busy


READERS = {
    "gpu": read_gpu,
    "cpu": read_cpu,
    "network": read_network,
    "terminals": read_terminals,
    "kernels": read_kernels,
}


def main(arguments: list[str]) -> None:
    """Print all signals."""
    options = dict(DEFAULTS, **(json.loads(arguments[0]) if arguments else {}))
    values = {}
    errors = {}
    for name, read in READERS.items():
        try:
            values[name] = read(options)
        except Exception as error:
            errors[name] = f"{type(error).__name__}: {error}"
    print(json.dumps({"at": time.time(), "values": values, "errors": errors}))


if __name__ == "__main__":
    main(sys.argv[1:])
