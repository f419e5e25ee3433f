"""SQLite databases in the user's data directory, with errors in one line."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec
from platformdirs import user_data_path

from ..errors import YottaError
from ..sanitize import single_line

BUSY_TIMEOUT: Final = 5.0
"""Seconds for which a statement waits for another process."""

_WAL_ATTEMPTS: Final = 50
_WAL_DELAY: Final = 0.1  # seconds between two attempts

_MESSAGES: Final = {
    "SQLITE_BUSY": ("is locked by another process", "Try again in a moment."),
    "SQLITE_LOCKED": ("is locked by another process", "Try again in a moment."),
    "SQLITE_CORRUPT": ("is damaged", "Move the file away; a new one is created."),
    "SQLITE_NOTADB": ("is damaged", "Move the file away; a new one is created."),
    "SQLITE_FULL": ("cannot be written: the disk is full", "Free some space."),
    "SQLITE_READONLY": ("cannot be written: it is read-only", "Make the file and its folder writable."),
    "SQLITE_CANTOPEN": ("cannot be opened", "Make the file and its folder readable and writable."),
    "SQLITE_IOERR": ("cannot be read or written: the disk failed or is full", "Check the disk."),
}
"""The problem and the advice for each error of SQLite, by the beginning of its name."""


def data_folder() -> Path:
    """Return the folder of this package's data, such as ``~/.local/share/yotta_jupyter``. It may not exist.

    Returns
    -------
    pathlib.Path
    """
    return Path(user_data_path("yotta_jupyter", appauthor=False))


class Database:
    """An SQLite database that several processes use at once. Each transaction opens a connection of its own.

    Parameters
    ----------
    path : Path
    schema : str
        SQL that creates the tables.
    version : int
        The version of the schema, 1 or more.
    noun : str
        What the database holds, in messages.
    """

    def __init__(self, path: Path, schema: str, version: int, noun: str) -> None:
        self.path = path
        self._schema = schema
        self._version = version
        self._noun = noun

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
        """Open a transaction. It is committed at the end of the block, or rolled back by an exception.

        Parameters
        ----------
        writes : bool
            Whether the transaction may write. If it only reads, it does not wait for a process that writes.

        Yields
        ------
        sqlite3.Connection

        Raises
        ------
        YottaError
            The database is locked, damaged, of a newer version, or cannot be read or written.
        """
        try:
            with closing(self._connect()) as connection:
                # A transaction that begins with a read cannot wait for another process when it writes later.
                connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            raise self._to_yotta_error(error) from None

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > self._version:
                raise YottaError(
                    f"{self._label} was written by a newer version of yotta_jupyter.",
                    advice="Update yotta_jupyter in this environment.",
                )
            if version < self._version:
                self._create(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        self.path.chmod(0o600)
        _enable_wal(connection)
        # `executescript` would commit this transaction, so that another process could create the same tables.
        connection.execute("BEGIN IMMEDIATE")
        for statement in self._schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self._version}")
        connection.execute("COMMIT")

    @property
    def _label(self) -> str:
        return f"The database of {self._noun} ({self.path})"

    def _to_yotta_error(self, error: Exception) -> YottaError:
        name = getattr(error, "sqlite_errorname", None) or ""
        if isinstance(error, msgspec.MsgspecError):  # Raised by a block that decodes a stored value.
            name = "SQLITE_CORRUPT"
        for prefix, (problem, advice) in _MESSAGES.items():
            if name.startswith(prefix):
                return YottaError(f"{self._label} {problem}.", advice=advice)
        return YottaError(f"{self._label} cannot be used: {single_line(error)}.")


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, with retries: the timeout of the connection does not apply to this statement."""
    for attempt in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_WAL_DELAY)
