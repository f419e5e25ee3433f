"""What the attacks share: how long they go on, what they count, and what they must not leave behind."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import hypothesis
import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

ACTIVE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]"
)
"""What moves a terminal's cursor, turns the reading direction, or cannot be seen."""

_counted = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_counted] = Counter()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what the attacks came to, where they ran in this process."""
    if config.stash[_counted]:
        terminalreporter.section("attacks")
    for what, count in sorted(config.stash[_counted].items()):
        terminalreporter.line(f"{count:>12,}  {what}")


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Counter[str]:
    """Counts what was tried, for the summary."""
    return request.config.stash[_counted]


@pytest.fixture
def effort(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Return the first number in the suite, the second one in the long tier."""
    return lambda quick, long: long if request.config.getoption("--long") else quick


@pytest.fixture
def search(effort: Callable[[int, int], int]) -> Callable[..., hypothesis.settings]:
    """Settings of a hypothesis search of that many examples."""

    def settings(quick: int, long: int, **options: object) -> hypothesis.settings:
        return hypothesis.settings(
            max_examples=effort(quick, long),
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            **options,  # type: ignore[arg-type]
        )

    return settings


def eventually(is_so: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something is so, and return whether it came to be."""
    end = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < end:
        threading.Event().wait(0.02)
    return so


class Left:
    """What threads and sockets this process has, against what it had."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._sockets = self._open()

    @staticmethod
    def _open() -> int:
        return len(psutil.Process().net_connections("inet"))

    def check(self) -> None:
        """Fail where there are more than before, after a moment to end."""
        assert eventually(lambda: set(threading.enumerate()) <= self._threads), [
            thread.name for thread in set(threading.enumerate()) - self._threads
        ]
        assert eventually(lambda: self._open() <= self._sockets), psutil.Process().net_connections("inet")


@pytest.fixture
def nothing_left() -> Iterator[None]:
    left = Left()
    yield
    left.check()


@pytest.fixture
def shell_run(bare_shell: InteractiveShell) -> Iterator[Callable[[str], str]]:
    """Run a cell in a terminal's IPython; return all that it prints."""
    bare_shell.run_line_magic("load_ext", "yotta_jupyter")

    def run(cell: str) -> str:
        with capture_output() as captured:
            bare_shell.run_cell(cell)
        return str(captured.stdout) + str(captured.stderr) + "".join(repr(shown) for shown in captured.outputs)

    yield run
    bare_shell.run_line_magic("unload_ext", "yotta_jupyter")
