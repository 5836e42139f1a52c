"""The database: how it is opened, and which shape it must have.

SQLite in WAL mode, so that readers never wait for the writer; PostgreSQL by URL is prepared for.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callwright.pattern import is_found

BUSY_TIMEOUT = 2.0
"Seconds a statement waits for another connection's lock before it fails."

CLOSED_WITHIN = 0.1
"Seconds a connection whose statement was cut off has to close, before it is let go."
CANCELLED_AT_MOST = 5

_MIGRATIONS = Path(__file__).parent / "migrations"

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
)


class DatabaseFault(Exception):
    """The database cannot be used as it is. The message says what to do."""


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> object: ...


class _DriverConnection(Protocol):
    def cursor(self) -> _Cursor: ...
    def create_function(
        self, name: str, arguments: int, function: Callable[..., object], *, deterministic: bool
    ) -> object: ...


def open_database(url: str, *, durable: bool = True) -> AsyncEngine:
    """Return an engine for ``url``; nothing is connected yet.

    Raises `DatabaseFault` for a URL that no database can be opened by. SQLite connections get WAL,
    a busy timeout of `BUSY_TIMEOUT` and foreign keys; unless ``durable`` they do not wait for
    the disk.
    """
    try:
        if make_url(url).get_backend_name() != "sqlite":
            return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
        database = create_async_engine(
            url,
            connect_args={"timeout": BUSY_TIMEOUT},
            pool_size=5,
            max_overflow=0,
            # Errors end up in logs; phone numbers and trunks' passwords are not to.
            hide_parameters=True,
        )
    except (SQLAlchemyError, ImportError, ValueError) as fault:
        raise DatabaseFault(f"the database URL cannot be used: {fault}") from fault
    event.listen(database.sync_engine, "connect", _preparing(BUSY_TIMEOUT, durable))
    return database


@contextmanager
def open_twin(
    database: AsyncEngine, *, wait: float = BUSY_TIMEOUT, durable: bool = True
) -> Iterator[Engine | None]:
    """Give an engine for the same SQLite file that works in the thread it is called from.

    ``wait``: seconds for locks. None for any other database.
    """
    file = database_file(database.url.render_as_string(hide_password=False))
    if file is None:
        yield None
        return
    twin = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": wait, "check_same_thread": False},
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(twin, "connect", _preparing(wait, durable))
    try:
        yield twin
    finally:
        twin.dispose()


async def close_database(database: AsyncEngine) -> None:
    """Close every connection, also those whose statement has been cut off just now.

    Such a one is closed by a task of SQLAlchemy's, which may wait for a thread that has gone, and
    then for it once more; the event loop would cancel it only once, and the program never end.
    """
    with anyio.CancelScope(shield=True):
        await database.dispose()
        closing = {task for task in asyncio.all_tasks() if _closes(task)}
        for _ in range(CANCELLED_AT_MOST):
            if closing:
                _, closing = await asyncio.wait(closing, timeout=CLOSED_WITHIN)
            for task in closing:
                task.cancel()


def _closes(task: "asyncio.Task[Any]") -> bool:
    return getattr(task.get_coro(), "__qualname__", "").endswith("_terminate_graceful_close")


def database_file(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _preparing(wait: float, durable: bool) -> Callable[[_DriverConnection, object], None]:
    def prepare(connection: _DriverConnection, _record: object) -> None:
        cursor = connection.cursor()
        # While they are set another connection may hold a lock; that is no reason not to wait.
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        # FULL: a session is promised to the client once it is on record, so its commit must
        # survive a power cut; in WAL mode NORMAL may lose the last ones.
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        cursor.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        cursor.close()
        connection.create_function("pattern_is_found", 2, is_found, deterministic=True)

    return prepare


@asynccontextmanager
async def writing(database: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that holds the writer's lock from its first statement on.

    Commits at the end of the block, rolls back when it raises. What is read inside cannot change
    before it is written; an SQLite transaction that begins by reading could fail instead.
    """
    async with database.begin() as connection:
        await connection.run_sync(begin_at_once)
        yield connection


def begin_at_once(connection: Connection) -> None:
    """Take the writer's lock of SQLite now, not with the first statement that writes."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def migrate(database: AsyncEngine) -> None:
    """Bring the tables to this version's shape, in one transaction; no-op if they have it.

    Raises `DatabaseFault` if a newer version has made them.
    """
    async with writing(database) as connection:
        await connection.run_sync(_migrate)


async def check_schema(database: AsyncEngine) -> None:
    """Raise `DatabaseFault` unless the tables have the shape this version works with."""
    file = database_file(database.url.render_as_string(hide_password=False))
    if file and not file.exists():
        raise DatabaseFault(f"there is no database at {file}: run `callwright init`")
    try:
        async with database.connect() as connection:
            revision = await connection.run_sync(_revision)
    except DBAPIError as fault:
        raise DatabaseFault(f"the database cannot be read: {reason(fault)}") from fault
    if revision is None:
        raise DatabaseFault("the database has no tables: run `callwright migrate`")
    if revision != (head := _revisions()[-1]):
        raise DatabaseFault(
            f"the database has tables of revision {revision}, this version needs {head}: "
            "run `callwright migrate`"
        )


def reason(fault: DBAPIError) -> str:
    """Say in a few words what the database complained of."""
    code = fault.orig.sqlite_errorcode if isinstance(fault.orig, sqlite3.Error) else 0
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
    return str(fault.orig)


def _revision(connection: Connection) -> str | None:
    # Not asked of alembic: its MigrationContext tells the log at INFO, at every start.
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _revisions() -> list[str]:
    """The revisions this version knows, oldest first: what the files' names begin with."""
    return sorted(file.name[1:5] for file in (_MIGRATIONS / "versions").glob("r[0-9]*.py"))


def _migrate(connection: Connection) -> None:
    # Only here: a service that runs has no use for it, and it takes 11 MB.
    from alembic import command
    from alembic.config import Config

    revision = _revision(connection)
    if revision is not None and revision not in _revisions():
        raise DatabaseFault(
            f"the database has tables of revision {revision}, which this version does not know: "
            "it was made by a newer version of Callwright"
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
