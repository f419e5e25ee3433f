"""Settings made in an IPython shell.

``%load_ext`` imports this module, so it imports nothing that takes long.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class ConfigOverrides(NamedTuple):
    """The settings of one IPython shell, from ``%config YottaMagics`` or from ``%yotta sandbox start``.

    Attributes
    ----------
    base_url, profile : str or None
    timeout : float or None
        Seconds for a complete response.
    api_key : str or None
        The key of a sandbox. ``%config`` has no key, because its values end up in notebooks.
    source : str
        The name of the source of these settings in messages.
    ssh_key : str or None
        The private SSH key file.
    guard_after : str or None
        The time after which a guard pauses each pod that ``%yotta create`` or the panel creates.
    """

    base_url: str | None = None
    profile: str | None = None
    timeout: float | None = None
    api_key: str | None = None
    source: str = "%config"
    ssh_key: str | None = None
    guard_after: str | None = None


_providers: WeakKeyDictionary[InteractiveShell, Callable[[], ConfigOverrides]] = WeakKeyDictionary()


def register_overrides(shell: InteractiveShell, provider: Callable[[], ConfigOverrides]) -> None:
    """Set the function that returns the settings of an IPython shell.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    provider : callable
    """
    _providers[shell] = provider


def unregister_overrides(shell: InteractiveShell) -> None:
    """Remove the settings of an IPython shell. Settings of other shells stay.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    _providers.pop(shell, None)


def current_overrides() -> ConfigOverrides:
    """Return the settings of the IPython shell that runs this code.

    Returns
    -------
    ConfigOverrides
        Empty outside of IPython or without the extension.
    """
    shell = _current_shell()
    provider = None if shell is None else _providers.get(shell)
    return provider() if provider else ConfigOverrides()


def _current_shell() -> Any:
    # While a shell runs a cell, IPython sets this builtin to a method of that shell.
    method = getattr(builtins, "get_ipython", None)
    shell = getattr(method, "__self__", None)
    if shell is not None or "IPython" not in sys.modules:
        return shell
    # Outside of a cell, such as in a thread, only the first shell of the process is known.
    from IPython.core.getipython import get_ipython

    return get_ipython()
