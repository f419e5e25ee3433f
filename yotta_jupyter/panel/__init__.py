"""The control panel of ``%yotta panel``."""

from .panel import Panel, close_all

__all__ = ["Panel", "close_all"]
