"""Read session: one connection to PostgreSQL that reads what every request asks, by driver alone.

A statement costs the event loop a quarter of what it costs by SQLAlchemy: it is prepared on the
server, committed by itself, and needs no pool. Whoever comes meanwhile waits a turn of less than a
millisecond.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import psycopg
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from callwright.storage.postgresql.connections import (
    BoundedAsyncConnection,
    is_stale,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PREPARED_AFTER = 2
"Times a statement is asked before the server keeps it."


class ReadSession:
    """Connects when it is first asked, and anew when the server has gone away meanwhile."""

    def __init__(self, url: URL) -> None:
        self._words = words_of(url)
        if self._words["prepare_threshold"] is not None:
            self._words["prepare_threshold"] = PREPARED_AFTER
        self._turn = anyio.Lock()
        self._connected: BoundedAsyncConnection | None = None
        self._failed: tuple[float, psycopg.Error] | None = None
        "When connecting failed last, and how."

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Return the rows that there are now. Raises `OperationalError` for whatever is wrong."""
        came = time.monotonic()
        try:
            async with self._turn:
                connection = await self._connection(came)
                cursor = await connection.execute(statement.encode(), values)
                return await cursor.fetchall()
        except psycopg.Error as fault:
            raise OperationalError(statement, None, fault) from fault

    async def close(self) -> None:
        if self._connected is not None:
            await self._connected.close()

    async def _connection(self, came: float) -> BoundedAsyncConnection:
        if self._connected is not None:
            if not is_stale(self._connected):
                return self._connected
            await self._connected.close()
            self._connected = None
        if self._failed is not None and self._failed[0] >= came:
            # It failed while this one waited, who would else wait for as long again.
            raise self._failed[1]
        try:
            self._connected = await BoundedAsyncConnection.connect(autocommit=True, **self._words)
        except psycopg.Error as fault:
            self._failed = time.monotonic(), fault
            raise
        return self._connected


@asynccontextmanager
async def read_session(url: URL) -> "AsyncIterator[ReadSession]":
    """Give a read session while the block runs."""
    session = ReadSession(url)
    try:
        yield session
    finally:
        with anyio.CancelScope(shield=True):
            await session.close()
