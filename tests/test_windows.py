"""Listing pods and the panel do not need modules that Windows lacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from yotta_jupyter import Sandbox

PROGRAM = """
import socket, sys, time
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
del socket.AF_UNIX, time.clock_gettime
from yotta_jupyter.guard import clock
clock._BOOT_ID /= "missing"
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in ("%load_ext yotta_jupyter", "%yotta list", "%yotta panel", "import yotta_jupyter.remote.remote"):
    shell.run_cell(cell).raise_error()
"""


def test_the_client_and_the_panel_work_without_posix_modules(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
