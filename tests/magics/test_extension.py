"""Loading and unloading the extension, also in several shells of one process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from yotta_jupyter import Sandbox
from yotta_jupyter.magics.extension import show_help_for_question_mark


@pytest.fixture
def second_shell() -> Iterator[InteractiveShell]:
    """Another shell of the same process, with the extension."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config, colors="nocolor")
    shell.run_line_magic("load_ext", "yotta_jupyter")
    yield shell
    shell.run_line_magic("unload_ext", "yotta_jupyter")


def test_unload_removes_the_magic_and_stops_the_sandbox(shell: InteractiveShell) -> None:
    shell.run_cell("%yotta sandbox start")
    sandbox = shell.magics_manager.registry["YottaMagics"].session.sandbox
    with capture_output() as captured:
        shell.run_cell("%reload_ext yotta_jupyter")
    note = "Note: the sandbox was stopped and its pods are gone; %yotta sandbox start starts a new one.\n"
    assert captured.stdout == note
    assert not sandbox.running
    assert len(shell.Completer.custom_matchers) == 1
    assert shell.input_transformers_cleanup.count(show_help_for_question_mark) == 1
    shell.run_cell("%unload_ext yotta_jupyter")
    assert "yotta" not in shell.magics_manager.magics["line"]
    assert "YottaMagics" not in shell.magics_manager.registry
    assert shell.Completer.custom_matchers == []
    assert show_help_for_question_mark not in shell.input_transformers_cleanup


def test_shells_do_not_share_settings(
    shell: InteractiveShell, second_shell: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    with Sandbox(pods=5, api_key=sandbox.api_key) as other:
        shell.run_cell(f'%config YottaMagics.base_url = "{sandbox.base_url}"')
        second_shell.run_cell(f'%config YottaMagics.base_url = "{other.base_url}"')
        assert len(shell.run_cell("%yotta list").result) == 3
        assert len(second_shell.run_cell("%yotta list").result) == 5


def test_unload_in_one_shell_keeps_the_settings_of_another(
    shell: InteractiveShell, second_shell: InteractiveShell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    shell.run_cell(f'%config YottaMagics.base_url = "{sandbox.base_url}"')
    second_shell.run_line_magic("unload_ext", "yotta_jupyter")
    assert sandbox.base_url in shell.run_cell("%yotta status").result
    assert shell.run_cell("from yotta_jupyter import connect; connect().base_url").result == sandbox.base_url


def test_a_sandbox_belongs_to_one_shell(shell: InteractiveShell, second_shell: InteractiveShell) -> None:
    shell.run_cell("%yotta sandbox start")
    assert not second_shell.run_cell("%yotta list").success
    second_shell.run_line_magic("unload_ext", "yotta_jupyter")
    assert "SANDBOX" in shell.run_cell("%yotta status").result


@pytest.mark.parametrize(
    ("cell", "slow"),
    [
        ("%load_ext yotta_jupyter", {"pandas", "ipywidgets", "anywidget", "werkzeug", "requests", "msgspec"}),
        ("%load_ext yotta_jupyter\n%yotta -h", {"pandas", "ipywidgets", "anywidget", "werkzeug"}),
    ],
)
def test_load_and_help_do_not_import_slow_packages(cell: str, slow: set[str]) -> None:
    program = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell.instance(); "
        f"s.run_cell({cell!r}).raise_error(); imported = {slow!r} & set(sys.modules); assert not imported, imported"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
