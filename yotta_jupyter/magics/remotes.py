"""The SSH connections of a notebook to pods, and the pod that commands use when none is named."""

from __future__ import annotations

import getpass
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .. import ssh
from ..api.waiter import SSH
from ..catalog import OFFICIAL_PREFIX
from ..errors import InvalidRequest, PodNotFound, RemoteUnavailable
from ..hints import pod_word
from ..models import Pod
from ..passwords import PUBLISHED_LOGIN
from ..statuses import ENDING_STATUSES
from .resolve import match_pods, resolve_pods

if TYPE_CHECKING:
    from ..remote import Remote
    from .session import Session


class Remotes:
    """Finds the `Remote` of a pod for a command, among those of the client.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._password_checks: dict[str, tuple[Pod, Future[bool]]] = {}
        self._warned_pod_ids: set[str] = set()
        self._used: Pod | None = None

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
        return self._find_connected(query) or self._connect(query, install)

    def find_known(self, query: str | None) -> str | None:
        """Return the id of a pod among the known ones, without a request; None if not exactly one matches.

        Parameters
        ----------
        query : str or None
            As for `open`.
        """
        query = query or self.used_pod_id
        matches = match_pods(self._session.known_pods, query) if query else []
        return matches[0].id if len(matches) == 1 else None

    def _find_connected(self, query: str) -> tuple[Pod, Remote] | None:
        matches = match_pods(self._session.known_pods, query)
        client = self._session.cached_client
        remote = client.remotes.find(matches[0].id) if client is not None and len(matches) == 1 else None
        return (matches[0], remote) if remote is not None and remote.is_connected else None

    def _connect(self, query: str, install: bool) -> tuple[Pod, Remote]:
        from .commands.wait import wait_until

        pod = self._resolve(query)
        if ssh.is_starting(pod):
            pod = wait_until(self._session, pod, SSH)
        remote = self._session.client.remotes.get(pod.id)
        remote.on_notice = _print_note
        remote.allow_install(install)
        _connect_with_passphrases(remote)
        if (pod.image or "").startswith(OFFICIAL_PREFIX) and pod.id not in self._password_checks:
            self._password_checks[pod.id] = (pod, remote.check_password(*PUBLISHED_LOGIN))
        return pod, remote

    def _resolve(self, query: str) -> Pod:
        """Return the pod of a query. If the pod of ``%yotta use`` has ended, return the live pod of its name."""
        client, used = self._session.client, self._used
        if used is None or query != used.id:
            return resolve_pods(client, [query])[0]
        try:
            (pod,) = resolve_pods(client, [query])
        except PodNotFound:
            pod = None
        if (pod is None or pod.status in ENDING_STATUSES) and used.name:
            (other,) = resolve_pods(client, [used.name])
            if other.id != used.id:
                _print_note(f"{used.label} has ended; commands use {other.label} from now on.")
                self.use(other)
            return other
        return pod or used

    def warn_of_published_passwords(self) -> None:
        """Say once of each pod that the published password of its image works, if the check has ended."""
        user, password = PUBLISHED_LOGIN
        for pod, check in list(self._password_checks.values()):
            if check.done() and pod.id not in self._warned_pod_ids:
                self._warned_pod_ids.add(pod.id)
                if check.result():
                    word = pod_word(pod, self._session.known_pods)
                    _print_note(
                        f"{pod.label} accepts SSH logins as {user} with the published password {password!r}. "
                        f"Lock it: %yotta sh {word} -- sudo passwd -l {user}"
                    )


def _connect_with_passphrases(remote: Remote) -> None:
    """Connect. If no key is accepted, prompt for the passphrases of encrypted keys."""
    while True:
        try:
            remote.connect()
            return
        except RemoteUnavailable as error:
            if not error.locked_keys or not _unlock(remote, error.locked_keys[0]):
                raise


def _unlock(remote: Remote, key_file: str) -> bool:
    """Prompt for a passphrase until it is right; return False if there is no input."""
    from IPython.core.error import StdinNotImplementedError

    try:
        while passphrase := getpass.getpass(f"Passphrase of {key_file} (empty to cancel): "):
            if remote.unlock(key_file, passphrase):
                return True
            _print_note("this passphrase is wrong.")
    except (StdinNotImplementedError, EOFError, KeyboardInterrupt):
        pass
    return False


def _print_note(text: str) -> None:
    print(f"Note: {text}")
