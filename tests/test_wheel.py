"""The wheel contains all files of the package and works without the source tree."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import yotta_jupyter
from IPython.core.interactiveshell import InteractiveShell
from yotta_jupyter import Sandbox, connect
print(yotta_jupyter.__file__)
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "yotta_jupyter")
with Sandbox() as sandbox:
    print(len(connect(sandbox.api_key, base_url=sandbox.base_url).pods.frame()), "pods")
print(len(shell.run_line_magic("yotta", "gpus")) > 0)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(directory.glob("*.whl"))


def test_wheel_contains_the_files_of_the_package_only(wheel: Path) -> None:
    contained = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = (path for path in (ROOT / "yotta_jupyter").rglob("*") if path.is_file())
    assert contained == {path.relative_to(ROOT).as_posix() for path in package if path.suffix != ".pyc"}
    assert {"yotta_jupyter/py.typed", "yotta_jupyter/data/catalog.json"} <= contained


def test_wheel_works_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, 'installed'){SCRIPT}"]
    completed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert completed.returncode == 0, completed.stderr
    location, pods, *_messages, has_gpus = completed.stdout.strip().split("\n")
    assert Path(location).is_relative_to(tmp_path)
    assert (pods, has_gpus) == ("3 pods", "True")
