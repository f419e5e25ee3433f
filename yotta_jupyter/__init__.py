"""GPU pods from a notebook: ``%load_ext yotta_jupyter``, then ``%yotta``; or ``connect()`` from Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .client import Client, connect
    from .errors import (
        ApiError,
        AuthenticationError,
        CommandFailed,
        ConnectionFailed,
        CopyInterrupted,
        CreateOutcomeUnknown,
        InvalidPodState,
        InvalidRequest,
        NameTaken,
        PodNotFound,
        RemoteDetached,
        RemoteError,
        RemoteUnavailable,
        ServerError,
        UnexpectedResponse,
        UnknownName,
        UnsupportedValue,
        UnusableKey,
        WaitInterrupted,
        WaitTimeout,
        YottaError,
    )
    from .models import Pod
    from .panel import Panel
    from .sandbox import Sandbox
    from .secret import Secret
    from .spec import PodSpec

__version__ = "0.1.0"

# The module of each public name. Modules are imported on first use, so that `%load_ext` does not import pandas.
_LAZY: Final = {
    **dict.fromkeys(
        (
            "ApiError",
            "AuthenticationError",
            "CommandFailed",
            "ConnectionFailed",
            "CopyInterrupted",
            "CreateOutcomeUnknown",
            "InvalidPodState",
            "InvalidRequest",
            "NameTaken",
            "PodNotFound",
            "RemoteDetached",
            "RemoteError",
            "RemoteUnavailable",
            "ServerError",
            "UnexpectedResponse",
            "UnknownName",
            "UnsupportedValue",
            "UnsupportedValue",
            "UnusableKey",
            "WaitInterrupted",
            "WaitTimeout",
            "YottaError",
        ),
        "errors",
    ),
    "Client": "client",
    "Panel": "panel",
    "Pod": "models",
    "PodSpec": "spec",
    "Sandbox": "sandbox",
    "Secret": "secret",
    "connect": "client",
}

__all__ = [
    "ApiError",
    "AuthenticationError",
    "Client",
    "CommandFailed",
    "ConnectionFailed",
    "CopyInterrupted",
    "CreateOutcomeUnknown",
    "InvalidPodState",
    "InvalidRequest",
    "NameTaken",
    "Panel",
    "Pod",
    "PodNotFound",
    "PodSpec",
    "RemoteDetached",
    "RemoteError",
    "RemoteUnavailable",
    "Sandbox",
    "Secret",
    "ServerError",
    "UnexpectedResponse",
    "UnknownName",
    "UnsupportedValue",
    "UnusableKey",
    "WaitInterrupted",
    "WaitTimeout",
    "YottaError",
    "__version__",
    "connect",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%yotta`` and its completion; called by ``%load_ext yotta_jupyter``.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove ``%yotta``, close panels and connections, stop the sandbox; called by ``%unload_ext yotta_jupyter``.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    from .magics import unload

    if panels := sys.modules.get(f"{__name__}.panel.panel"):
        panels.close_all()
    unload(shell)
