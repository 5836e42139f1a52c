"""Listing: how a query becomes rows of the database, some at a time, and their number."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiosqlite
import anyio
from sqlalchemy import ColumnElement, FromClause, Select, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.query import Query, Row, TooCostly, fields_of
from callwright.storage.lists.filters import clause
from callwright.storage.lists.totals import Totals

_SECOND = timedelta(seconds=1)
"What is shown of moments, and so what windows are made of."

READ_WITHIN = 20.0
"Seconds: a hundred regular expressions for each of a million rows would take minutes."
AGAIN = 0.05
"Seconds between interruptions."
READ_AT_ONCE = 200
"Rows: some milliseconds of work, so that calls are not kept waiting by a long list."

Detail = Callable[[AsyncConnection, Sequence[int]], Awaitable[Mapping[int, object]]]
"""Brings what belongs to rows but stands in other tables, by the rows' keys. A row whose key it
brings nothing for has an empty array there."""

Parts = Callable[[AsyncConnection, Sequence[int]], Awaitable[Mapping[int, Mapping[str, object]]]]
"""Brings several fields of each row, by their names; something for every key."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field that is brought together with others, by one query for all of them."""

    of: Parts
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a list are, and what its fields are there."""

    tables: FromClause
    account: ColumnElement[int]
    key: ColumnElement[int]
    "Tells rows apart; the list is ordered by it where a query leaves the order open."
    columns: Mapping[str, ColumnElement[Any]]
    details: Mapping[str, Detail | Part] = field(default_factory=dict)
    condition: ColumnElement[bool] | None = None
    "What holds for every row of the list."
    shared: ColumnElement[bool] | None = None
    "What holds for rows that every account has."
    order: Sequence[ColumnElement[Any]] = ()
    "What the list is ordered by before its key."
    joined: FromClause | None = None
    "The tables with others, of which each row has one at most: for the fields that are there."
    borrowed: frozenset[str] = frozenset()
    "The fields that need ``joined``."
    finer: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    "What rows can be ordered by instead of some fields, and sooner: what these are made of."
    is_large: bool = False
    "There may be a million rows: they are counted while a page of them is read."

    def holding(self, names: Iterable[str]) -> FromClause:
        """The tables that have these fields; no others, which would only take time."""
        if self.joined is not None and not self.borrowed.isdisjoint(names):
            return self.joined
        return self.tables

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.columns) | frozenset(self.details)


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Answers `callwright.methods.data.list_methods.Rows` from the database.

    ``turns``: how many queries are read at once, of all lists that share it; calls need the
    database's connections, too.
    """

    database: AsyncEngine
    source: Source
    turns: anyio.CapacityLimiter
    totals: Totals
    within: float = READ_WITHIN
    "Seconds one query may take."

    @property
    def fields(self) -> frozenset[str]:
        return self.source.fields

    @property
    def are_many(self) -> bool:
        return self.source.is_large

    async def count(self, account: int, query: Query) -> int:
        """Return how many rows there are without limit and offset. Raises `TooCostly`."""
        window = query.window
        if window is None:
            return await self._count(account, query)
        settled = self.totals.settled_before()
        total = 0
        if window.start < settled:
            before = replace(window, end=min(window.end, settled - _SECOND))
            past = replace(query, window=before)
            question = (id(self.source), account, query.filter, before)
            total += await self.totals.of(question, lambda: self._count(account, past))
        if window.end >= settled:
            after = replace(window, start=max(window.start, settled))
            total += await self._count(account, replace(query, window=after))
        return total

    async def read(self, account: int, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a page in order, some at a time. Raises `TooCostly`."""
        details = {
            name: self.source.details[name] for name in query.fields if name in self.source.details
        }
        async with self._reading() as connection:
            result = await connection.stream(self._page(account, query))
            async for some in result.partitions(READ_AT_ONCE):
                shown = [name for name in query.fields if name in self.source.columns]
                rows = [dict(zip(shown, row[1:], strict=True)) for row in some]
                await _add(details, connection, [row[0] for row in some], rows)
                yield rows

    async def _count(self, account: int, query: Query) -> int:
        counted = self._of(account, query, select(func.count()), ())
        async with self._reading() as connection:
            return int((await connection.execute(counted)).scalar_one())

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with (
            self.turns,
            self.database.connect() as connection,
            _ended(connection, self.within),
        ):
            yield connection

    def _page(self, account: int, query: Query) -> Select[Any]:
        source = self.source
        order, by = self._order(query), [one.field for one in query.sort]
        # Which rows it is, first: that is told by an index, and only those are then looked at.
        page = (
            self._of(account, query, select(source.key.label("key")), by)
            .order_by(*order)
            .limit(query.limit)
            .offset(query.offset)
            .subquery()
        )
        shown = source.holding([*query.fields, *by])
        columns = [source.columns[name] for name in query.fields if name in source.columns]
        labelled = (column.label(f"field_{at}") for at, column in enumerate(columns))
        return (
            select(source.key, *labelled)
            .select_from(page.join(shown, source.key == page.c.key))
            .order_by(*order)
        )

    def _of(self, account: int, query: Query, found: Select[Any], by: Sequence[str]) -> Select[Any]:
        """Narrow ``found`` down to the rows of a query, which may then be ordered ``by`` fields."""
        source = self.source
        own = source.account == account
        wanted = [own if source.shared is None else or_(own, source.shared)]
        if source.condition is not None:
            wanted.append(source.condition)
        if query.window is not None:
            moment = source.columns[query.window.field]
            wanted += [moment >= query.window.start, moment < query.window.end + _SECOND]
        if query.filter is not None:
            wanted.append(clause(query.filter, source.columns, self.database.dialect.name))
        named = [*by, *(fields_of(query.filter) if query.filter else ())]
        return found.select_from(source.holding(named)).where(*wanted)

    def _order(self, query: Query) -> list[ColumnElement[Any]]:
        order = []
        for one in query.sort:
            column = self.source.columns[one.field]
            if one is query.sort[-1]:  # what is equal by the field need not be told apart further
                column = self.source.finer.get(one.field, column)
            # SQLite takes null for the least there is, PostgreSQL for the greatest. Said to
            # SQLite, it would keep it from using an index.
            if self.database.dialect.name == "sqlite":
                order.append(column.desc() if one.descending else column.asc())
            else:
                order.append(
                    column.desc().nulls_last() if one.descending else column.asc().nulls_first()
                )
        return [*(order or self.source.order), self.source.key.asc()]


@asynccontextmanager
async def _ended(connection: AsyncConnection, within: float) -> AsyncIterator[None]:
    """End what SQLite does in the block after some seconds. Raises `TooCostly` then."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, aiosqlite.Connection):
        yield
        return
    interrupted = False

    async def interrupt() -> None:
        nonlocal interrupted
        await asyncio.sleep(within)
        while True:
            interrupted = True
            await driver.interrupt()
            # Nothing may have been under way at this very moment.
            await asyncio.sleep(AGAIN)

    # A task of asyncio's own: a task group must not be left open where rows are given. And not by
    # cancelling what is waited for: its thread would go on.
    watch = asyncio.create_task(interrupt())
    try:
        yield
    except OperationalError as fault:
        if not interrupted:
            raise
        raise TooCostly from fault
    finally:
        watch.cancel()


async def _add(
    details: Mapping[str, Detail | Part],
    connection: AsyncConnection,
    keys: Sequence[int],
    rows: Sequence[dict[str, object]],
) -> None:
    """Add to ``rows``, whose ``keys`` stand in the same order, what stands in other tables."""
    parts: dict[Parts, Mapping[int, Mapping[str, object]]] = {}
    for name, detail in details.items():
        if isinstance(detail, Part):
            if detail.of not in parts:
                parts[detail.of] = await detail.of(connection, keys)
            brought = parts[detail.of]
            for key, row in zip(keys, rows, strict=True):
                row[name] = brought[key][detail.name]
        else:
            found = await detail(connection, keys)
            for key, row in zip(keys, rows, strict=True):
                row[name] = found.get(key, [])
