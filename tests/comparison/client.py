"""A client process of one engine: prints the output of the cell, and writes to a file how the engine reports it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Settings = Mapping[str, str]


def print_output(message: Any) -> None:
    """Print the text of an output of the cell."""
    if message["msg_type"] == "stream":
        print(message["content"]["text"], end="", flush=True)


def run_with_remote(settings: Settings, code: str | None) -> str:
    """Run the cell with `Remote`, or attach to it."""
    from yotta_jupyter.remote import Endpoint, Remote
    from yotta_jupyter.remote.host_keys import HostKeys

    endpoint = Endpoint("1", "127.0.0.1", int(settings["port"]), (settings["user"],), settings["key_file"])
    with Remote(endpoint, host_keys=HostKeys(Path(settings["host_keys"]))) as remote:
        result = remote.attach(on_output=print_output) if code is None else remote.run(code, on_output=print_output)
    return "ok, reports lost output" if result.lost else "ok"


def run_with_jupyter_client(settings: Settings, code: str | None) -> str:
    """Run the cell with jupyter_client, or print the rest of its output."""
    from jupyter_client.blocking.client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=settings["connection_file"])
    client.load_connection_file()
    client.start_channels()
    if code is None:
        return print_rest(client)
    client.wait_for_ready(timeout=60)
    return str(client.execute_interactive(code, output_hook=print_output)["content"]["status"])


def run_with_kernel_client(settings: Settings, code: str | None) -> str:
    """Run the cell with jupyter-kernel-client, or print the rest of its output."""
    from jupyter_kernel_client.manager import KernelHttpManager

    options = {"reconnect_interval": int(settings["reconnect_interval"])}
    address = {name: settings[name] for name in ("server_url", "token", "kernel_id")}
    client = KernelHttpManager(**address, client_kwargs=options).client
    client.start_channels()
    if code is None:
        return print_rest(client)
    client.wait_for_ready(timeout=60)
    return str(client.execute_interactive(code, output_hook=print_output)["content"]["status"])


def print_rest(client: Any) -> str:
    """Print outputs until the kernel is idle after a cell. These engines cannot attach to a running cell."""
    while True:
        message = client.get_iopub_msg(timeout=None)
        print_output(message)
        is_cell = message["parent_header"].get("msg_type") == "execute_request"
        if is_cell and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return "the end, no result"


CLIENTS: Mapping[str, Callable[[Settings, str | None], str]] = {
    "remote": run_with_remote,
    "jupyter_client": run_with_jupyter_client,
    "kernel_client": run_with_kernel_client,
}


def main() -> None:
    """Run as ``python -m tests.comparison.client CLIENT SETTINGS REPORT [CODE]``: without code, attach to the cell."""
    name, settings, report, *code = sys.argv[1:]
    try:
        status = CLIENTS[name](json.loads(settings), code[0] if code else None)
    except Exception as error:
        status = f"error: {type(error).__name__}: {error}"
    Path(report).write_text(status)


if __name__ == "__main__":
    main()
