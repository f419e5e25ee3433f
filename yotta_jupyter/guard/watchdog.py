"""The watchdog: pauses the pod on which it runs at a deadline. Runs with the pod's Python, 3.8 or newer.

Its files, one with the API key, are in a folder in memory that only its user can read. A pause of the pod deletes them.
A shell loop restarts the watchdog if it ends; the watchdog starts a new loop if the loop ends.

Commands: ``install`` reads its settings as JSON from stdin and starts the watchdog; ``extend POD SECONDS`` puts off the
deadline; ``status POD`` prints the state; ``remove POD`` ends the watchdog and deletes its files; ``run FOLDER PID`` is
the watchdog itself, started by the loop with that process id.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

if False:  # TYPE_CHECKING, without importing typing.
    from typing import Any

MARKER = "yotta-watchdog:"
"""Printed before a result."""

BASE = "/dev/shm"  # A folder in memory.
# Seconds:
TICK = 1.0
MAX_BACKOFF = 30.0
REQUEST_TIMEOUT = 20.0
START_TIMEOUT = 10.0
END_TIMEOUT = 5.0
HEARTBEAT_INTERVAL = 10.0


def main(arguments: list[str], source: str) -> int:
    """Run a command; `source` is the text of this file."""
    command, rest = arguments[0], arguments[1:]
    if command == "run":
        return run(rest[0], int(rest[1]))
    if command == "install":
        print_result(install(json.load(sys.stdin), source))
        return 0
    folder = folder_of(rest[0])
    if command == "extend":
        settings = read(folder, "settings")
        settings["deadline"] = max(settings["deadline"], now()) + float(rest[1])
        write(folder, "settings", settings)
    elif command == "remove":
        remove(folder)
        return 0
    print_result(status(folder))
    return 0


def folder_of(pod_id: str) -> str:
    """Return the folder of this user's watchdog of a pod."""
    return os.path.join(BASE, f"yotta-guard-{os.getuid()}-{pod_id}")


def now() -> float:
    """Return the seconds since the boot of the machine. Changes of the wall clock do not matter."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def install(settings: dict[str, Any], source: str) -> dict[str, Any]:
    """Write the files and start the watchdog."""
    if not os.path.isdir(BASE):
        return {"error": f"the pod has no {BASE}"}
    folder = folder_of(settings["pod_id"])
    remove(folder)
    os.umask(0o077)
    os.mkdir(folder, 0o700)
    settings["deadline"] = now() + settings.pop("seconds")
    write(folder, "settings", settings)
    with open(os.path.join(folder, "watchdog.py"), "w") as file:
        file.write(source)
    start_loop(folder)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        state = status(folder)
        if state.get("alive"):
            return state
        time.sleep(0.05)
    return {"error": "the watchdog does not start"}


def start_loop(folder: str) -> None:
    """Start the shell loop that runs the watchdog as long as its settings exist."""
    settings = shlex.quote(os.path.join(folder, "settings"))
    program = os.path.join(folder, "watchdog.py")
    command = " ".join(map(shlex.quote, [sys.executable, program, "run", folder]))
    script = f"while [ -f {settings} ]; do {command} $$; sleep 1; done"
    null = subprocess.DEVNULL
    subprocess.Popen(["sh", "-c", script], stdin=null, stdout=null, stderr=null, cwd="/", start_new_session=True)


def run(folder: str, loop_pid: int) -> int:
    """Wait for the deadline, then request the pause until the pause ends this process."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    attempts = 0
    next_attempt = 0.0
    last_beat = float("-inf")
    state = {"pid": os.getpid(), "error": ""}
    while True:
        settings = read(folder, "settings")
        if not settings:
            return 0
        if os.getppid() != loop_pid:  # The loop has ended. A new one starts a new watchdog.
            start_loop(folder)
            return 0
        if now() >= settings["deadline"] and now() >= next_attempt:
            state["error"] = request_pause(settings)
            attempts += 1
            last_beat = float("-inf")  # Write each attempt at once.
            next_attempt = now() + backoff(attempts)
        if now() - last_beat >= HEARTBEAT_INTERVAL:
            last_beat = now()
            write(folder, "state", dict(state, beat=last_beat, attempts=attempts))
        time.sleep(TICK)


def backoff(attempts: int) -> float:
    """Return the seconds until the next request, as `backoff` in ``rules.py``."""
    return min(MAX_BACKOFF, 2.0 ** min(attempts, 10))  # 2.0**1024 overflows.


def request_pause(settings: dict[str, Any]) -> str:
    """Request the pause; return why it failed, or an empty text."""
    request = urllib.request.Request(settings["url"], method=settings["method"], headers=settings["headers"])
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=REQUEST_TIMEOUT) as response:
            code = json.loads(response.read(65536).decode()).get("code")
            return "" if code == settings["success"] else f"code {code}"
    except Exception as error:
        return f"{type(error).__name__}: {getattr(error, 'code', '') or getattr(error, 'reason', '')}"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, so that the key is sent to no other address."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def status(folder: str) -> dict[str, Any]:
    """Return whether the watchdog runs, the seconds left, its last error and the number of its pause requests."""
    settings, state = read(folder, "settings"), read(folder, "state")
    alive = False
    if settings and state:
        is_recent = now() - state["beat"] < 3 * HEARTBEAT_INTERVAL
        alive = is_recent and is_running(state["pid"])
    left = settings["deadline"] - now() if settings else None
    return {"alive": alive, "left": left, "error": state.get("error", ""), "attempts": state.get("attempts", 0)}


def is_running(pid: int) -> bool:
    """Return whether a process exists."""
    return os.path.exists(f"/proc/{pid}")


def remove(folder: str) -> None:
    """Delete the files, which ends the loop and the watchdog, and wait for the end."""
    state = read(folder, "state")
    shutil.rmtree(folder, ignore_errors=True)
    if state and is_running(state["pid"]):
        deadline = time.monotonic() + END_TIMEOUT
        while is_running(state["pid"]) and time.monotonic() < deadline:
            time.sleep(0.05)


def read(folder: str, name: str) -> dict[str, Any]:
    """Return the JSON object in a file; empty if there is none."""
    try:
        with open(os.path.join(folder, name)) as file:
            return dict(json.load(file))
    except (OSError, ValueError):
        return {}


def write(folder: str, name: str, value: dict[str, Any]) -> None:
    """Replace a file that only this user can read."""
    path = os.path.join(folder, name)
    try:
        descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w") as file:
            json.dump(value, file)
        os.replace(path + ".new", path)
    except OSError:
        pass


def print_result(value: dict[str, Any]) -> None:
    """Print a result, so that `watchdog_client` finds it among the output of a login shell."""
    print(MARKER + json.dumps(value))


if __name__ == "__main__":
    # `watchdog_client` sets SOURCE to the text of this file.
    sys.exit(main(sys.argv[1:], globals().get("SOURCE", "")))
