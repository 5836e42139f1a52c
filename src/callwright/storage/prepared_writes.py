"""Prepared writes: INSERTs, UPDATEs and DELETEs made text for a database once.

SQLAlchemy needs longer to carry such a statement out than the database does, and holds the
interpreter meanwhile, which the event loop waits for. So what is written for every call goes past
it, where the driver works in the thread it is called from.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Delete, Dialect, Insert, Table, Update, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_SQLITE = sqlite.dialect(paramstyle="qmark")

Row = Mapping[str, Any]
Write: TypeAlias = Insert | Update | Delete


class PreparedWrite:
    """One statement, to be carried out for any number of rows.

    ``columns``: those that an INSERT without values of its own is given. ``elsewhere``: makes what
    PostgreSQL gets in its place, where it needs words of its own; asked when that first is, since
    its dialect takes long to load.
    """

    def __init__(
        self,
        statement: Write,
        columns: Collection[str] | None = None,
        *,
        elsewhere: Callable[[], Write] | None = None,
    ) -> None:
        self._statement = statement
        self._columns = columns
        self._make_elsewhere = elsewhere

    def carry_out(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Carry it out for all rows, in order. Raises what SQLAlchemy does."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            text, parameters = self._of_sqlite
            try:
                driver.executemany(text, _values(parameters, rows))
            except sqlite3.Error as fault:
                raise sqlite_fault(text, fault) from fault
        elif connection.dialect.name == "sqlite":
            connection.execute(self._statement, [*rows])
        else:
            self._carry_out_elsewhere(connection, rows)

    def _carry_out_elsewhere(self, connection: Connection, rows: Sequence[Row]) -> None:
        from callwright.storage.postgresql.direct_writes import takes_direct_writes, write_directly

        if takes_direct_writes(connection):
            text, parameters = self._of_postgresql
            write_directly(connection, text, [*_values(parameters, rows)])
        else:
            connection.execute(self._elsewhere, [*rows])

    @cached_property
    def _elsewhere(self) -> Write:
        return self._make_elsewhere() if self._make_elsewhere else self._statement

    @cached_property
    def _of_sqlite(self) -> "tuple[str, list[_Parameter]]":
        return self._prepared(self._statement, _SQLITE)

    @cached_property
    def _of_postgresql(self) -> "tuple[bytes, list[_Parameter]]":
        kind: Callable[..., Dialect] = make_url("postgresql+psycopg://").get_dialect()
        text, parameters = self._prepared(self._elsewhere, kind(paramstyle="format"))
        return text.encode(), parameters

    def _prepared(self, statement: Write, dialect: Dialect) -> "tuple[str, list[_Parameter]]":
        compiled = statement.compile(
            dialect=dialect, column_keys=None if self._columns is None else list(self._columns)
        )
        parameters = [
            _Parameter(name, bind.required, bind.value, _converter(bind.type, dialect))
            for name in compiled.positiontup or ()
            for bind in [compiled.binds[name]]
        ]
        return str(compiled), parameters


def postgresql_insert(table: Table) -> "postgresql.Insert":
    """PostgreSQL's INSERT. Its dialect is loaded by this, and so only where it is spoken."""
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


class _Parameter(NamedTuple):
    """One ? of a statement: by which name rows have its value, and what makes it the driver's."""

    name: str
    of_row: bool
    constant: Any
    "The statement's own value, such as that of a LIMIT."
    convert: Callable[[Any], Any] | None


def _values(parameters: Sequence[_Parameter], rows: Iterable[Row]) -> Iterator[list[Any]]:
    for row in rows:
        yield [
            convert(row[name] if of_row else constant)
            if convert
            else (row[name] if of_row else constant)
            for name, of_row, constant, convert in parameters
        ]


def sqlite_fault(statement: str, fault: sqlite3.Error) -> Exception:
    """The fault as SQLAlchemy would raise it, without the values, which are nobody's business."""
    raised: Exception = DBAPIError.instance(
        statement, None, fault, sqlite3.Error, hide_parameters=True
    )
    return raised


def _converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of a value what the driver takes; None: it takes it as it is."""
    return kind.dialect_impl(dialect).bind_processor(dialect)
