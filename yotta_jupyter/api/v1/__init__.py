"""Version 1 of the Pods API (``/openapi/v1``)."""

from .backend import V1Backend

__all__ = ["V1Backend"]
