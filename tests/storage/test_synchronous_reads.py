from contextlib import closing

import pytest
from sqlalchemy import create_engine, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import open_twin, writing
from callwright.storage.synchronous_reads import RowsAtHand
from callwright.storage.tables import accounts

pytestmark = pytest.mark.anyio

NAMES = select(accounts.c.name).where(accounts.c.id == 1)


async def test_it_shows_what_is_committed_by_now(database: AsyncEngine) -> None:
    with open_twin(database, wait=0.0) as twin, closing(RowsAtHand(database, twin)) as rows:
        assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
        async with writing(database) as connection:
            await connection.execute(update(accounts).values(name="Hooves"))
            assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
        assert [row.name for row in await rows.read(NAMES, {})] == ["Hooves"]


async def test_what_the_twin_cannot_read_is_read_the_long_way(database: AsyncEngine) -> None:
    """A lock is why in life; here it is a twin without tables."""
    twin = create_engine("sqlite://")
    with closing(RowsAtHand(database, twin)) as rows:
        assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
    twin.dispose()
