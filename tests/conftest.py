"""Fixtures shared by all tests: a private home directory, and clients of sandboxes over real HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from yotta_jupyter import Client, Sandbox, connect

EXAMPLE_POD = {
    "id": "331864222263676928",
    "orgId": "217646376996249600",
    "applicantId": "217646376987860992",
    "podName": "Test_from_SDK",
    "imageId": "219419172892971011",
    "officialImage": "CUSTOM",
    "imagePublicType": "PUBLIC",
    "image": "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025050802",
    "imageRegistryUsername": None,
    "resourceType": "GPU",
    "gpuType": "NVIDIA_L4_24G",
    "gpuDisplayName": "L4",
    "gpuCount": 1,
    "singleCardVramInGb": 24,
    "singleCardRamInGb": 10,
    "singleCardVcpu": 3,
    "location": "OR",
    "region": "gke-dev-us-west-1",
    "cloudType": "SECURE",
    "containerVolumeInGb": 252,
    "persistentVolumeInGb": 0,
    "persistentMountPath": None,
    "networkUploadMbps": 1258.2912,
    "networkDownloadMbps": 1761.60768,
    "diskReadSpeedMbps": 2516.5824,
    "diskWriteSpeedMbps": 5872.0256,
    "singleCardPrice": 0.6,
    "persistentVolumePrice": 0.00005,
    "containerVolumePrice": 0.00005,
    "initializationCommand": "",
    "environmentVars": [{"key": "JUPYTER_PASSWORD", "value": "9f2375dc-277b-4550-add9-563ad23973a5"}],
    "expose": [
        {
            "port": 22,
            "proxyPort": 32002,
            "protocol": "SSH",
            "host": "34.19.26.12",
            "healthy": True,
            "ingressUrl": "ssh [email protected] -p 32002 -i <private key file>",  # The page hides the user and host.
            "serviceName": "SSH Port",
        }
    ],
    "sshCmd": "",
    "status": "TERMINATED",
    "createdAt": "2025-07-04 10:29:56",
    "updatedAt": "2025-07-04 10:48:13",
}
"""The pod in the provider's API documentation, as JSON."""

LONG_MODULES = {
    "guard/test_idle.py",
    "panel/test_load.py",
    "remote/test_bad_input.py",
    "remote/test_connection.py",
    "remote/test_data.py",
    "remote/test_files.py",
    "remote/test_hostile_agent.py",
    "remote/test_reconnect.py",
}
"""Modules that would take the suite beyond its time limit. Run them with ``--long``."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the long modules without ``--long``."""
    is_long = "/".join(collection_path.parts[-2:]) in LONG_MODULES
    if is_long and not config.getoption("--long"):
        return True
    return None  # Other hooks decide.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="also run the long modules, and more examples in tests/security"
    )


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private home directory, without settings from the environment."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("YOTTA_")]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def bare_shell() -> Iterator[InteractiveShell]:
    """An IPython shell without the extension, history file and colors."""
    config = Config()
    config.HistoryManager.enabled = False
    yield InteractiveShell.instance(config=config, colors="nocolor")
    InteractiveShell.clear_instance()


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """A function that returns `EXAMPLE_POD` with changed fields: ``record(status="RUNNING")``."""
    return lambda **changes: {**EXAMPLE_POD, **changes}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with its default pods: train-1 and notebook-1, which are RUNNING, and finetune-1, which is PAUSED."""
    with Sandbox(speed=200) as sandbox:
        yield sandbox


@pytest.fixture
def yotta(sandbox: Sandbox) -> Iterator[Client]:
    """A client of `sandbox`."""
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yield yotta


@pytest.fixture
def make_client() -> Iterator[Callable[..., Client]]:
    """A function that starts a sandbox with the given options and returns a client of it."""
    with ExitStack() as stack:

        def make(**options: Any) -> Client:
            sandbox = stack.enter_context(Sandbox(**options))
            return stack.enter_context(connect(sandbox.api_key, base_url=sandbox.base_url))

        yield make


@pytest.fixture
def short_lookup_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delays between the listings that look for a pod after a lost response to its creation."""
    monkeypatch.setattr("yotta_jupyter.api.idempotency.LOOKUP_DELAYS", (0, 0.05, 0.1))
