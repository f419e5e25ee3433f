"""Secrets pass through everything that a kernel does, and none is in its messages or in files afterwards."""

from __future__ import annotations

import base64
import json
import os
import queue
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from yotta_jupyter import Sandbox

from .http_servers import serve_echo

KEY = "canary-of-the-api-key-0a1b2c3d"
VALUE = 'canary-of-a-variable\'s "value" é'
TOKEN = "canary-of-the-registry"
PASSWORD = "canary-of-the-password"
SERVED = "canary-of-the-server"
CANARIES = (KEY, VALUE, TOKEN, PASSWORD, SERVED)

VALID_COMMANDS = [
    "-h",
    "list",
    "list --wide",
    "get train-1",
    "cost",
    "gpus",
    "images",
    "status",
    "pause train-1",
    "resume finetune-1",
    "create pytorch --gpu L4 --name made --env-from HF_TOKEN --env-from JUPYTER_PASSWORD --private"
    " --registry-username me --registry-token-env REGISTRY --dry-run",
    "create pytorch --gpu L4 --name made --env-from HF_TOKEN --env-from JUPYTER_PASSWORD --private"
    " --registry-username me --registry-token-env REGISTRY",
    "get made",
    "delete made --yes",
]

INVALID_COMMANDS = [
    "ssh train-1",
    "wait finetune-1 --until terminated --timeout 0",
    "create pytorch --gpu L4 --env HF_TOKEN=x",
    "create pytorch --gpu L4 --env-from MISSING",
    "create pytorch --gpu L4 --count 3 --env-from HF_TOKEN",
    "lsit",
    "get nothing-of-that-name",
    "ssh finetune-1",
]

IMPORTS = "import copy, pickle, sys, logging; from yotta_jupyter import connect, Panel, PodSpec"

VALID_CODE = [
    "yotta = connect(); yotta, repr(yotta), vars(yotta), vars(yotta._transport), yotta.api_key, f'{yotta.api_key}'",
    "import yotta_jupyter.config as config; config.resolve_config(), config.current_overrides()",
    "created = yotta.pods.create(image='me/own:1', gpu_type='L4', environment_vars={'HF': os.environ['HF_TOKEN']})",
    "pod = next(pod for pod in yotta.pods.list() if 'SERVED' in pod.environment)",
    "pod, repr(pod), str(pod.environment), pod.environment_vars, copy.deepcopy(pod), copy.copy(pod.environment)",
    "pickle.dumps(pod), pickle.loads(pickle.dumps(pod)).environment",
    "import msgspec; msgspec.structs.asdict(pod), msgspec.structs.astuple(pod)",
    "spec = PodSpec(image='a/b:1', gpu_type='L4', environment_vars={'HF': os.environ['HF_TOKEN']},"
    " image_public_type='PRIVATE', image_registry_username='me', image_registry_token=os.environ['REGISTRY'])",
    "spec, pickle.dumps(spec), copy.deepcopy(spec), spec.secrets, msgspec.structs.asdict(spec)",
    "frame = yotta.pods.frame(wide=True); frame.to_csv('p.csv'); frame.to_html('p.html'); frame.to_json('p.json')",
    "flat = frame.astype({c: str for c in frame if frame[c].dtype == object}); flat.to_parquet('p.parquet')",
    "frame.to_pickle('pods.pickle'); frame.to_dict()",
    "%store pod\n%whos\n%config YottaMagics\n%history -n",
]

FAILING_CODE = [
    "%xmode Verbose",
    "yotta.pods.get('1')",
    "def fail(client, pod, spec, variables):\n    1 / 0\nfail(yotta, pod, spec, pod.environment)",
    "%tb Verbose",
    # Unexpected exceptions at each level, whose tracebacks show all local variables.
    "import unittest.mock as mock, threading",
    *(
        f"with mock.patch({target!r}, side_effect=RuntimeError('unexpected')):\n"
        f"    yotta.pods.create(image='me/own:1', gpu_type='L4', environment_vars={{'HF': os.environ['HF_TOKEN']}})"
        for target in (
            "yotta_jupyter.api.v1.backend.parse_created_id",
            "yotta_jupyter.api.v1.backend._create_body",
            "yotta_jupyter.api.v1.backend._reveal",
            "yotta_jupyter.api.transport._read",
            "urllib3.connection.HTTPConnection.request",
            "urllib3.connectionpool.HTTPConnectionPool._make_request",
            "http.client.HTTPConnection.putheader",
        )
    ),
    "%tb Verbose",
    "def crash():\n    connect().pods.list(); raise RuntimeError(repr(connect()))\n"
    "thread = threading.Thread(target=crash); thread.start(); thread.join()",
    "%xmode Context",
    "%tb",
]


# A message that meets no condition.
NO_MESSAGE: dict[str, Any] = {"content": {}, "parent_header": {}}


class Kernel:
    """A kernel in private folders. Records its messages."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        for name in ("home", "tmp", "work"):
            (folder / name).mkdir()
        folders = {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "IPYTHONDIR": str(folder / "home" / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(folder / "home" / "runtime"),
        }
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(
            env={**os.environ, **folders, **environment},
            cwd=folder / "work",
            extra_arguments=["--HistoryManager.enabled=True"],
        )
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.messages: list[dict[str, Any]] = []

    def run(self, cell: str, stdin: str = "") -> list[dict[str, Any]]:
        """Run a cell, answer its prompt with ``stdin``, and return the kernel's messages."""
        before = len(self.messages)
        request_id = self.client.execute(cell, allow_stdin=bool(stdin), store_history=True)

        def is_idle(message: dict[str, Any]) -> bool:
            if stdin and self.client.stdin_channel.msg_ready():
                self.client.get_stdin_msg()
                self.client.input(stdin)
            state = message["content"].get("execution_state")
            return state == "idle" and message["parent_header"].get("msg_id") == request_id

        assert self.receive_until(is_idle), cell
        return self.messages[before:]

    def fails(self, cell: str) -> bool:
        """Run a cell and return whether it raises an exception."""
        return any(message["msg_type"] == "error" for message in self.run(cell))

    def click(self, comm: str, message: dict[str, Any], *buffers: bytes) -> None:
        """Send a message as the panel's front end does."""
        content = {"comm_id": comm, "data": {"method": "custom", "content": message}}
        self.client.session.send(self.client.shell_channel.socket, "comm_msg", content, buffers=list(buffers))

    def receive_until(self, condition: Callable[[dict[str, Any]], bool]) -> bool:
        """Record messages until one meets a condition, and return whether one did."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
                self.messages.append(message)
            except queue.Empty:
                message = NO_MESSAGE
            if condition(message):
                return True
        return False

    def close(self) -> None:
        if self._manager.has_kernel:
            self.client.stop_channels()
            self._manager.shutdown_kernel()

    def traces(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the content of all messages and files, except for the file that stores the key."""
        for message in self.messages:
            yield f"{message['msg_type']} {message['content']}"[:300], json.dumps(message, default=str).encode()
            yield "decoded", str(message["content"]).encode()
            for buffer in message.get("buffers", ()):
                yield "buffer", bytes(buffer)
        for path in self.folder.rglob("*"):
            if path.is_file() and path != self.folder / "home/.yotta/config":
                yield str(path), path.read_bytes()
        yield "parquet", pd.read_parquet(self.folder / "work/p.parquet").to_string().encode()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    records = [
        {"id": "1" * 18, "podName": "train-1", "status": "RUNNING", "environmentVars": [{"key": "A", "value": SERVED}]},
        {"id": "2" * 18, "podName": "finetune-1", "status": "PAUSED", "environmentVars": "x" + SERVED},
        {"id": "3" * 18, "podName": "odd", "status": "RUNNING", "secretThing": {"deep": [SERVED]}, "gpuCount": "many"},
        {"id": "4" * 18, "status": "RUNNING", "environmentVars": [{"key": "SERVED", "value": SERVED}]},
    ]
    with Sandbox(api_key=KEY, records=records, speed=100) as sandbox, serve_echo() as echo_url:
        kernel = Kernel(
            tmp_path,
            {
                "YOTTA_API_KEY": KEY,
                "YOTTA_BASE_URL": sandbox.base_url,
                "ECHO": echo_url,
                "HF_TOKEN": VALUE,
                "REGISTRY": TOKEN,
                "JUPYTER_PASSWORD": PASSWORD,
            },
        )
        try:
            yield kernel
        finally:
            kernel.close()


def test_no_secret_is_in_messages_or_files(kernel: Kernel, attack_counter: Counter[str]) -> None:
    kernel.run("import logging, os; logging.basicConfig(level=1, filename='all.log', force=True)")
    kernel.run("logging.getLogger().addHandler(logging.StreamHandler())\n%load_ext yotta_jupyter")
    kernel.run("import yotta_jupyter.api.idempotency as idempotency; idempotency.LOOKUP_DELAYS = (0,)")
    for cell in [IMPORTS, *(f"%yotta {line}" for line in VALID_COMMANDS)]:
        assert not kernel.fails(cell), cell
    for line in INVALID_COMMANDS:
        assert kernel.fails(f"%yotta {line}"), line
    for cell in VALID_CODE:
        assert not kernel.fails(cell), cell
    for cell in FAILING_CODE:
        kernel.run(cell)
    kernel.run("import yotta_jupyter.api.v1.backend as backend; echo = connect(base_url=os.environ['ECHO'])")
    for path in ("echo", "echo-html", "echo-code", "echo-redirect", "echo-created"):
        for call in ("echo.pods.create(spec)", "echo.pods.list()"):
            kernel.run(f"with mock.patch.object(backend, '_PODS', '/{path}'):\n    {call}")
    kernel.run("%yotta login", stdin=KEY)
    _use_a_panel(kernel)
    attack_counter["messages and files searched for secrets"] += _search(kernel)


def _use_a_panel(kernel: Kernel) -> None:
    kernel.run("panel = Panel(delete_delay=0); panel")
    kernel.run("panel.pods, panel.selected, repr(panel), panel._widget.comm.comm_id")
    comm = next(
        message["content"]["comm_id"]
        for message in kernel.messages
        if message["msg_type"] == "comm_open" and "anywidget" in str(message["content"])
    )
    form = {
        "gpu_type": "L4",
        "image": "pytorch",
        "pod_name": "in-panel",
        "image_public_type": "PRIVATE",
        "image_registry_username": "me",
        "image_registry_token": TOKEN,
        "environment_vars": [["HF_TOKEN", VALUE], ["JUPYTER_PASSWORD", PASSWORD]],
    }
    kernel.click(comm, {"type": "view", "view_id": "v", "visible": True})
    without_secrets = {**form, "image_registry_token": "masked", "environment_vars": []}
    kernel.click(comm, {"type": "validate", "request_id": 1, "form": without_secrets})
    assert kernel.receive_until(lambda message: "'validation'" in str(message["content"]))
    kernel.click(comm, {"type": "launch", "temp_id": uuid.uuid4().hex}, json.dumps(form).encode())
    assert kernel.receive_until(lambda message: "'launched'" in str(message["content"]))
    kernel.run("broken = mock.patch('urllib3.connectionpool.HTTPConnectionPool.urlopen', side_effect=TypeError('x'))")
    kernel.run("broken.start()")
    kernel.click(comm, {"type": "launch", "temp_id": uuid.uuid4().hex}, json.dumps(form).encode())
    assert kernel.receive_until(lambda message: "'failed'" in str(message["content"]))
    kernel.run("broken.stop(); panel.refresh()")
    for action in ("pause", "resume", "delete", "undo", "dismiss", "select", "resync"):
        kernel.click(comm, {"type": action, "pods": ["1" * 18]})
    kernel.run("import ipywidgets.embed as embed; embed.embed_data([panel._widget])")
    kernel.run("panel.close()\n%unload_ext yotta_jupyter")


def _search(kernel: Kernel) -> int:
    """Search all messages and files for secrets, and return their number."""
    kernel.close()
    encodings = {canary: [text.encode() for text in _encodings(canary)] for canary in CANARIES}
    found = []
    count = 0
    for name, content in kernel.traces():
        count += 1
        for canary, texts in encodings.items():
            if any(text in content for text in texts):
                found.append((canary, name))
        assert b"canary" not in content, name
    assert found == []
    assert count > 100
    return count


def _encodings(canary: str) -> set[str]:
    """Return a text as Python, JSON, HTML and base64 may represent it."""
    as_base64 = base64.b64encode(canary.encode()).decode().rstrip("=")
    return {canary, repr(canary)[1:-1], json.dumps(canary)[1:-1], canary.replace("'", "&#x27;"), as_base64}
