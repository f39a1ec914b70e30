"""Where the state of budgets is kept: in a SQLite file that processes share, or in memory.

SQLite because it brings what this needs and is with Python: one writer at a time over all processes, a transaction that a killed
process leaves no half of, and no server. What is lost with the machine (nothing is synced to disk) is a minute's counts.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .stream import ConnectorError

PATIENCE = 60.0  # seconds to wait for other processes, each of which needs a fraction of a millisecond

TABLE = """
create table if not exists budget (account text, name text, state blob not null, primary key (account, name)) without rowid
"""


class Rows:
    """The states of an account's budgets inside one transaction, by name."""

    def __init__(self, connection: sqlite3.Connection, account: str) -> None:
        self._connection = connection
        self._account = account

    def get(self, name: str) -> bytes | None:
        row = self._connection.execute(
            "select state from budget where account = ? and name = ?", (self._account, _kept_as(name))
        ).fetchone()
        return None if row is None else row[0]

    def put(self, name: str, state: bytes) -> None:
        self._connection.execute(
            "insert or replace into budget values (?, ?, ?)", (self._account, _kept_as(name), state)
        )


def _kept_as(name: str) -> str:
    """A mailbox's budget goes by a digest: the file must not name people, who may ask to be forgotten."""
    return hashlib.blake2b(name.encode(), digest_size=12).hexdigest() if "@" in name else name


class Store:
    """States by account and budget. Thread-safe. path: None keeps them in memory, for this object alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def changing(self, account: str) -> Generator[Rows]:
        """The states of an account, which nobody else changes meanwhile. Raises ConnectorError where the file cannot be used."""
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("begin immediate")
                try:
                    yield Rows(connection, account)
                except BaseException:
                    connection.execute("rollback")
                    raise
                connection.execute("commit")
            except (sqlite3.Error, OSError) as error:
                raise ConnectorError(
                    f"{self._path}: the count of requests that is shared with other runs cannot be kept: {error}. Free space or "
                    "correct the folder's permissions; if the file is damaged, delete it: it holds the last minutes' counts only."
                ) from error

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                # Only a new file is opened here: closing one that is in use would drop its locks.
                with suppress(FileExistsError):
                    os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            connection = sqlite3.connect(
                self._path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                # No WAL: who changes to it is told "locked" at once when another process does so too, whatever the patience.
                connection.execute("pragma journal_mode = truncate")
                connection.execute("pragma synchronous = off")
                connection.execute("begin immediate")
                connection.execute(TABLE)
                connection.execute("commit")
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection
