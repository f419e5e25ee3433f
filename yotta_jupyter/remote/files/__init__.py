"""Copy files and folders between this machine and a pod, compared by SHA-256, and resumed after a lost connection.

`copy` and `channel` run here. `pod` runs on the pod, with the modules that run on both sides: they need Python 3.9 and
import only one another and the standard library.
"""

from __future__ import annotations

from .copy import Transferred, get, put

__all__ = ["Transferred", "get", "put"]
