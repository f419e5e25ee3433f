"""GPU pods from a notebook: ``%load_ext yotta_jupyter``, then ``%yotta``; or ``connect()`` from Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import (
        ApiError,
        AuthenticationError,
        ConnectionFailed,
        CreateOutcomeUnknown,
        InvalidPodState,
        InvalidRequest,
        Pod,
        PodNotFound,
        PodSpec,
        Secret,
        UnexpectedResponse,
        WaitInterrupted,
        WaitTimeout,
        YottaError,
    )
    from .connection import Yotta, connect
    from .panel import Panel
    from .sandbox import Sandbox

__version__ = "0.1.0"

# Where each public name lives. It is imported when it is first used: `%load_ext` must not wait for pandas.
_HOMES: Final = {
    "ApiError": "api",
    "AuthenticationError": "api",
    "ConnectionFailed": "api",
    "CreateOutcomeUnknown": "api",
    "InvalidPodState": "api",
    "InvalidRequest": "api",
    "Panel": "panel",
    "Pod": "api",
    "PodNotFound": "api",
    "PodSpec": "api",
    "Sandbox": "sandbox",
    "Secret": "api",
    "UnexpectedResponse": "api",
    "WaitInterrupted": "api",
    "WaitTimeout": "api",
    "Yotta": "connection",
    "YottaError": "api",
    "connect": "connection",
}

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConnectionFailed",
    "CreateOutcomeUnknown",
    "InvalidPodState",
    "InvalidRequest",
    "Panel",
    "Pod",
    "PodNotFound",
    "PodSpec",
    "Sandbox",
    "Secret",
    "UnexpectedResponse",
    "WaitInterrupted",
    "WaitTimeout",
    "Yotta",
    "YottaError",
    "__version__",
    "connect",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%yotta`` and its completion; called by ``%load_ext yotta_jupyter``.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take ``%yotta`` away, close panels and connections, stop the sandbox; called by ``%unload_ext yotta_jupyter``.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    from .magics import unload

    if panels := sys.modules.get(f"{__name__}.panel.panel"):
        panels.close_all()
    unload(shell)
