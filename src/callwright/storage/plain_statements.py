"""Plain statements: SQL that either database takes, as commands ask it.

Without SQLAlchemy, which takes longer to load than all that a command does: what people list and
change by hand are a few statements, and whoever types one waits for it. What is read bears the
stamp of its database: SQLite has moments and JSON as text (see `read_moment` and `read_json`), and
numbers for truth.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from callwright.storage.schema import check_revision

T = TypeVar("T")

Value: TypeAlias = str | int | datetime | None

_NAME = re.compile(r":(\w+)")


class Asked(Protocol):
    """What carries a statement of SQL out, with values by name (``:login``)."""

    def __call__(self, statement: str, /, **values: Value) -> Sequence[Sequence[Any]]:
        """Return the rows; none if it is no statement that gives any."""


class PlainTransaction(Asked, Protocol):
    """A transaction of a command's own, which begins with the first statement."""

    def begin_at_once(self) -> None:
        """Take the writer's lock already now, not with the first statement that writes."""

    def has_table(self, name: str) -> bool: ...


def in_transaction(url: str, work: Callable[[PlainTransaction], T]) -> T:
    """Do ``work`` in this thread, after the shape of the tables has been checked.

    Who writes begins with `PlainTransaction.begin_at_once`; it is committed at the end, and rolled
    back when something is raised. Raises `DatabaseFault` for whatever the database complains of.
    """

    def checked(ask: PlainTransaction) -> T:
        check_revision(
            _first(ask, "alembic_version", "version_num"), _first(ask, "compatible_code", "oldest")
        )
        return work(ask)

    if url.startswith("postgresql"):
        from callwright.storage.plain_session import transaction

        return transaction(url, checked)
    from callwright.storage.sqlite_file import transaction as transaction_of_file

    return transaction_of_file(url, checked)


def _first(ask: PlainTransaction, table: str, column: str) -> str | None:
    if not ask.has_table(table):
        return None
    return next((str(row[0]) for row in ask(f"SELECT {column} FROM {table}")), None)


def with_named(statement: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """A statement and its values as SQLite's driver takes them."""
    return statement, {
        name: _written(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def with_pyformat(statement: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """A statement and its values as PostgreSQL's driver takes them."""
    return _NAME.sub(r"%(\1)s", statement.replace("%", "%%")), {**values}


def read_moment(read: str | datetime) -> datetime:
    moment = datetime.fromisoformat(read) if isinstance(read, str) else read
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_json(read: Any) -> Any:
    return json.loads(read) if isinstance(read, str) else read


def _written(moment: datetime) -> str:
    """A moment as columns of SQLite have it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
