"""The ``%yotta`` magic. Commands and their dependencies are imported when the first command runs."""

from .extension import load, unload

__all__ = ["load", "unload"]
