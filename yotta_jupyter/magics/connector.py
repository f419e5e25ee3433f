"""Connects the commands of a notebook to pods over SSH."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from .. import ssh
from ..api.waiter import SSH
from ..catalog import OFFICIAL_PREFIX
from ..errors import InvalidRequest, PodNotFound, RemoteUnavailable
from ..hints import pod_argument
from ..models import Pod
from ..passwords import PUBLISHED_LOGIN
from ..statuses import ENDING_STATUSES
from .connection_line import ConnectionLine
from .display import print_note
from .prompts import prompt_secret
from .resolve import match_pods, resolve_pods
from .waiting import wait_for_pod

if TYPE_CHECKING:
    from ..remote import Remote
    from ..remote.runs import RunInfo
    from .session import Session


class Connector:
    """Provides commands with the `Remote` of a pod, the SSH connection that the client keeps for each pod.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._line = ConnectionLine(session.shell)
        self._password_checks: dict[str, tuple[Pod, Future[bool]]] = {}
        self._warned_pod_ids: set[str] = set()
        self._used: Pod | None = None

    @property
    def used_pod(self) -> Pod | None:
        """The pod chosen by ``%yotta use``."""
        return self._used

    @property
    def used_pod_id(self) -> str | None:
        """The id of the pod chosen by ``%yotta use``."""
        return self._used.id if self._used is not None else None

    def use(self, pod: Pod) -> None:
        """Choose the pod of the commands that name none.

        Parameters
        ----------
        pod : Pod
        """
        self._used = pod

    def open(self, query: str | None, *, install: bool = True) -> tuple[Pod, Remote]:
        """Return a pod and its `Remote`. A pod that is starting is waited for, with progress.

        A pod with a live connection is found among the known pods, without a request: a cell starts at once.

        Parameters
        ----------
        query : str or None
            As for `resolve_pods`; None means the pod chosen by ``%yotta use``.
        install : bool, default True
            Whether missing Python packages may be installed on the pod.

        Raises
        ------
        InvalidRequest
            No pod is named and none was chosen, or the query is invalid or matches several pods.
        RemoteUnavailable, InvalidPodState, WaitTimeout
            The pod cannot be reached by SSH.
        PodNotFound, ApiError, ConnectionFailed, UnexpectedResponse
            As for `resolve_pods`.
        """
        query = query or self.used_pod_id
        if query is None:
            raise InvalidRequest("No pod is named.", advice="Name one, or choose one for all cells: %yotta use POD")
        return self._find_connected(query, install) or self._connect(query, install)

    def end_command(self) -> None:
        """End the line that shows the status of the connection, and warn of published passwords."""
        self._line.end()
        self._warn_of_published_passwords()

    def find_known_id(self, query: str | None) -> str | None:
        """Return the id of the known pod that matches, without a request; None if none or several match.

        Parameters
        ----------
        query : str or None
            As for `open`.
        """
        query = query or self.used_pod_id
        pod = self._find_known(query) if query else None
        return pod.id if pod is not None else None

    def _find_known(self, query: str) -> Pod | None:
        matches = match_pods(self._session.known_pods, query)
        return matches[0] if len(matches) == 1 else None

    def _find_connected(self, query: str, install: bool) -> tuple[Pod, Remote] | None:
        pod = self._find_known(query)
        client = self._session.cached_client
        if pod is None or client is None:
            return None
        remote = client.remotes.find(pod.id)
        if remote is None or not remote.is_connected:
            return None
        remote.allow_install(install)
        return pod, remote

    def _connect(self, query: str, install: bool) -> tuple[Pod, Remote]:
        pod = self._resolve(query)
        if ssh.is_starting(pod):
            pod = wait_for_pod(self._session, pod, SSH)
        remote = self._session.client.remotes.get(pod.id)
        remote.on_notice, remote.on_status = self._line.show_notice, self._line.show_status
        remote.on_queued = partial(self._show_queued, pod)
        remote.allow_install(install)
        _connect_with_passphrases(remote)
        if (pod.image or "").startswith(OFFICIAL_PREFIX) and pod.id not in self._password_checks:
            self._password_checks[pod.id] = (pod, remote.check_password(*PUBLISHED_LOGIN))
        return pod, remote

    def _show_queued(self, pod: Pod, earlier: RunInfo, is_same: bool) -> None:
        command = f"%yotta attach {pod_argument(pod, self._session.known_pods)} --run {earlier.short_id}"
        state = "running" if earlier.state == "running" else "queued"
        if is_same:
            state = f"the same cell is {state} on {pod.label} already (run {earlier.short_id})."
        else:
            title = earlier.title or "(empty)"
            state = f"another cell is {state} on {pod.label} (run {earlier.short_id}): {title}."
        self._line.show_notice(
            f"{state} This one starts after it. To see its output instead, interrupt this cell, then: {command}"
        )

    def _resolve(self, query: str) -> Pod:
        used = self._used
        if used is not None and query == used.id:
            return self._resolve_used(used)
        return resolve_pods(self._session.client, [query])[0]

    def _resolve_used(self, used: Pod) -> Pod:
        """Return the pod of ``%yotta use``. If it has ended, use the live pod of the same name from now on."""
        try:
            (pod,) = resolve_pods(self._session.client, [used.id])
        except PodNotFound:
            pod = None
        if pod is not None and pod.status not in ENDING_STATUSES:
            return pod
        if not used.name:
            return pod or used  # The connection then fails with an error that says what is wrong.
        (successor,) = resolve_pods(self._session.client, [used.name])
        if successor.id != used.id:
            print_note(f"{used.label} has ended; commands use {successor.label} from now on.")
            self.use(successor)
        return successor

    def _warn_of_published_passwords(self) -> None:
        """Print a note, once per pod, if the password that its official image publishes works for SSH.

        The check runs in the background since the first connection. Checks that have not ended are skipped.
        """
        user, password = PUBLISHED_LOGIN
        for pod, check in list(self._password_checks.values()):
            if check.done() and pod.id not in self._warned_pod_ids:
                self._warned_pod_ids.add(pod.id)
                if check.result():
                    argument = pod_argument(pod, self._session.known_pods)
                    print_note(
                        f"{pod.label} accepts SSH logins as {user} with the published password {password!r}. "
                        f"Lock it: %yotta sh {argument} -- sudo passwd -l {user}"
                    )


def _connect_with_passphrases(remote: Remote) -> None:
    """Connect. If no key is accepted, prompt for the passphrases of encrypted keys."""
    while True:
        try:
            remote.connect()
            return
        except RemoteUnavailable as error:
            is_unlocked = bool(error.locked_keys) and _unlock(remote, error.locked_keys[0])
            if not is_unlocked:
                raise


def _unlock(remote: Remote, key_file: str) -> bool:
    """Prompt for a passphrase until it is right. Return False if the user cancels or input is not possible."""
    try:
        while passphrase := prompt_secret(f"Passphrase of {key_file} (empty to cancel): "):
            if remote.unlock(key_file, passphrase):
                return True
            print_note("this passphrase is wrong.")
    except KeyboardInterrupt:
        pass
    return False
