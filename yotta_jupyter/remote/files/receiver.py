"""Receive a file or a folder. Runs on both sides.

* A file arrives under a temporary name beside its destination, is compared by SHA-256 and then renamed.
* A folder's contents go into the destination folder. A file goes into an existing destination folder.
* An existing path is overwritten only by an entry of the same type, such as a file by a file.
* The receiver does not trust the sender: no path leaves the destination, also not through a symbolic link.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from typing import Any

from .manifest import check_manifest
from .protocol import CopyError, CopyListener, FrameChannel, describe_os_error, hash_next, part_path, to_json

_HAS_TYPE = {"dir": stat.S_ISDIR, "file": stat.S_ISREG, "symlink": stat.S_ISLNK}
"""Checks of a file mode by the type of entry."""
_TYPE_NAMES = {"dir": "a folder", "file": "a file", "symlink": "a link"}
"""Types of entries in messages."""


def receive(channel: FrameChannel, destination: str, listener: CopyListener) -> dict[str, Any]:
    """Receive a file or a folder.

    Parameters
    ----------
    channel : FrameChannel
    destination : str
    listener : CopyListener

    Returns
    -------
    dict
        The report, which is also sent to the sender.

    Raises
    ------
    CopyError
        The destination cannot be written, or the sender violates the protocol or reports an error.
    """
    head, body = channel.receive()
    entries = check_manifest(json.loads(body))
    root = destination
    try:
        if entries[0]["type"] == "dir":
            _check_folder(destination)
            root = _without_slash(destination)
        else:
            root = _choose_file(destination, str(head.get("name", "")))
        for entry in entries:
            _check_conflict(root, entry)
        existing_files = _prepare(root, entries)
        channel.send({"type": "existing"}, to_json(existing_files))
        channel.flush()
        files = _FileReceiver(channel, root, entries, existing_files, listener)
        files.run()
        _make_symlinks(root, entries)
        _set_folder_modes(root, entries)
    except OSError as error:
        raise describe_os_error(error, root) from None
    report = {
        "type": "done",
        "path": root,
        "files": files.count,
        "bytes": files.total,
        "received": files.received,
        "unchanged": files.unchanged,
        "skipped": [str(path) for path in head.get("skipped", [])],
    }
    channel.send(report)
    channel.flush()
    return report


def _without_slash(path: str) -> str:
    return path.rstrip("/") or "/"


def _check_folder(path: str) -> None:
    """Refuse a path at which something else than a folder exists."""
    folder = _without_slash(path)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise CopyError(f"{folder} exists and is not a folder")


def _choose_file(destination: str, name: str) -> str:
    """Return the path of the file that is written.

    Parameters
    ----------
    destination : str
    name : str
        Of the source.
    """
    if destination.endswith("/") or os.path.isdir(destination):
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise CopyError("the other side sent a file without a name")
        _check_folder(destination)
        os.makedirs(destination, exist_ok=True)
        destination = os.path.join(destination, name)
    if os.path.isdir(destination):
        raise CopyError(f"{destination} exists and is a folder")
    if os.path.lexists(destination) and not os.path.isfile(destination):
        raise CopyError(f"{destination} exists and is not a file")
    return os.path.realpath(destination)


def _join(root: str, path: str) -> str:
    return os.path.join(root, path) if path else root


def _check_conflict(root: str, entry: dict[str, Any]) -> None:
    """Refuse an entry if something of another kind exists at its path."""
    if entry["path"] == "":
        return  # The root was checked when it was chosen.
    path = _join(root, entry["path"])
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    kind = entry["type"]
    if not _HAS_TYPE[kind](mode):
        raise CopyError(f"{path} exists and is not {_TYPE_NAMES[kind]}")


def _prepare(root: str, entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Make the folders, and return what exists of the files by the index of the entry."""
    existing_files = {}
    new_folders = set()
    for index, entry in enumerate(entries):
        path = _join(root, entry["path"])
        if entry["type"] == "dir":
            if not os.path.isdir(path):
                os.makedirs(path)
                new_folders.add(entry["path"])
            elif not os.access(path, os.W_OK | os.X_OK):
                os.chmod(path, 0o700)  # `_set_folder_modes` sets its mode at the end.
        elif entry["type"] == "file" and os.path.dirname(entry["path"]) not in new_folders:
            if entry["path"] == "":  # A single file.
                os.makedirs(os.path.dirname(path), exist_ok=True)
            existing = _describe_existing(path, entry["size"])
            if existing is not None:
                existing_files[str(index)] = existing
    return existing_files


def _describe_existing(path: str, size: int) -> dict[str, Any] | None:
    """Return the size and the hash of a file of the same size, or else of its part; None if there is neither."""
    for candidate, is_part in ((path, False), (part_path(path), True)):
        with contextlib.suppress(OSError):
            status = os.lstat(candidate)
            has_usable_size = 0 < status.st_size <= size if is_part else status.st_size == size
            if stat.S_ISREG(status.st_mode) and has_usable_size:
                digest = hashlib.sha256()
                with open(candidate, "rb") as file:
                    hash_next(file, digest, status.st_size)
                return {"size": status.st_size, "sha256": digest.hexdigest(), "is_part": is_part}
    return None


class _FileReceiver:
    """Writes the files of a copy.

    Attributes
    ----------
    count, total : int
        Files and bytes of the copy.
    received : int
        Bytes that the sender sent.
    unchanged : int
        Files that were the same already.
    """

    def __init__(
        self,
        channel: FrameChannel,
        root: str,
        entries: list[dict[str, Any]],
        existing_files: dict[str, dict[str, Any]],
        listener: CopyListener,
    ) -> None:
        self._channel = channel
        self._root = root
        self._existing_files = existing_files
        self._listener = listener
        self._missing = {index: entry for index, entry in enumerate(entries) if entry["type"] == "file"}
        self.count = len(self._missing)
        self.total = sum(entry["size"] for entry in self._missing.values())
        self.received = 0
        self.unchanged = 0
        self._done = 0
        self._file: _PartFile | None = None  # The file of which the first block has arrived, but not the last.
        self._index: int | None = None  # Of that file's entry.

    def run(self) -> None:
        self._listener.on_bytes(0, self.total)
        try:
            while True:
                head, body = self._channel.receive()
                if head.get("type") == "end":
                    break
                self._process(head, body)
                self._listener.on_bytes(self._done, self.total)
        finally:
            if self._file is not None:
                self._file.close()
        if self._missing:
            raise CopyError("the other side did not send all files")

    def _process(self, head: dict[str, Any], body: bytes) -> None:
        index = head.get("file")
        is_other_file = self._file is not None and index != self._index
        if index not in self._missing or is_other_file:
            raise CopyError("the other side sent a file that was not announced")
        entry = self._missing[index]
        path = _join(self._root, entry["path"])
        if self._file is None:
            self._listener.on_file(entry["path"], self.count - len(self._missing) + 1, self.count)
        if head.get("type") == "unchanged":
            self._keep(index, path)
            return
        if self._file is None:
            existing = self._existing_files.get(str(index))
            self._index = index
            self._file = _PartFile(path, entry, existing, head.get("offset"))
            self._done += self._file.size
        self.received += len(body)
        self._done += len(body)
        self._file.write(body)
        if "sha256" in head:
            self._file.complete(head["sha256"])
            self._file = None
            del self._missing[index]

    def _keep(self, index: int, path: str) -> None:
        existing = self._existing_files.get(str(index))
        if existing is None or existing["is_part"]:
            raise CopyError("the other side skipped a file that is not here")
        entry = self._missing.pop(index)
        _set_attributes(path, entry)
        self.unchanged += 1
        self._done += entry["size"]


class _PartFile:
    """A file that is not complete, under its temporary name.

    Parameters
    ----------
    path : str
        Its name when it is complete.
    entry : dict
    existing : dict or None
        What exists of the file; see `_describe_existing`.
    offset : int
        Where the sender begins: 0, or the size of the part that exists.

    Attributes
    ----------
    size : int
        Bytes in the file.
    """

    def __init__(self, path: str, entry: dict[str, Any], existing: dict[str, Any] | None, offset: Any) -> None:
        self._path = path
        self._part = part_path(path)
        self._entry = entry
        self._digest = hashlib.sha256()
        self.size = 0
        if not offset:
            self._file = self._create()
        elif existing is not None and existing["is_part"] and offset == existing["size"]:
            descriptor = os.open(self._part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            self._file = os.fdopen(descriptor, "r+b")
            self.size = hash_next(self._file, self._digest, offset)
        else:
            raise CopyError("the other side sent a part that does not fit")

    def _create(self) -> Any:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._part)
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._entry["size"]:
            raise CopyError("the other side sent more than it announced")
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            self._discard_if_disk_is_full(error)
            raise

    def complete(self, sha256: Any) -> None:
        """Give the file its name."""
        try:
            self._file.close()
        except OSError as error:
            self._discard_if_disk_is_full(error)
            raise
        if self.size != self._entry["size"] or self._digest.hexdigest() != sha256:
            os.unlink(self._part)
            raise CopyError(f"{self._path} arrived damaged; copy it again")
        _set_attributes(self._part, self._entry)
        os.replace(self._part, self._path)

    def close(self) -> None:
        """Leave the part for the next attempt."""
        self._file.close()

    def _discard_if_disk_is_full(self, error: OSError) -> None:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            with contextlib.suppress(OSError):
                self._file.close()
            os.unlink(self._part)


def _set_attributes(path: str, entry: dict[str, Any]) -> None:
    os.chmod(path, entry["mode"])
    os.utime(path, ns=(entry["mtime"], entry["mtime"]))


def _make_symlinks(root: str, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if entry["type"] == "symlink":
            path = _join(root, entry["path"])
            if os.path.islink(path):
                if os.readlink(path) == entry["target"]:
                    continue
                os.unlink(path)
            os.symlink(entry["target"], path)


def _set_folder_modes(root: str, entries: list[dict[str, Any]]) -> None:
    """Set the modes of the folders within the destination, children first: a parent may lose its permissions."""
    for entry in reversed(entries):
        if entry["type"] == "dir" and entry["path"]:
            # Without the permission to enter, the owner could not read the files.
            os.chmod(_join(root, entry["path"]), entry["mode"] | stat.S_IXUSR)
