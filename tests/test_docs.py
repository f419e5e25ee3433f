"""The documents are correct: snippets run, commands parse, links resolve, and the reference matches the code."""

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
from yotta_jupyter.magics.dispatch import get_command
from yotta_jupyter.magics.expansion import split_line

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = {
    "sh": "installs and starts programs; .ci/run does, and the test below only checks its names",
    "text": "docstrings and fragments",
    "mermaid": "diagrams",
}
PROGRAMS = {"python3", "python", ".", "pip", "jupyter", "pytest", "nox", "npm", "pre-commit"}


def snippets(languages: set[str]) -> Iterator[object]:
    for document in DOCUMENTS:
        for number, (language, text) in enumerate(FENCE.findall(document.read_text())):
            if language in languages:
                yield pytest.param(language, text, id=f"{document.name}-{number}")


@pytest.fixture
def shell(bare_shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell connected to a sandbox that has the pods of the documents."""
    with Sandbox(speed=50) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        monkeypatch.setattr("getpass.getpass", lambda prompt="": sandbox.api_key)
        yield bare_shell
        bare_shell.run_cell("%unload_ext yotta_jupyter")


def test_all_languages_of_snippets_are_known() -> None:
    languages = {language for document in DOCUMENTS for language, _ in FENCE.findall(document.read_text())}
    assert languages == {"ipython", "python", *NOT_RUN}


@pytest.mark.parametrize(("language", "text"), list(snippets({"ipython", "python"})))
def test_snippet_runs(shell: InteractiveShell, language: str, text: str) -> None:
    # A snippet is either a terminal session with prompts, or one cell.
    inputs = re.findall(r"^In \[\d+\]: (.*(?:\n   \.\.\.: .*)*)$", text, re.MULTILINE)
    cells = [cell.replace("\n   ...: ", "\n") for cell in inputs] or [text]
    for cell in ["%load_ext yotta_jupyter", *cells]:
        with capture_output():
            shell.run_cell(cell).raise_error()


@pytest.mark.parametrize(("language", "text"), list(snippets({"sh"})))
def test_extras_files_and_programs_of_shell_snippets_exist(language: str, text: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\[(\w+)\]", text)) <= set(extras)
    assert all((ROOT / path).exists() for path in re.findall(r"\S+\.(?:ipynb|py)\b", text))
    programs = {line.split()[0] for line in re.split(r"&&|\n", text) if line.strip()}
    assert programs <= PROGRAMS


def magic_lines() -> Iterator[object]:
    for document in DOCUMENTS:
        for line in re.findall(r"`%%?yotta ([^`\n]+)`", document.read_text()):
            yield pytest.param(line, id=f"{document.name}-{line}")


@pytest.mark.parametrize("line", list(magic_lines()))
def test_magic_parses(line: str) -> None:
    if line in ("-h", "--version"):
        return
    line = line.partition(" -- ")[0]
    without_variables = re.sub(r"\$[\w.]+", "pod", line).replace("…", "")
    name, *arguments = split_line(without_variables, {})
    command = get_command(name.removesuffix("?"))
    assert command is not None, line
    is_placeholder = bool(arguments) and arguments[0].isupper()  # Such as POD or SRC DST.
    if arguments and arguments != ["-h"] and not is_placeholder:
        command.parser().parse_words(arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_resolve(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text()):
        if target.startswith("https://"):
            continue
        linked = document.parent / target if target else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_reference_matches_the_code() -> None:
    module = runpy.run_path(str(ROOT / "docs" / "generate_reference.py"))
    assert module["reference"]() == module["FILE"].read_text(), "run: python docs/generate_reference.py"
