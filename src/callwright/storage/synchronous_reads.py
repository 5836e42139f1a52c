"""Rows at hand: what is asked for every request, read without a thread.

In WAL mode a reader of SQLite waits for nobody, and what requests ask for (a token, an employee)
is small and in memory: reading it takes less than waking a thread that would.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

Question = Select[*tuple[Any, ...]]
Rows = Sequence[Row[*tuple[Any, ...]]]


class RowsAtHand:
    """Reads by ``twin`` (see `open_twin`) if there is one, which is not to wait for locks.

    What is locked, by a recovery say, is read the long way: the event loop must not wait.
    """

    def __init__(self, database: AsyncEngine, twin: Engine | None = None) -> None:
        self._database = database
        self._twin = twin
        self._connection: Connection | None = None

    async def read(self, question: Question, values: Mapping[str, int | str]) -> Rows:
        """Return the rows of one SELECT. Raises what the database does."""
        if self._twin is not None:
            try:
                return self._connected(self._twin).execute(question, values).all()
            except DBAPIError as fault:
                log.debug("read by a thread instead: %s", fault)
        async with self._database.connect() as connection:
            return (await connection.execute(question, values)).all()

    def close(self) -> None:
        """Give the connection back, before the twin is disposed of."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self, twin: Engine) -> Connection:
        # Without a transaction, that would go on showing the rows of its beginning.
        if self._connection is None:
            self._connection = twin.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._connection
