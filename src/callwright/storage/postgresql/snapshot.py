"""Snapshot: a transaction of PostgreSQL that only reads, and no statement of which lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.query import PatternRefused, TooCostly
from callwright.storage.postgresql.connections import ANSWERS_WITHIN, allow

_WITHIN = text("SELECT set_config('statement_timeout', :within, true)")


@asynccontextmanager
async def snapshot(database: AsyncEngine, within: float) -> AsyncIterator[AsyncConnection]:
    """Show the database as it is at the first statement. Raises `TooCostly` for one that lasts,
    and `PatternRefused`.

    ``within``: seconds each statement has; the server ends it, and is waited for a little longer.
    """
    # Not in autocommit: rows are fetched some at a time, by a cursor that lives in a transaction.
    reading = database.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    async with reading.connect() as connection:
        await connection.execute(_WITHIN, {"within": f"{max(1, int(within * 1000))}ms"})
        await connection.run_sync(allow, within + ANSWERS_WITHIN)
        try:
            yield connection
        except DBAPIError as fault:
            match getattr(fault.orig, "sqlstate", None):
                case "57014":
                    raise TooCostly from fault
                case "2201B":
                    raise PatternRefused("a regular expression") from fault
            raise
