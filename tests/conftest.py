"""What all tests share: a private home, and a client of a sandbox over real HTTP."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from yotta_jupyter import Sandbox, connect
from yotta_jupyter.connection import Yotta

PAGE_POD = {
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
            "ingressUrl": "ssh [email protected] -p 32002 -i <private key file>",
            "serviceName": "SSH Port",
        }
    ],
    "sshCmd": "",
    "status": "TERMINATED",
    "createdAt": "2025-07-04 10:29:56",
    "updatedAt": "2025-07-04 10:48:13",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="let the attacks of tests/proof go on for long")


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """A home of the test's own, and no settings from outside."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith("YOTTA_")]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def bare_shell() -> Iterator[InteractiveShell]:
    """IPython's shell, without the extension, a history file and colours."""
    config = Config()
    config.HistoryManager.enabled = False
    yield InteractiveShell.instance(config=config, colors="nocolor")
    InteractiveShell.clear_instance()


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """The page's example of a pod, with changes."""
    return lambda **changes: {**PAGE_POD, **changes}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(speed=200) as sandbox:
        yield sandbox


@pytest.fixture
def yotta(sandbox) -> Iterator[Yotta]:
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yield yotta


@pytest.fixture
def client_of() -> Iterator[Callable[..., Yotta]]:
    """Start a sandbox with those options and return a client of it."""
    with ExitStack() as stack:

        def start(**options: Any) -> Yotta:
            sandbox = stack.enter_context(Sandbox(**options))
            return stack.enter_context(connect(sandbox.api_key, base_url=sandbox.base_url))

        yield start


@pytest.fixture
def quick_looks(monkeypatch):
    """Look for a pod whose create went unanswered without the waits for a listing that lags."""
    monkeypatch.setattr("yotta_jupyter.api.create.LOOKS_AFTER", (0, 0.05, 0.1))
