"""The database: how it is opened, and which shape it must have.

SQLite in WAL mode, so that readers never wait for the writer; or PostgreSQL, by URL.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)

from callwright.storage.database_faults import DatabaseFault as DatabaseFault
from callwright.storage.database_faults import reason as reason
from callwright.storage.postgresql.writers_lock import WRITERS_LOCK
from callwright.storage.schema_changes import check_tables, migrate_tables
from callwright.storage.sqlite_file import BUSY_TIMEOUT as BUSY_TIMEOUT
from callwright.storage.sqlite_file import check_there, connect

if TYPE_CHECKING:
    import asyncio
    from types import ModuleType

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_PATIENCE = text("SELECT set_config('lock_timeout', :patience, true)")
_WRITERS_LOCK = text(WRITERS_LOCK)

CLOSED_WITHIN = 0.1
"Seconds a connection whose statement was cut off has to close, before it is let go."

UNWRITABLE = (IntegrityError, DataError, ProgrammingError, ValueError)
"The database works and does not take this very row: trying again would never end."


def open_database(url: str, *, durable: bool = True) -> "AsyncEngine":
    """Return an engine for ``url``; nothing is connected yet.

    Raises `DatabaseFault` for a URL that no database can be opened by. SQLite connections get WAL,
    a busy timeout of `BUSY_TIMEOUT` and foreign keys; unless ``durable`` they do not wait for
    the disk. What is done by an engine of PostgreSQL is committed at once, but for what is done
    in `writing` or `transacting`.
    """
    # Only here: a command that needs no event loop is spared it, and the ORM that comes with it.
    from sqlalchemy.ext.asyncio import create_async_engine

    from callwright.storage.sqlite_connection import connected

    try:
        if make_url(url).get_backend_name() == "postgresql":
            pool: AsyncEngine = _connections().open_pool(make_url(url))
            return pool
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


def _connections() -> "ModuleType":
    """What opens PostgreSQL: loaded only where that is used. Raises `DatabaseFault`."""
    try:
        from callwright.storage.postgresql import connections
    except ImportError as fault:
        raise DatabaseFault(
            f"PostgreSQL needs its driver ({fault}): pip install 'callwright[postgresql]'"
        ) from fault
    return connections


@contextmanager
def open_twin(
    database: "AsyncEngine", *, wait: float = BUSY_TIMEOUT, durable: bool = True
) -> Iterator[Engine | None]:
    """Give an engine for the same database that works in the thread it is called from.

    ``wait``: seconds for locks of SQLite. None for a database in memory.
    """
    if database.dialect.name == "postgresql":
        with _disposed(_connections().open_engine(database.url)) as twin:
            yield twin
        return
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
    with _disposed(engine):
        yield engine


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


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
    """Open the file of ``engine``."""
    [file], options = engine.dialect.create_connect_args(engine.url)
    return connect(file, wait, durable=durable, **options)


@asynccontextmanager
async def writing(database: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
    """Open a transaction that holds the writer's lock from its first statement on.

    Commits at the end of the block, rolls back when it raises. What is read inside cannot change
    before it is written; an SQLite transaction that begins by reading could fail instead.
    """
    async with transacting(database) as connection:
        await connection.run_sync(begin_at_once)
        yield connection


@asynccontextmanager
async def transacting(database: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
    """Open a transaction; commits at the end of the block, rolls back when it raises."""
    if database.dialect.name == "postgresql":
        database = database.execution_options(isolation_level="READ COMMITTED")
    async with database.begin() as connection:
        yield connection


def begin_at_once(connection: Connection) -> None:
    """Take the writer's lock now, not with the first statement that writes.

    Of SQLite that is the lock of the file, of PostgreSQL one that only those take who change what
    they have read: the directory, the shape of the tables. The journal adds, and needs none.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.execute(_PATIENCE, {"patience": f"{int(BUSY_TIMEOUT * 1000)}ms"})
    connection.execute(_WRITERS_LOCK)


async def migrate(database: "AsyncEngine") -> None:
    """Bring the tables to this version's shape, in one transaction; no-op if they have it.

    Raises `DatabaseFault` if a newer version has made them, and what the database does.
    """
    async with writing(database) as connection:
        if database.dialect.name == "postgresql":
            # An index of a million rows takes its time.
            await connection.run_sync(_connections().unbound)
        await connection.run_sync(migrate_tables)


async def check_schema(database: "AsyncEngine") -> None:
    """Raise `DatabaseFault` unless the tables have the shape this version works with."""
    if file := database_file(database.url.render_as_string(hide_password=False)):
        check_there(file)
    with _reading():
        async with database.connect() as connection:
            await connection.run_sync(check_tables)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except DBAPIError as fault:
        raise DatabaseFault(f"the database cannot be read: {reason(fault)}") from fault
