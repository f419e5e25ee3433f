"""What the documents say is so: snippets run, commands parse, links lead somewhere, the reference is the code's."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from yotta_jupyter import Sandbox
from yotta_jupyter.magics.dispatch import command_named
from yotta_jupyter.magics.line import words

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_ELSEWHERE = {
    "sh": "installing and starting: what .ci/run and a newcomer's trial run; here it is only looked at",
    "text": "docstrings, whose calls have tests of their own",
}


def snippets(kinds: set[str]) -> Iterator[object]:
    for document in DOCUMENTS:
        for number, (kind, text) in enumerate(FENCE.findall(document.read_text())):
            if kind in kinds:
                yield pytest.param(kind, text, id=f"{document.name}-{number}")


@pytest.fixture
def shell(bare_shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell that is connected to a sandbox with the pods that the documents speak of."""
    with Sandbox(speed=50) as sandbox:
        for name, value in {"YOTTA_API_KEY": sandbox.api_key, "YOTTA_BASE_URL": sandbox.base_url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("getpass.getpass", lambda prompt="": sandbox.api_key)
        yield bare_shell
        bare_shell.run_cell("%unload_ext yotta_jupyter")


def test_every_kind_of_snippet_is_known() -> None:
    kinds = {kind for document in DOCUMENTS for kind, _ in FENCE.findall(document.read_text())}
    assert kinds == {"ipython", "python", *RUN_ELSEWHERE}


@pytest.mark.parametrize(("kind", "text"), list(snippets({"ipython", "python"})))
def test_a_snippet_runs(shell: InteractiveShell, kind: str, text: str) -> None:
    cells = re.findall(r"^In \[\d+\]: (.*)$", text, re.MULTILINE) or [text]
    if cells == [text]:
        cells.insert(0, "%load_ext yotta_jupyter")
    for cell in cells:
        with capture_output():
            shell.run_cell(cell).raise_error()


@pytest.mark.parametrize(("kind", "text"), list(snippets({"sh"})))
def test_what_a_shell_snippet_installs_and_opens_is_there(kind: str, text: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\[(\w+)\]", text)) <= set(extras)
    assert all((ROOT / path).exists() for path in re.findall(r"\S+\.(?:ipynb|py)\b", text))
    programs = {line.split()[0] for line in re.split(r"&&|\n", text) if line.strip()}
    assert programs <= {"python3", ".", "pip", "jupyter", "pytest", "python", "nox"}


def magics() -> Iterator[object]:
    for document in DOCUMENTS:
        for line in re.findall(r"`%yotta ([^`\n]+)`", document.read_text()):
            yield pytest.param(line, id=f"{document.name}-{line}")


@pytest.mark.parametrize("line", list(magics()))
def test_a_magic_that_is_named_is_one(line: str) -> None:
    name, *arguments = words(re.sub(r"\$[\w.]+", "pod", line).replace("…", ""), {})
    command = command_named(name)
    assert command is not None, line
    if arguments and arguments != ["-h"] and not arguments[0].isupper():
        command.parser().parse_line(arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert target.startswith("https://") or (document.parent / target).exists(), target


def test_the_reference_is_the_codes() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))
    assert made["reference"]() == made["FILE"].read_text(), "run: python docs/make_reference.py"
