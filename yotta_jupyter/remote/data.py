"""Move values between this process and the pod's kernel, as data and never as code."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import InvalidRequest, RemoteUnavailable, UnsupportedValue, YottaError
from ..formatting import format_bytes
from ..sanitize import single_line
from . import codec
from .outputs import OutputMessage
from .pod_data import INLINE, MIME
from .progress import OnProgress, Progress, wait_with_progress
from .streams import download, remove, upload

if TYPE_CHECKING:
    from .connection import PodConnection
    from .launcher import AgentLauncher

MAX_PULLED: Final = 4 << 30
"""Bytes of one value that is pulled."""

_PACKAGES: Final = ("numpy", "pandas", "pyarrow")
"""What may be installed on the pod for a transfer."""
_COPY_INSTEAD: Final = "Save it to a file and copy that with put or get."

_SOURCE: Final = b"\n".join(
    Path(__file__).with_name(name).read_bytes() for name in ("codec.py", "pod_data.py")
).replace(b"\nfrom __future__ import annotations\n", b"\n")
_SOURCE_NAME: Final = f"data-{hashlib.sha256(_SOURCE).hexdigest()[:16]}.py"

# Runs in the kernel without leaving a name in the user's namespace.
_CALL: Final = """\
exec('''
import sys, types
name = {module!r}
if name not in sys.modules:
    module = types.ModuleType(name)
    with open({path!r}, encoding="utf-8") as file:
        exec(compile("from __future__ import annotations\\\\n" + file.read(), {path!r}, "exec"), module.__dict__)
    sys.modules[name] = module
sys.modules[name].{call}
''', {{}})
"""


class ValueTransfer:
    """Pushes and pulls values.

    Parameters
    ----------
    connection : PodConnection
    launcher : AgentLauncher
    run_hidden : callable
        Runs code in the kernel without a trace in its history; the callback gets its outputs.
    """

    def __init__(
        self,
        connection: PodConnection,
        launcher: AgentLauncher,
        run_hidden: Callable[[str, Callable[[OutputMessage], None]], None],
    ) -> None:
        self._connection = connection
        self._launcher = launcher
        self._run_hidden = run_hidden
        self._sent_to: str | None = None

    def push(self, values: Mapping[str, Any], on_progress: OnProgress | None) -> None:
        """Assign values in the pod's kernel.

        Parameters
        ----------
        values : mapping
            By variable name.
        on_progress : callable or None

        Raises
        ------
        InvalidRequest
            A name or a value cannot be pushed. Nothing was assigned.
        RemoteUnavailable
            The pod cannot be reached, lacks a package, or has no disk space.
        """
        encoded = {name: _encode(name, value) for name, value in values.items()}
        progress = Progress(", ".join(encoded), total=sum(len(data) for _, data in encoded.values()))
        wait_with_progress(self._prepare(), progress, None)
        entries: list[dict[str, Any]] = []
        for name, (kind, data) in encoded.items():
            entry: dict[str, Any] = {"name": name, "kind": kind}
            if len(data) <= INLINE:
                entry["inline"] = base64.b64encode(data).decode("ascii")
                progress.done += len(data)
            else:
                entry["path"] = self._new_path()
                wait_with_progress(upload(self._connection, entry["path"], data, progress), progress, on_progress)
            entries.append(entry)
        try:
            self._call(f"receive({entries!r}, {self._library!r})", "pushed")
        finally:
            self._remove(entries)

    def pull(self, names: Sequence[str], on_progress: OnProgress | None, max_bytes: int) -> dict[str, Any]:
        """Return values of the pod's kernel.

        Parameters
        ----------
        names : sequence of str
            Variable names.
        on_progress : callable or None
        max_bytes : int
            The limit for one value.

        Raises
        ------
        InvalidRequest
            A variable does not exist, is too large, or cannot be moved as data.
        RemoteUnavailable
            The pod cannot be reached, lacks a package, or sent something else.
        """
        if not names:
            return {}
        progress = Progress(", ".join(names))
        wait_with_progress(self._prepare(), progress, None)
        folder = f"{self._launcher.folder}/data"
        result = self._call(f"send({list(names)!r}, {folder!r}, {self._library!r}, {max_bytes})", "pulled")
        entries = _check_entries(result.get("entries"), names)
        try:
            for entry in entries:
                if entry["size"] > max_bytes:
                    size, limit = format_bytes(entry["size"]), format_bytes(max_bytes)
                    raise _unsupported(f"{entry['name']} cannot be pulled: it has {size}, and the limit is {limit}.")
            progress.total = sum(entry["size"] for entry in entries)
            return {entry["name"]: self._read(entry, progress, on_progress) for entry in entries}
        finally:
            self._remove(entries)

    @property
    def _library(self) -> str:
        return f"{self._launcher.folder}/lib"

    async def _prepare(self) -> None:
        """Send the program that runs in the kernel, unless the pod has it."""
        folder = await self._launcher.ready()
        if self._sent_to != folder:
            path = f"{folder}/{_SOURCE_NAME}"
            temporary = f"{folder}/{uuid.uuid4().hex}"
            await upload(self._connection, temporary, _SOURCE, Progress())
            await self._connection.retry(lambda ssh: ssh.run(f"mv -f '{temporary}' '{path}'"))
            self._sent_to = folder

    def _new_path(self) -> str:
        return f"{self._launcher.folder}/data/{uuid.uuid4().hex}"

    def _call(self, call: str, verb: str) -> dict[str, Any]:
        """Call a function of ``pod_data.py`` in the kernel; install a missing package once."""
        for _ in range(4):
            result = self._call_once(call)
            missing = [package for package in _PACKAGES if package in (result.get("missing") or ())]
            if not missing:
                break
            wait_with_progress(self._install(missing), Progress(), None)
        if not result.get("ok"):
            name = single_line(result.get("name") or "A value", 60)
            reason = single_line(result.get("error") or "a package is missing on the pod", 300)
            message = f"{name} cannot be {verb}: {reason.rstrip('.')}."
            raise _unsupported(message) if result.get("is_unsupported") is True else InvalidRequest(message)
        return result

    def _call_once(self, call: str) -> dict[str, Any]:
        results: list[dict[str, Any]] = []

        def collect(message: OutputMessage) -> None:
            data = message["content"].get("data")
            if isinstance(data, dict) and isinstance(data.get(MIME), dict):
                results.append(data[MIME])

        path = f"{self._launcher.folder}/{_SOURCE_NAME}"
        escaped = call.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")
        module = "_yotta_" + _SOURCE_NAME[5:-3]
        self._run_hidden(_CALL.format(module=module, path=path, call=escaped), collect)
        if not results:
            raise RemoteUnavailable("The kernel on the pod gave no result for a transfer.", advice="Try again.")
        return results[0]

    async def _install(self, packages: list[str]) -> None:
        await self._connection.retry(lambda ssh: self._launcher.install(ssh, packages))

    def _read(self, entry: dict[str, Any], progress: Progress, on_progress: OnProgress | None) -> Any:
        try:
            if "inline" in entry:
                data = base64.b64decode(entry["inline"], validate=True)
                progress.done += len(data)
            else:
                coroutine: Coroutine[Any, Any, bytearray] = download(
                    self._connection, entry["path"], entry["size"], progress
                )
                data = bytes(wait_with_progress(coroutine, progress, on_progress))
            _require_packages(entry["name"], entry["kind"])
            return codec.decode(entry["kind"], data)
        except ImportError as error:
            raise _missing(entry["name"], str(error.name)) from None
        except (codec.CodecError, ValueError) as error:
            raise RemoteUnavailable(f"{entry['name']} cannot be pulled: {single_line(error, 300)}.") from None

    def _remove(self, entries: list[dict[str, Any]]) -> None:
        paths = [entry["path"] for entry in entries if "path" in entry]
        if paths:
            with suppress(YottaError):
                wait_with_progress(remove(self._connection, paths), Progress(), None)


def _encode(name: str, value: Any) -> tuple[str, bytes]:
    if not name.isidentifier():
        raise InvalidRequest(f"{single_line(name, 40)!r} is not the name of a variable.")
    try:
        return codec.encode(value)
    except codec.CodecError as error:
        raise _unsupported(f"{name} cannot be pushed: {single_line(error, 300)}.") from None
    except ImportError as error:
        raise _missing(name, str(error.name)) from None


def _unsupported(message: str) -> UnsupportedValue:
    return UnsupportedValue(message, advice=_COPY_INSTEAD)


def _require_packages(name: str, kind: str) -> None:
    from importlib.util import find_spec

    for package in codec.packages(kind):
        if find_spec(package) is None:
            raise _missing(name, package)


def _missing(name: str, package: str) -> InvalidRequest:
    return InvalidRequest(f"{name} needs {package} here.", advice=f"Install it: pip install {package}")


def _check_entries(entries: object, names: Sequence[str]) -> list[dict[str, Any]]:
    """Validate what the pod says it sends."""
    valid = isinstance(entries, list) and [e.get("name") if isinstance(e, dict) else None for e in entries] == list(
        names
    )
    for entry in entries if valid and isinstance(entries, list) else ():
        has_data = isinstance(entry.get("inline"), str) or isinstance(entry.get("path"), str)
        size = entry.get("size")
        valid = valid and has_data and isinstance(entry.get("kind"), str) and isinstance(size, int) and size >= 0
    if not valid or not isinstance(entries, list):
        raise RemoteUnavailable("The kernel on the pod sent an invalid description of a value.")
    return entries
