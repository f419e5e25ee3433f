"""Run code on a pod over SSH: cells, shell commands, data, files and port forwards. Independent of notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .endpoint import Endpoint, endpoint_of
    from .files import Transferred
    from .forwards import Forward
    from .outputs import RunResult
    from .remote import Remote
    from .shell import ShellResult

__all__ = ["Endpoint", "Forward", "Remote", "RunResult", "ShellResult", "Transferred", "endpoint_of"]

# The modules are imported when they are used, because asyncssh and others take long to import.
_MODULES = {
    "Endpoint": "endpoint",
    "Forward": "forwards",
    "Remote": "remote",
    "RunResult": "outputs",
    "ShellResult": "shell",
    "Transferred": "files",
    "endpoint_of": "endpoint",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
