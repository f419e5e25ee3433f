"""The command that copies files between this machine and a pod: cp."""

from __future__ import annotations

import os
import posixpath
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ...errors import CopyInterrupted, InvalidRequest
from ...formatting import format_bytes, join_limited, pluralize
from ...sanitize import single_line
from ..parser import Command, LineParser
from ..progress import transfer_progress
from ..remote_paths import split_remote_path
from ..session import Session

if TYPE_CHECKING:
    from ...remote import Transferred

_MAX_NAMED: Final = 5
"""Paths that a note names; the others are counted."""

_WILDCARDS: Final = frozenset("*?[")

_NO_NAMES: Final = ("", ".", "..", "~")
"""Last parts of a path that are no name for a copy. The first one is that of a path with a slash at the end."""

ListFolder = Callable[[str], Sequence[str] | None]
"""Returns the names in a folder, those of folders with a slash at the end; None for what is not a folder."""


def _add_arguments(parser: LineParser) -> None:
    parser.add_argument("-r", action="store_true", help="has no effect: folders are always copied with their contents")
    parser.add_argument(
        "source",
        metavar="SRC",
        completes="copy_path",
        help="a file or folder; on a pod: POD:PATH, relative to the home; SRC/ means the contents of the folder",
    )
    parser.add_argument(
        "target",
        metavar="DST",
        completes="copy_path",
        help="where to copy it: into DST if that is a folder of another name or ends with /, else under this name",
    )


def _cp(session: Session, arguments: Namespace) -> None:
    source, target = split_remote_path(arguments.source), split_remote_path(arguments.target)
    if source is not None and target is not None:
        raise InvalidRequest(
            "Both paths are on a pod, and cp copies between a pod and this machine.",
            advice="Write ./NAME for a file here whose name contains a colon.",
        )
    remote_path = source or target
    if remote_path is None:
        raise InvalidRequest("Neither path is on a pod.", advice="Write POD:PATH, or :PATH for the pod of %yotta use.")
    pod, remote = session.remotes.open(remote_path.pod)
    list_remote = partial(session.remote_folders.list_names, remote)
    started = time.monotonic()
    try:
        with transfer_progress(session.shell) as on_progress:
            if target is None:
                local = _choose_folder(remote_path.path, arguments.target, list_remote, _list_local)
                copied = remote.get(remote_path.path, local, on_progress=on_progress)
            else:
                path = _choose_folder(arguments.source, remote_path.path, _list_local, list_remote)
                copied = remote.put(arguments.source, path, on_progress=on_progress)
    except KeyboardInterrupt:
        raise CopyInterrupted from None
    except InvalidRequest as error:
        session.remote_folders.refresh(remote, remote_path.path)
        if _WILDCARDS & set(arguments.source):
            error.advice = "cp has no wildcards: copy the folder, or one file after the other."
        raise
    destination = copied.path if target is None else f"{pod.name or pod.id}:{copied.path}"
    _print_summary(copied, destination, time.monotonic() - started)
    session.remote_folders.refresh(remote, remote_path.path)


def _choose_folder(source: str, target: str, list_source: ListFolder, list_target: ListFolder) -> str:
    """Return the path that a folder is copied to; for a file, the target itself.

    As with ``cp -r``, a folder goes into an existing folder. So that the same copy can be repeated, it does not where
    the target has the name of the source or is an earlier copy of it. As with ``rsync``, a slash at the end of the
    source means its contents.
    """
    name = posixpath.basename(source)
    if name in _NO_NAMES or name == posixpath.basename(target):
        return target
    into = target.endswith("/")
    existing = list_target(target)
    if existing is None and not into:
        return target
    names = list_source(source)
    if names is None or (existing and not into and _is_copy(existing, names)):
        return target
    return posixpath.normpath(posixpath.join(target, name))


def _is_copy(existing: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether the names in a folder may be those of a complete or unfinished copy of a folder."""
    from ...remote.files.protocol import PART_SUFFIX

    # A copy begins with all folders.
    folders = {name for name in names if name.endswith("/")}
    return folders <= {name for name in existing if not name.endswith(PART_SUFFIX)} <= set(names)


def _list_local(path: str) -> Sequence[str] | None:
    try:
        with os.scandir(os.path.expanduser(path)) as entries:
            return [entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries]
    except OSError:
        return None


def _print_summary(copied: Transferred, destination: str, elapsed: float) -> None:
    files, size, rest = pluralize(copied.files, "file"), format_bytes(copied.bytes), ""
    if copied.unchanged:
        files = f"{copied.files - copied.unchanged} of {files}"
    if copied.sent < copied.bytes:
        size, rest = f"{format_bytes(copied.sent)} of {size}", "; the rest had arrived before"
    print(f"Copied {files} ({size}) to {single_line(destination)} in {elapsed:.1f} s{rest}.")
    if copied.skipped:
        paths = join_limited(copied.skipped, _MAX_NAMED)
        print(f"Note: not copied, because they are no files, folders or links within the folder: {paths}")


COMMANDS: tuple[Command, ...] = (
    Command("cp", "Copy files and folders to or from a pod; repeated, it copies only the rest.", _cp, _add_arguments),
)
