"""Methods that give a list: how they are declared, and how their rows are read and shown."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import GenericAlias
from typing import Any, Protocol, TypeVar

import anyio

from callwright.directory.model import AccountId, Component
from callwright.methods.data.list_fields import Listing, Makers
from callwright.methods.data.list_request import ListRequest, query_of
from callwright.methods.errors import DataLimitExceeded
from callwright.methods.method import Answer, Caller, Declaration, Method
from callwright.query import Query, Row, TooCostly

R = TypeVar("R", bound=ListRequest)


class Rows(Protocol):
    """Where the rows of a list come from, by the names its fields are declared by."""

    @property
    def are_many(self) -> bool:
        """Counting them takes so long that it is done while a page is read."""

    async def count(self, account: AccountId, query: Query) -> int:
        """How many rows there are without limit and offset. Raises `TooCostly`."""

    def read(self, account: AccountId, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a page in order, some at a time. Raises `TooCostly`."""


@dataclass(frozen=True, slots=True)
class ListDeclaration(Declaration[R]):
    """A method that gives rows of a list, and `metadata.total_items`."""

    listing: Listing = field(kw_only=True)
    table: str = field(kw_only=True)
    "Whose rows these are, by the name it has in `callwright.storage.tables`."

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
            shown = self.listing.shower(query.fields, caller.account.timezone, makers)
            return await answered(caller.account.id, query, rows, shown)

        return self.served_by(serve)


def list_declaration(
    name: str,
    shape: Any,
    *,
    table: str,
    summary: str,
    params: type[R],
    unknown: Sequence[str] = (),
    unknown_arrays: Sequence[str] = (),
    unknown_objects: Sequence[str] = (),
) -> ListDeclaration[R]:
    """Declare a list whose rows have a shape; see `callwright.methods.data.list_fields`.

    ``unknown…``: see `Listing.of`.
    """
    return ListDeclaration(
        name,
        params,
        component=Component.DATA,
        summary=summary,
        errors=params.errors,
        result=GenericAlias(list, (shape,)),
        counts_items=True,
        table=table,
        listing=Listing.of(
            shape,
            unknown=unknown,
            unknown_arrays=unknown_arrays,
            unknown_objects=unknown_objects,
        ),
    )


async def answered(
    account: AccountId, query: Query, rows: Rows, shown: Callable[[Row], object]
) -> Answer:
    """Read a page, and count what there is beside it, if there can be more.

    ``shown``: makes JSON of a row. Raises `DataLimitExceeded`.
    """
    try:
        return await _answer(account, query, rows, shown)
    except* TooCostly as found:
        too_costly = found
    raise DataLimitExceeded() from too_costly


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
