"""Lists: methods of the Data API that show rows a client has asked for."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence, Set
from contextlib import aclosing
from types import GenericAlias
from typing import Protocol, TypeVar

import anyio

from callwright.directory.model import Account, AccountId, Component
from callwright.methods.data.list_fields import Listing
from callwright.methods.data.list_query import Asking, query_of
from callwright.methods.errors import DataLimitExceeded
from callwright.methods.method import Answer, Caller, Declaration, Method
from callwright.query import Query, Row, TooCostly

ERRORS = ("sort_prohibited", "filter_prohibited", "data_limit_exceeded")
"Mnemonics of every method that lists something."

A = TypeVar("A", bound=Asking)


class Rows(Protocol):
    """Where the rows of a list come from."""

    @property
    def fields(self) -> Set[str]:
        """The fields its rows can be asked for."""

    @property
    def are_many(self) -> bool:
        """Counting them takes so long that it is done while a page is read."""

    async def count(self, account: AccountId, query: Query) -> int:
        """How many rows there are without limit and offset. Raises `TooCostly`."""

    def read(self, account: AccountId, query: Query) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a page in order, some at a time. Raises `TooCostly`."""


def list_declaration(
    name: str,
    listing: Listing,
    *,
    summary: str,
    params: type[A],
    errors: Sequence[str] = (),
) -> Declaration[A]:
    """Declare a method that gives rows of a listing, and `metadata.total_items`."""
    return Declaration(
        name,
        params,
        component=Component.DATA,
        summary=summary,
        errors=(*ERRORS, *errors),
        result=GenericAlias(list, (listing.shape,)),
        counts_items=True,
    )


def list_method(declaration: Declaration[A], listing: Listing, rows: Rows) -> Method[A]:
    """Serve a list with nothing but the parameters of every list."""
    check_rows(listing, rows)

    async def serve(caller: Caller, params: A) -> Answer:
        query = query_of(params, listing, caller.account.timezone)
        return await answer_list(caller.account, query, listing, rows)

    return declaration.served_by(serve)


def check_rows(listing: Listing, rows: Rows) -> None:
    """Raise ValueError unless the rows have the very fields that are known of the listing."""
    if rows.fields != listing.known:
        odd = ", ".join(sorted(rows.fields ^ listing.known))
        raise ValueError(f"the listing or its rows have no such fields: {odd}")


async def answer_list(
    account: Account,
    query: Query,
    listing: Listing,
    rows: Rows,
    finish: Callable[[dict[str, object]], Mapping[str, object]] | None = None,
) -> Answer:
    """Read a page, and count what there is beside it, if there can be more.

    ``finish``: what is done to each row before it is shown. Raises `DataLimitExceeded`.
    """
    try:
        return await _answer(account, query, listing, rows, finish)
    except* TooCostly as found:
        too_costly = found
    raise DataLimitExceeded() from too_costly


async def _answer(
    account: Account,
    query: Query,
    listing: Listing,
    rows: Rows,
    finish: Callable[[dict[str, object]], Mapping[str, object]] | None,
) -> Answer:
    pieces: list[str] = []
    counted: int | None = None

    async def count() -> None:
        nonlocal counted
        counted = await rows.count(account.id, query)

    async with anyio.create_task_group() as beside:
        if rows.are_many:
            beside.start_soon(count)
        # Made JSON piece by piece: a page of ten thousand rows at once would hold up every call.
        async with aclosing(rows.read(account.id, query)) as reading:
            async for some in reading:
                for row in some:
                    shown = listing.shown(row, query.fields, account.timezone)
                    pieces.append(_json(finish(shown) if finish else shown))
        is_last = len(pieces) < query.limit and bool(pieces or not query.offset)
        if not is_last and not rows.are_many:
            await count()
    total = query.offset + len(pieces) if counted is None else counted
    return Answer(f"[{','.join(pieces)}]", {"total_items": total})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
