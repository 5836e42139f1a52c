"""Listing: how a query becomes rows of the database, some at a time, and their number."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from sqlalchemy import ColumnElement, FromClause, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.query import Query, Row
from callwright.storage.filters import clause

READ_AT_ONCE = 200
"Rows: some milliseconds of work, so that calls are not kept waiting by a long list."

Detail = Callable[[AsyncConnection, Sequence[int]], Awaitable[Mapping[int, object]]]
"""Brings what belongs to rows but stands in other tables, by the rows' keys. A key for which
nothing is brought has the `Source`'s ``nothing`` there."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a list are, and what its fields are there."""

    tables: FromClause
    account: ColumnElement[int]
    key: ColumnElement[int]
    "Tells rows apart; the list is ordered by it where a query leaves the order open."
    columns: Mapping[str, ColumnElement[Any]]
    details: Mapping[str, Detail] = field(default_factory=dict)
    condition: ColumnElement[bool] | None = None
    "What holds for every row of the list."
    shared: ColumnElement[bool] | None = None
    "What holds for rows that every account has."

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.columns) | frozenset(self.details)


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Answers `callwright.methods.data.lists.Rows` from the database.

    ``turns``: how many queries are read at once, of all lists that share it; calls need the
    database's connections, too.
    """

    database: AsyncEngine
    source: Source
    turns: anyio.CapacityLimiter

    @property
    def fields(self) -> frozenset[str]:
        return self.source.fields

    async def count(self, account: int, query: Query) -> int:
        """Return how many rows there are without limit and offset."""
        counted = self._of(account, query, select(func.count()).select_from(self.source.tables))
        async with self.turns, self.database.connect() as connection:
            return int((await connection.execute(counted)).scalar_one())

    async def read(self, account: int, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a page in order, some at a time."""
        source = self.source
        shown = {name: source.columns[name] for name in query.fields if name in source.columns}
        details = {name: source.details[name] for name in query.fields if name in source.details}
        page = (
            self._of(
                account,
                query,
                select(
                    source.key.label("key"),
                    *(column.label(f"field_{at}") for at, column in enumerate(shown.values())),
                ).select_from(source.tables),
            )
            .order_by(*self._order(query))
            .limit(query.limit)
            .offset(query.offset)
        )
        async with self.turns, self.database.connect() as connection:
            result = await connection.stream(page)
            async for some in result.partitions(READ_AT_ONCE):
                rows = [dict(zip(shown, row[1:], strict=True)) for row in some]
                for name, bring in details.items():
                    brought = await bring(connection, [row[0] for row in some])
                    for row, stored in zip(rows, some, strict=True):
                        row[name] = brought.get(stored[0], [])
                yield rows

    def _of(self, account: int, query: Query, found: Select[Any]) -> Select[Any]:
        source = self.source
        own = source.account == account
        found = found.where(own if source.shared is None else or_(own, source.shared))
        if source.condition is not None:
            found = found.where(source.condition)
        if query.filter is not None:
            dialect = self.database.dialect.name
            found = found.where(clause(query.filter, source.columns, dialect))
        return found

    def _order(self, query: Query) -> list[ColumnElement[Any]]:
        order = []
        for one in query.sort:
            column = self.source.columns[one.field]
            # SQLite takes null for the least there is, PostgreSQL for the greatest.
            order.append(
                column.desc().nulls_last() if one.descending else column.asc().nulls_first()
            )
        return [*order, self.source.key.asc()]
