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
        ConnectInterrupted,
        ConnectionFailed,
        CopyInterrupted,
        CreateOutcomeUnknown,
        InvalidPodState,
        InvalidRequest,
        NameTaken,
        PodNotFound,
        PodUnreachable,
        RemoteDetached,
        RemoteError,
        RemoteUnavailable,
        RequestInterrupted,
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

_NAMES_BY_MODULE: Final = {
    "client": ("Client", "connect"),
    "errors": (
        "ApiError",
        "AuthenticationError",
        "CommandFailed",
        "ConnectInterrupted",
        "ConnectionFailed",
        "CopyInterrupted",
        "CreateOutcomeUnknown",
        "InvalidPodState",
        "InvalidRequest",
        "NameTaken",
        "PodNotFound",
        "PodUnreachable",
        "RemoteDetached",
        "RemoteError",
        "RemoteUnavailable",
        "RequestInterrupted",
        "ServerError",
        "UnexpectedResponse",
        "UnknownName",
        "UnsupportedValue",
        "UnusableKey",
        "WaitInterrupted",
        "WaitTimeout",
        "YottaError",
    ),
    "models": ("Pod",),
    "panel": ("Panel",),
    "sandbox": ("Sandbox",),
    "secret": ("Secret",),
    "spec": ("PodSpec",),
}
"""The public names by module. A module is imported on first use, so that ``%load_ext`` does not import pandas."""

_MODULES: Final = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}

__all__ = [
    "ApiError",
    "AuthenticationError",
    "Client",
    "CommandFailed",
    "ConnectInterrupted",
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
    "PodUnreachable",
    "RemoteDetached",
    "RemoteError",
    "RemoteUnavailable",
    "RequestInterrupted",
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
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


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

    panel_module = sys.modules.get(f"{__name__}.panel.panel")
    if panel_module:  # Without it, no panel was made.
        panel_module.close_all()
    unload(shell)
