"""Synchronous reads: prepared statements for what every request asks, carried out without a thread.

In WAL mode a reader of SQLite waits for nobody, and what requests ask for (a token, an employee)
is small and in memory: it is read in less time than waking a thread takes, or than SQLAlchemy
needs to carry a statement out. So nothing is cached, and every answer is of now. PostgreSQL is
asked by a session of its own; that waits, and what it costs is not SQLAlchemy's either.
"""

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import make_dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Dialect, Engine, PoolProxiedConnection, Select, TypeDecorator, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeEngine

from callwright.storage.database import open_twin

if TYPE_CHECKING:
    from callwright.storage.postgresql.read_session import ReadSession

log = logging.getLogger(__name__)

_SQLITE = sqlite.dialect(paramstyle="named")

Values = Mapping[str, int | str | datetime]


class ReadRow(Protocol):
    """A row: columns are reached by name, and their types are those of the tables."""

    def __getattr__(self, column: str, /) -> Any: ...


class PreparedStatement:
    """A prepared statement: one SELECT, made text for a database once, with values by name."""

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self.select = select
        columns = select.selected_columns
        self._row: Callable[..., ReadRow] = make_dataclass("Row", columns.keys(), slots=True)
        self._of_sqlite = _Statement(select, _SQLITE)

    @cached_property
    def _of_postgresql(self) -> "_Statement":
        return _Statement(self.select, make_url("postgresql+psycopg://").get_dialect()())

    def ask(self, connection: sqlite3.Connection, values: Values) -> Sequence[ReadRow]:
        """Raises what SQLite does."""
        asked = self._of_sqlite
        return self._rows(asked, connection.execute(*asked.with_values(values)).fetchall())

    async def ask_postgresql(self, session: "ReadSession", values: Values) -> Sequence[ReadRow]:
        """Raises `sqlalchemy.exc.OperationalError`."""
        asked = self._of_postgresql
        return self._rows(asked, await session.fetch(*asked.with_values(values)))

    def _rows(self, asked: "_Statement", found: Sequence[tuple[Any, ...]]) -> Sequence[ReadRow]:
        if not any(asked.converters):
            return [self._row(*row) for row in found]
        return [
            self._row(
                *[
                    convert(value) if convert else value
                    for convert, value in zip(asked.converters, row, strict=True)
                ]
            )
            for row in found
        ]


class _Statement:
    """A statement for one kind of database."""

    def __init__(self, select: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        compiled = select.compile(dialect=dialect)
        self._text = str(compiled)
        # The statement's own, such as that of a LIMIT; what is asked with is None here.
        self._constants = compiled.params
        # The driver of PostgreSQL takes and gives what is stored, but for types of our own.
        self._binders = {
            name: binder
            for name, bind in compiled.binds.items()
            if _is_converted(bind.type, dialect)
            and (binder := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self.converters = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            if _is_converted(column.type, dialect)
            else None
            for column in select.selected_columns
        ]

    def with_values(self, values: Values) -> tuple[str, dict[str, Any]]:
        given = {**self._constants, **values}
        for name, bind in self._binders.items():
            given[name] = bind(given[name])
        return self._text, given


def _is_converted(kind: TypeEngine[Any], dialect: Dialect) -> bool:
    return dialect.name == "sqlite" or isinstance(kind, TypeDecorator)


class RowsAtHand:
    """Reads by ``twin`` (see `open_twin`) if there is one, which is not to wait for locks.

    What is locked, by a recovery say, is read the long way: the event loop must not wait. Of
    PostgreSQL it is read by ``session``.
    """

    def __init__(
        self,
        database: AsyncEngine,
        twin: Engine | None = None,
        session: "ReadSession | None" = None,
    ) -> None:
        self._database = database
        self._twin = twin
        self._session = session
        self._pooled: PoolProxiedConnection | None = None

    async def read(self, question: PreparedStatement, values: Values) -> Sequence[ReadRow]:
        """Return the rows that there are now. Raises what the database does."""
        if self._session is not None:
            return await question.ask_postgresql(self._session, values)
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


@asynccontextmanager
async def rows_at_hand(database: AsyncEngine) -> AsyncIterator[RowsAtHand]:
    """Give what reads at hand while the block runs."""
    if database.dialect.name == "postgresql":
        from callwright.storage.postgresql.read_session import read_session

        async with read_session(database.url) as session:
            yield RowsAtHand(database, session=session)
        return
    # The event loop reads by it, and must not wait.
    with open_twin(database, wait=0.0) as twin, closing(RowsAtHand(database, twin)) as rows:
        yield rows
