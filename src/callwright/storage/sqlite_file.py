"""The SQLite file: how it is opened, which shape it must have, and plain statements to it.

Without SQLAlchemy, which takes longer to load than all that a command does: what people list and
change by hand are a few statements, and whoever types one waits for it.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from callwright.pattern import is_found

T = TypeVar("T")

BUSY_TIMEOUT = 2.0
"Seconds a statement waits for another connection's lock before it fails."

MIGRATIONS = Path(__file__).parent / "migrations"

_URL = re.compile(r"sqlite(?:\+[a-z]+)?:///(?!:memory:|file:)([^?]+)(?:\?.*)?")
"With the path of its file."


class DatabaseFault(Exception):
    """The database cannot be used as it is. The message says what to do."""


class Asked(Protocol):
    """What carries a statement of SQL out, with values by name (``:login``)."""

    def __call__(self, statement: str, /, **values: str | int | None) -> Sequence[Sequence[Any]]:
        """Return the rows; none if it is no statement that gives any."""


def in_transaction(url: str, work: Callable[[Asked], T]) -> T:
    """Do ``work`` in this thread, after the shape of the tables has been checked.

    Who writes begins with `begin_at_once`; it is committed at the end, and rolled back when
    something is raised. Raises `DatabaseFault` also for what is no SQLite file, and what SQLite
    does.
    """
    if (found := _URL.fullmatch(url)) is None:
        raise DatabaseFault("commands know databases of SQLite alone, as sqlite+aiosqlite:///file")
    file = Path(found[1])
    check_there(file)
    with closing(connect(file, BUSY_TIMEOUT)) as connection:
        connection.isolation_level = None

        def ask(statement: str, /, **values: str | int | None) -> list[tuple[Any, ...]]:
            return connection.execute(statement, values).fetchall()

        check_revision(_revision(ask))
        done = work(ask)
        if connection.in_transaction:
            connection.commit()
        return done


def begin_at_once(ask: Asked) -> None:
    """Begin a transaction that has the writer's lock already, not from its first writing on."""
    ask("BEGIN IMMEDIATE")


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


def written_moment(moment: datetime) -> str:
    """A moment as its columns have it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_moment(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def check_there(file: Path) -> None:
    if not file.exists():
        raise DatabaseFault(f"there is no database at {file}: run `callwright init`")


def check_revision(revision: str | None) -> None:
    """Raise `DatabaseFault` unless tables of ``revision`` are those this version works with."""
    if revision is None:
        raise DatabaseFault("the database has no tables: run `callwright migrate`")
    if revision != (head := revisions()[-1]):
        raise DatabaseFault(
            f"the database has tables of revision {revision}, this version needs {head}: "
            "run `callwright migrate`"
        )


def revisions() -> list[str]:
    """The revisions this version knows, oldest first: what the files' names begin with."""
    return sorted(file.name[1:5] for file in (MIGRATIONS / "versions").glob("r[0-9]*.py"))


def _revision(ask: Asked) -> str | None:
    try:
        if not ask("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
            return None
        return next((str(row[0]) for row in ask("SELECT version_num FROM alembic_version")), None)
    except sqlite3.Error as fault:
        raise DatabaseFault(f"the database cannot be read: {reason_of(fault)}") from fault


def reason_of(fault: BaseException | None) -> str:
    """Say in a few words what SQLite complained of; another database says it itself."""
    code = fault.sqlite_errorcode if isinstance(fault, sqlite3.Error) else 0
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # what is needed beside the file, before it is read
        return "the disk is full"
    # The low byte is the error; the rest says which variety of it.
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "it is locked by another program"
        case sqlite3.SQLITE_FULL:
            return "the disk is full"
        case sqlite3.SQLITE_CANTOPEN:
            return "its file cannot be opened"
        case sqlite3.SQLITE_READONLY:
            return "it is read-only"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "its file is damaged, or is not a database"
    return str(fault)
