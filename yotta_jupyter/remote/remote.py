"""A pod: its kernel, files, ports and shell."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .callbacks import OnNotice, OnStatus, print_notice
from .connection import PodConnection
from .endpoint import Endpoint, Lookup
from .host_keys import HostKeys
from .kernel import RemoteKernel
from .keys import decrypt
from .launcher import AgentLauncher
from .loop import background_loop, submit, wait_for
from .password_login import accepts_password
from .queues import EventQueues
from .shell import OnText, ShellResult, run_shell

if TYPE_CHECKING:
    from .files import Transferred
    from .forwards import Forward
    from .jupyter import JupyterServer
    from .progress import OnProgress


class Remote(RemoteKernel):
    """A pod that runs code. Connects when first used. Thread-safe. A context manager.

    Parameters
    ----------
    endpoint : Endpoint
        The pod's SSH server.
    lookup : callable, optional
        Returns the pod's present endpoint, or raises an error if the pod is paused or gone; see `Lookup`.
    install : bool, default True
        Whether missing Python packages may be installed on the pod.
    python : str, optional
        The pod's Python; by default it is looked for.
    host_keys : HostKeys, optional
        The pinned host keys; by default those in ``~/.yotta/ssh/known_hosts``.
    on_notice : callable, optional
        Called with one line about the connection or the pod, on the thread that waits; by default printed to stderr.
    on_status : callable, optional
        Called repeatedly with one line about a connection that takes long, on that thread; by default `on_notice`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lookup: Lookup | None = None,
        install: bool = True,
        python: str | None = None,
        host_keys: HostKeys | None = None,
        on_notice: OnNotice = print_notice,
        on_status: OnStatus | None = None,
    ) -> None:
        queues = EventQueues(background_loop())
        send_notice = queues.send_notice
        connection = PodConnection(
            endpoint, lookup=lookup, host_keys=host_keys, on_notice=send_notice, on_status=queues.send_status
        )
        launcher = AgentLauncher(connection, install=install, python=python, on_notice=send_notice)
        super().__init__(endpoint.pod_id, connection, launcher, queues, on_notice, on_status)
        self._python = python
        self._forwards: set[Forward] = set()

    def __repr__(self) -> str:
        return f"<Remote {self.pod_id}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Files and ports

    def put(self, local: str | Path, remote: str, *, on_progress: OnProgress | None = None) -> Transferred:
        """Copy a file or a folder to the pod.

        Each file is compared by SHA-256. Equal files are not sent again, and an interrupted copy is resumed. A folder's
        contents go into the destination folder; if the destination is an existing folder, a file is put into it.
        Permissions and times are kept. A link within the folder stays a link; one to a file elsewhere is replaced by
        the content of that file.

        Parameters
        ----------
        local : str or Path
        remote : str
            A path on the pod, relative to the home.
        on_progress : callable, optional
            Called with a `Progress` on this thread.

        Returns
        -------
        Transferred

        Raises
        ------
        InvalidRequest
            A path does not exist, or the destination is of another kind. What exists there is unchanged.
        RemoteUnavailable
            The pod cannot be reached, has no Python, or its disk is full.
        """
        from .files import put

        self.connect()
        return put(self._connection, local, remote, self._python, on_progress)

    def get(self, remote: str, local: str | Path, *, on_progress: OnProgress | None = None) -> Transferred:
        """Copy a file or a folder from the pod, as `put` does in the other direction.

        Parameters
        ----------
        remote : str
            A path on the pod, relative to the home.
        local : str or Path
        on_progress : callable, optional
            Called with a `Progress` on this thread.

        Returns
        -------
        Transferred

        Raises
        ------
        InvalidRequest, RemoteUnavailable
            As for `put`; also if the pod sent a path outside the destination.
        """
        from .files import get

        self.connect()
        return get(self._connection, remote, local, self._python, on_progress)

    def forward(self, port: int, local_port: int = 0) -> Forward:
        """Open a local port that leads to a port of the pod.

        Parameters
        ----------
        port : int
            On the pod's 127.0.0.1.
        local_port : int, default 0
            On this machine's 127.0.0.1; 0 chooses a free one.

        Returns
        -------
        Forward
            With ``local_port``, ``url`` and ``close()``; a context manager.

        Raises
        ------
        InvalidRequest
            The local port is in use.
        RemoteUnavailable
            The pod cannot be reached.
        """
        from .forwards import Forward

        self.connect()  # Raise here, not in the browser, if the pod cannot be reached.
        forward = Forward(self._connection, port, local_port, self._forwards.discard)
        self._forwards.add(forward)
        return forward

    def start_jupyter(self, base_url: str = "/", reuse_prefix: str = "/") -> JupyterServer | None:
        """Start JupyterLab on the pod, or find the one that this method started before.

        It listens on the pod's 127.0.0.1 with a token of its own, and ends after a time without use.

        Parameters
        ----------
        base_url : str, default "/"
            The path under which a browser reaches it.
        reuse_prefix : str, default "/"
            A JupyterLab that was started before is used if its path begins with this; empty to use none.

        Returns
        -------
        JupyterServer or None
            None if the pod's Python has no JupyterLab.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached or has no Python, or JupyterLab does not start.
        """
        from .jupyter import start_jupyter

        self.connect()
        return start_jupyter(self._connection, base_url, reuse_prefix, self._python)

    # Shell

    def shell(self, command: str, *, on_text: OnText | None = None) -> ShellResult:
        """Run a shell command or script and wait for it. Needs no Python on the pod.

        Ctrl-C sends SIGINT to its process group; a second one SIGKILL.

        Parameters
        ----------
        command : str
            Run by bash, or by sh where there is no bash.
        on_text : callable, optional
            Called with ``"stdout"`` or ``"stderr"`` and text as it arrives, on this thread.

        Returns
        -------
        ShellResult
            With ``returncode``, ``stdout`` and ``stderr``.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached, or the connection was lost while the command ran.
        """
        events = self._queues.create()
        try:
            return run_shell(self._connection, self._loop, events, command, on_text, self.on_notice, self.on_status)
        finally:
            self._queues.close(events)

    async def shell_async(self, command: str, *, on_text: OnText | None = None) -> ShellResult:
        """Run a shell command as `shell` does, without blocking the event loop.

        Parameters
        ----------
        command, on_text
            As for `shell`.
        """
        return await asyncio.to_thread(self.shell, command, on_text=on_text)

    # Connection

    def connect(self) -> None:
        """Connect now. Other methods connect when they need to.

        Raises
        ------
        RemoteUnavailable
            The pod cannot be reached in time, accepts no key, or has another host key than before.
            ``error.locked_keys`` names the key files that were not tried because they need a passphrase; see `unlock`.
        ConnectInterrupted
            Ctrl-C was pressed.
        """
        self._wait_for_connection(self._connection.get())

    def unlock(self, key_file: str | Path, passphrase: str) -> bool:
        """Use a key file that needs a passphrase, after a connection failed without it.

        Parameters
        ----------
        key_file : str or Path
            One of ``error.locked_keys``.
        passphrase : str

        Returns
        -------
        bool
            False if the passphrase is wrong.
        """
        path = Path(key_file).expanduser()
        key = decrypt(path, passphrase)
        if key is not None:
            wait_for(self._connection.add_key(path, key))
        return key is not None

    def check_password(self, user: str, password: str) -> Future[bool]:
        """Start to check whether the pod accepts a password by SSH. A server may take seconds to refuse one.

        Parameters
        ----------
        user, password : str

        Returns
        -------
        concurrent.futures.Future
        """
        return submit(accepts_password(self._connection, user, password))

    @property
    def user(self) -> str | None:
        """The user name that the pod accepted; None before the first connection."""
        return self._connection.user

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now. A connection that broke counts until its keepalive fails."""
        return self._connection.is_connected

    def allow_install(self, allowed: bool) -> None:
        """Set whether missing Python packages may be installed on the pod.

        Parameters
        ----------
        allowed : bool
        """
        self._launcher.install_allowed = allowed

    def close(self) -> None:
        """Close the connection and the forwards. What runs on the pod continues."""
        for forward in list(self._forwards):
            forward.close()

        async def disconnect() -> None:
            await self._agent.close()
            await self._connection.close()

        wait_for(disconnect())
