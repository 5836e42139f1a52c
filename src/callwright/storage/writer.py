"""Transaction runner: a transaction carried out in one turn of a thread.

SQLAlchemy's asyncio extension hands every single statement for SQLite to a thread and back, which
costs more than the statements; for PostgreSQL it waits for each on the event loop, which costs
twice as much as in a thread. What is written for every call is a plain function instead.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import writing
from callwright.storage.prepared_writes import sqlite_fault
from callwright.worker_thread import WorkerThread

T = TypeVar("T")


class Writer:
    """Carries out transactions, by ``twin`` (see `open_twin`) if there is one."""

    def __init__(self, database: AsyncEngine, twin: Engine | None = None) -> None:
        self._database = database
        self._twin = twin
        self._thread = WorkerThread("writer")
        self._kept: Connection | None = None
        "The twin's, from one transaction to the next."

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Commit what ``work`` does, and return what it returns; roll back what raises.

        Cannot be cancelled once begun. Raises what the database does.
        """
        with anyio.CancelScope(shield=True):
            if self._twin is not None:
                return await self._thread.run(partial(self._commit, self._twin, work))
            async with writing(self._database) as connection:
                result = await connection.run_sync(work)
        return result

    def close(self) -> None:
        """Give the connection back, before the twin is disposed of. Nothing may be under way."""
        self._thread.close()
        self._let_go()

    def _commit(self, twin: Engine, work: Callable[[Connection], T]) -> T:
        if self._kept is not None and _is_stale(self._kept):
            self._kept.invalidate()  # or a rollback would be tried on it
            self._let_go()
        connection = self._kept = self._kept or twin.connect()
        try:
            with connection.begin():
                # Who writes for every call only adds: on PostgreSQL that needs no lock.
                if twin.dialect.name == "sqlite":
                    _begin_at_once(connection)
                return work(connection)
        except BaseException:
            self._let_go()  # it may be of no use any more
            raise

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _is_stale(connection: Connection) -> bool:
    """Whether its server has gone away since the last transaction, so that it is of no use."""
    if connection.dialect.name == "sqlite":
        return False
    from callwright.storage.postgresql.connections import is_stale

    return is_stale(connection.connection.driver_connection)


def _begin_at_once(connection: Connection) -> None:
    """As `callwright.storage.database.begin_at_once`, past SQLAlchemy."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as fault:
        raise sqlite_fault("BEGIN IMMEDIATE", fault) from fault
