"""Measure ratios against baselines in the same run and print a table: ``python -m tests.benchmarks``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pandas as pd
import requests

from tests.benchmarks import browser, magic, remote
from tests.benchmarks.timing import Row, best_of
from yotta_jupyter import Sandbox, connect
from yotta_jupyter.api.transport import Response
from yotta_jupyter.pod_columns import COLUMNS, TIMESTAMP

PODS = 10_000


TIMED_STATEMENT = """
import time
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
started = time.perf_counter()
{}
print(time.perf_counter() - started)
"""


def load_extension() -> Row:
    """Time ``%load_ext`` and ``import pandas``, each in a new interpreter."""

    def time_of(statement: str) -> float:
        command = [sys.executable, "-c", TIMED_STATEMENT.format(statement)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])

    ours, baseline = [], []
    for _ in range(5):
        ours.append(time_of("shell.run_line_magic('load_ext', 'yotta_jupyter')"))
        baseline.append(time_of("import pandas"))
    return Row("%load_ext / import pandas", min(ours), min(baseline), 0.05)


def frames(body: bytes, wide: bool) -> Row:
    """Time a listing's bytes to a DataFrame, against json, pandas and astype with the same columns."""
    yotta = connect("unused", base_url="http://127.0.0.1:1")
    yotta._transport.request = lambda *args: Response("http://127.0.0.1", 200, body)  # type: ignore[method-assign]
    dtypes = {_camel_case(name): column.dtype for name, column in COLUMNS.items()}
    if wide:
        dtypes = _dtypes_of_all_fields(body) | dtypes

    def ours() -> pd.DataFrame:
        return yotta.pods.frame(wide=wide)

    def baseline() -> pd.DataFrame:
        frame = pd.DataFrame(json.loads(body)["data"]).set_index("id")
        frame["ssh"] = [_ssh_command(ports) for ports in frame["expose"]]
        gpus = frame["singleCardPrice"] * frame["gpuCount"]
        container = frame["containerVolumePrice"] * frame["containerVolumeInGb"]
        frame["hourly_cost"] = gpus + container + frame["persistentVolumePrice"] * frame["persistentVolumeInGb"]
        return frame[list(dtypes)].astype(dtypes)

    title = f"{PODS:,} pods to the {'wide' if wide else 'default'} DataFrame / json + pandas"
    return Row(title, *best_of(15, ours, baseline), limit=1.0 if wide else 0.7)


def _camel_case(name: str) -> str:
    """Return the API's name of a column; computed columns keep theirs."""
    if name == "name":
        return "podName"
    if name in ("hourly_cost", "ssh"):
        return name
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _ssh_command(ports: list[dict[str, Any]]) -> str | None:
    for port in ports:
        if port["protocol"] == "SSH" and port["healthy"]:
            return f"ssh user@{port['host']} -p {port['proxyPort']}"
    return None


def _dtypes_of_all_fields(body: bytes) -> dict[str, str]:
    dtypes_of_types = {str: "string", int: "Int64", float: "float64"}
    first = json.loads(body)["data"][0]
    del first["id"]  # The index.
    dtypes = {name: dtypes_of_types.get(type(value), "object") for name, value in first.items()}
    return dtypes | {"createdAt": TIMESTAMP, "updatedAt": TIMESTAMP}


def pause_many() -> Row:
    """Time pausing 64 pods with one command, against one after another. Each response takes 100 ms."""
    with Sandbox(pods=0, speed=1e6) as sandbox:
        yotta = connect(sandbox.api_key, base_url=sandbox.base_url)
        options = {"image": "yottalabsai/pytorch:2.9.0", "gpu_type": "NVIDIA_L4_24G"}
        groups = [[yotta.pods.create(**options).id for _ in range(64)] for _ in range(4)]
        sandbox.advance(1e6)
        sandbox.add_fault("*:slow=0.1")
        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        shell.run_line_magic("load_ext", "yotta_jupyter")
        shell.run_cell(f"import os; os.environ['YOTTA_BASE_URL'] = {sandbox.base_url!r}", silent=True)
        shell.run_cell(f"os.environ['YOTTA_API_KEY'] = {sandbox.api_key!r}", silent=True)

        def pause_group() -> None:
            shell.user_ns["ids"] = groups.pop()
            assert shell.run_cell("_ = get_ipython().run_line_magic('yotta', 'pause $ids')", silent=True).success

        def pause_one_by_one() -> None:
            for pod_id in groups.pop():
                yotta.pods.pause(pod_id)

        (together,) = best_of(3, pause_group)
        (one_by_one,) = best_of(1, pause_one_by_one)
        return Row("pause 64 pods with one command / one after another", together, one_by_one, 1 / 8)


def small_listing() -> Row:
    """Time a listing of three pods, against a request and json.loads."""
    with Sandbox(pods=3) as sandbox, requests.Session() as session:
        yotta = connect(sandbox.api_key, base_url=sandbox.base_url)
        url, headers = f"{sandbox.base_url}/openapi/v1/pods/list", {"x-api-key": sandbox.api_key}

        def baseline() -> None:
            json.loads(session.get(url, headers=headers, timeout=60).content)

        return Row("list three pods / requests + json.loads", *best_of(300, yotta.pods.list, baseline), limit=1.3)


def main() -> None:
    """Run all benchmarks and print one row for each."""
    with Sandbox(pods=PODS) as sandbox:
        url = f"{sandbox.base_url}/openapi/v1/pods/list"
        body = requests.get(url, headers={"x-api-key": sandbox.api_key}, timeout=60).content
    rows = [
        load_extension(),
        frames(body, wide=False),
        frames(body, wide=True),
        pause_many(),
        small_listing(),
        *browser.rows(),
        *remote.rows(),
        *magic.rows(),
    ]
    print(f"{'benchmark':<68}{'ours ms':>10}{'base ms':>10}{'ratio':>8}{'at most':>9}")
    for title, ours, baseline, limit in rows:
        print(f"{title:<68}{ours * 1000:>10.1f}{baseline * 1000:>10.1f}{ours / baseline:>8.3f}{limit:>9.3f}")


if __name__ == "__main__":
    main()
