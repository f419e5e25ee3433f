"""The control panel of ``%yotta panel``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .panel import Panel

__all__ = ["Panel"]


def __getattr__(name: str) -> Any:
    # `%yotta -h` names the command; ipywidgets is imported when a panel is shown.
    if name != "Panel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .panel import Panel

    return Panel
