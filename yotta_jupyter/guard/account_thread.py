"""The thread for the guards of one account in the enforcer, the background process that pauses pods."""

from __future__ import annotations

import logging
import threading
from typing import Final

from ..api import PodsClient, V1Backend
from ..api.transport import Transport
from ..errors import YottaError
from ..models import Pod
from ..remote import Remote, endpoint_of
from ..sanitize import single_line
from ..secret import Secret
from . import idle
from .checker import GuardChecker
from .clock import Clock
from .ledger import Ledger, account_id
from .store import GuardStore

MAX_WAIT: Final = 5.0
"""The longest wait in seconds. Short, because a wait is prolonged by the time for which the machine sleeps."""

_API_TIMEOUT: Final = 20.0  # seconds


class AccountThread:
    """A thread that checks the guards of one account.

    Parameters
    ----------
    base_url : str
    api_key : Secret
    ssh_key : str or None
        A private key file; None for the default key.
    store : GuardStore
    clock : Clock
    logger : logging.Logger

    Attributes
    ----------
    ssh_key : str or None
        Used for the next connection to a pod.
    woken : threading.Event
        Set to make the thread check the guards now.
    """

    def __init__(
        self,
        base_url: str,
        api_key: Secret,
        ssh_key: str | None,
        store: GuardStore,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self.base_url = base_url
        self.ssh_key = ssh_key
        self.woken = threading.Event()
        self._clock = clock
        self._logger = logger
        self._remotes: dict[str, Remote] = {}
        ledger = Ledger(base_url, api_key, clock)
        pods = PodsClient(V1Backend(Transport(base_url, api_key, _API_TIMEOUT)))
        pods.subscribe(ledger.record)
        self._checker = GuardChecker(
            pods, store, ledger, base_url=base_url, now=clock.now, log=logger.info, read_sample=self._read_sample
        )
        threading.Thread(target=self._run, name=f"yotta-guard-{account_id(base_url, api_key)}", daemon=True).start()

    def _run(self) -> None:
        due = 0.0  # in seconds of the clock
        while True:
            if self._clock.now() >= due or self.woken.is_set():
                self.woken.clear()
                due = self._clock.now() + self._check()
            self.woken.wait(max(0.0, min(MAX_WAIT, due - self._clock.now())))

    def _check(self) -> float:
        """Check all guards; return the seconds until the next check."""
        try:
            return self._checker.check()
        except Exception as error:  # A thread that ended would leave the pods without a guard.
            self._logger.error(f"unexpected {type(error).__name__}: {single_line(error)}")
            return MAX_WAIT

    def _read_sample(self, pod: Pod) -> idle.Sample:
        has_gpus = (pod.resource_type or "").upper() != "CPU" and pod.gpu_count != 0
        remote = self._remotes.get(pod.id)
        if remote is None:
            remote = Remote(endpoint_of(pod, self.ssh_key), on_notice=lambda text: None)
            self._remotes[pod.id] = remote
        try:
            return idle.parse_sample(remote.shell(idle.probe_command({"gpus": has_gpus})).stdout)
        except YottaError:
            # The next sample needs a new connection, because the address of the pod may have changed.
            del self._remotes[pod.id]
            remote.close()
            raise
