"""Transaction runner: a transaction carried out in one turn of a thread.

SQLAlchemy's asyncio extension hands every single statement for SQLite to a thread and back, which
costs more than the statements; for PostgreSQL it waits for each on the event loop, which costs
twice as much as in a thread. What is written for every call is a plain function instead.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import begin_at_once, writing

T = TypeVar("T")


class Writer:
    """Carries out transactions, by ``twin`` (see `open_twin`) if there is one."""

    def __init__(self, database: AsyncEngine, twin: Engine | None = None) -> None:
        self._database = database
        self._twin = twin

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Commit what ``work`` does, and return what it returns; roll back what raises.

        Cannot be cancelled once begun. Raises what the database does.
        """
        if self._twin is not None:
            return await anyio.to_thread.run_sync(_commit, self._twin, work)
        result: list[T] = []
        with anyio.CancelScope(shield=True):
            async with writing(self._database) as connection:
                result.append(await connection.run_sync(work))
        return result[0]


def _commit(twin: Engine, work: Callable[[Connection], T]) -> T:
    with twin.begin() as connection:
        # Who writes for every call only adds: on PostgreSQL that needs no lock.
        if twin.dialect.name == "sqlite":
            begin_at_once(connection)
        return work(connection)
