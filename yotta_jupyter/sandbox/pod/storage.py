"""The files of a pod."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_MODE: Final = 0o700


class Storage:
    """A temporary directory with everything that a pod stores.

    Attributes
    ----------
    root : Path
        The temporary directory.
    home : Path
        The home directory. A mount path such as ``/workspace`` is the directory ``workspace`` in it.
    venv : Path
        The directory for the virtual environment.
    temporary : Path
        The directory for temporary files.
    """

    def __init__(self) -> None:
        # Resolved, because the path of a socket in it should be as short as what a client reads from it.
        self.root = Path(tempfile.mkdtemp(prefix="yotta-pod-")).resolve()
        self.home = self.root / "home"
        self.venv = self.root / "venv"
        self.temporary = self.root / "tmp"

    def create_directories(self) -> None:
        """Make the directories that do not exist."""
        for directory in (self.home, self.temporary, self.home / "workspace"):
            directory.mkdir(_MODE, exist_ok=True)

    def mount_path(self, volume: str | None) -> Path | None:
        """Return the directory of a persistent volume, or None if it has none in the home directory."""
        if volume is None:
            return None
        path = Path(os.path.normpath(self.home / volume.lstrip("/")))
        if path == self.home or not path.resolve().is_relative_to(self.home):
            return None
        return path

    def erase(self, volume: str | None) -> None:
        """Remove everything outside the persistent volume."""
        mount_path, kept = self.mount_path(volume), self.root / "volume"
        if mount_path is not None and mount_path.is_dir():
            mount_path.rename(kept)
        for directory in (self.home, self.venv, self.temporary):
            remove_tree(directory)
        self.create_directories()
        if mount_path is not None and kept.exists():
            mount_path.parent.mkdir(_MODE, parents=True, exist_ok=True)
            remove_tree(mount_path)
            kept.rename(mount_path)

    def remove(self) -> None:
        """Remove everything."""
        remove_tree(self.root)


def remove_tree(directory: Path) -> None:
    """Remove a directory, also if it contains directories without write permission. Ignore what cannot be removed."""
    for path, names, _ in os.walk(directory):
        for name in names:
            child = os.path.join(path, name)
            if not os.path.islink(child):
                with contextlib.suppress(OSError):
                    os.chmod(child, _MODE)
    shutil.rmtree(directory, ignore_errors=True)
