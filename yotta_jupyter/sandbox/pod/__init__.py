"""The process in which one pod of the sandbox runs code: an SSH server, a home directory and a Python environment.

It is started by `yotta_jupyter.sandbox.runtime`, which is the only one that talks to it.
"""
