"""Tab completion, which sends no request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Sandbox

Run = Callable[[str], Any]


def completions(shell: InteractiveShell, text: str) -> list[str]:
    with provisionalcompleter():
        return [completion.text for completion in shell.Completer.completions(text, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%yotta l", {"list", "login"}),
        ("x = %yotta l", {"list", "login"}),
        ("import os\n%yotta sand", {"sandbox"}),
        ("%yotta list --st", {"--status"}),
        ("%yotta list --status ru", {"running"}),
        ("%yotta wait train --until s", {"ssh"}),
        ("%yotta create py", {"pytorch"}),
        ("%yotta create pytorch --gpu NVIDIA_L4", {"NVIDIA_L4_24G"}),
        ("%yotta create pytorch --gpu L", {"L4"}),
        ("%yotta create pytorch --cloud S", {"SECURE"}),
        ("%yotta sandbox st", {"start", "stop", "status"}),
    ],
)
def test_tab_completes_only_these(shell: InteractiveShell, text: str, expected: set[str]) -> None:
    assert set(completions(shell, text)) == expected


def test_pods_and_regions_come_from_the_last_listing(run: Run, connected: InteractiveShell, sandbox: Sandbox) -> None:
    run("%yotta list")
    request_count = len(sandbox.requests)
    assert completions(connected, "%yotta pause tra") == ["train-1"]
    assert completions(connected, "%yotta pause train-1 note") == ["notebook-1"]
    assert completions(connected, "%yotta list --region us-w") == ["us-west-1"]
    assert len(sandbox.requests) == request_count


def test_profiles_come_from_the_config_file(
    run: Run, connected: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    run("%yotta login --profile work")
    assert completions(connected, "%yotta login --profile w") == ["work"]


def test_tab_does_not_import_pandas() -> None:
    """The import would make the first Tab take a second."""
    program = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell.instance(); "
        "s.run_line_magic('load_ext', 'yotta_jupyter'); matches = s.complete('%yotta l', '%yotta l')[1]; "
        "assert 'list' in matches, matches; sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_other_lines_are_left_to_ipython(shell: InteractiveShell) -> None:
    assert "import" in completions(shell, "impor")
