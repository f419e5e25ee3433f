"""A virtual environment that sees the packages of the environment that this process runs in."""

import ensurepip
import importlib.util
import site
import sysconfig
import venv
from pathlib import Path
from typing import Final

_PTH_FILE: Final = "sandbox_packages.pth"
_PIP_SCRIPT: Final = '#!/bin/sh\nexec "{python}" -m pip "$@"\n'


def create_venv(directory: Path) -> None:
    """Create the virtual environment. Packages that are installed into it shadow those that it sees."""
    venv.EnvBuilder(symlinks=True).create(directory)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(directory), "platbase": str(directory)}))
    visible = [path for path in _package_directories() if Path(path).is_dir()]
    # Python executes the import lines of a .pth file and adds its other lines to sys.path.
    lines = [f"import site; site.addsitedir({path!r})" for path in visible] + _bundled_pip()
    (packages / _PTH_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("pip", "pip3"):
        script = directory / "bin" / name
        script.write_text(_PIP_SCRIPT.format(python=directory / "bin" / "python3"), encoding="utf-8")
        script.chmod(0o755)


def _package_directories() -> list[str]:
    directories = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        directories.append(site.getusersitepackages())
    return directories


def _bundled_pip() -> list[str]:
    """Return the path of the pip wheel in Python if this environment has no pip. uv creates such environments."""
    if importlib.util.find_spec("pip") is not None:
        return []
    wheels = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    return [str(wheel) for wheel in wheels]
