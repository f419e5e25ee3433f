"""The side of the sandbox that starts and ends the processes in which pods run code."""

from .manager import PodRuntimes, missing_requirement

__all__ = ["PodRuntimes", "missing_requirement"]
