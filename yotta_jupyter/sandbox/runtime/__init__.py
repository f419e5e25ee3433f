"""Start and end the processes in which pods run code. `yotta_jupyter.sandbox.pod` is what runs in them."""

from .manager import PodRuntimes, missing_requirement

__all__ = ["PodRuntimes", "missing_requirement"]
