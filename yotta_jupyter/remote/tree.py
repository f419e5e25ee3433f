"""Copy a file or a folder through a pair of streams. Runs on both sides: here and, with Python 3.9, on the pod.

The sender describes everything in a manifest, the receiver says what it has already, and the sender sends the rest.
Each file arrives under a temporary name beside its destination, is compared by its SHA-256 and then renamed. An
interrupted transfer is resumed when it is repeated.

* A folder's contents go into the destination folder. A file goes into an existing destination folder.
* Symbolic links within a folder stay links; of links to files elsewhere the content is copied; other links, sockets,
  devices and pipes are skipped and listed.
* What exists is overwritten by the same kind only: never a folder by a file or a file by a folder.
* The receiver does not trust the sender: no path leaves the destination, also not through a link.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import struct
import sys

if False:  # TYPE_CHECKING, without importing typing.
    from collections.abc import Callable, Iterator
    from typing import Any

LENGTHS = struct.Struct(">II")
BLOCK = 1 << 18
_FILE_FIELDS = ("size", "mode", "mtime")
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux.
MAX_ENTRIES = 5_000_000
PART_SUFFIX = ".yotta-part"
"""The end of the temporary name of a file."""
MARKER = b"\nyotta-files\n"


class TreeError(Exception):
    """A copy is refused or fails. One line of text.

    `unavailable` if a system failed, such as a full disk; `is_remote` if the other side has sent the error.
    """

    def __init__(self, text: str, unavailable: bool = False, is_remote: bool = False) -> None:
        super().__init__(text)
        self.unavailable = unavailable
        self.is_remote = is_remote


def _os_error(error: OSError, path: str) -> TreeError:
    """Return the error of a system call as one that names the file, or `path` instead of a temporary file."""
    name = error.filename if isinstance(error.filename, str) and not error.filename.endswith(PART_SUFFIX) else path
    unavailable = error.errno not in (errno.EEXIST, errno.ENOENT, errno.ENOTDIR)
    return TreeError(f"{name}: {error.strerror or error}", unavailable)


class Link:
    """The other side: sends and receives frames of a JSON head and bytes. Base class.

    Subclasses provide `send` and `receive`.
    """

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame, possibly later."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send what waits."""
        raise NotImplementedError

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the next frame. Raises `TreeError` for a frame that reports an error."""
        raise NotImplementedError


# --- The sender ------------------------------------------------------------------------------------------------------


def _ignore_file(path: str, number: int, count: int) -> None:
    """Do nothing at the start of a file."""


def send_tree(
    link: Link,
    source: str,
    on_bytes: Callable[[int, int], None],
    on_file: Callable[[str, int, int], None] = _ignore_file,
) -> dict[str, Any]:
    """Send a file or a folder and return the receiver's report.

    `on_bytes` is called with the bytes done and in total, `on_file` with the path of a file before it is sent, its
    number from 1, and the number of files.
    """
    try:
        entries, skipped = describe(source)
    except OSError as error:
        raise _os_error(error, source) from None
    total = sum(entry.get("size", 0) for entry in entries)
    link.send(
        {"type": "manifest", "name": os.path.basename(os.path.abspath(source)), "skipped": skipped}, _dump(entries)
    )
    link.flush()
    body = link.receive()[1]
    plan = json.loads(body)
    done = started = 0
    files = sum(entry["type"] == "file" for entry in entries)
    on_bytes(done, total)
    for number, entry in enumerate(entries):
        if entry["type"] == "file":
            started += 1
            on_file(entry["path"], started, files)
            path = os.path.join(source, entry["path"]) if entry["path"] else source
            for count in _send_file(link, number, path, entry, plan.get(str(number))):
                done += count
                on_bytes(done, total)
    link.send({"type": "end"})
    link.flush()
    return link.receive()[0]


def describe(source: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries of a file or folder, folders first and links last, and what is skipped."""
    try:
        status = os.stat(source)
    except OSError as error:
        raise TreeError(f"{source}: {error.strerror or error}") from None
    if stat.S_ISREG(status.st_mode):
        return [_file_entry("", status)], []
    if not stat.S_ISDIR(status.st_mode):
        raise TreeError(f"{source} is neither a file nor a folder")
    folders: list[dict[str, Any]] = [{"type": "dir", "path": "", "mode": status.st_mode & 0o777}]
    files: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    skipped: list[str] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(os.path.join(source, folder) if folder else source) as found:
            for item in sorted(found, key=lambda item: item.name):
                path = os.path.join(folder, item.name) if folder else item.name
                if item.is_symlink():
                    _describe_link(source, path, files, links, skipped)
                elif item.is_dir(follow_symlinks=False):
                    mode = item.stat(follow_symlinks=False).st_mode & 0o777
                    folders.append({"type": "dir", "path": path, "mode": mode})
                    waiting.append(path)
                elif item.is_file(follow_symlinks=False):
                    if not item.name.endswith(PART_SUFFIX):
                        files.append(_file_entry(path, item.stat(follow_symlinks=False)))
                else:
                    skipped.append(path)
    folders.sort(key=lambda entry: entry["path"].count("/"))
    return folders + files + links, skipped


def _describe_link(
    source: str, path: str, files: list[dict[str, Any]], links: list[dict[str, Any]], skipped: list[str]
) -> None:
    target = os.readlink(os.path.join(source, path))
    if is_inside(path, target) and os.path.lexists(os.path.join(source, os.path.dirname(path), target)):
        links.append({"type": "link", "path": path, "target": target})
        return
    with contextlib.suppress(OSError):
        status = os.stat(os.path.join(source, path))
        if stat.S_ISREG(status.st_mode):
            files.append(_file_entry(path, status))
            return
    skipped.append(path)


def _file_entry(path: str, status: os.stat_result) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": status.st_size, "mode": status.st_mode & 0o777}
    entry["mtime"] = status.st_mtime_ns
    return entry


def is_inside(path: str, target: str) -> bool:
    """Return whether a link at a path of a folder points into the folder."""
    if not target or target.startswith("/") or "\0" in target:
        return False
    depth = path.count("/")
    for part in target.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return False
    return True


def _send_file(
    link: Link, number: int, path: str, entry: dict[str, Any], existing: dict[str, Any] | None
) -> Iterator[int]:
    """Send what the receiver lacks of a file; yield numbers of bytes."""
    size = entry["size"]
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            offset = 0
            if existing is not None and existing["size"] <= size:
                offset = _hash_prefix(file, digest, existing["size"])
                if digest.hexdigest() != existing["sha256"]:
                    digest, offset = hashlib.sha256(), 0
                    file.seek(0)
                yield offset
            if existing is not None and not existing["part"] and offset == size:
                link.send({"type": "same", "file": number})
                return
            head: dict[str, Any] = {"type": "data", "file": number, "at": offset}
            while True:
                data = file.read(min(BLOCK, size - offset))
                digest.update(data)
                offset += len(data)
                if offset == size or not data:
                    if offset != size or file.read(1):
                        raise TreeError(f"{path} changed while it was copied")
                    link.send({**head, "sha256": digest.hexdigest()}, data)
                    yield len(data)
                    return
                link.send(head, data)
                head = {"type": "data", "file": number}
                yield len(data)
    except OSError as error:
        raise TreeError(f"{path}: {error.strerror or error}") from None


def _hash_prefix(file: Any, digest: Any, size: int) -> int:
    offset = 0
    while offset < size:
        data = file.read(min(BLOCK, size - offset))
        if not data:
            break
        digest.update(data)
        offset += len(data)
    return offset


# --- The receiver ----------------------------------------------------------------------------------------------------


def receive_tree(
    link: Link,
    destination: str,
    on_bytes: Callable[[int, int], None],
    on_file: Callable[[str, int, int], None] = _ignore_file,
) -> dict[str, Any]:
    """Receive a file or a folder and return a report, which the sender gets, too. Calls back as `send_tree` does."""
    head, body = link.receive()
    entries = check_manifest(json.loads(body))
    root = destination
    try:
        root = _choose_root(destination, str(head.get("name", "")), entries)
        plan = _prepare(root, entries)
        link.send({"type": "plan"}, _dump(plan))
        link.flush()
        receiver = _Receiver(root, entries, plan, on_bytes, on_file)
        received = receiver.run(link)
        _finish(root, entries)
    except OSError as error:
        raise _os_error(error, root) from None
    files = [entry for entry in entries if entry["type"] == "file"]
    report = {
        "type": "done",
        "path": root,
        "files": len(files),
        "bytes": sum(entry["size"] for entry in files),
        "received": received,
        "unchanged": receiver.unchanged,
        "skipped": [str(path) for path in head.get("skipped", [])],
    }
    link.send(report)
    link.flush()
    return report


def check_manifest(entries: Any) -> list[dict[str, Any]]:
    """Return the entries of a manifest. Raises `TreeError` if one is malformed or leaves the destination."""
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ENTRIES:
        raise TreeError("the other side sent no list of files")
    folders = set()
    names = set()
    for number, entry in enumerate(entries):
        path, kind = entry.get("path"), entry.get("type")
        if not isinstance(path, str) or path in names:
            raise TreeError("the other side sent an invalid list of files")
        names.add(path)
        parts = path.split("/")
        is_root = path == "" and number == 0 and (kind == "dir" or (kind == "file" and len(entries) == 1))
        if not is_root:
            if any(part in ("", ".", "..") or "\0" in part for part in parts):
                raise TreeError(f"the other side sent a path outside the destination: {path[:200]!r}")
            if "/".join(parts[:-1]) not in folders:
                raise TreeError(f"the other side sent a file without its folder: {path[:200]!r}")
        if kind == "dir" and isinstance(entry.get("mode"), int):
            folders.add(path)
        elif kind == "link":
            if not isinstance(entry.get("target"), str) or not is_inside(path, entry["target"]):
                raise TreeError(f"the other side sent a link that leaves the destination: {path[:200]!r}")
        elif kind != "file" or not all(isinstance(entry.get(name), int) for name in _FILE_FIELDS) or entry["size"] < 0:
            raise TreeError("the other side sent an invalid list of files")
    return entries


def _choose_root(destination: str, name: str, entries: list[dict[str, Any]]) -> str:
    """Return the path of the file or folder that is written."""
    is_folder = entries[0]["type"] == "dir"
    if is_folder:
        if os.path.lexists(destination) and not os.path.isdir(destination):
            raise TreeError(f"{destination} exists and is not a folder")
        return destination.rstrip("/") or "/"
    if os.path.isdir(destination) or destination.endswith("/"):
        if os.path.lexists(destination.rstrip("/")) and not os.path.isdir(destination):
            raise TreeError("{} exists and is not a folder".format(destination.rstrip("/")))
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise TreeError("the other side sent a file without a name")
        os.makedirs(destination, exist_ok=True)
        destination = os.path.join(destination, name)
    if os.path.isdir(destination):
        raise TreeError(f"{destination} exists and is a folder")
    if os.path.lexists(destination) and not os.path.isfile(destination):
        raise TreeError(f"{destination} exists and is not a file")
    return os.path.realpath(destination)


def _join(root: str, path: str) -> str:
    return os.path.join(root, path) if path else root


def part_path(path: str) -> str:
    """Return the temporary name of a file."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:24]}{PART_SUFFIX}")


def _prepare(root: str, entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refuse conflicts, make the folders, and return what exists of the files."""
    for entry in entries:
        _check_conflict(root, entry)
    plan: dict[str, dict[str, Any]] = {}
    fresh = set()
    for number, entry in enumerate(entries):
        path = _join(root, entry["path"])
        if entry["type"] == "dir":
            if not os.path.isdir(path):
                os.makedirs(path)
                fresh.add(entry["path"])
            elif not os.access(path, os.W_OK | os.X_OK):
                os.chmod(path, 0o700)
        elif entry["type"] == "file" and os.path.dirname(entry["path"]) not in fresh:
            if not entry["path"]:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            existing = _describe_existing(path, entry["size"])
            if existing is not None:
                plan[str(number)] = existing
    return plan


def _check_conflict(root: str, entry: dict[str, Any]) -> None:
    path = _join(root, entry["path"])
    try:
        status = os.lstat(path)
    except OSError:
        return
    if not entry["path"]:
        return
    kinds = {"dir": stat.S_ISDIR, "file": stat.S_ISREG, "link": stat.S_ISLNK}
    if not kinds[entry["type"]](status.st_mode):
        names = {"dir": "a folder", "file": "a file", "link": "a link"}
        raise TreeError("{} exists and is not {}".format(path, names[entry["type"]]))


def _describe_existing(path: str, size: int) -> dict[str, Any] | None:
    for candidate, is_part in ((path, False), (part_path(path), True)):
        with contextlib.suppress(OSError):
            found = os.lstat(candidate)
            fits = 0 < found.st_size <= size if is_part else found.st_size == size
            if stat.S_ISREG(found.st_mode) and fits:
                digest = hashlib.sha256()
                with open(candidate, "rb") as file:
                    _hash_prefix(file, digest, found.st_size)
                return {"size": found.st_size, "sha256": digest.hexdigest(), "part": is_part}
    return None


class _Receiver:
    """Writes files from frames."""

    def __init__(
        self,
        root: str,
        entries: list[dict[str, Any]],
        plan: dict[str, dict[str, Any]],
        on_bytes: Callable[[int, int], None],
        on_file: Callable[[str, int, int], None],
    ) -> None:
        self._root = root
        self._entries = entries
        self._plan = plan
        self._on_bytes = on_bytes
        self._on_file = on_file
        self._total = sum(entry.get("size", 0) for entry in entries)
        self._done = 0
        self._missing = {number for number, entry in enumerate(entries) if entry["type"] == "file"}
        self._files = len(self._missing)
        self.unchanged = 0
        self._file: Any = None
        self._number = -1
        self._digest = hashlib.sha256()
        self._offset = 0

    def run(self, link: Link) -> int:
        """Receive all files; return the number of bytes that were sent."""
        received = 0
        self._on_bytes(0, self._total)
        try:
            while True:
                head, body = link.receive()
                kind = head.get("type")
                if kind == "end":
                    break
                number = head.get("file")
                if number not in self._missing or (self._file is not None and number != self._number):
                    raise TreeError("the other side sent a file that was not announced")
                if self._file is None:
                    self._on_file(self._entries[number]["path"], self._files - len(self._missing) + 1, self._files)
                if kind == "same":
                    self._keep(number)
                else:
                    received += len(body)
                    self._write(number, head, body)
                self._on_bytes(self._done, self._total)
        finally:
            if self._file is not None:
                self._file.close()
        if self._missing:
            raise TreeError("the other side did not send all files")
        return received

    def _keep(self, number: int) -> None:
        existing = self._plan.get(str(number))
        if existing is None or existing["part"]:
            raise TreeError("the other side skipped a file that is not here")
        entry = self._entries[number]
        self._missing.discard(number)
        self.unchanged += 1
        self._done += entry["size"]
        path = _join(self._root, entry["path"])
        os.chmod(path, entry["mode"])
        os.utime(path, ns=(entry["mtime"], entry["mtime"]))

    def _write(self, number: int, head: dict[str, Any], body: bytes) -> None:
        entry = self._entries[number]
        path = _join(self._root, entry["path"])
        if self._file is None:
            self._open(number, path, head.get("at"))
        self._offset += len(body)
        if self._offset > entry["size"]:
            raise TreeError("the other side sent more than it announced")
        try:
            self._file.write(body)
            if "sha256" in head:
                self._file.close()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                with contextlib.suppress(OSError):
                    self._file.close()
                os.unlink(part_path(path))
            raise
        self._digest.update(body)
        self._done += len(body)
        if "sha256" in head:
            self._complete(number, path, head["sha256"])

    def _open(self, number: int, path: str, offset: Any) -> None:
        existing = self._plan.get(str(number), {"size": 0, "part": False})
        part = part_path(path)
        self._digest = hashlib.sha256()
        self._number, self._offset = number, 0
        if offset and existing["part"] and offset == existing["size"]:
            descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            self._file = os.fdopen(descriptor, "r+b")
            self._offset = _hash_prefix(self._file, self._digest, offset)
            self._done += self._offset
            return
        if offset:
            raise TreeError("the other side sent a part that does not fit")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def _complete(self, number: int, path: str, sha256: Any) -> None:
        entry = self._entries[number]
        self._file = None
        part = part_path(path)
        if self._offset != entry["size"] or self._digest.hexdigest() != sha256:
            os.unlink(part)
            raise TreeError(f"{path} arrived damaged; copy it again")
        os.chmod(part, entry["mode"])
        os.utime(part, ns=(entry["mtime"], entry["mtime"]))
        os.replace(part, path)
        self._missing.discard(number)


def _finish(root: str, entries: list[dict[str, Any]]) -> None:
    """Make the links, then set the modes of the folders."""
    for entry in entries:
        if entry["type"] == "link":
            path = _join(root, entry["path"])
            if os.path.islink(path):
                if os.readlink(path) == entry["target"]:
                    continue
                os.unlink(path)
            os.symlink(entry["target"], path)
    for entry in reversed(entries):
        if entry["type"] == "dir" and entry["path"]:
            os.chmod(_join(root, entry["path"]), entry["mode"] | 0o100)


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


# --- On the pod ------------------------------------------------------------------------------------------------------


class _StdioLink(Link):
    """Frames on stdin and stdout."""

    def __init__(self) -> None:
        import fcntl

        self._in, self._out = sys.stdin.buffer, sys.stdout.buffer
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # A larger pipe needs fewer switches between processes.
                fcntl.fcntl(stream.fileno(), _SET_PIPE_SIZE, 1 << 20)

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        data = _dump(head)
        self._out.write(LENGTHS.pack(len(data), len(body)) + data)
        self._out.write(body)

    def flush(self) -> None:
        self._out.flush()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        head_size, body_size = LENGTHS.unpack(self._read(LENGTHS.size))
        head = json.loads(self._read(head_size))
        body = self._read(body_size)
        if head.get("type") == "error":
            raise TreeError(str(head.get("text")))
        return head, body

    def _read(self, size: int) -> bytes:
        data = self._in.read(size)
        if len(data) < size:
            sys.exit(1)  # The connection was lost; what has arrived stays for the next attempt.
        return data


def main(arguments: list[str]) -> int:
    """Send or receive a path: ``send PATH`` or ``receive PATH``, relative to the home."""
    link = _StdioLink()
    sys.stdout.buffer.write(MARKER)
    link.flush()
    command, path = arguments
    home = os.path.expanduser("~")
    path = os.path.expanduser(path) if path.startswith("~") else os.path.join(home, path)
    try:
        if command == "send":
            send_tree(link, path, lambda done, total: None)
        else:
            receive_tree(link, path, lambda done, total: None)
    except (TreeError, OSError) as error:
        link.send({"type": "error", "text": str(error), "unavailable": getattr(error, "unavailable", True)})
        link.flush()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
