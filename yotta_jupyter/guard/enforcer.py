"""The local enforcer: one detached process per user that watches all guarded pods of all accounts."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from multiprocessing.connection import Connection, Listener
from typing import Any, Final

import msgspec

from .. import config, profiles
from ..api import PodsClient, V1Backend
from ..api.transport import Transport
from ..errors import InvalidRequest, YottaError
from ..formatting import pluralize
from ..keys import DEFAULT_KEY
from ..models import Pod
from ..overrides import ConfigOverrides
from ..remote import Remote, endpoint_of
from ..sanitize import single_line
from ..secret import Secret
from ..urls import normalize_base_url
from . import idle, process
from .clock import Clock
from .durations import format_duration
from .ledger import Ledger, account_id
from .storage import data_folder
from .store import EnforcerState, GuardStore
from .watcher import AccountWatcher

HEARTBEAT: Final = 5.0
"""Seconds between two entries in the database, and the longest wait, so that it acts soon after a sleep."""

SLEPT: Final = 60.0
"""Seconds between two heartbeats beyond which the machine slept or the process was stopped."""

API_TIMEOUT: Final = 20.0
LOCK_TIMEOUT: Final = 0.5
EMPTY_GRACE: Final = 2.0
"""Seconds without guards after which the enforcer ends."""


class Account:
    """A key, and the thread that enforces the guards of its pods.

    Parameters
    ----------
    base_url : str
    api_key : Secret
    ssh_key : str or None
        A private key file.
    store : GuardStore
    clock : Clock
    logger : logging.Logger
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
        self.account = account_id(base_url, api_key)
        self.ssh_key = None if ssh_key == DEFAULT_KEY else ssh_key
        self.wake = threading.Event()
        self._clock = clock
        self._logger = logger
        self._remotes: dict[str, Remote] = {}
        ledger = Ledger(base_url, api_key, clock)
        pods = PodsClient(V1Backend(Transport(base_url, api_key, API_TIMEOUT)))
        pods.subscribe(ledger.record)
        self._watcher = AccountWatcher(
            pods, store, ledger, base_url=base_url, now=clock.now, log=logger.info, read_sample=self._read_sample
        )
        threading.Thread(target=self._run, name=f"yotta-guard-{self.account}", daemon=True).start()

    def _run(self) -> None:
        due = 0.0
        while True:
            now = self._clock.now()
            if now >= due or self.wake.is_set():
                self.wake.clear()
                due = self._clock.now() + self._check()
            # Short waits: a wait does not continue while the machine sleeps.
            self.wake.wait(max(0.0, min(HEARTBEAT, due - self._clock.now())))

    def _check(self) -> float:
        try:
            return self._watcher.check()
        except Exception as error:  # A thread that ended would leave the pods without a guard.
            self._logger.error(f"unexpected {type(error).__name__}: {single_line(error)}")
            return HEARTBEAT

    def _read_sample(self, pod: Pod) -> idle.Sample:
        has_gpus = (pod.resource_type or "").upper() != "CPU" and pod.gpu_count != 0
        remote = self._remotes.get(pod.id)
        if remote is None:
            remote = Remote(endpoint_of(pod, self.ssh_key), on_notice=lambda text: None)
            self._remotes[pod.id] = remote
        try:
            return idle.parse(remote.shell(idle.command({"gpus": has_gpus})).stdout)
        except YottaError:
            # Connect anew for the next sample: the address may have changed.
            del self._remotes[pod.id]
            remote.close()
            raise


class Enforcer:
    """Watches all guarded pods until there is no guard."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._store = GuardStore()
        self._clock = Clock(data_folder() / "clock.json")
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._started_at = self._clock.now()
        self._problem = ""
        self._identity: str | None = None

    def run(self) -> None:
        """Run until there is no guard. Call it only while `process.lock` is held."""
        path = process.socket_path()
        self._report_gap()
        # A guard that is set while the socket is closed would find no enforcer, so look once more afterwards.
        while True:
            path.unlink(missing_ok=True)
            with Listener(str(path), "AF_UNIX") as listener:
                path.chmod(0o600)
                threading.Thread(target=self._serve, args=(listener,), name="yotta-guard-socket", daemon=True).start()
                self._watch()
            if self._heartbeat(self._clock.now()) == 0:
                self._logger.info("there is no guard any more: the enforcer ends")
                return

    def _watch(self) -> None:
        last = self._clock.now()
        empty_since: float | None = None
        while True:
            now = self._clock.now()
            if now - last > SLEPT:
                self._logger.info(f"nothing was watched for {format_duration(now - last)}: the machine slept")
                self._wake()
            last = now
            count = self._heartbeat(now)
            empty_since = (empty_since or now) if count == 0 else None
            if empty_since is not None and now - empty_since >= EMPTY_GRACE:
                return
            self._woken.wait(EMPTY_GRACE if count == 0 else HEARTBEAT)
            self._woken.clear()

    def _heartbeat(self, now: float) -> int | None:
        """Write a sign of life and load missing keys; return the number of guards, None if it is unknown."""
        try:
            before, self._identity = self._identity, self._store.identity()
            guards = self._store.guards()
            missing = {guard.base_url for guard in guards if guard.account not in self._accounts}
            if missing:
                self._load_profiles(missing)
            state = EnforcerState(
                pid=os.getpid(), started_at=self._started_at, checked_at=now, accounts=list(self._accounts)
            )
            self._store.write_enforcer(state)
            self._problem = ""
        except YottaError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._logger.info(str(error))
            return None
        if before not in (None, self._identity):  # The watchers write their guards into the new database.
            self._wake()
            return None
        return len(guards)

    def _report_gap(self) -> None:
        try:
            guards, before = self._store.guards(), self._store.read_enforcer()
        except YottaError:
            return
        self._logger.info(f"the enforcer started with {pluralize(len(guards), 'guard')}, process {os.getpid()}")
        if guards and before is not None:
            gap = self._clock.now() - before.checked_at
            if gap > SLEPT:
                self._logger.info(f"guards were not enforced for {format_duration(gap)}")

    def _load_profiles(self, base_urls: set[str]) -> None:
        """Take the keys for these addresses from ``~/.yotta/config``."""
        try:
            for profile in profiles.profile_names():
                found = config.resolve_config(profile=profile, overrides=ConfigOverrides())
                base_url = normalize_base_url(found.base_url)
                if base_url in base_urls and account_id(base_url, found.api_key) not in self._accounts:
                    self._add(base_url, found.api_key, None)
        except InvalidRequest as error:
            self._logger.info(str(error))

    def _add(self, base_url: str, api_key: Secret, ssh_key: str | None) -> None:
        name = account_id(base_url, api_key)
        with self._lock:
            account = self._accounts.get(name)
            if account is None:
                account = Account(base_url, api_key, ssh_key, self._store, self._clock, self._logger)
                self._accounts[name] = account
            elif ssh_key is not None:
                account.ssh_key = None if ssh_key == DEFAULT_KEY else ssh_key
            account.wake.set()

    def _wake(self) -> None:
        for account in list(self._accounts.values()):
            account.wake.set()

    def _serve(self, listener: Listener) -> None:
        while True:
            try:
                with listener.accept() as connection:
                    assert isinstance(connection, Connection)
                    if connection.poll(process.REPLY_TIMEOUT):
                        self._handle(json.loads(connection.recv_bytes(process.MAX_MESSAGE)))
                        reply = process.Reply(os.getpid(), list(self._accounts))
                        connection.send_bytes(msgspec.json.encode(reply))
            except (OSError, EOFError, ValueError, KeyError, TypeError, YottaError) as error:
                if listener_is_closed(error):
                    return

    def _handle(self, message: dict[str, Any]) -> None:
        if message.get("api_key"):
            key = config.validate_api_key(message["api_key"])
            self._add(normalize_base_url(message["base_url"]), key, message.get("ssh_key"))
        self._heartbeat(self._clock.now())
        self._wake()
        self._woken.set()


def listener_is_closed(error: Exception) -> bool:
    """Return whether an error says that a listener was closed, rather than one connection."""
    return isinstance(error, OSError) and str(error) == "listener is closed"


def main() -> None:
    """Run the enforcer in this process, unless another one runs. One that is about to end is waited for."""
    deadline = time.monotonic() + process.START_TIMEOUT / 2
    while time.monotonic() < deadline:
        with process.lock(timeout=LOCK_TIMEOUT) as obtained:
            if obtained:
                _run()
                return
        if process.request() is not None:
            return


def _run() -> None:
    logger = process.open_log()

    def terminate(number: int, frame: object) -> None:
        logger.info(f"the enforcer was ended by {signal.Signals(number).name}: no guard is enforced until it runs")
        os._exit(1)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Enforcer(logger).run()
