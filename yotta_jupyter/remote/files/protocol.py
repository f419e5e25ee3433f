"""The protocol of a copy. Runs on both sides.

The sender and the receiver exchange frames: a JSON object (the head) and bytes (the body).

========  =========  ===================================================================================================
from      type       contents
========  =========  ===================================================================================================
sender    manifest   ``name`` of the source, ``skipped`` paths; the body has the entries
receiver  existing   the body has what exists at the destination, by the index of the entry
sender    unchanged  the destination has the file with the index ``file`` already
sender    data       the next block of ``file``; the first has its ``offset``, the last the ``sha256`` of the whole file
sender    end
receiver  done       the report: what was copied
either    error      ``text``, ``is_system_failure``; ends the copy
========  =========  ===================================================================================================

An entry is a folder, a file or a symbolic link. Its index is its position in the manifest. Its path is relative to the
source, and empty for the source itself.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
from typing import Any

FRAME_HEAD = struct.Struct(">II")
"""The sizes of the head and of the body, in front of them."""

MARKER = b"\nyotta-files\n"
"""Printed by the pod's side before its first frame, after what login scripts print."""

BLOCK_SIZE = 1 << 18

PART_SUFFIX = ".yotta-part"
"""The end of the temporary name of a part: a file that is not complete."""


class CopyError(Exception):
    """A copy is refused or fails. The message is one line.

    Parameters
    ----------
    text : str
    is_system_failure : bool, default False
        Whether a system failed, such as a full disk, rather than the request.
    is_remote : bool, default False
        Whether the other side sent the error.
    """

    def __init__(self, text: str, is_system_failure: bool = False, is_remote: bool = False) -> None:
        super().__init__(text)
        self.is_system_failure = is_system_failure
        self.is_remote = is_remote


class FrameChannel:
    """A connection to the other side. Base class."""

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame, possibly not before `flush`."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send the frames that are buffered."""
        raise NotImplementedError

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the head and the body of the next frame. Raises `CopyError` for a frame that reports an error."""
        raise NotImplementedError


class CopyListener:
    """Is called while a copy runs. This one does nothing."""

    def on_bytes(self, done: int, total: int) -> None:
        """Receive the bytes copied so far and the bytes in total."""

    def on_file(self, path: str, file_number: int, files: int) -> None:
        """Receive the path of the next file, its number from 1, and the count of files."""


def to_json(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def part_path(path: str) -> str:
    """Return the temporary name of a file, in the same folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:24]}{PART_SUFFIX}")


def describe_os_error(error: OSError, path: str) -> CopyError:
    """Return the error of a system call as a `CopyError`.

    Parameters
    ----------
    error : OSError
    path : str
        For the message, if the error names no file or only a part.
    """
    has_path = isinstance(error.filename, str) and not error.filename.endswith(PART_SUFFIX)
    is_system_failure = error.errno not in (errno.EEXIST, errno.ENOENT, errno.ENOTDIR)
    return CopyError(f"{error.filename if has_path else path}: {error.strerror or error}", is_system_failure)


def hash_next(file: Any, digest: Any, size: int) -> int:
    """Add the next bytes of an open file to a digest.

    Parameters
    ----------
    file : binary file
    digest : hash object
    size : int

    Returns
    -------
    int
        The number of bytes that were read: less than `size` at the end of the file.
    """
    done = 0
    while done < size:
        data = file.read(min(BLOCK_SIZE, size - done))
        if not data:
            break
        digest.update(data)
        done += len(data)
    return done
