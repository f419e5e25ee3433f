"""Push values to the pod's kernel and pull them from it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from ...errors import InvalidRequest, RemoteUnavailable, UnsupportedValue, YottaError
from ...formatting import format_bytes
from ...sanitize import single_line
from ..bundle import bundle
from ..loop import wait_for
from ..outputs import OutputMessage
from ..pod_files import download, remove, upload
from ..progress import OnProgress, Progress, wait_with_progress
from .codec import decode, encode, packages
from .errors import CodecError
from .pod import INSTALLABLE, MAX_INLINE_SIZE, MIME

if TYPE_CHECKING:
    from ..connection import PodConnection
    from ..launcher import AgentLauncher

MAX_PULLED_BYTES: Final = 4 << 30
"""The default limit for one pulled value."""

POD_MODULES: Final = ("errors", "plain", "arrays", "labels", "arrow_stream", "columns", "pandas_frames", "codec", "pod")
_BUNDLE: Final = bundle(Path(__file__).parent, POD_MODULES)

# Runs in the kernel: imports the bundle unless the kernel has imported it, and calls a function of `pod`.
_CALL: Final = """\
import importlib
import sys
if {package!r} not in sys.modules:
    with open({path!r}, encoding="utf-8") as file:
        exec(compile(file.read(), {path!r}, "exec"), {{"__name__": {package!r}}})
importlib.import_module("{package}.pod").{function}(*{arguments!r})
"""


class _PulledEntry(msgspec.Struct):
    """A value that the pod sends: its bytes in Base64, or in a file on the pod."""

    name: str
    kind: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    inline: str | None = None
    path: str | None = None


class ValueTransfer:
    """Pushes and pulls values.

    Parameters
    ----------
    connection : PodConnection
    launcher : AgentLauncher
    run_hidden : callable
        Runs code in the kernel without a trace in its history. Called with the code and a callback for its outputs.
        Raises `KeyboardInterrupt` after Ctrl-C.
    wait_for_connection : callable
        Runs a coroutine that connects, and reports the attempts.
    """

    def __init__(
        self,
        connection: PodConnection,
        launcher: AgentLauncher,
        run_hidden: Callable[[str, Callable[[OutputMessage], None]], None],
        wait_for_connection: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._connection = connection
        self._launcher = launcher
        self._run_hidden = run_hidden
        self._wait_for_connection = wait_for_connection
        self._uploaded_to: str | None = None

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
        self._wait_for_connection(self._upload_modules())
        entries = []
        for name, (kind, data) in encoded.items():
            entry = {"name": name, "kind": kind}
            if len(data) <= MAX_INLINE_SIZE:
                entry["inline"] = base64.b64encode(data).decode("ascii")
                progress.done += len(data)
            else:
                entry["path"] = f"{self._folder}/{uuid.uuid4().hex}"
                wait_with_progress(upload(self._connection, entry["path"], data, progress), progress, on_progress)
            entries.append(entry)
        try:
            self._call("pushed", "assign_variables", entries, self._library)
        finally:
            self._remove(entry["path"] for entry in entries if "path" in entry)

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
        self._wait_for_connection(self._upload_modules())
        folder = f"{self._folder}/{uuid.uuid4().hex}"
        may_have_files = True
        try:
            result = self._call("pulled", "publish_variables", list(names), folder, self._library, max_bytes)
            entries = _parse_entries(result.get("entries"), names)
            may_have_files = any(entry.path is not None for entry in entries)
            for entry in entries:
                if entry.size > max_bytes:
                    size, limit = format_bytes(entry.size), format_bytes(max_bytes)
                    message = f"{entry.name} cannot be pulled: it has {size}, and the limit is {limit}."
                    raise _unsupported(message, entry.name)
            progress.total = sum(entry.size for entry in entries)
            return {entry.name: self._decode(entry, progress, on_progress) for entry in entries}
        finally:
            if may_have_files:
                self._remove([folder])

    @property
    def _folder(self) -> str:
        """The folder on the pod for the files of values."""
        return f"{self._launcher.folder}/data"

    @property
    def _library(self) -> str:
        """The folder on the pod for installed packages: that of `library_folder` in ``agent.py``."""
        return f"{self._launcher.folder}/lib"

    @property
    def _modules_path(self) -> str:
        return f"{self._launcher.folder}/{_BUNDLE.package}.py"

    async def _upload_modules(self) -> None:
        """Upload the modules that run in the kernel, unless the pod has them."""
        folder = await self._launcher.ensure_started()
        if self._uploaded_to != folder:
            temporary = f"{folder}/{uuid.uuid4().hex}"
            await upload(self._connection, temporary, _BUNDLE.source.encode(), Progress())
            await self._connection.retry(lambda ssh: ssh.run(f"mv -f '{temporary}' '{self._modules_path}'"))
            self._uploaded_to = folder

    def _call(self, verb: str, function: str, *arguments: Any) -> dict[str, Any]:
        """Call a function of `pod` in the kernel. Install the packages that it reports missing, and call it again.

        Parameters
        ----------
        verb : str
            Of the error message: ``"pushed"`` or ``"pulled"``.
        function : str
        *arguments
        """
        for _ in range(len(INSTALLABLE) + 1):
            result = self._call_once(function, arguments)
            reported = result.get("missing") or []
            missing = [package for package in INSTALLABLE if package in reported]
            if not missing:
                break
            wait_for(self._install(missing))
        if result.get("ok"):
            return result
        name = single_line(result.get("name") or "A value", 60)
        reason = single_line(result.get("error") or "a package is missing on the pod", 300)
        message = f"{name} cannot be {verb}: {reason.rstrip('.')}."
        if result.get("is_unsupported") is True:
            raise _unsupported(message, name)
        raise InvalidRequest(message, field=name)

    def _call_once(self, function: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        results: list[dict[str, Any]] = []

        def collect(message: OutputMessage) -> None:
            data = message["content"].get("data")
            if isinstance(data, dict) and isinstance(data.get(MIME), dict):
                results.append(data[MIME])

        code = _CALL.format(package=_BUNDLE.package, path=self._modules_path, function=function, arguments=arguments)
        # `exec` leaves no name in the user's namespace.
        self._run_hidden(f"exec({code!r}, {{}})", collect)
        if not results:
            raise RemoteUnavailable("The kernel on the pod gave no result for a transfer.", advice="Try again.")
        return results[0]

    async def _install(self, names: list[str]) -> None:
        await self._connection.retry(lambda ssh: self._launcher.require(ssh, names))

    def _decode(self, entry: _PulledEntry, progress: Progress, on_progress: OnProgress | None) -> Any:
        try:
            data = self._read(entry, progress, on_progress)
            _require_packages(entry.name, entry.kind)
            return decode(entry.kind, data)
        except ImportError as error:
            raise _missing_package(entry.name, str(error.name)) from None
        except (CodecError, ValueError) as error:
            raise RemoteUnavailable(f"{entry.name} cannot be pulled: {single_line(error, 300)}.") from None

    def _read(self, entry: _PulledEntry, progress: Progress, on_progress: OnProgress | None) -> bytes:
        if entry.path is None:
            data = base64.b64decode(entry.inline or "", validate=True)
            progress.done += len(data)
            return data
        return bytes(
            wait_with_progress(download(self._connection, entry.path, entry.size, progress), progress, on_progress)
        )

    def _remove(self, paths: Iterable[str]) -> None:
        with suppress(YottaError):
            wait_for(remove(self._connection, list(paths)))


def check_variable_name(name: str) -> None:
    """Raise `InvalidRequest` if a text is not the name of a variable.

    Parameters
    ----------
    name : str
    """
    if not name.isidentifier():
        raise InvalidRequest(f"{single_line(name, 40)!r} is not the name of a variable.")


def _encode(name: str, value: Any) -> tuple[str, bytes]:
    check_variable_name(name)
    try:
        return encode(value)
    except CodecError as error:
        raise _unsupported(f"{name} cannot be pushed: {single_line(error, 300)}.", name) from None
    except ImportError as error:
        raise _missing_package(name, str(error.name)) from None


def _unsupported(message: str, name: str) -> UnsupportedValue:
    return UnsupportedValue(message, field=name, advice="Save it to a file and copy that with put or get.")


def _require_packages(name: str, kind: str) -> None:
    for package in packages(kind):
        if find_spec(package) is None:
            raise _missing_package(name, package)


def _missing_package(name: str, package: str) -> InvalidRequest:
    return InvalidRequest(f"{name} needs {package} here.", field=name, advice=f"Install it: pip install {package}")


def _parse_entries(data: object, names: Sequence[str]) -> list[_PulledEntry]:
    """Return the entries that the pod sent, which must be of the names that were requested."""
    try:
        entries = msgspec.convert(data, list[_PulledEntry])
        is_valid = [entry.name for entry in entries] == list(names)
    except msgspec.ValidationError:
        is_valid = False
    if not is_valid or any(entry.path is None and entry.inline is None for entry in entries):
        raise RemoteUnavailable("The kernel on the pod sent an invalid description of a value.")
    return entries
