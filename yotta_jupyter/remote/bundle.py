"""Join modules into one program, so that the pod's Python runs them without an installation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

_IMPORTER: Final = Path(__file__).with_name("pod_importer.py")


class Bundle(NamedTuple):
    """Modules in one program.

    Attributes
    ----------
    package : str
        The package on the pod that contains the modules. Its name differs for each version of them, because a kernel
        may have imported another version before.
    source : str
        A program that makes the package importable.
    """

    package: str
    source: str


def bundle(folder: Path, names: Sequence[str]) -> Bundle:
    """Return the bundle of some modules of a folder.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Module names. The modules may import one another, the standard library, and what the pod has.
    """
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in names}
    package = "_yotta_" + hashlib.sha256(repr(sources).encode()).hexdigest()[:16]
    return Bundle(package, f"{_IMPORTER.read_text(encoding='utf-8')}\nadd_package({package!r}, {sources!r})\n")
