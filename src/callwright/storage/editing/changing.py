"""Changing: how any change of the directory that a request asks for becomes one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.directory.editing import NotThere
from callwright.storage.database import writing
from callwright.storage.revision import touch


@dataclass(frozen=True, slots=True)
class Changing:
    """``next_id``: ids of things that have one of their own choosing, never given twice. ``now``:
    UTC, aware. ``changed`` is called after a change, for those who follow the directory."""

    database: AsyncEngine
    next_id: Callable[[], int]
    now: Callable[[], datetime]
    changed: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def change(self) -> AsyncIterator[AsyncConnection]:
        """Hold the writer's lock; at the end of the block the change is there for everybody."""
        async with writing(self.database) as connection:
            yield connection
            await touch(connection)
        await self.changed()


async def require(
    connection: AsyncConnection, table: Table, account: int, id: int, field: str = "id"
) -> None:
    """Raise `NotThere` unless the account has a row of this id."""
    if not await exists(connection, table.c.account_id == account, table.c.id == id):
        raise NotThere(field, id, f"there is no {id} in {table.name}")


async def exists(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> bool:
    """Whether there is a row for which all conditions hold; they are of one table."""
    return bool(await connection.scalar(select(select(1).where(*conditions).exists())))
