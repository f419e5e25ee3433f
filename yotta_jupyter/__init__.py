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
        RunInterrupted,
        ServerError,
        TransferInterrupted,
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

_MODULES: Final = {
    "Client": "client",
    "Panel": "panel",
    "Pod": "models",
    "PodSpec": "spec",
    "Sandbox": "sandbox",
    "Secret": "secret",
    "connect": "client",
}
"""The modules of the public names outside of `errors`.

A module is imported on first use, so that ``%load_ext`` does not import pandas.
"""

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
    "RunInterrupted",
    "Sandbox",
    "Secret",
    "ServerError",
    "TransferInterrupted",
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
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


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
