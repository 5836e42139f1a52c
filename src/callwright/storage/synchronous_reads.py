"""Synchronous reads: prepared statements for what every request asks, carried out without a thread.

In WAL mode a reader of SQLite waits for nobody, and what requests ask for (a token, an employee)
is small and in memory: it is read in less time than waking a thread takes, or than SQLAlchemy
needs to carry a statement out. So nothing is cached, and every answer is of now.
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import make_dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine, PoolProxiedConnection, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

_SQLITE = sqlite.dialect(paramstyle="named")

Values = Mapping[str, int | str | datetime]


class ReadRow(Protocol):
    """A row: columns are reached by name, and their types are those of the tables."""

    def __getattr__(self, column: str, /) -> Any: ...


class PreparedStatement:
    """A prepared statement: one SELECT, made text for SQLite once, with values by name."""

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self.select = select
        compiled = select.compile(dialect=_SQLITE)
        self._text = str(compiled)
        # The statement's own, such as that of a LIMIT; what is asked with is None here.
        self._constants = compiled.params
        self._binders = {
            name: binder
            for name, bind in compiled.binds.items()
            if (binder := bind.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)) is not None
        }
        columns = select.selected_columns
        self._row: Callable[..., ReadRow] = make_dataclass("Row", columns.keys(), slots=True)
        self._converters = [
            column.type.dialect_impl(_SQLITE).result_processor(_SQLITE, None) for column in columns
        ]

    def ask(self, connection: sqlite3.Connection, values: Values) -> Sequence[ReadRow]:
        """Raises what SQLite does."""
        given = {**self._constants, **values}
        for name, bind in self._binders.items():
            given[name] = bind(given[name])
        found = connection.execute(self._text, given).fetchall()
        if not any(self._converters):
            return [self._row(*row) for row in found]
        return [
            self._row(
                *[
                    convert(value) if convert else value
                    for convert, value in zip(self._converters, row, strict=True)
                ]
            )
            for row in found
        ]


class RowsAtHand:
    """Reads by ``twin`` (see `open_twin`) if there is one, which is not to wait for locks.

    What is locked, by a recovery say, is read the long way: the event loop must not wait.
    """

    def __init__(self, database: AsyncEngine, twin: Engine | None = None) -> None:
        self._database = database
        self._twin = twin
        self._pooled: PoolProxiedConnection | None = None

    async def read(self, question: PreparedStatement, values: Values) -> Sequence[ReadRow]:
        """Return the rows that there are now. Raises what the database does."""
        if self._twin is not None:
            try:
                return question.ask(self._connection(self._twin), values)
            except sqlite3.Error as fault:
                log.debug("read by a thread instead: %s", fault)
        async with self._database.connect() as connection:
            return (await connection.execute(question.select, values)).all()

    def close(self) -> None:
        """Give the connection back, before the twin is disposed of."""
        if self._pooled is not None:
            self._pooled.close()

    def _connection(self, twin: Engine) -> sqlite3.Connection:
        # No transaction is begun on it: that would go on showing the rows of its beginning.
        if self._pooled is None:
            self._pooled = twin.raw_connection()
        driver = self._pooled.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver
