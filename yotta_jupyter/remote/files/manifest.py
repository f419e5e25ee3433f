"""The list of what a copy contains: made by the sender, validated by the receiver. Runs on both sides."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any

from .protocol import PART_SUFFIX, CopyError

MAX_ENTRIES = 5_000_000
_FILE_FIELDS = ("size", "mode", "mtime")


def make_manifest(source: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries of a file or a folder, and the paths that are skipped.

    Folders come first, parents before their children; symbolic links come last.

    Raises
    ------
    CopyError
        The source does not exist, or is neither a file nor a folder.
    OSError
        Something in the folder cannot be read.
    """
    try:
        status = os.stat(source)
    except OSError as error:
        raise CopyError(f"{source}: {error.strerror or error}") from None
    if stat.S_ISREG(status.st_mode):
        return [_file_entry("", status)], []
    if not stat.S_ISDIR(status.st_mode):
        raise CopyError(f"{source} is neither a file nor a folder")
    scan = _FolderScan(source, status)
    scan.run()
    folders = sorted(scan.folders, key=lambda entry: entry["path"].count("/"))
    return folders + scan.files + scan.symlinks, scan.skipped


class _FolderScan:
    """Collects the entries of a folder."""

    def __init__(self, root: str, status: os.stat_result) -> None:
        self._root = root
        self.folders = [_folder_entry("", status)]
        self.files: list[dict[str, Any]] = []
        self.symlinks: list[dict[str, Any]] = []
        self.skipped: list[str] = []
        self._pending = [""]

    def run(self) -> None:
        while self._pending:
            folder = self._pending.pop()
            with os.scandir(os.path.join(self._root, folder)) as items:
                for item in sorted(items, key=lambda item: item.name):
                    self._add(item, os.path.join(folder, item.name))

    def _add(self, item: os.DirEntry[str], path: str) -> None:
        if item.is_symlink():
            self._add_symlink(path)
        elif item.is_dir(follow_symlinks=False):
            self.folders.append(_folder_entry(path, item.stat(follow_symlinks=False)))
            self._pending.append(path)
        elif not item.is_file(follow_symlinks=False):
            self.skipped.append(path)
        elif not item.name.endswith(PART_SUFFIX):
            self.files.append(_file_entry(path, item.stat(follow_symlinks=False)))

    def _add_symlink(self, path: str) -> None:
        """Keep a link within the folder; copy the file that another link leads to."""
        full_path = os.path.join(self._root, path)
        target = os.readlink(full_path)
        target_path = os.path.join(os.path.dirname(full_path), target)
        if is_inside(path, target) and os.path.lexists(target_path):
            self.symlinks.append({"type": "symlink", "path": path, "target": target})
            return
        with contextlib.suppress(OSError):
            status = os.stat(full_path)
            if stat.S_ISREG(status.st_mode):
                self.files.append(_file_entry(path, status))
                return
        self.skipped.append(path)


def _folder_entry(path: str, status: os.stat_result) -> dict[str, Any]:
    return {"type": "dir", "path": path, "mode": status.st_mode & 0o777}


def _file_entry(path: str, status: os.stat_result) -> dict[str, Any]:
    mode = status.st_mode & 0o777
    return {"type": "file", "path": path, "size": status.st_size, "mode": mode, "mtime": status.st_mtime_ns}


def is_inside(path: str, target: str) -> bool:
    """Return whether a symbolic link in a folder leads into the folder.

    Parameters
    ----------
    path : str
        Of the link, relative to the folder.
    target : str
        The path that the link contains.
    """
    if not target or target.startswith("/") or "\0" in target:
        return False
    depth = path.count("/")  # Of the link's folder below the root.
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return False
    return True


def check_manifest(entries: Any) -> list[dict[str, Any]]:
    """Return the entries of a received manifest.

    Raises
    ------
    CopyError
        An entry is malformed or leaves the destination.
    """
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ENTRIES:
        raise CopyError("the other side sent no list of files")
    paths: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        path = entry.get("path")
        if not isinstance(path, str) or path in paths or not _has_valid_fields(entry):
            raise CopyError("the other side sent an invalid list of files")
        # The first entry is the source: a folder, or the only file.
        can_be_source = entry["type"] == "dir" or (entry["type"] == "file" and len(entries) == 1)
        is_source = not paths and path == "" and can_be_source
        if not is_source:
            _check_path(path, folders)
        if entry["type"] == "symlink" and not is_inside(path, entry["target"]):
            raise CopyError(f"the other side sent a link that leaves the destination: {path[:200]!r}")
        paths.add(path)
        if entry["type"] == "dir":
            folders.add(path)
    return entries


def _has_valid_fields(entry: dict[str, Any]) -> bool:
    kind = entry.get("type")
    if kind == "dir":
        return isinstance(entry.get("mode"), int)
    if kind == "symlink":
        return isinstance(entry.get("target"), str)
    if kind == "file":
        return all(isinstance(entry.get(name), int) for name in _FILE_FIELDS) and entry["size"] >= 0
    return False


def _check_path(path: str, folders: set[str]) -> None:
    """Refuse a path that is not within one of the folders before it."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise CopyError(f"the other side sent a path outside the destination: {path[:200]!r}")
    if "/".join(parts[:-1]) not in folders:
        raise CopyError(f"the other side sent a file without its folder: {path[:200]!r}")
