"""The security tests with many more examples: ``python -m tests.security``. Further arguments are passed to pytest."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = [str(HERE), str(HERE.parent / "panel" / "test_load.py")]

if __name__ == "__main__":
    sys.exit(pytest.main([*TESTS, "--long", "-n0", *sys.argv[1:]]))
