"""A stand-in for the Pods API on this machine: no account, no network, no cost.

``Sandbox`` serves it from a thread of this process; ``python -m yotta_jupyter.sandbox`` serves it from one of its own.
"""

from yotta_jupyter.sandbox.control import Sandbox
from yotta_jupyter.sandbox.seen import SeenRequest

__all__ = ["Sandbox", "SeenRequest"]
