"""The database: how it is opened, and which shape it must have.

SQLite in WAL mode, so that readers never wait for the writer; PostgreSQL by URL is prepared for.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)

from callwright.pattern import is_found

if TYPE_CHECKING:
    import asyncio

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

BUSY_TIMEOUT = 2.0
"Seconds a statement waits for another connection's lock before it fails."

CLOSED_WITHIN = 0.1
"Seconds a connection whose statement was cut off has to close, before it is let go."

UNWRITABLE = (IntegrityError, DataError, ProgrammingError, ValueError)
"The database works and does not take this very row: trying again would never end."

_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseFault(Exception):
    """The database cannot be used as it is. The message says what to do."""


def open_database(url: str, *, durable: bool = True) -> "AsyncEngine":
    """Return an engine for ``url``; nothing is connected yet.

    Raises `DatabaseFault` for a URL that no database can be opened by. SQLite connections get WAL,
    a busy timeout of `BUSY_TIMEOUT` and foreign keys; unless ``durable`` they do not wait for
    the disk.
    """
    # Only here: a command that needs no event loop is spared it, and the ORM that comes with it.
    from sqlalchemy.ext.asyncio import create_async_engine

    from callwright.storage.sqlite_connection import connected

    try:
        if make_url(url).get_backend_name() != "sqlite":
            return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
        database: AsyncEngine = create_async_engine(
            url,
            async_creator=lambda: connected(
                partial(_connect, database.sync_engine, BUSY_TIMEOUT, durable)
            ),
            pool_size=5,
            max_overflow=0,
            # Errors end up in logs; phone numbers and trunks' passwords are not to.
            hide_parameters=True,
        )
    except (SQLAlchemyError, ImportError, ValueError) as fault:
        raise DatabaseFault(f"the database URL cannot be used: {fault}") from fault
    return database


@contextmanager
def open_twin(
    database: "AsyncEngine", *, wait: float = BUSY_TIMEOUT, durable: bool = True
) -> Iterator[Engine | None]:
    """Give an engine for the same SQLite file that works in the thread it is called from.

    ``wait``: seconds for locks. None for any other database.
    """
    file = database_file(database.url.render_as_string(hide_password=False))
    if file is None:
        yield None
        return
    with _opened(file, wait, durable) as twin:
        yield twin


@contextmanager
def _opened(file: Path, wait: float, durable: bool) -> Iterator[Engine]:
    engine: Engine = create_engine(
        f"sqlite:///{file}",
        creator=lambda: _connect(engine, wait, durable),
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )
    try:
        yield engine
    finally:
        engine.dispose()


def in_transaction(url: str, work: Callable[[Connection], T]) -> T:
    """Do ``work`` in one transaction in this thread, after the shape of the tables is checked.

    Raises `DatabaseFault` as `open_database` and `check_schema` do.
    """
    try:
        file = database_file(url)
    except SQLAlchemyError as fault:
        raise DatabaseFault(f"the database URL cannot be used: {fault}") from fault
    if file is None:
        return _in_transaction_of_loop(url, work)
    _check_there(file)
    with _opened(file, BUSY_TIMEOUT, durable=True) as engine:
        with _reading(), engine.connect() as connection:
            _check_revision(_revision(connection))
        with engine.begin() as connection:
            return work(connection)


def _in_transaction_of_loop(url: str, work: Callable[[Connection], T]) -> T:
    """The same for a database whose driver needs an event loop."""
    import asyncio

    async def run() -> T:
        database = open_database(url)
        try:
            await check_schema(database)
            async with database.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await close_database(database)

    return asyncio.run(run())


async def close_database(database: "AsyncEngine") -> None:
    """Close every connection, also those whose statement has been cut off just now.

    Such a one is closed by a task of SQLAlchemy's, which nobody else waits for. One whose statement
    goes on is let go after `CLOSED_WITHIN`; its thread closes it.
    """
    import asyncio

    import anyio

    with anyio.CancelScope(shield=True):
        await database.dispose()
        if closing := {task for task in asyncio.all_tasks() if _closes(task)}:
            _, late = await asyncio.wait(closing, timeout=CLOSED_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _closes(task: "asyncio.Task[Any]") -> bool:
    return getattr(task.get_coro(), "__qualname__", "").endswith("_terminate_graceful_close")


def database_file(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _connect(engine: Engine, wait: float, durable: bool) -> sqlite3.Connection:
    """Open the file of ``engine``, and set what every connection has set."""
    [file], options = engine.dialect.create_connect_args(engine.url)
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


@asynccontextmanager
async def writing(database: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
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


async def migrate(database: "AsyncEngine") -> None:
    """Bring the tables to this version's shape, in one transaction; no-op if they have it.

    Raises `DatabaseFault` if a newer version has made them.
    """
    async with writing(database) as connection:
        await connection.run_sync(_migrate)


async def check_schema(database: "AsyncEngine") -> None:
    """Raise `DatabaseFault` unless the tables have the shape this version works with."""
    if file := database_file(database.url.render_as_string(hide_password=False)):
        _check_there(file)
    with _reading():
        async with database.connect() as connection:
            revision = await connection.run_sync(_revision)
    _check_revision(revision)


def _check_there(file: Path) -> None:
    if not file.exists():
        raise DatabaseFault(f"there is no database at {file}: run `callwright init`")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except DBAPIError as fault:
        raise DatabaseFault(f"the database cannot be read: {reason(fault)}") from fault


def _check_revision(revision: str | None) -> None:
    if revision is None:
        raise DatabaseFault("the database has no tables: run `callwright migrate`")
    if revision != (head := _revisions()[-1]):
        raise DatabaseFault(
            f"the database has tables of revision {revision}, this version needs {head}: "
            "run `callwright migrate`"
        )


def reason(fault: Exception) -> str:
    """Say in a few words what the database complained of."""
    if not isinstance(fault, DBAPIError):
        return str(fault)
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
