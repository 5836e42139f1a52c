"""The Data API put together: which lists have their rows where in the database."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.methods.data.account import ACCOUNTS, GET_ACCOUNT
from callwright.methods.data.lists import Rows, list_method
from callwright.methods.data.virtual_numbers import GET_VIRTUAL_NUMBERS, VIRTUAL_NUMBERS
from callwright.methods.method import Method
from callwright.storage import sources
from callwright.storage.listing import Source, StoredRows
from callwright.webhook_api import webhook_methods

READ_AT_ONCE = 2
"Queries that are read at once: of the database's few connections, calls are to find one free."


def data_methods(
    database: AsyncEngine,
    entity_methods: Callable[[Callable[[Source], Rows]], Sequence[Method[Any]]],
    webhooks_changed: Callable[[], Awaitable[None]],
) -> Sequence[Method[Any]]:
    """Every method of the Data API, but for logging in."""
    turns = anyio.CapacityLimiter(READ_AT_ONCE)

    def rows(source: Source) -> StoredRows:
        return StoredRows(database, source, turns)

    return [
        list_method(GET_ACCOUNT, ACCOUNTS, rows(sources.ACCOUNTS)),
        list_method(GET_VIRTUAL_NUMBERS, VIRTUAL_NUMBERS, rows(sources.VIRTUAL_NUMBERS)),
        *entity_methods(rows),
        *webhook_methods(database, webhooks_changed, rows),
    ]
