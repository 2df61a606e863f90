"""What the agent has to know after a kill or a power cut: one SQLite file that only root can read.

WAL with full syncing, so that what was journalled is on the disk before the next step begins. The tables of all
concerns stand here, in `MIGRATIONS`; `user_version` of the file says how many of them it has seen.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATH = "/var/lib/onsite/agent.db"

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, about TEXT NOT NULL, lane TEXT NOT NULL,
        who TEXT NOT NULL, argument TEXT NOT NULL, kept TEXT NOT NULL DEFAULT '{}', state TEXT NOT NULL,
        code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', wish TEXT NOT NULL DEFAULT '',
        created REAL NOT NULL, ended REAL
    ) STRICT;
    CREATE UNIQUE INDEX one_in_a_lane ON jobs (lane) WHERE state IN ('running', 'undoing');
    CREATE INDEX jobs_by_age ON jobs (about, created);
    CREATE TABLE steps (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
        label TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', message TEXT NOT NULL DEFAULT '',
        begun REAL, ended REAL, PRIMARY KEY (job, position)
    ) STRICT;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, about TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
        reason TEXT NOT NULL, message TEXT NOT NULL, happened REAL NOT NULL, past INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX events_of_now ON events (about, id) WHERE past = 0;
    CREATE INDEX events_by_type ON events (type) WHERE past = 0;
    CREATE INDEX events_about ON events (about, id);
    """,
    """
    CREATE TABLE users (name TEXT PRIMARY KEY, logins INTEGER NOT NULL, sessions_since REAL NOT NULL) STRICT;
    CREATE TABLE revoked (token TEXT PRIMARY KEY, expires REAL NOT NULL) STRICT;
    CREATE TABLE failures (
        name TEXT PRIMARY KEY, count INTEGER NOT NULL, last REAL NOT NULL, locked_until REAL NOT NULL DEFAULT 0
    ) STRICT;
    """,
    """
    CREATE TABLE cluster (
        one INTEGER PRIMARY KEY CHECK (one = 1), configuration TEXT NOT NULL, spec TEXT NOT NULL,
        definition TEXT NOT NULL, sensitive TEXT NOT NULL, created REAL NOT NULL
    ) STRICT;
    """,
)
"""Statements in the order of their making. One that has been released is never changed, only followed by another."""

Row = sqlite3.Row


class TooNew(Exception):
    """The file was written by a newer agent; the text is a sentence for the operator."""


class Store:
    """One file, one connection, used by one thread at a time.

    Raises:
        OSError, sqlite3.Error: it cannot be opened.
        TooNew: it has seen migrations that this agent does not know.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)  # SQLite gives its -wal and -shm the mode of the file itself
        self._lock = threading.RLock()
        self._deep = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        try:
            self._migrate()
        except BaseException:
            self._connection.close()
            raise

    def _migrate(self) -> None:
        seen = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if seen > len(MIGRATIONS):
            raise TooNew("The agent's data was written by a newer version of Onsite. Install that version again.")
        for number, statements in enumerate(MIGRATIONS[seen:], seen + 1):
            script = f"BEGIN IMMEDIATE; {statements}; PRAGMA user_version = {number}; COMMIT;"
            try:
                self._connection.executescript(script)
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """All of it or nothing; one inside another joins it."""
        with self._lock:
            if self._deep == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._deep += 1
            try:
                yield self
            except BaseException:
                self._deep -= 1
                if self._deep == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._deep -= 1
            if self._deep == 0:
                self._connection.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> int:
        """One statement that writes. Returns the id of a row that it inserted, or the number of rows otherwise."""
        with self._lock:
            cursor = self._connection.execute(statement, values)
            return int(cursor.lastrowid or 0) if statement.lstrip().startswith("INSERT") else cursor.rowcount

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each of many rows, in one transaction."""
        with self.transaction():
            self._connection.executemany(statement, rows)

    def rows(self, query: str, *values: Any) -> list[Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> Row | None:
        with self._lock:
            found: Row | None = self._connection.execute(query, values).fetchone()
            return found
