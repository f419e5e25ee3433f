"""A local server with the Pods API for demos and tests. It needs no account and no network, and costs nothing.

``Sandbox`` serves the API from a thread of this process, ``python -m yotta_jupyter.sandbox`` from a process of its own.
"""

from .bill import BillItem
from .recorder import RecordedRequest
from .sandbox import Sandbox

__all__ = ["BillItem", "RecordedRequest", "Sandbox"]
