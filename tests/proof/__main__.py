"""The long tier of the proof: ``python -m tests.proof``. More arguments go to pytest."""

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).parent), "--long", "-n0", "-p", "no:nbval", "-rA", *sys.argv[1:]]))
