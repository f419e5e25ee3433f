"""The command that copies files between this machine and a pod: cp."""

from __future__ import annotations

import os
import posixpath
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ...errors import CopyInterrupted, InvalidRequest
from ...formatting import format_bytes, join_limited, pluralize
from ...sanitize import single_line
from ..display import print_note
from ..parser import Command, LineParser
from ..progress import transfer_progress
from ..remote_paths import normalize_path, split_remote_path
from ..session import Session

if TYPE_CHECKING:
    from ...models import Pod
    from ...remote import Transferred

_MAX_NAMED: Final = 5
"""Skipped paths that a note names; the others are counted."""

_WILDCARDS: Final = "*?["

_NAMELESS: Final = ("", ".", "..", "~")
"""Last parts of source paths that give a copy no name, such as the empty one of ``data/``."""

ListFolder = Callable[[str], Sequence[str] | None]
"""Returns the names in a folder, or None if the path is not a folder. Names of folders end with a slash."""


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
        help="where to copy it: into DST if it ends with / or is a folder not named like SRC, else as DST",
    )


def _cp(session: Session, arguments: Namespace) -> None:
    source, target = arguments.source, arguments.target
    remote_source, remote_target = split_remote_path(source), split_remote_path(target)
    if remote_source is not None and remote_target is not None:
        raise InvalidRequest(
            "Both paths are on a pod, and cp copies between a pod and this machine.",
            advice="Write ./NAME for a file here whose name contains a colon.",
        )
    remote_path = remote_source or remote_target
    if remote_path is None:
        hint = _suggest_remote_path(session, (source, target))
        raise InvalidRequest(
            f"Neither path is on a pod.{hint}", advice="Write POD:PATH, or :PATH for the pod of %yotta use."
        )
    pod, remote = session.connector.open(remote_path.pod)
    list_remote = partial(session.remote_folders.list_names, remote)
    started = time.monotonic()
    try:
        with transfer_progress(session.shell) as on_progress:
            if remote_source is not None:
                local_target = _choose_target(remote_source.path, target, list_remote, _list_local)
                copied = remote.get(remote_source.path, local_target, on_progress=on_progress)
                destination = copied.path
            else:
                path = _choose_target(source, remote_path.path, _list_local, list_remote)
                copied = remote.put(source, path, on_progress=on_progress)
                destination = f"{pod.name or pod.id}:{copied.path}"
    except KeyboardInterrupt:
        raise CopyInterrupted from None
    except InvalidRequest as error:
        session.remote_folders.refresh(remote, remote_path.path)
        if any(char in source for char in _WILDCARDS):
            error.advice = "cp has no wildcards: copy the folder, or one file after the other."
        raise
    _print_summary(copied, destination, time.monotonic() - started)
    if remote_target is not None:
        copied_path = copied.path
        if session.client.is_sandbox:  # It keeps /data in ~/data, so compare the typed path with the mount path.
            copied_path = posixpath.join("/", normalize_path(remote_target.path))
        _warn_of_data_loss(session, pod, copied_path)
    session.remote_folders.refresh(remote, remote_path.path)


def _warn_of_data_loss(session: Session, pod: Pod, path: str) -> None:
    """Print, once for each pod, that a pause may erase a path outside its persistent volume."""
    if pod.id in session.copy_warned_ids:
        return
    if not pod.has_persistent_volume:
        reason = f"{single_line(pod.name or pod.id, 60)} has no persistent volume."
    elif not PurePosixPath(posixpath.normpath(path)).is_relative_to(pod.persistent_mount_path or ""):
        reason = f"only files in {single_line(pod.persistent_mount_path, 60)} stay."
    else:
        return
    session.copy_warned_ids.add(pod.id)
    print_note(f"a pause may erase this copy: {reason}")


def _suggest_remote_path(session: Session, paths: Sequence[str]) -> str:
    """Return `` Did you mean POD:PATH?`` if a path begins with the name of a known pod; otherwise an empty string."""
    for path in paths:
        pod, _, rest = path.partition("/")
        if pod and not os.path.lexists(path) and session.connector.find_known_id(pod) is not None:
            return f" Did you mean {single_line(f'{pod}:{rest}', 60)}?"
    return ""


def _choose_target(source: str, target: str, list_source: ListFolder, list_target: ListFolder) -> str:
    """Return the path of the copy: the target, or a path within it.

    As with ``cp -r``, a folder is copied into a target folder that exists. If the target has the same name or contains
    an earlier copy, it is the path of the copy, so that a copy can be repeated. As with ``rsync``, ``SRC/`` means the
    contents.
    """
    name = posixpath.basename(source)
    if name in _NAMELESS or name == posixpath.basename(target):
        return target
    is_explicit_folder = target.endswith("/")
    target_names = list_target(target)
    if target_names is None and not is_explicit_folder:
        return target
    source_names = list_source(source)
    if source_names is None:
        return target  # The source is a file, which the transfer itself copies into a target folder.
    if target_names and not is_explicit_folder and _may_be_copy(target_names, source_names):
        return target
    return posixpath.normpath(posixpath.join(target, name))


def _may_be_copy(target_names: Sequence[str], source_names: Sequence[str]) -> bool:
    """Return whether a target folder may contain a complete or unfinished copy of the source folder."""
    from ...remote.files.protocol import PART_SUFFIX

    copied = {name for name in target_names if not name.endswith(PART_SUFFIX)}
    folders = {name for name in source_names if name.endswith("/")}
    # A copy creates all folders first, and adds no other names.
    return folders <= copied and copied <= set(source_names)


def _list_local(path: str) -> Sequence[str] | None:
    try:
        with os.scandir(os.path.expanduser(path)) as entries:
            return [f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries]
    except OSError:
        return None


def _print_summary(copied: Transferred, destination: str, elapsed: float) -> None:
    files = pluralize(copied.files, "file")
    if copied.unchanged:
        files = f"{copied.files - copied.unchanged} of {files}"
    size = format_bytes(copied.bytes)
    rest = ""
    if copied.sent < copied.bytes:
        size = f"{format_bytes(copied.sent)} of {size}"
        rest = "; the rest had arrived before"
    print(f"Copied {files} ({size}) to {single_line(destination)} in {elapsed:.1f} s{rest}.")
    if copied.skipped:
        paths = join_limited(copied.skipped, _MAX_NAMED)
        print_note(f"not copied, because they are no files, folders or links within the folder: {paths}")


COMMANDS: tuple[Command, ...] = (
    Command("cp", "Copy files and folders to or from a pod; repeated, it copies only the rest.", _cp, _add_arguments),
)
