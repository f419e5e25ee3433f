"""Move values between this process and the pod's kernel, as data and never as code.

`transfer` runs here. `pod` runs in the kernel, with the modules that encode and decode, which run on both sides: they
need Python 3.9 and import only one another, the standard library, NumPy, pandas and pyarrow.
"""

from __future__ import annotations

from .transfer import MAX_PULLED_BYTES, ValueTransfer, check_variable_name

__all__ = ["MAX_PULLED_BYTES", "ValueTransfer", "check_variable_name"]
