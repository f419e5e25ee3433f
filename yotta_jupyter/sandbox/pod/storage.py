"""The files of a pod."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_OWNER_ONLY: Final = 0o700


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
    environ : Path
        The file with the environment variables of the pod, in the format of ``/proc/1/environ``.
    """

    def __init__(self) -> None:
        # Resolved, because clients may resolve the path of a Unix socket, which is limited in length.
        self.root = Path(tempfile.mkdtemp(prefix="yotta-pod-")).resolve()
        self.home = self.root / "home"
        self.venv = self.root / "venv"
        self.temporary = self.root / "tmp"
        self.environ = self.root / "environ"

    def create_directories(self) -> None:
        """Create the directories that do not exist."""
        for directory in (self.home, self.temporary, self.home / "workspace"):
            directory.mkdir(_OWNER_ONLY, exist_ok=True)

    def volume_directory(self, mount_path: str | None) -> Path | None:
        """Return the directory for a persistent volume, or None if the mount path is not inside the home directory."""
        if mount_path is None:
            return None
        directory = Path(os.path.normpath(self.home / mount_path.lstrip("/")))
        if directory == self.home or not directory.resolve().is_relative_to(self.home):
            return None
        return directory

    def erase(self, mount_path: str | None) -> None:
        """Remove everything outside the persistent volume."""
        volume = self.volume_directory(mount_path)
        backup = self.root / "volume"
        if volume is not None and volume.is_dir():
            volume.rename(backup)
        for directory in (self.home, self.venv, self.temporary):
            remove_tree(directory)
        self.create_directories()
        if volume is not None and backup.exists():
            volume.parent.mkdir(_OWNER_ONLY, parents=True, exist_ok=True)
            remove_tree(volume)  # `create_directories` may have created it.
            backup.rename(volume)

    def remove(self) -> None:
        """Remove everything."""
        remove_tree(self.root)


def remove_tree(directory: Path) -> None:
    """Remove a directory, also if it contains directories without write permission. Ignore what cannot be removed."""
    for parent, names, _ in os.walk(directory):
        for name in names:
            child = os.path.join(parent, name)
            if not os.path.islink(child):
                with contextlib.suppress(OSError):
                    os.chmod(child, _OWNER_ONLY)
    shutil.rmtree(directory, ignore_errors=True)
