"""The process in which one pod of the sandbox runs code: an SSH server, a home directory and a Python environment.

`yotta_jupyter.sandbox.runtime` starts and controls it.
"""
