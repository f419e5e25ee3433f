"""Fixtures of the security tests: the number of examples, a count of attacks, and a check for leaks."""

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

CONTROL_CHARS = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]"
)
"""Characters that move a terminal's cursor, change the direction of text, or are invisible."""

_ATTACK_COUNTER = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ATTACK_COUNTER] = Counter()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the number of attacks. Those of xdist's workers are not included."""
    if config.stash[_ATTACK_COUNTER]:
        terminalreporter.section("attacks")
    for label, count in sorted(config.stash[_ATTACK_COUNTER].items()):
        terminalreporter.line(f"{count:>12,}  {label}")


@pytest.fixture
def attack_counter(request: pytest.FixtureRequest) -> Counter[str]:
    """Counts of attacks by kind, for the summary."""
    return request.config.stash[_ATTACK_COUNTER]


@pytest.fixture
def example_budget(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Return the number of examples: ``short`` in the test suite, ``long`` with the option ``--long``."""
    is_long = request.config.getoption("--long")
    return lambda short, long: long if is_long else short


@pytest.fixture
def search_settings(example_budget: Callable[[int, int], int]) -> Callable[..., hypothesis.settings]:
    """Return the settings of a hypothesis search with the number of examples of `example_budget`."""

    def make_settings(short: int, long: int, **options: object) -> hypothesis.settings:
        return hypothesis.settings(
            max_examples=example_budget(short, long),
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            **options,  # type: ignore[arg-type]
        )

    return make_settings


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until a condition is true, and return whether it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        threading.Event().wait(0.02)  # time.sleep may be patched.
    return condition()


class LeakChecker:
    """Compares the threads and sockets of this process with those at its creation."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._sockets = self._count_sockets()

    @staticmethod
    def _count_sockets() -> int:
        return len(psutil.Process().net_connections("inet"))

    def _new_threads(self) -> set[threading.Thread]:
        return set(threading.enumerate()) - self._threads

    def check(self) -> None:
        """Fail if new threads or sockets remain after some seconds."""
        assert wait_until(lambda: not self._new_threads()), self._new_threads()
        assert wait_until(lambda: self._count_sockets() <= self._sockets), psutil.Process().net_connections("inet")


@pytest.fixture
def no_resource_leaks() -> Iterator[None]:
    checker = LeakChecker()
    yield
    checker.check()


@pytest.fixture
def run_cell(bare_shell: InteractiveShell) -> Iterator[Callable[[str], str]]:
    """Run a cell in an IPython terminal with the extension, and return all of its output."""
    bare_shell.run_line_magic("load_ext", "yotta_jupyter")

    def run(cell: str) -> str:
        with capture_output() as captured:
            bare_shell.run_cell(cell)
        return str(captured.stdout) + str(captured.stderr) + "".join(repr(output) for output in captured.outputs)

    yield run
    bare_shell.run_line_magic("unload_ext", "yotta_jupyter")
