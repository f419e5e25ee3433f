"""The watchdog: runs on the pod, with the pod's own Python, and pauses the pod when its time is over.

It needs nothing but Python 3.8. Its files, one of them the API key, are in a folder of the pod's memory that only its
user can read, and are gone when the pod is paused. A shell loop starts it again if it ends; if the loop ends, it
starts another loop.

Commands: ``install`` reads a JSON object from stdin and starts the watchdog; ``extend SECONDS`` puts off its limit;
``status`` prints its state; ``remove`` ends it and deletes its files; ``run FOLDER LOOP`` is the watchdog, started
by the loop with that process id.
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

BASE = "/dev/shm"
TICK = 1.0
MAX_BACKOFF = 30.0
TIMEOUT = 20.0
HEARTBEAT = 10.0


def main(arguments: list[str], source: str) -> int:
    """Run a command."""
    command, rest = arguments[0], arguments[1:]
    if command == "run":
        return run(rest[0], int(rest[1]))
    if command == "install":
        say(install(json.load(sys.stdin), source))
        return 0
    folder = folder_of(rest[0])
    if command == "extend":
        settings = read(folder, "settings")
        settings["deadline"] = max(settings["deadline"], now()) + float(rest[1])
        write(folder, "settings", settings)
    elif command == "remove":
        remove(folder)
        return 0
    say(status(folder))
    return 0


def folder_of(pod_id: str) -> str:
    """Return the folder of the watchdog of this user."""
    return os.path.join(BASE, f"yotta-guard-{os.getuid()}-{pod_id}")


def now() -> float:
    """Return the seconds since the boot of the machine, which no change of the time of day changes."""
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
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        state = status(folder)
        if state.get("alive"):
            return state
        time.sleep(0.05)
    return {"error": "the watchdog does not start"}


def start_loop(folder: str) -> None:
    """Start the shell loop that runs the watchdog as long as its files are there."""
    program = os.path.join(folder, "watchdog.py")
    command = " ".join(map(shlex.quote, [sys.executable, program, "run", folder]))
    script = f"while [ -f {shlex.quote(os.path.join(folder, 'settings'))} ]; do {command} $$; sleep 1; done"
    null = subprocess.DEVNULL
    subprocess.Popen(["sh", "-c", script], stdin=null, stdout=null, stderr=null, cwd="/", start_new_session=True)


def run(folder: str, parent: int) -> int:
    """Wait for the deadline, then request the pause until it ends this process."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    attempts, due = 0, 0.0
    state = {"pid": os.getpid(), "error": ""}
    beat = float("-inf")
    while True:
        settings = read(folder, "settings")
        if not settings:
            return 0
        if os.getppid() != parent:  # The loop has ended: start another one, which starts another watchdog.
            start_loop(folder)
            return 0
        if now() >= max(settings["deadline"], due):
            state["error"] = request_pause(settings)
            attempts += 1
            due = now() + min(MAX_BACKOFF, 2.0**attempts)
        if now() - beat >= HEARTBEAT or attempts:
            beat = now()
            write(folder, "state", dict(state, beat=beat, attempts=attempts))
        time.sleep(TICK)


def request_pause(settings: dict[str, Any]) -> str:
    """Request the pause; return why it failed, or an empty text."""
    request = urllib.request.Request(settings["url"], method=settings["method"], headers=settings["headers"])
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT) as response:
            code = json.loads(response.read(65536).decode()).get("code")
            return "" if code == settings["success"] else f"code {code}"
    except Exception as error:
        return f"{type(error).__name__}: {getattr(error, 'code', '') or getattr(error, 'reason', '')}"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would carry the key to another address."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def status(folder: str) -> dict[str, Any]:
    """Return whether the watchdog runs, its seconds left and its last error."""
    settings, state = read(folder, "settings"), read(folder, "state")
    alive = bool(settings) and bool(state) and now() - state["beat"] < 3 * HEARTBEAT and is_running(state["pid"])
    left = settings["deadline"] - now() if settings else None
    return {"alive": alive, "left": left, "error": state.get("error", ""), "attempts": state.get("attempts", 0)}


def is_running(pid: int) -> bool:
    """Return whether a process exists."""
    return os.path.exists(f"/proc/{pid}")


def remove(folder: str) -> None:
    """Delete the files, first that with the key, which ends loop and watchdog."""
    state = read(folder, "state")
    shutil.rmtree(folder, ignore_errors=True)
    if state and is_running(state["pid"]):
        deadline = time.monotonic() + 5
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
        with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(value, file)
        os.replace(path + ".new", path)
    except OSError:
        pass


def say(value: dict[str, Any]) -> None:
    """Print a result for the caller."""
    print("yotta-watchdog:" + json.dumps(value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], globals().get("SOURCE", "")))
