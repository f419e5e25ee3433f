"""The enforcer: one detached process per user with a thread for each account."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from multiprocessing.connection import Connection, Listener
from typing import Any, Final

from .. import config, profiles
from ..errors import InvalidRequest, YottaError
from ..formatting import pluralize
from ..overrides import ConfigOverrides
from ..secret import Secret
from ..urls import normalize_base_url
from . import process
from .account_thread import AccountThread
from .clock import Clock
from .durations import format_duration
from .ledger import account_id
from .storage import data_folder
from .store import GuardStore, Heartbeat

HEARTBEAT_INTERVAL: Final = 5.0  # seconds

SLEEP_THRESHOLD: Final = 60.0
"""Seconds between two heartbeats. If they are further apart, the machine slept or the process was stopped."""

LOCK_TIMEOUT: Final = 0.5  # seconds of one attempt to become the enforcer

EMPTY_GRACE: Final = 2.0
"""Seconds without guards after which the enforcer ends."""


class Enforcer:
    """Starts a thread for each account whose key it has, and writes heartbeats until there is no guard."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._store = GuardStore()
        self._clock = Clock(data_folder() / "clock.json")
        self._threads: dict[str, AccountThread] = {}  # by account
        self._lock = threading.Lock()
        self._message_received = threading.Event()
        self._started_at = self._clock.now()
        self._problem = ""
        self._database_id: str | None = None

    def run(self) -> None:
        """Run until there is no guard. Call it only while `process.lock` is held."""
        path = process.socket_path()
        self._log_start()
        while True:
            path.unlink(missing_ok=True)
            with Listener(str(path), "AF_UNIX") as listener:
                path.chmod(0o600)
                threading.Thread(target=self._serve, args=(listener,), name="yotta-guard-socket", daemon=True).start()
                self._write_heartbeats()
            # A notebook may have set a guard while the socket was being closed.
            if self._heartbeat(self._clock.now()) == 0:
                self._logger.info("there is no guard any more: the enforcer ends")
                return

    def _write_heartbeats(self) -> None:
        """Write heartbeats until there has been no guard for a while."""
        last = self._clock.now()
        empty_since: float | None = None
        while True:
            now = self._clock.now()
            if now - last > SLEEP_THRESHOLD:
                self._logger.info(f"nothing was checked for {format_duration(now - last)}: the machine slept")
                self._wake_threads()
            last = now
            is_empty = self._heartbeat(now) == 0
            if not is_empty:
                empty_since = None
            elif empty_since is None:
                empty_since = now
            elif now - empty_since >= EMPTY_GRACE:
                return
            self._message_received.wait(EMPTY_GRACE if is_empty else HEARTBEAT_INTERVAL)
            self._message_received.clear()

    def _heartbeat(self, now: float) -> int | None:
        """Store a heartbeat and load missing keys; return the number of guards, None if it is unknown."""
        try:
            database_id = self._store.identity()
            was_database_replaced = self._database_id not in (None, database_id)
            self._database_id = database_id
            guards = self._store.guards()
            urls_without_key = {guard.base_url for guard in guards if guard.account not in self._threads}
            if urls_without_key:
                self._load_profiles(urls_without_key)
            heartbeat = Heartbeat(
                pid=os.getpid(), started_at=self._started_at, checked_at=now, accounts=list(self._threads)
            )
            self._store.write_heartbeat(heartbeat)
            self._problem = ""
        except YottaError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._logger.info(str(error))
            return None
        if was_database_replaced:
            self._wake_threads()  # They write their guards into the new database.
            return None
        return len(guards)

    def _log_start(self) -> None:
        """Log the start, and how long guards were not enforced before it."""
        try:
            guards, before = self._store.guards(), self._store.read_heartbeat()
        except YottaError:
            return
        self._logger.info(f"the enforcer started with {pluralize(len(guards), 'guard')}, process {os.getpid()}")
        if guards and before is not None:
            gap = self._clock.now() - before.checked_at
            if gap > SLEEP_THRESHOLD:
                self._logger.info(f"guards were not enforced for {format_duration(gap)}")

    def _load_profiles(self, base_urls: set[str]) -> None:
        """Read the keys for these base URLs from ``~/.yotta/config``."""
        try:
            for profile in profiles.profile_names():
                found = config.resolve_config(profile=profile, overrides=ConfigOverrides())
                base_url = normalize_base_url(found.base_url)
                if base_url in base_urls and account_id(base_url, found.api_key) not in self._threads:
                    self._add(base_url, found.api_key, None)
        except InvalidRequest as error:
            self._logger.info(str(error))

    def _add(self, base_url: str, api_key: Secret, ssh_key: str | None) -> None:
        account = account_id(base_url, api_key)
        with self._lock:
            thread = self._threads.get(account)
            if thread is None:
                thread = AccountThread(base_url, api_key, ssh_key, self._store, self._clock, self._logger)
                self._threads[account] = thread
            elif ssh_key is not None:  # A notebook without a key file must not remove that of another notebook.
                thread.ssh_key = ssh_key
            thread.woken.set()

    def _wake_threads(self) -> None:
        """Make all threads check now."""
        for thread in list(self._threads.values()):
            thread.woken.set()

    def _serve(self, listener: Listener) -> None:
        """Answer the messages of notebooks until the listener is closed."""
        while True:
            try:
                with listener.accept() as connection:
                    assert isinstance(connection, Connection)
                    if connection.poll(process.REPLY_TIMEOUT):
                        self._handle(json.loads(connection.recv_bytes(process.MAX_MESSAGE)))
                        connection.send_bytes(process.REPLY)
            except (OSError, EOFError, ValueError, KeyError, TypeError, YottaError) as error:
                if _is_listener_closed(error):
                    return

    def _handle(self, message: dict[str, Any]) -> None:
        if message.get("api_key"):
            key = config.validate_api_key(message["api_key"])
            self._add(normalize_base_url(message["base_url"]), key, message.get("ssh_key"))
        self._heartbeat(self._clock.now())
        self._wake_threads()
        self._message_received.set()


def _is_listener_closed(error: Exception) -> bool:
    """Return whether the listener was closed, not only a connection. There is no exception class for it."""
    return isinstance(error, OSError) and str(error) == "listener is closed"


def main() -> None:
    """Run the enforcer in this process, unless another one runs and answers. Wait for one that is about to end."""
    deadline = time.monotonic() + process.START_TIMEOUT / 2  # The notebook waits for START_TIMEOUT.
    while time.monotonic() < deadline:
        with process.lock(timeout=LOCK_TIMEOUT) as obtained:
            if obtained:
                _run_enforcer()
                return
        if process.send():
            return


def _run_enforcer() -> None:
    logger = process.open_log()

    def terminate(number: int, frame: object) -> None:
        logger.info(f"the enforcer was ended by {signal.Signals(number).name}: no guard is enforced until it runs")
        os._exit(1)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Enforcer(logger).run()
