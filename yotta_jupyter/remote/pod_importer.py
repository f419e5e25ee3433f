"""Make modules importable from their source text. Runs on the pod as the first part of a `bundle`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from typing import Any


class SourceImporter(MetaPathFinder, InspectLoader):
    """Finds and loads the modules of one package.

    Parameters
    ----------
    package : str
    sources : mapping
        Source text by module name.
    """

    def __init__(self, package: str, sources: Mapping[str, str]) -> None:
        self._package = package
        self._sources = {f"{package}.{name}": source for name, source in sources.items()}
        self._sources[package] = ""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname in self._sources else None

    def get_source(self, fullname: str) -> str:
        return self._sources[fullname]

    def is_package(self, fullname: str) -> bool:
        return fullname == self._package


def add_package(package: str, sources: Mapping[str, str]) -> None:
    """Make a package importable, unless it is already.

    Parameters
    ----------
    package : str
    sources : mapping
        Source text by module name.
    """
    if package not in sys.modules:
        sys.meta_path.append(SourceImporter(package, sources))
        importlib.import_module(package)
