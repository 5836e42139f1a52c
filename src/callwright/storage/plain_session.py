"""Plain session: a transaction of plain statements on PostgreSQL, by the driver alone."""

from collections.abc import Callable
from typing import Any, TypeVar

from callwright.storage.database_faults import DatabaseFault, reason
from callwright.storage.plain_statements import PlainTransaction, Value, with_pyformat
from callwright.storage.postgresql.writers_lock import WRITERS_LOCK

try:
    import psycopg

    from callwright.storage.postgresql.driver_options import conninfo
except ImportError as missing:
    raise DatabaseFault(
        f"PostgreSQL needs its driver ({missing}): pip install 'callwright[postgresql]'"
    ) from missing

T = TypeVar("T")

LOCKED_WITHIN = 2.0
"Seconds it is waited for."


class SessionTransaction:
    """See `callwright.storage.plain_statements.PlainTransaction`."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def __call__(self, statement: str, /, **values: Value) -> list[tuple[Any, ...]]:
        text, given = with_pyformat(statement, values)
        cursor = self._connection.execute(text.encode(), given)
        return cursor.fetchall() if cursor.description else []

    def begin_at_once(self) -> None:
        patience = f"{int(LOCKED_WITHIN * 1000)}ms"
        self("SELECT set_config('lock_timeout', :patience, true)", patience=patience)
        self(WRITERS_LOCK)

    def has_table(self, name: str) -> bool:
        return self("SELECT to_regclass(:name)", name=name) != [(None,)]


def transaction(url: str, work: Callable[[PlainTransaction], T]) -> T:
    """Do ``work`` in this thread and commit it. Raises `DatabaseFault`."""
    try:
        # What is asked once need not be kept by the server.
        with psycopg.connect(conninfo(url), prepare_threshold=None) as connection:
            return work(SessionTransaction(connection))
    except psycopg.Error as fault:
        raise DatabaseFault(f"the database cannot be used: {reason(fault)}") from fault
    except ValueError as fault:
        raise DatabaseFault(f"the database URL cannot be used: {fault}") from fault
