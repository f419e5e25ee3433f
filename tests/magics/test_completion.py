"""Tab completion, which sends no request."""

from __future__ import annotations

import os
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
        ("%yotta create pytorch --gpu h1", {"H100"}),
        ("%yotta create pytorch --gpu A1", {"A100"}),
        ("%yotta create pytorch --gpu 40", {"4090"}),
        ("%yotta create pytorch --gpu 5", {"5090"}),
        ("%yotta create pytorch --as", {"--as-typed"}),
        ("%yotta --v", {"--version"}),
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


def test_an_environment_variable_is_completed_after_env_from(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary")
    assert completions(shell, "%yotta create pytorch --gpu L4 --env-from HF_") == ["HF_TOKEN"]
    offered = completions(shell, "%yotta create pytorch --gpu L4 --env-from ")
    assert set(offered) == {name for name in os.environ if name.isidentifier()}
    assert "canary" not in offered


def test_variables_of_the_notebook_are_completed_after_push(shell: InteractiveShell) -> None:
    shell.run_cell("frame = 1; _hidden = 2")
    assert completions(shell, "%%yotta run train --push ") == ["frame"]
    assert completions(shell, "%%yotta run --push fr") == ["frame"]


@pytest.mark.parametrize(
    "text", ["create pytorch --gpu L4 --name ", "create pytorch --name imp", "get im", "nonsense "]
)
def test_python_names_are_never_offered(shell: InteractiveShell, text: str) -> None:
    """A completion equal to what is typed changes nothing."""
    fragment = text.rpartition(" ")[2]
    assert completions(shell, f"%yotta {text}") == [fragment]


def test_names_come_without_ids_and_quoted_if_necessary(
    run: Run, connected: InteractiveShell, record: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b", "a pod", "same", "same", None, "it's {x}", "line\nbreak"]
    pods = [record(id=f"10{n}", podName=name, status="RUNNING") for n, name in enumerate(names)]
    with Sandbox(records=pods) as sandbox:
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        run("%yotta list")
        quoted = """'it'"'"'s {{x}}'"""
        expected = ["'a pod'", "b", quoted, "102", "103", "104", "106"]
        assert completions(connected, "%yotta get ") == expected
        assert completions(connected, "%yotta get 'a p") == ["'a pod'"]
        assert completions(connected, "%yotta get a") == ["'a pod'"]
        assert completions(connected, "%yotta pause 'a pod' 10") == ["102", "103", "104", "106"]
        assert run(f"%yotta get {quoted}").id == "105"
        assert run("%yotta get 'a pod'").id == "101"
