"""A client process of one engine: prints what the cell prints and writes how the engine reports the cell."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Settings = Mapping[str, str]


def show(text: str) -> None:
    """Print text of the cell."""
    print(text, end="", flush=True)


def show_output(message: Any) -> None:
    """Print an output of the cell."""
    if message["msg_type"] == "stream":
        show(message["content"]["text"])


def with_remote(settings: Settings, code: str | None) -> str:
    """Run the cell with `Remote`, or attach to it."""
    from yotta_jupyter.remote import Endpoint, Remote
    from yotta_jupyter.remote.host_keys import HostKeys

    endpoint = Endpoint("1", "127.0.0.1", int(settings["port"]), (settings["user"],), settings["key_file"])
    with Remote(endpoint, host_keys=HostKeys(Path(settings["host_keys"]))) as remote:
        result = remote.attach(on_output=show_output) if code is None else remote.run(code, on_output=show_output)
    return "ok, names a gap" if result.lost else "ok"


def with_jupyter_client(settings: Settings, code: str | None) -> str:
    """Run the cell with jupyter_client, or show the rest of its output."""
    from jupyter_client.blocking.client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=settings["connection_file"])
    client.load_connection_file()
    client.start_channels()
    if code is None:
        return show_rest(client)
    client.wait_for_ready(timeout=60)
    return str(client.execute_interactive(code, output_hook=show_output)["content"]["status"])


def with_kernel_client(settings: Settings, code: str | None) -> str:
    """Run the cell with jupyter-kernel-client, or show the rest of its output."""
    from jupyter_kernel_client.manager import KernelHttpManager

    options = {"reconnect_interval": int(settings["reconnect_interval"])}
    address = {name: settings[name] for name in ("server_url", "token", "kernel_id")}
    client = KernelHttpManager(**address, client_kwargs=options).client
    client.start_channels()
    if code is None:
        return show_rest(client)
    client.wait_for_ready(timeout=60)
    return str(client.execute_interactive(code, output_hook=show_output)["content"]["status"])


def show_rest(client: Any) -> str:
    """Show what comes until the kernel is idle after a cell. These engines have no way to attach to a cell."""
    while True:
        message = client.get_iopub_msg(timeout=None)
        show_output(message)
        is_cell = message["parent_header"].get("msg_type") == "execute_request"
        if is_cell and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return "the end, no result"


CLIENTS: Mapping[str, Callable[[Settings, str | None], str]] = {
    "remote": with_remote,
    "jupyter_client": with_jupyter_client,
    "kernel_client": with_kernel_client,
}


def main() -> None:
    """Run as ``python -m tests.comparison.client CLIENT SETTINGS REPORT [CODE]``; without code, attach."""
    name, settings, report, *code = sys.argv[1:]
    try:
        status = CLIENTS[name](json.loads(settings), code[0] if code else None)
    except Exception as error:
        status = f"error: {type(error).__name__}: {error}"
    Path(report).write_text(status)


if __name__ == "__main__":
    main()
