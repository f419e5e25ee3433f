"""A canary for each secret, pushed through all that a kernel does, is in nothing that leaves it or stays behind."""

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

from .servers import echo

KEY = "canary-of-the-api-key-0a1b2c3d"
VALUE = 'canary-of-a-variable\'s "value" é'
TOKEN = "canary-of-the-registry"
PASSWORD = "canary-of-the-password"
SERVED = "canary-that-a-server-knows"
CANARIES = (KEY, VALUE, TOKEN, PASSWORD, SERVED)

COMMANDS = [
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

WRONG = [
    "ssh train-1",
    "wait finetune-1 --until terminated --timeout 0",
    "create pytorch --gpu L4 --env HF_TOKEN=x",
    "create pytorch --gpu L4 --env-from NOT_THERE",
    "create pytorch --gpu L4 --count 3 --env-from HF_TOKEN",
    "lsit",
    "get nothing-of-that-name",
    "ssh finetune-1",
]

PYTHON = [
    "import copy, pickle, sys, logging; from yotta_jupyter import connect, Panel, PodSpec",
    "yotta = connect(); yotta, repr(yotta), vars(yotta), vars(yotta._transport), yotta.api_key, f'{yotta.api_key}'",
    "import yotta_jupyter.settings as settings; settings.resolve()",
    "made = yotta.pods.create(image='me/own:1', gpu_type='L4', environment_vars={'HF': os.environ['HF_TOKEN']})",
    "pod = next(pod for pod in yotta.pods.list() if 'SERVED' in pod.environment)",
    "pod, repr(pod), str(pod.environment), pod.environment_vars, copy.deepcopy(pod), copy.copy(pod.environment)",
    "pickle.dumps(pod), pickle.loads(pickle.dumps(pod)).environment",
    "import msgspec; msgspec.structs.asdict(pod), msgspec.structs.astuple(pod)",
    "spec = PodSpec.of(image='a/b:1', gpu_type='L4', environment_vars={'HF': os.environ['HF_TOKEN']},"
    " image_public_type='PRIVATE', image_registry_username='me', image_registry_token=os.environ['REGISTRY'])",
    "spec, pickle.dumps(spec), copy.deepcopy(spec), spec.secrets, msgspec.structs.asdict(spec)",
    "frame = yotta.pods.frame(wide=True); frame.to_csv('p.csv'); frame.to_html('p.html'); frame.to_json('p.json')",
    "flat = frame.astype({c: str for c in frame if frame[c].dtype == object}); flat.to_parquet('p.parquet')",
    "frame.to_pickle('pods.pickle'); frame.to_dict()",
    "%store pod\n%whos\n%config YottaMagics\n%history -n",
]

FAILURES = [
    "%xmode Verbose",
    "yotta.pods.get('1')",
    "def mine(client, pod, spec, variables):\n    1 / 0\nmine(yotta, pod, spec, pod.environment)",
    "%tb Verbose",
    # What nobody expects, at each depth: a traceback with all local variables.
    "import unittest.mock as mock, threading",
    *(
        f"with mock.patch({where!r}, side_effect=RuntimeError('unexpected')):\n"
        f"    yotta.pods.create(image='me/own:1', gpu_type='L4', environment_vars={{'HF': os.environ['HF_TOKEN']}})"
        for where in (
            "yotta_jupyter.api.v1.created_id",
            "yotta_jupyter.api.v1.encode_create_body",
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


class Kernel:
    """A kernel in folders of its own, all that it says, and all that it leaves."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        for name in ("home", "tmp", "work"):
            (folder / name).mkdir()
        private = {"HOME": "home", "TMPDIR": "tmp", "IPYTHONDIR": "home/ipython", "JUPYTER_RUNTIME_DIR": "home/runtime"}
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(
            env={**os.environ, **{name: str(folder / path) for name, path in private.items()}, **environment},
            cwd=folder / "work",
            extra_arguments=["--HistoryManager.enabled=True"],
        )
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.said: list[dict[str, Any]] = []

    def run(self, cell: str, answer: str = "") -> list[dict[str, Any]]:
        """Run a cell, and return what the kernel said meanwhile."""
        before = len(self.said)
        asked = self.client.execute(cell, allow_stdin=bool(answer), store_history=True)

        def ended(message: dict[str, Any]) -> bool:
            if answer and self.client.stdin_channel.msg_ready():
                self.client.get_stdin_msg()
                self.client.input(answer)
            state = message["content"].get("execution_state")
            return state == "idle" and message["parent_header"].get("msg_id") == asked

        assert self.hear(ended), cell
        return self.said[before:]

    def click(self, comm: str, message: dict[str, Any], *buffers: bytes) -> None:
        """Send what a browser would."""
        content = {"comm_id": comm, "data": {"method": "custom", "content": message}}
        self.client.session.send(self.client.shell_channel.socket, "comm_msg", content, buffers=list(buffers))

    def hear(self, is_it: Callable[[dict[str, Any]], bool]) -> bool:
        """Take in what comes until something is said, and return whether it was; nothing stays unnoted."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.said.append(self.client.get_iopub_msg(timeout=0.1))
            except queue.Empty:
                self.said.append({"msg_type": "nothing", "content": {}, "parent_header": {}})
            if is_it(self.said[-1]):
                return True
        return False

    def close(self) -> None:
        if self._manager.has_kernel:
            self.client.stop_channels()
            self._manager.shutdown_kernel()

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Yield by name all that it said and left, but the file that is there to keep the key."""
        for message in self.said:
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
    with Sandbox(api_key=KEY, records=records, speed=100) as sandbox, echo() as echoing:
        kernel = Kernel(
            tmp_path,
            {
                "YOTTA_API_KEY": KEY,
                "YOTTA_BASE_URL": sandbox.base_url,
                "ECHO": echoing,
                "HF_TOKEN": VALUE,
                "REGISTRY": TOKEN,
                "JUPYTER_PASSWORD": PASSWORD,
            },
        )
        try:
            yield kernel
        finally:
            kernel.close()


def test_no_secret_leaves_a_kernel_or_stays_behind(kernel: Kernel, counted: Counter[str]) -> None:
    kernel.run("import logging, os; logging.basicConfig(level=1, filename='all.log', force=True)")
    kernel.run("logging.getLogger().addHandler(logging.StreamHandler())\n%load_ext yotta_jupyter")
    kernel.run("import yotta_jupyter.api.create as create; create.LOOKS_AFTER = (0,)")
    cells = [*PYTHON[:1], *(f"%yotta {line}" for line in [*COMMANDS, *WRONG]), *PYTHON[1:], *FAILURES]
    failed = [cell for cell in cells if any(message["msg_type"] == "error" for message in kernel.run(cell))]
    assert [cell for cell in [*PYTHON, *(f"%yotta {line}" for line in COMMANDS)] if cell in failed] == []
    assert [line for line in WRONG if f"%yotta {line}" not in failed] == []
    kernel.run("echoing = connect(base_url=os.environ['ECHO'])")
    for path in ("echo", "echo-html", "echo-code", "echo-redirect", "echo-created"):
        kernel.run(
            f"import yotta_jupyter.api.v1 as v1\n"
            f"with mock.patch.object(v1, 'CREATE', '/{path}'):\n    echoing.pods.create(spec)"
        )
        kernel.run(f"with mock.patch.object(v1, 'LIST', '/{path}'):\n    echoing.pods.list()")
    kernel.run("%yotta login", answer=KEY)
    _life_of_a_panel(kernel)
    counted["places searched for canaries"] += _search(kernel)


def _life_of_a_panel(kernel: Kernel) -> None:
    kernel.run("panel = Panel(delete_delay=0); panel")
    kernel.run("panel.pods, panel.selected, repr(panel), panel._widget.comm.comm_id")
    comm = next(
        message["content"]["comm_id"]
        for message in kernel.said
        if message["msg_type"] == "comm_open" and "anywidget" in str(message["content"])
    )
    form = {
        "gpu_type": "L4",
        "image": "pytorch",
        "name": "in-panel",
        "private": True,
        "registry_username": "me",
        "registry_token": TOKEN,
        "env": [["HF_TOKEN", VALUE], ["JUPYTER_PASSWORD", PASSWORD]],
    }
    kernel.click(comm, {"t": "view", "view": "v", "seen": True})
    without = {**form, "registry_token": "given", "env": []}
    kernel.click(comm, {"t": "check", "number": 1, "form": without})
    assert kernel.hear(lambda message: "'checked'" in str(message["content"]))
    for broken in (False, True):
        if broken:
            kernel.run(
                "broken = mock.patch('urllib3.connectionpool.HTTPConnectionPool.urlopen', side_effect=TypeError('x'))\n"
                "broken.start()"
            )
        kernel.click(comm, {"t": "launch", "key": uuid.uuid4().hex}, json.dumps(form).encode())
        word = "'failed'" if broken else "'launched'"
        assert kernel.hear(lambda message, word=word: word in str(message["content"]))
    kernel.run("broken.stop(); panel.refresh()")
    for action in ("pause", "resume", "delete", "undo", "dismiss", "select", "rows"):
        kernel.click(comm, {"t": action, "pods": ["1" * 18]})
    kernel.run("import ipywidgets.embed as embed; embed.embed_data([panel._widget])")
    kernel.run("panel.close()\n%unload_ext yotta_jupyter")


def _search(kernel: Kernel) -> int:
    kernel.close()
    needles = {canary: [form.encode() for form in _forms(canary)] for canary in CANARIES}
    found, places = [], 0
    for place, content in kernel.left():
        places += 1
        found += [(canary, place) for canary, forms in needles.items() if any(form in content for form in forms)]
    assert found == []
    assert places > 100
    assert b"canary" not in b"".join(content for _, content in kernel.left())
    return places


def _forms(canary: str) -> set[str]:
    """Return how a text may be written: as it is, by Python, in JSON, in HTML, in a URL, in base64."""
    plain = base64.b64encode(canary.encode()).decode().rstrip("=")
    return {canary, repr(canary)[1:-1], json.dumps(canary)[1:-1], canary.replace("'", "&#x27;"), plain}
