"""Running a notebook twice pays once: cells that create pods reuse them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from yotta_jupyter import Sandbox

NOTEBOOKS = sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb"))
SKIPPED = ("%yotta sandbox", "%yotta delete", "del os.environ")
"""Cells that a user of an account skips, or that clean up at the end."""


def code_cells(notebook: Path) -> Iterator[tuple[str, bool]]:
    """Yield the source of each code cell, and whether it fails on purpose."""
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"]), "raises-exception" in cell["metadata"].get("tags", ())


def creates_pods(notebook: Path) -> bool:
    return any("%yotta create" in source and "--dry-run" not in source for source, _ in code_cells(notebook))


def test_notebooks_that_create_pods_are_found() -> None:
    assert {notebook.stem for notebook in filter(creates_pods, NOTEBOOKS)} == {"compute", "images", "quickstart"}


@pytest.mark.parametrize("notebook", list(filter(creates_pods, NOTEBOOKS)), ids=lambda path: path.stem)
def test_running_a_notebook_twice_ends_with_the_same_pods(
    bare_shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, notebook: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # The cell that removes the copied files is skipped.
    with Sandbox(speed=100) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        names_and_ids = []
        for _ in range(2):
            run_with_account(bare_shell, notebook)
            names_and_ids.append(sorted((pod["podName"], pod["id"]) for pod in sandbox.pods()))
            bare_shell.run_cell("%unload_ext yotta_jupyter")
            bare_shell.reset()
    assert names_and_ids[0] == names_and_ids[1]
    assert len(names_and_ids[0]) == 4, "the three pods of the sandbox and one new pod"


def run_with_account(shell: InteractiveShell, notebook: Path) -> None:
    """Run all cells but those of the notebook's own sandbox and those that clean up."""
    for source, fails in code_cells(notebook):
        if any(text in source for text in SKIPPED):
            continue
        with capture_output():
            result = shell.run_cell(source)
        assert result.success is not fails, source
