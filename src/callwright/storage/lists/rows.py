"""Rows: how a query is answered from the database, some rows at a time, and counted."""

import asyncio
from collections import OrderedDict
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiosqlite
import anyio
from sqlalchemy import Column, ColumnElement, Select, String, UnaryExpression, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import operators

from callwright.query import (
    Comparison,
    Every,
    Filter,
    Operator,
    Order,
    Query,
    Row,
    TooCostly,
    fields_of,
)
from callwright.storage.lists.filters import Clauses, by_code_points
from callwright.storage.lists.source import Detail, Part, Parts, StoredList

_SECOND = timedelta(seconds=1)
"What is shown of moments, and so what windows are made of."

READ_WITHIN = 20.0
"Seconds: a hundred regular expressions for each of a million rows would take minutes."
AGAIN = 0.05
"Seconds between interruptions."
READ_AT_ONCE = 200
"Rows: some milliseconds of work, so that calls are not kept waiting by a long list."

FEW_AT_ONCE = 5
"Rows of which something is asked that takes its time."

WALKED_FROM = timedelta(days=2)
"Windows in which a page is soon full of what comes first in an order."

SETTLED_AFTER = timedelta(days=2)
"What began so long ago has ended: the longest talk is a day's."
KEPT_FOR = timedelta(minutes=10)
"Then it is counted again: what is too old has been removed in the meantime."
KEPT_AT_MOST = 500


class Totals:
    """How many rows of the past queries have, counted once for all of their pages.

    ``now``: UTC, aware.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: OrderedDict[Hashable, tuple[datetime, int]] = OrderedDict()

    def settled_before(self) -> datetime:
        """Return the moment before which nothing changes any more: the same for a whole hour."""
        return (self._now() - SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)

    async def of(self, question: Hashable, count: Callable[[], Awaitable[int]]) -> int:
        """Return what ``count`` counts, or has counted for this question lately."""
        now = self._now()
        if question in self._kept:
            counted_at, total = self._kept[question]
            if now - counted_at < KEPT_FOR:
                return total
        total = await count()
        self._kept[question] = now, total
        self._kept.move_to_end(question)
        if len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return total


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Answers `callwright.methods.data.list_method.Rows` from the database.

    ``turns``: how many queries are read at once, of all lists that share it; calls need the
    database's connections, too.
    """

    database: AsyncEngine
    listed: StoredList
    turns: anyio.CapacityLimiter
    totals: Totals
    within: float = READ_WITHIN
    "Seconds one query may take."

    @property
    def are_many(self) -> bool:
        return self.listed.source.is_large

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
            question = (id(self.listed), account, query.filter, before)
            total += await self.totals.of(question, lambda: self._count(account, past))
        if window.end >= settled:
            after = replace(window, start=max(window.start, settled))
            total += await self._count(account, replace(query, window=after))
        return total

    async def read(self, account: int, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a page in order, some at a time. Raises `TooCostly`."""
        shown = self.listed.read(query.fields)
        known = self.listed.details
        details = {name: known[name] for name in query.fields if name in known}
        source = self.listed.source
        costly = {source.details[name] for name in source.costly}
        at_once = FEW_AT_ONCE if costly.intersection(details.values()) else READ_AT_ONCE
        async with self._reading() as connection:
            result = await connection.stream(self._page(account, query))
            async for some in result.partitions(at_once):
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
            _snapshot(self.database, self.within) as connection,
        ):
            yield connection

    def _page(self, account: int, query: Query) -> Select[Any]:
        listed, key = self.listed, self.listed.source.key
        order, by = self._order(query), [one.field for one in query.sort]
        # Which rows it is, first: that is told by an index, and only those are then looked at.
        page = (
            self._of(account, query, select(key.label("key")), by)
            .order_by(*order)
            .limit(query.limit)
            .offset(query.offset)
            .subquery()
        )
        shown = listed.holding([*query.fields, *by])
        columns = [listed.columns[name] for name in listed.read(query.fields)]
        labelled = (column.label(f"field_{at}") for at, column in enumerate(columns))
        return (
            select(key, *labelled).select_from(page.join(shown, key == page.c.key)).order_by(*order)
        )

    def _of(self, account: int, query: Query, found: Select[Any], by: Sequence[str]) -> Select[Any]:
        """Narrow ``found`` down to the rows of a query, which may then be ordered ``by`` fields."""
        source, columns = self.listed.source, self.listed.columns
        owner = source.table.c.account_id if source.account is None else source.account
        own = owner == account
        wanted = [own if source.shared is None else or_(own, source.shared)]
        if source.condition is not None:
            wanted.append(source.condition)
        if query.window is not None:
            moment = columns[query.window.field]
            if by and self._walks(query):
                # SQLite would rather take the index of the window, and sort all that is in it. By
                # a column with a sign before it, it looks nothing up (Query Planning, 2.0).
                moment = UnaryExpression(
                    moment, operator=operators.custom_op("+"), type_=moment.type
                )
            wanted += [moment >= query.window.start, moment < query.window.end + _SECOND]
        if query.filter is not None:
            clauses = Clauses(columns, self.database.dialect.name, self.listed)
            wanted.append(clauses.of(query.filter))
        named = [*by, *(fields_of(query.filter) if query.filter else ())]
        return found.select_from(self.listed.holding(named)).where(*wanted)

    def _walks(self, query: Query) -> bool:
        """Whether the rows are best gone through in the order of an index until a page is full.

        Not where few of them may be wanted: in a short window, or by a filter.
        """
        listed, window = self.listed, query.window
        if self.database.dialect.name != "sqlite" or window is None or not query.sort:
            return False
        found = query.filter
        parts = found.filters if isinstance(found, Every) else (found,) if found else ()
        return (
            query.sort[0].field in listed.walked
            and window.end - window.start >= WALKED_FROM
            and (bool(parts) or listed.source.walks_over is None)
            and all(self._is_walked_over(part) for part in parts)
        )

    def _is_walked_over(self, part: Filter) -> bool:
        """Whether a filter says no more than which rows an index has that is walked along."""
        match part:
            case Comparison(field=name, operator=Operator.NOT_EQUAL, value=None):
                over = self.listed.source.walks_over
                return (
                    over is not None
                    and self.listed.columns[name] is self.listed.source.columns[over]
                )
        return False

    def _order(self, query: Query) -> list[ColumnElement[Any]]:
        listed, order = self.listed, []
        for one in query.sort:
            column = listed.columns[one.field]
            if one is query.sort[-1]:  # what is equal by the field need not be told apart further
                column = listed.finer.get(one.field, column)
            order.append(_ordered(column, one, self.database.dialect.name))
        return [*(order or listed.source.order), listed.source.key.asc()]


def _ordered(column: ColumnElement[Any], by: Order, dialect: str) -> ColumnElement[Any]:
    """What rows are ordered by. Null is the least there is."""
    if dialect == "postgresql":
        if isinstance(column.type, String):
            column = by_code_points(column, dialect)
        # There it is the greatest, unless said; and said of what is never null, it would keep an
        # index from being used, as it would with SQLite.
        if not isinstance(column, Column) or column.nullable:
            return column.desc().nulls_last() if by.descending else column.asc().nulls_first()
    return column.desc() if by.descending else column.asc()


@asynccontextmanager
async def _snapshot(database: AsyncEngine, within: float) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that only reads, and ends after some seconds. Raises `TooCostly` then."""
    if database.dialect.name == "sqlite":
        async with database.connect() as connection, _ended(connection, within):
            yield connection
        return
    from callwright.storage.postgresql.snapshot import snapshot

    async with snapshot(database, within) as connection:
        yield connection


@asynccontextmanager
async def _ended(connection: AsyncConnection, within: float) -> AsyncIterator[None]:
    """End what SQLite does in the block after some seconds. Raises `TooCostly` then."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, aiosqlite.Connection)
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
