"""Methods that give a list: how they are declared, and how their rows are read and shown."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import GenericAlias
from typing import Any, Protocol, TypeVar

import anyio

from callwright.directory.model import AccountId, Component
from callwright.methods.data import list_memory
from callwright.methods.data.list_fields import Listing, Makers
from callwright.methods.data.list_memory import Keys, Reader, Selection
from callwright.methods.data.list_request import ListRequest, query_of
from callwright.methods.errors import DataLimitExceeded, InvalidParameterValue
from callwright.methods.method import Answer, Caller, Declaration, Method
from callwright.query import PatternRefused, Query, Row, TooCostly

R = TypeVar("R", bound=ListRequest)

READ_AT_MOST = 1_000_000
"Rows that one request lets us look at, where the database cannot choose among them."


class Rows(Protocol):
    """Where the rows of a list come from, by the names its fields are declared by."""

    @property
    def are_many(self) -> bool:
        """Counting them takes so long that it is done while a page is read."""

    async def count(self, account: AccountId, query: Query) -> int:
        """How many rows there are without limit and offset. Raises `TooCostly`."""

    def read(self, account: AccountId, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a page in order, some at a time. Raises `TooCostly`."""


class NoRows:
    """The rows of a list that is always empty."""

    are_many = False

    async def count(self, _account: AccountId, _query: Query) -> int:
        return 0

    async def read(self, _account: AccountId, _query: Query) -> AsyncGenerator[Sequence[Row], None]:
        yield ()


@dataclass(frozen=True, slots=True)
class ListDeclaration(Declaration[R]):
    """A method that gives rows of a list, and `metadata.total_items`."""

    listing: Listing = field(kw_only=True)
    table: str | None = field(kw_only=True)
    """Whose rows these are, by the name it has in `callwright.storage.tables`; None: there never
    are any."""

    def served(
        self,
        rows: Rows,
        makers: Makers | None = None,
        catch_up: Callable[[], Awaitable[object]] | None = None,
    ) -> Method[R]:
        """Serve it.

        ``makers``: of the fields that are `MadeOf` a fact by what is at hand here. Raises
        ValueError for others. ``catch_up``: waits until what has happened is in the rows, if that
        is soon.
        """
        if set(makers or ()) != self.listing.to_be_made:
            raise ValueError(f"{self.name}: to be made are {sorted(self.listing.to_be_made)}")

        async def serve(caller: Caller, params: R) -> Answer:
            query = query_of(params, self.listing, caller.account.timezone)
            if catch_up is not None:
                await catch_up()
            account, zone = caller.account.id, caller.account.timezone
            shown = self.listing.shower(query.fields, zone, makers)
            reader = None
            if list_memory.is_needed(query, self.listing):
                selection = Selection.of(query, self.listing, READ_AT_MOST)
                reader = selection.reader(self.listing, zone, makers)
            return await answered(account, query, rows, shown, reader)

        return self.served_by(serve)


def list_declaration(
    name: str,
    shape: Any,
    *,
    table: str | None,
    summary: str,
    params: type[R],
) -> ListDeclaration[R]:
    """Declare a list whose rows have a shape; see `callwright.methods.data.list_fields`."""
    return ListDeclaration(
        name,
        params,
        component=Component.DATA,
        summary=summary,
        errors=params.errors,
        result=GenericAlias(list, (shape,)),
        counts_items=True,
        table=table,
        listing=Listing.of(shape),
    )


async def answered(
    account: AccountId,
    query: Query,
    rows: Rows,
    shown: Callable[[Row], object],
    reader: Reader | None = None,
) -> Answer:
    """Read a page, and count what there is beside it, if there can be more.

    ``shown``: makes JSON of a row. ``reader``: chooses among the rows, where the database cannot.
    Raises `DataLimitExceeded`, and `InvalidParameterValue` for a regular expression the database
    does not take.
    """
    refused: ExceptionGroup[PatternRefused] | None = None
    try:
        if reader is not None:
            return await _selected(account, rows, reader, shown)
        return await _answer(account, query, rows, shown)
    except* PatternRefused as found:
        refused = found
    except* TooCostly as too_long:
        too_costly = too_long
    if refused is not None:
        raise InvalidParameterValue(field="filter", value="regexp") from refused
    raise DataLimitExceeded() from too_costly


async def _selected(
    account: AccountId, rows: Rows, reader: Reader, shown: Callable[[Row], object]
) -> Answer:
    """Read all rows there may be, and choose and order them here. Raises `TooCostly`."""
    selection = reader.selection
    query, seen, wanted = selection.query, 0, 0
    page = range(query.offset, query.offset + query.limit)
    kept: list[tuple[Keys, str]] = []
    async with aclosing(rows.read(account, selection.wide)) as reading:
        async for some in reading:
            seen += len(some)
            for row in some:
                values = reader.values(row)
                if not reader.wanted(values):
                    continue
                if selection.sorts or wanted in page:
                    kept.append((reader.keys(values), _json(shown(row))))
                wanted += 1
    if seen == READ_AT_MOST:
        raise TooCostly
    if selection.sorts:
        kept = reader.in_order(kept)[query.offset :][: query.limit]
    pieces = ",".join(piece for _, piece in kept)
    return Answer(f"[{pieces}]", {"total_items": wanted})


async def _answer(
    account: AccountId, query: Query, rows: Rows, shown: Callable[[Row], object]
) -> Answer:
    pieces: list[str] = []
    counted: int | None = None

    async def count() -> None:
        nonlocal counted
        counted = await rows.count(account, query)

    async with anyio.create_task_group() as beside:
        if rows.are_many:
            beside.start_soon(count)
        # Made JSON piece by piece: a page of ten thousand rows at once would hold up every call.
        async with aclosing(rows.read(account, query)) as reading:
            async for some in reading:
                pieces += [_json(shown(row)) for row in some]
        is_last = len(pieces) < query.limit and bool(pieces or not query.offset)
        if not is_last and not rows.are_many:
            await count()
    total = query.offset + len(pieces) if counted is None else counted
    return Answer(f"[{','.join(pieces)}]", {"total_items": total})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
