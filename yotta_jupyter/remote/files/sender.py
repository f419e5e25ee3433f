"""Send a file or a folder. Runs on both sides."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from .manifest import make_manifest
from .protocol import BLOCK_SIZE, CopyError, CopyListener, FrameChannel, describe_os_error, hash_next, to_json


def send(channel: FrameChannel, source: str, listener: CopyListener) -> dict[str, Any]:
    """Send a file or a folder.

    Parameters
    ----------
    channel : FrameChannel
    source : str
    listener : CopyListener

    Returns
    -------
    dict
        The receiver's report.

    Raises
    ------
    CopyError
        The source cannot be read or changes, or the receiver reports an error.
    """
    try:
        entries, skipped = make_manifest(source)
    except OSError as error:
        raise describe_os_error(error, source) from None
    name = os.path.basename(os.path.abspath(source))
    channel.send({"type": "manifest", "name": name, "skipped": skipped}, to_json(entries))
    channel.flush()
    _, body = channel.receive()
    existing_files = json.loads(body)
    files = [(index, entry) for index, entry in enumerate(entries) if entry["type"] == "file"]
    total = sum(entry["size"] for _, entry in files)
    done = 0
    listener.on_bytes(done, total)
    for file_number, (index, entry) in enumerate(files, 1):
        listener.on_file(entry["path"], file_number, len(files))
        path = os.path.join(source, entry["path"]) if entry["path"] else source
        for size in _send_file(channel, index, path, entry["size"], existing_files.get(str(index))):
            done += size
            listener.on_bytes(done, total)
    channel.send({"type": "end"})
    channel.flush()
    report, _ = channel.receive()
    return report


def _send_file(
    channel: FrameChannel, index: int, path: str, size: int, existing: dict[str, Any] | None
) -> Iterator[int]:
    """Send what the receiver lacks of a file. Yield the size of each block, and of what the receiver has.

    Parameters
    ----------
    channel : FrameChannel
    index : int
        Of the entry.
    path : str
    size : int
        As in the manifest.
    existing : dict or None
        What the receiver has of the file: its size, hash, and whether it is a part.
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            offset = 0
            if existing is not None and existing["size"] <= size:  # Skip the bytes that the receiver has.
                offset = hash_next(file, digest, existing["size"])
                if digest.hexdigest() == existing["sha256"]:
                    yield offset
                    if offset == size and not existing["is_part"]:
                        channel.send({"type": "unchanged", "file": index})
                        return
                else:
                    digest, offset = hashlib.sha256(), 0
                    file.seek(0)
            head: dict[str, Any] = {"type": "data", "file": index, "offset": offset}
            is_last = False
            while not is_last:
                data = file.read(min(BLOCK_SIZE, size - offset))
                digest.update(data)
                offset += len(data)
                is_last = offset == size
                has_shrunk = not data and not is_last
                has_grown = is_last and file.read(1) != b""
                if has_shrunk or has_grown:
                    raise CopyError(f"{path} changed while it was copied")
                if is_last:
                    head["sha256"] = digest.hexdigest()
                channel.send(head, data)
                head = {"type": "data", "file": index}
                yield len(data)
    except OSError as error:
        raise describe_os_error(error, path) from None
