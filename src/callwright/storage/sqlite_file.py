"""The SQLite file: how it is opened, and a transaction of plain statements on it."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from callwright.pattern import is_found
from callwright.storage.database_faults import DatabaseFault, reason
from callwright.storage.plain_statements import PlainTransaction, Value, with_named

T = TypeVar("T")

BUSY_TIMEOUT = 2.0
"Seconds a statement waits for another connection's lock before it fails."

_URL = re.compile(r"sqlite(?:\+[a-z]+)?:///(?!:memory:|file:)([^?]+)(?:\?.*)?")
"With the path of its file."


class FileTransaction:
    """See `callwright.storage.plain_statements.PlainTransaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str, /, **values: Value) -> list[tuple[Any, ...]]:
        return self._connection.execute(*with_named(statement, values)).fetchall()

    def begin_at_once(self) -> None:
        self("BEGIN IMMEDIATE")

    def has_table(self, name: str) -> bool:
        try:
            return bool(self("SELECT 1 FROM sqlite_master WHERE name = :name", name=name))
        except sqlite3.Error as fault:
            raise DatabaseFault(f"the database cannot be read: {reason(fault)}") from fault


def transaction(url: str, work: Callable[[PlainTransaction], T]) -> T:
    """Do ``work`` in this thread; commit what it has begun.

    Raises `DatabaseFault` also for what is no SQLite file.
    """
    if (found := _URL.fullmatch(url)) is None:
        raise DatabaseFault(
            "a command needs a database that outlives it: sqlite+aiosqlite:///file or postgresql://"
        )
    file = Path(found[1])
    check_there(file)
    try:
        with closing(connect(file, BUSY_TIMEOUT)) as connection:
            connection.isolation_level = None
            done = work(FileTransaction(connection))
            if connection.in_transaction:
                connection.commit()
            return done
    except sqlite3.Error as fault:
        raise DatabaseFault(f"the database cannot be used: {reason(fault)}") from fault


def connect(
    file: str | Path, wait: float, *, durable: bool = True, **options: Any
) -> sqlite3.Connection:
    """Open a file, and set what every connection has set. Raises what SQLite does.

    ``wait``: seconds for locks. Unless ``durable`` its commits do not wait for the disk.
    """
    chosen = {**options, "timeout": BUSY_TIMEOUT, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(file, **chosen)
    try:
        # Another connection may hold a lock meanwhile; that is waited for, whatever ``wait`` is.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # FULL: a session is promised to the client once it is on record, so its commit must
        # survive a power cut; in WAL mode NORMAL may lose the last ones.
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        connection.create_function("pattern_is_found", 2, is_found, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def check_there(file: Path) -> None:
    if not file.exists():
        raise DatabaseFault(f"there is no database at {file}: run `callwright init`")
