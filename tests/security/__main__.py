"""The long tier of the proof: ``python -m tests.proof``. More arguments go to pytest."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ATTACKS = [str(HERE), str(HERE.parent / "panel" / "test_load.py")]

if __name__ == "__main__":
    sys.exit(pytest.main([*ATTACKS, "--long", "-n0", *sys.argv[1:]]))
