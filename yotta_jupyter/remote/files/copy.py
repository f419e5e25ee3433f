"""Copy a file or a folder to or from a pod."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...errors import InvalidRequest, RemoteUnavailable
from ...sanitize import single_line
from ..loop import wait_for
from ..progress import OnProgress, Progress
from .channel import ConnectionLost, PodChannel
from .protocol import CopyError, CopyListener, FrameChannel
from .receiver import receive
from .sender import send

if TYPE_CHECKING:
    from ..connection import PodConnection

_PROGRESS_INTERVAL: Final = 0.1
"""Seconds."""


@dataclass(frozen=True)
class Transferred:
    """What was copied.

    Attributes
    ----------
    path : str
        The file or folder that was written.
    files : int
        Files at the destination, all of them compared by SHA-256.
    bytes : int
        Their size.
    sent : int
        Bytes that were sent in the last attempt: fewer than `bytes` if some were there already.
    unchanged : int
        Files that were the same at the destination already, in the last attempt.
    skipped : list of str
        Paths that were not copied: sockets, devices, pipes, and links to folders elsewhere or to nothing.
    """

    path: str
    files: int
    bytes: int
    sent: int
    unchanged: int = 0
    skipped: list[str] = field(default_factory=list)


def put(
    connection: PodConnection, local: str | Path, remote: str, python: str | None, on_progress: OnProgress | None
) -> Transferred:
    """Copy a file or folder to the pod; see `Remote.put`."""
    source = os.path.expanduser(local)
    listener = _ProgressListener(os.path.basename(os.path.abspath(source)), on_progress)

    def copy(channel: FrameChannel) -> dict[str, Any]:
        return send(channel, source, listener)

    return _run(connection, "receive", remote, python, copy, listener)


def get(
    connection: PodConnection, remote: str, local: str | Path, python: str | None, on_progress: OnProgress | None
) -> Transferred:
    """Copy a file or folder from the pod; see `Remote.get`."""
    destination = os.path.expanduser(local) or "."
    listener = _ProgressListener(remote, on_progress)

    def copy(channel: FrameChannel) -> dict[str, Any]:
        return receive(channel, destination, listener)

    return _run(connection, "send", remote, python, copy, listener)


def _run(
    connection: PodConnection,
    pod_command: str,
    pod_path: str,
    python: str | None,
    copy: Callable[[FrameChannel], dict[str, Any]],
    listener: _ProgressListener,
) -> Transferred:
    """Run a copy on this thread, again after each lost connection.

    Parameters
    ----------
    connection : PodConnection
    pod_command : {"send", "receive"}
    pod_path : str
    python : str or None
        The pod's Python; None to look for it.
    copy : callable
        Runs this machine's side of the copy and returns the receiver's report.
    listener : _ProgressListener
    """
    if "\0" in pod_path or not pod_path:
        raise InvalidRequest("A path on the pod is empty or contains a null character.")
    is_retry = False
    while True:
        channel = PodChannel(connection, wait_for(connection.get(after_loss=is_retry)))
        try:
            channel.open([pod_command, pod_path], python)
            result = _parse_report(copy(channel))
        except ConnectionLost:
            is_retry = True
            continue
        except CopyError as error:
            where = " on the pod" if error.is_remote else ""
            text = single_line(f"The copy failed{where}: {error}.", 500)
            raise (RemoteUnavailable(text) if error.is_system_failure else InvalidRequest(text)) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            # A frame of the pod lacks a field or has one of another type.
            raise RemoteUnavailable("The copy failed: the pod sent something unexpected.") from None
        finally:
            channel.close()
        listener.report_now()
        return result


def _parse_report(report: dict[str, Any]) -> Transferred:
    return Transferred(
        path=str(report.get("path", "")),
        files=int(report.get("files", 0)),
        bytes=int(report.get("bytes", 0)),
        sent=int(report.get("received", 0)),
        unchanged=int(report.get("unchanged", 0)),
        skipped=[single_line(path) for path in report.get("skipped", [])],
    )


class _ProgressListener(CopyListener):
    """Calls `on_progress` at intervals and at the end.

    Parameters
    ----------
    label : str
        What is copied.
    on_progress : callable or None
    """

    def __init__(self, label: str, on_progress: OnProgress | None) -> None:
        self._progress = Progress(single_line(label, 100))
        self._on_progress = on_progress
        self._called_at = 0.0

    def on_bytes(self, done: int, total: int) -> None:
        self._progress.done, self._progress.total = done, total
        if time.monotonic() - self._called_at > _PROGRESS_INTERVAL:
            self._called_at = time.monotonic()
            self.report_now()

    def on_file(self, path: str, file_number: int, files: int) -> None:
        self._progress.file, self._progress.file_number, self._progress.files = path, file_number, files

    def report_now(self) -> None:
        """Report the progress now."""
        if self._on_progress is not None:
            self._on_progress(self._progress)
