from datetime import UTC, datetime

import anyio
import pytest
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import DatabaseFault, writing
from callwright.storage.ids import BLOCK_BITS, reserve_block
from callwright.storage.tables import id_blocks

pytestmark = pytest.mark.anyio


async def test_ids_start_above_2_to_the_31(database: AsyncEngine) -> None:
    """call-api 1: ids start above 2^31 so that clients meet wide ids early."""
    assert await reserve_block(database) << BLOCK_BITS > 2**31


async def test_every_start_gets_another_block(database: AsyncEngine) -> None:
    blocks: list[int] = []

    async def start() -> None:
        blocks.append(await reserve_block(database))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(start)
    assert sorted(blocks) == list(range(1, 9))


async def test_a_block_does_not_come_back_when_its_row_has_gone(database: AsyncEngine) -> None:
    await reserve_block(database)
    async with writing(database) as connection:
        await connection.execute(delete(id_blocks))
    assert await reserve_block(database) == 2


@pytest.mark.sqlite
async def test_ids_stay_below_2_to_the_53(database: AsyncEngine) -> None:
    last = (1 << 21) - 1
    async with writing(database) as connection:
        await connection.execute(
            insert(id_blocks).values(block=last - 1, reserved_at=datetime.now(UTC))
        )
    assert await reserve_block(database) == last
    assert (last + 1 << BLOCK_BITS) - 1 < 2**53
    with pytest.raises(DatabaseFault, match="used up"):
        await reserve_block(database)
    async with database.connect() as connection:
        assert (await connection.execute(select(func.max(id_blocks.c.block)))).scalar_one() == last
